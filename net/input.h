#pragma once

#include <algorithm>
#include <cstddef>
#include <string_view>
#include <utility>
#include <vector>

namespace spillway {

// Bytes received and not yet used, in one block that grows from 4 to 32 KiB: twice the longest
// head, and the most that a client can send ahead of its answers.
class Input {
 public:
  static constexpr std::size_t kSmallest = 4 * 1024;
  static constexpr std::size_t kLargest = 32 * 1024;

  std::string_view bytes() const { return {block_.data() + begin_, end_ - begin_}; }
  bool empty() const { return begin_ == end_; }
  bool full() const { return end_ - begin_ == kLargest; }

  void Consume(std::size_t n) {
    begin_ += n;
    if (begin_ == end_) begin_ = end_ = 0;
  }

  // Room for what comes next, at least one byte unless full(). Moves bytes(); the room stays valid
  // until the next call, whatever is consumed meanwhile.
  std::pair<char*, std::size_t> Room() {
    if (begin_ > 0) {
      std::copy(block_.begin() + static_cast<std::ptrdiff_t>(begin_),
                block_.begin() + static_cast<std::ptrdiff_t>(end_), block_.begin());
      end_ -= std::exchange(begin_, 0);
    }
    if (end_ == block_.size() && end_ < kLargest) {
      block_.resize(std::max(kSmallest, 2 * block_.size()));
    }
    room_ = end_;
    return {block_.data() + end_, block_.size() - end_};
  }
  // `n` bytes of the last Room() were filled.
  void Filled(std::size_t n) {
    if (begin_ == end_) begin_ = end_ = room_;  // All before it was used while the bytes came.
    end_ += n;
  }

  // Gives memory back while nothing is in it.
  void Shrink() {
    if (empty() && block_.size() > kSmallest) block_ = {};
  }

 private:
  std::vector<char> block_;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
  std::size_t room_ = 0;
};

}  // namespace spillway
