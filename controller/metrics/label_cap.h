#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <set>
#include <string>
#include <string_view>

namespace spillway {

// Keeps the values of one label bounded: the first `most` that come keep their name, all later ones
// become "other" and are counted. Not thread-safe.
class LabelCap {
 public:
  explicit LabelCap(std::size_t most) : most_(most) {}

  std::string_view Of(std::string_view value) {
    if (const auto known = known_.find(value); known != known_.end()) return *known;
    if (known_.size() < most_) return *known_.emplace(value).first;
    ++dropped_;
    return "other";
  }
  std::uint64_t dropped() const { return dropped_; }

 private:
  const std::size_t most_;
  std::set<std::string, std::less<>> known_;
  std::uint64_t dropped_ = 0;
};

}  // namespace spillway
