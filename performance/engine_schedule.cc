#include <algorithm>
#include <utility>

#include "performance/engine.h"

namespace spillway {

void Engine::Schedule(absl::Time now) {
  if (running_.empty() && waiting_.empty()) return;
  const bool preempts = !GrowAll();
  if (preempts) GrowByPreempting();
  batch_.decodes = decoding_.size();
  batch_.decode_context = decoding_.context();
  std::int64_t budget = limits_.step_tokens - decoding_.size();
  ScheduleChunks(budget);
  if (!preempts) Admit(budget, now);
  if (!batch_.empty()) Begin(now, preempts);
}

void Engine::ScheduleChunks(std::int64_t& budget) {
  for (auto i = static_cast<std::size_t>(decoding_.size()); i < running_.size(); ++i) {
    GiveChunk(slots_[running_[i]], budget);
  }
}

void Engine::GiveChunk(Sequence& sequence, std::int64_t& budget) {
  sequence.scheduled = std::min(budget, sequence.length() - sequence.computed);
  budget -= sequence.scheduled;
  batch_.AddChunk(sequence.scheduled, sequence.computed);
}

void Engine::Admit(std::int64_t& budget, absl::Time now) {
  const auto most = static_cast<std::size_t>(limits_.max_sequences);
  while (budget > 0 && !waiting_.empty() && running_.size() < most) {
    const Slot slot = waiting_.front();
    if (!LetIn(slots_[slot], now)) return;
    waiting_.pop_front();
    running_.push_back(slot);
    GiveChunk(slots_[slot], budget);
  }
}

// Takes the blocks of its whole prompt, those that hold its beginning already among them.
bool Engine::LetIn(Sequence& head, absl::Time now) {
  const std::int64_t blocks = limits_.BlocksFor(head.length());
  KvBlocks::Found found;
  std::int64_t piece = 0;
  if (!head.request.prefix.empty()) {
    // At least one token is computed: something has to come out.
    const auto most = static_cast<std::size_t>((head.length() - 1) / limits_.prefix_tokens);
    found = blocks_.Find(head.request.prefix.subspan(0, most));
    piece = limits_.prefix_tokens / limits_.block_tokens;
  }
  if (blocks_.available() - (blocks - found.in_use * piece) < limits_.watermark()) return false;
  for (std::size_t i = 0; i < found.pieces; ++i) blocks_.Use(head.request.prefix[i]);
  head.shared = found.pieces;
  const auto pieces = static_cast<std::int64_t>(found.pieces);
  blocks_.Take(blocks - pieces * piece);
  head.computed = pieces * limits_.prefix_tokens;
  CountPrompt(head, head.computed);
  if (!std::exchange(head.admitted_before, true)) head.queued = now - head.since;
  head.order = ++admissions_;
  waiting_tokens_ -= head.length();
  return true;
}

bool Engine::GrowAll() {
  const std::int64_t blocks = decoding_.Growth();
  if (blocks > blocks_.available()) return false;
  blocks_.Take(blocks);
  return true;
}

// Not all decodes find their block: the older ones do, and the newest give theirs up.
void Engine::GrowByPreempting() {
  for (std::size_t i = 0; i < static_cast<std::size_t>(decoding_.size()); ++i) {
    if (ComputedOf(slots_[running_[i]]) % limits_.block_tokens != 0) continue;
    while (blocks_.available() == 0 && i < running_.size()) PreemptNewest();
    if (i == running_.size()) return;  // it was the newest itself
    blocks_.Take(1);
  }
}

void Engine::PreemptNewest() {
  const Slot slot = running_.back();
  Sequence& newest = slots_[slot];
  std::int64_t held = newest.length();
  if (running_.size() == static_cast<std::size_t>(decoding_.size())) {
    held = newest.computed = ComputedOf(newest);
    newest.generated = newest.computed + 1 - newest.request.prompt_tokens;
    decoding_.Leave(newest.member, newest.computed);
  }
  running_.pop_back();
  Release(newest, held);
  newest.computed = 0;
  waiting_.push_front(slot);
  waiting_tokens_ += newest.length();
  ++counters_.preemptions;
}

// Of prompts as they are computed, of answers when the sequence leaves.
void Engine::KeepComputed(Sequence& sequence) {
  const auto& prefix = sequence.request.prefix;
  for (; sequence.shared < prefix.size(); ++sequence.shared) {
    const auto pieces = static_cast<std::int64_t>(sequence.shared) + 1;
    if (pieces * limits_.prefix_tokens > sequence.computed) return;
    blocks_.Keep(prefix[sequence.shared]);
  }
}

// It holds blocks for `tokens`; what it has `computed` may be of use to others.
void Engine::Release(Sequence& sequence, std::int64_t tokens) {
  KeepComputed(sequence);
  const auto pieces = static_cast<std::int64_t>(std::exchange(sequence.shared, 0));
  const std::int64_t shared = pieces * (limits_.prefix_tokens / limits_.block_tokens);
  blocks_.Return(limits_.BlocksFor(tokens) - shared);
  if (pieces > 0) {
    blocks_.Leave(sequence.request.prefix.subspan(0, static_cast<std::size_t>(pieces)));
  }
}

// `alone`: who was preempted may come back with the next step.
void Engine::Begin(absl::Time now, bool alone) {
  begin_ = now;
  steps_ = 1;
  curve_ = batch_.prefills == 0 ? CurveOf(decoding_.size()) : std::nullopt;
  if (!curve_) {
    step_end_ = now + std::max(absl::Nanoseconds(1), times_->Of(batch_));
    return;
  }
  run_ = DecodeRun(*curve_, decoding_.size(), decoding_.context());
  if (pace_ == EnginePace::kRuns && !alone) steps_ = RunLength();
  step_end_ = now + absl::Nanoseconds(NanosOf(steps_));
}

// To the first completion, if the blocks suffice; the first step has its own already. Nobody comes
// in before: whoever waits did not fit, and what is free only falls.
std::int64_t Engine::RunLength() {
  const std::int64_t more = decoding_.StepsToFirstEnd() - 1;
  return run_.AtMost(1 + decoding_.StepsWithin(blocks_.available(), 1, more));
}

void Engine::CatchUp(absl::Time now) {
  if (steps_ <= 1) return;
  const std::int64_t passed = ToNanos(now - begin_);
  std::int64_t ended = 0, not_ended = steps_;  // the last one's end is EndStep's
  while (not_ended - ended > 1) {
    const std::int64_t middle = ended + (not_ended - ended) / 2;
    (NanosOf(middle) < passed ? ended : not_ended) = middle;
  }
  if (ended > 0) Pass(ended);
}

void Engine::Pass(std::int64_t steps) {
  const std::int64_t ticks = carry_ + run_.Ticks(steps);
  begin_ += absl::Nanoseconds(ticks >> kTickBits);
  carry_ = ticks & ((std::int64_t{1} << kTickBits) - 1);
  blocks_.Take(decoding_.GrowthOver(1, steps));
  decoding_.Pass(steps);
  counters_.generated_tokens += steps * decoding_.size();
  counters_.steps += steps;
  steps_ -= steps;
  run_ = DecodeRun(*curve_, decoding_.size(), decoding_.context());
  batch_.decode_context = decoding_.context();
}

void Engine::CutShort() {
  steps_ = 1;
  step_end_ = begin_ + absl::Nanoseconds(NanosOf(1));
}

std::optional<DecodeCurve> Engine::CurveOf(int sequences) {
  const auto n = static_cast<std::size_t>(sequences);
  if (curves_.size() <= n) curves_.resize(n + 1);
  if (!curves_[n]) curves_[n] = times_->Decodes(sequences);
  return curves_[n];
}

}  // namespace spillway
