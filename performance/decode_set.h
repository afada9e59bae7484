#pragma once

#include <cstdint>
#include <optional>
#include <vector>

// The sequences of an engine that decode, taken together: every step gives each of them one token,
// so that what a step needs to know of all of them is a few sums, and what many steps do to them is
// arithmetic. A step costs the same for any number of sequences; who comes or leaves costs O(log
// n).
namespace spillway {

class DecodeSet {
 public:
  explicit DecodeSet(int block_tokens)
      : block_tokens_(block_tokens), growth_(static_cast<std::size_t>(block_tokens)) {}

  // Who is in it. `order` is unique and rises with every one that joins (who comes first stands
  // first among those that end together); `slot` is the caller's, small, and free to be used again
  // by whoever joins after this one left.
  struct Member {
    std::uint64_t order = 0;
    std::uint32_t slot = 0;
    std::int64_t last_step = 0;  // its last token comes when steps() reaches this
    friend bool operator==(const Member&, const Member&) = default;
  };
  // With `computed` tokens in its cache and `left` (> 0) still to come.
  Member Join(std::uint64_t order, std::uint32_t slot, std::int64_t computed, std::int64_t left);
  // `computed` as it is now.
  void Leave(const Member& member, std::int64_t computed);

  int size() const { return size_; }
  std::int64_t steps() const { return steps_; }      // that have passed
  std::int64_t context() const { return context_; }  // tokens in the caches of all

  // How many blocks the next step takes, and that after so many others.
  std::int64_t Growth(std::int64_t after = 0) const {
    return growth_[static_cast<std::size_t>((steps_ + after) % block_tokens_)];
  }
  // How many `count` steps take together, after so many others.
  std::int64_t GrowthOver(std::int64_t after, std::int64_t count) const;
  // How many steps, after `after` others, but no more than `most`, take at most `blocks`.
  std::int64_t StepsWithin(std::int64_t blocks, std::int64_t after, std::int64_t most) const;

  // Steps until the first one ends (> 0); the set is not empty.
  std::int64_t StepsToFirstEnd();
  // A token for each in each of so many steps, at most StepsToFirstEnd().
  void Pass(std::int64_t steps) {
    steps_ += steps;
    context_ += steps * size_;
  }
  // One that has had its last token, the first to have joined, for the caller to let it Leave.
  std::optional<Member> NextEnded();

 private:
  bool IsGone(const Member& member) const { return present_[member.slot] != member.order; }
  void DropGone();  // from the top
  std::size_t ClassOf(std::int64_t computed) const;

  std::int64_t block_tokens_;
  std::int64_t steps_ = 0, context_ = 0;
  int size_ = 0;
  std::vector<std::int64_t> growth_;    // at steps % block_tokens: how many then want a block
  std::vector<Member> endings_;         // a heap, the first to end on top; some have left since
  std::vector<std::uint64_t> present_;  // by slot: whose it is; 0: nobody's
};

}  // namespace spillway
