#include "performance/engine.h"

#include <algorithm>
#include <utility>

#include "core/check.h"

namespace spillway {
namespace {

// Whoever gets a place gets a token in every step.
EngineLimits Checked(EngineLimits limits) {
  SPILLWAY_CHECK(limits.max_sequences > 0 && limits.step_tokens > 0 && limits.block_tokens > 0);
  SPILLWAY_CHECK(limits.prefix_tokens >= 0 && limits.prefix_tokens % limits.block_tokens == 0);
  limits.max_sequences =
      static_cast<int>(std::min<std::int64_t>(limits.max_sequences, limits.step_tokens));
  return limits;
}

}  // namespace

std::int64_t EngineLimits::LongestSequence() const {
  const std::int64_t held = (kv_blocks - watermark()) * block_tokens;
  return context > 0 ? std::min(context, held) : held;
}

Engine::Engine(std::shared_ptr<const StepTimes> times, EngineLimits limits, EnginePace pace)
    : times_(std::move(times)),
      limits_(Checked(limits)),
      pace_(pace),
      blocks_(limits.kv_blocks, limits.prefix_tokens / limits.block_tokens),
      decoding_(limits.block_tokens) {
  SPILLWAY_CHECK(times_ != nullptr);
}

EngineAdmission Engine::Add(const EngineRequest& request, absl::Time now) {
  EngineRequest taken = request;
  taken.prompt_tokens = std::max<std::int64_t>(1, request.prompt_tokens);
  taken.output_tokens = std::max<std::int64_t>(0, request.output_tokens);
  if (limits_.prefix_tokens == 0) taken.prefix = {};
  const std::int64_t longest = limits_.LongestSequence();
  if (taken.prompt_tokens > longest || taken.output_tokens > longest - taken.prompt_tokens) {
    return EngineAdmission::kNeverFits;
  }
  if (waiting_.size() >= static_cast<std::size_t>(std::max(0, limits_.max_waiting))) {
    return EngineAdmission::kQueueFull;
  }
  Push(taken, now);
  return EngineAdmission::kAdmitted;
}

// Whoever finds others waiting waits too: those could not come in before the run's end either.
void Engine::Push(const EngineRequest& request, absl::Time now) {
  const std::int64_t blocks = limits_.BlocksFor(request.prompt_tokens);
  const bool may_come_in =
      waiting_.empty() && running_.size() < static_cast<std::size_t>(limits_.max_sequences) &&
      (!request.prefix.empty() || blocks_.available() - blocks >= limits_.watermark());
  if (steps_ > 1 && may_come_in) {
    CatchUp(now);
    CutShort();
  }
  if (free_slots_.empty()) {
    free_slots_.push_back(static_cast<Slot>(slots_.size()));
    slots_.emplace_back();
  }
  const Slot slot = free_slots_.back();
  free_slots_.pop_back();
  slots_[slot] = {.request = request, .since = now};
  waiting_.push_back(slot);
  waiting_tokens_ += request.prompt_tokens;
}

void Engine::Cancel(std::uint64_t id, absl::Time now) {
  const auto is_it = [&](Slot slot) { return slots_[slot].request.id == id; };
  const auto runs = std::find_if(running_.begin(), running_.end(), is_it);
  const auto waits = runs != running_.end() ? waiting_.end()
                                            : std::find_if(waiting_.begin(), waiting_.end(), is_it);
  if (runs == running_.end() && waits == waiting_.end()) return;
  if (steps_ > 1) {
    CatchUp(now);
    CutShort();
  }
  if (waits != waiting_.end()) {
    waiting_tokens_ -= slots_[*waits].length();
    free_slots_.push_back(*waits);
    waiting_.erase(waits);
    return;
  }
  // A decode has the block of the token that is under way.
  const Sequence& sequence = slots_[*runs];
  const auto place = static_cast<std::size_t>(runs - running_.begin());
  const bool decodes = place < static_cast<std::size_t>(decoding_.size());
  const std::int64_t held =
      decodes ? ComputedOf(sequence) + (under_way() ? 1 : 0) : sequence.length();
  Remove(place, held);
}

// One that runs, and holds blocks for so many tokens.
void Engine::Remove(std::size_t place, std::int64_t tokens) {
  const Slot slot = running_[place];
  Sequence& sequence = slots_[slot];
  if (place < static_cast<std::size_t>(decoding_.size())) {
    sequence.computed = ComputedOf(sequence);
    decoding_.Leave(sequence.member, sequence.computed);
  }
  Release(sequence, tokens);
  running_.erase(running_.begin() + static_cast<std::ptrdiff_t>(place));
  free_slots_.push_back(slot);
}

std::int64_t Engine::ComputedOf(const Sequence& sequence) const {
  const std::int64_t left = sequence.member.last_step - decoding_.steps();
  return sequence.request.prompt_tokens + sequence.request.output_tokens - left - 1;
}

std::size_t Engine::PlaceOf(const Sequence& sequence) const {
  const auto before = [this](Slot slot, std::uint64_t order) { return slots_[slot].order < order; };
  const auto at = std::lower_bound(running_.begin(), running_.end(), sequence.order, before);
  return static_cast<std::size_t>(at - running_.begin());
}

absl::Time Engine::NextStepEnd(absl::Time now) {
  if (!under_way()) Schedule(now);
  return step_end_;
}

void Engine::EndStep(absl::Time now, std::vector<StepOutput>& out) {
  if (!under_way() || now < step_end_) return;
  if (steps_ > 1) Pass(steps_ - 1);
  FinishStep(out);
}

void Engine::FinishStep(std::vector<StepOutput>& out) {
  if (curve_) {
    carry_ += run_.Ticks(1);
    carry_ &= (std::int64_t{1} << kTickBits) - 1;
  }
  step_end_ = absl::InfiniteFuture();
  ++counters_.steps;
  FinishDecodes(out);
  if (batch_.prefills > 0) FinishChunks(out);
  batch_ = {};
}

void Engine::FinishDecodes(std::vector<StepOutput>& out) {
  const auto all = static_cast<std::size_t>(decoding_.size());
  if (all == 0) return;
  decoding_.Pass(1);
  counters_.generated_tokens += decoding_.size();
  const bool each = pace_ == EnginePace::kSteps;
  for (std::size_t i = 0; each && i < all; ++i) {
    const Sequence& sequence = slots_[running_[i]];
    const bool last = sequence.member.last_step == decoding_.steps();
    out.push_back({sequence.request.id, false, last, absl::ZeroDuration(), 1});
  }
  while (const auto ended = decoding_.NextEnded()) {
    const Sequence& sequence = slots_[ended->slot];
    const EngineRequest& request = sequence.request;
    if (!each) {
      out.push_back({request.id, false, true, absl::ZeroDuration(), request.output_tokens - 1});
    }
    Remove(PlaceOf(sequence), ComputedOf(sequence));
  }
}

// Those whose prompt is under way stand behind those that decode, and only the newest is cut off
// in the middle of it.
void Engine::FinishChunks(std::vector<StepOutput>& out) {
  for (auto place = static_cast<std::size_t>(decoding_.size()); place < running_.size();) {
    const Slot slot = running_[place];
    Sequence& sequence = slots_[slot];
    sequence.computed += std::exchange(sequence.scheduled, 0);
    CountPrompt(sequence, 0);
    KeepComputed(sequence);
    if (sequence.computed < sequence.length()) {
      ++place;
    } else if (FinishPrompt(sequence, out)) {
      Remove(place, sequence.computed);
    } else {
      BeginDecoding(slot);
      ++place;
    }
  }
}

// Adds what comes out at the end of a prompt; true: that was its last.
bool Engine::FinishPrompt(Sequence& sequence, std::vector<StepOutput>& out) {
  const EngineRequest& request = sequence.request;
  const bool first = sequence.generated == 0;
  if (request.output_tokens > 0) {
    ++sequence.generated;
    ++counters_.generated_tokens;
  }
  const bool last = sequence.generated >= request.output_tokens;
  if (first || last || pace_ == EnginePace::kSteps) {
    const bool rest = !first && pace_ == EnginePace::kRuns;
    out.push_back({request.id, first, last, first ? sequence.queued : absl::ZeroDuration(),
                   rest ? request.output_tokens - 1 : 1});
  }
  return last;
}

// Up to `computed`; the first `cached` of them were not computed but found.
void Engine::CountPrompt(Sequence& sequence, std::int64_t cached) {
  const std::int64_t upto = std::min(sequence.computed, sequence.request.prompt_tokens);
  if (upto <= sequence.counted) return;
  (cached > 0 ? counters_.prefix_tokens : counters_.prompt_tokens) += upto - sequence.counted;
  sequence.counted = upto;
}

void Engine::BeginDecoding(Slot slot) {
  Sequence& sequence = slots_[slot];
  const std::int64_t left = sequence.request.output_tokens - sequence.generated;
  sequence.member = decoding_.Join(sequence.order, slot, sequence.computed, left);
}

EngineGauges Engine::gauges() const {
  EngineGauges out = counters_;
  out.running = static_cast<int>(running_.size());
  out.waiting = static_cast<int>(waiting_.size());
  out.kv_blocks_total = blocks_.total();
  out.kv_blocks_used = blocks_.total() - blocks_.available();
  return out;
}

EngineLoad Engine::load() const {
  EngineLoad out{.running = static_cast<int>(running_.size()),
                 .waiting = static_cast<int>(waiting_.size()),
                 .waiting_tokens = waiting_tokens_,
                 .context_tokens = decoding_.context()};
  for (auto i = static_cast<std::size_t>(decoding_.size()); i < running_.size(); ++i) {
    const Sequence& sequence = slots_[running_[i]];
    out.context_tokens += sequence.computed;
    out.waiting_tokens += sequence.length() - sequence.computed;
  }
  return out;
}

}  // namespace spillway
