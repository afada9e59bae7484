#include "performance/decode_set.h"

#include <algorithm>

namespace spillway {
namespace {

// Of two, the one that ends later lies deeper in the heap.
bool EndsLater(const DecodeSet::Member& a, const DecodeSet::Member& b) {
  return a.last_step != b.last_step ? a.last_step > b.last_step : a.order > b.order;
}

}  // namespace

// A sequence wants a block when the tokens that it has fill the ones it holds.
std::size_t DecodeSet::ClassOf(std::int64_t computed) const {
  const std::int64_t at = (steps_ - computed) % block_tokens_;
  return static_cast<std::size_t>(at < 0 ? at + block_tokens_ : at);
}

DecodeSet::Member DecodeSet::Join(std::uint64_t order, std::uint32_t slot, std::int64_t computed,
                                  std::int64_t left) {
  const Member member{order, slot, steps_ + left};
  if (slot >= present_.size()) present_.resize(slot + 1);
  present_[slot] = order;
  ++size_;
  context_ += computed;
  ++growth_[ClassOf(computed)];
  endings_.push_back(member);
  std::push_heap(endings_.begin(), endings_.end(), EndsLater);
  return member;
}

void DecodeSet::Leave(const Member& member, std::int64_t computed) {
  present_[member.slot] = 0;
  --size_;
  context_ -= computed;
  --growth_[ClassOf(computed)];
  // Those who left early stay in the heap until they come up, but never as its larger part.
  if (endings_.size() <= 2 * static_cast<std::size_t>(size_) + 16) return;
  const auto gone = [this](const Member& m) { return IsGone(m); };
  endings_.erase(std::remove_if(endings_.begin(), endings_.end(), gone), endings_.end());
  std::make_heap(endings_.begin(), endings_.end(), EndsLater);
}

// In block_tokens steps each takes one block.
std::int64_t DecodeSet::GrowthOver(std::int64_t after, std::int64_t count) const {
  std::int64_t out = count / block_tokens_ * size_;
  const std::int64_t rest = count % block_tokens_;
  for (std::int64_t i = 0; i < rest; ++i) out += Growth(after + i);
  return out;
}

std::int64_t DecodeSet::StepsWithin(std::int64_t blocks, std::int64_t after,
                                    std::int64_t most) const {
  const std::int64_t cycles = blocks / size_;
  if (cycles > most / block_tokens_) return most;
  std::int64_t steps = cycles * block_tokens_;
  blocks -= cycles * size_;
  while (steps < most && Growth(after + steps) <= blocks) blocks -= Growth(after + steps++);
  return std::min(steps, most);
}

void DecodeSet::DropGone() {
  while (!endings_.empty() && IsGone(endings_.front())) {
    std::pop_heap(endings_.begin(), endings_.end(), EndsLater);
    endings_.pop_back();
  }
}

std::int64_t DecodeSet::StepsToFirstEnd() {
  DropGone();
  return endings_.front().last_step - steps_;
}

std::optional<DecodeSet::Member> DecodeSet::NextEnded() {
  DropGone();
  if (endings_.empty() || endings_.front().last_step != steps_) return std::nullopt;
  return endings_.front();
}

}  // namespace spillway
