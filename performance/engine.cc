#include "performance/engine.h"

#include <algorithm>
#include <utility>

#include "core/check.h"

namespace spillway {

std::int64_t EngineLimits::LongestSequence() const {
  const std::int64_t held = (kv_blocks - watermark()) * block_tokens;
  return context > 0 ? std::min(context, held) : held;
}

Engine::Engine(std::shared_ptr<const StepTimes> times, EngineLimits limits)
    : times_(std::move(times)), limits_(limits), free_blocks_(limits.kv_blocks) {
  SPILLWAY_CHECK(times_ != nullptr);
  SPILLWAY_CHECK(limits_.max_sequences > 0 && limits_.step_tokens > 0 && limits_.block_tokens > 0);
}

EngineAdmission Engine::Add(const EngineRequest& request, absl::Time now) {
  EngineRequest taken = request;
  taken.prompt_tokens = std::max<std::int64_t>(1, request.prompt_tokens);
  taken.output_tokens = std::max<std::int64_t>(0, request.output_tokens);
  const std::int64_t longest = limits_.LongestSequence();
  if (taken.prompt_tokens > longest || taken.output_tokens > longest - taken.prompt_tokens) {
    return EngineAdmission::kNeverFits;
  }
  if (waiting_.size() >= static_cast<std::size_t>(std::max(0, limits_.max_waiting))) {
    return EngineAdmission::kQueueFull;
  }
  waiting_.push_back({.request = taken, .since = now});
  return EngineAdmission::kAdmitted;
}

void Engine::Cancel(std::uint64_t id) {
  const auto is_it = [id](const Sequence& s) { return s.request.id == id; };
  if (const auto it = std::find_if(running_.begin(), running_.end(), is_it); it != running_.end()) {
    free_blocks_ += it->blocks;
    running_.erase(it);
    return;
  }
  if (const auto it = std::find_if(waiting_.begin(), waiting_.end(), is_it); it != waiting_.end()) {
    waiting_.erase(it);
  }
}

absl::Time Engine::NextStepEnd(absl::Time now) {
  if (batch_.empty()) Schedule(now);
  return step_end_;
}

void Engine::Schedule(absl::Time now) {
  std::int64_t budget = limits_.step_tokens;
  ScheduleDecodes(budget);
  ScheduleChunks(budget);
  Admit(budget, now);
  if (batch_.empty()) return;
  step_end_ = now + std::max(absl::Nanoseconds(1), times_->Of(batch_));
}

void Engine::ScheduleDecodes(std::int64_t& budget) {
  for (std::size_t i = 0; i < running_.size() && budget > 0; ++i) {
    if (!running_[i].decodes()) continue;
    const bool needs_block = limits_.BlocksFor(running_[i].computed + 1) > running_[i].blocks;
    if (needs_block && free_blocks_ == 0) {
      PreemptNewest();
      if (i == running_.size()) break;  // it was the newest itself
    }
    if (needs_block) {
      --free_blocks_;
      ++running_[i].blocks;
    }
    Give(running_[i], 1);
    --budget;
  }
}

void Engine::ScheduleChunks(std::int64_t& budget) {
  for (Sequence& sequence : running_) {
    if (budget == 0) return;
    if (sequence.decodes()) continue;
    const std::int64_t tokens = std::min(budget, sequence.length() - sequence.computed);
    Give(sequence, tokens);
    budget -= tokens;
  }
}

void Engine::Admit(std::int64_t& budget, absl::Time now) {
  const auto most = static_cast<std::size_t>(limits_.max_sequences);
  while (budget > 0 && !waiting_.empty() && running_.size() < most) {
    Sequence& head = waiting_.front();
    const std::int64_t blocks = limits_.BlocksFor(head.length());
    if (free_blocks_ - blocks < limits_.watermark()) return;
    free_blocks_ -= blocks;
    head.blocks = blocks;
    if (!std::exchange(head.admitted_before, true)) head.queued = now - head.since;
    running_.push_back(head);
    waiting_.pop_front();
    const std::int64_t tokens = std::min(budget, running_.back().length());
    Give(running_.back(), tokens);
    budget -= tokens;
  }
}

void Engine::PreemptNewest() {
  Sequence newest = running_.back();
  running_.pop_back();
  free_blocks_ += std::exchange(newest.blocks, 0);
  newest.computed = 0;
  waiting_.push_front(newest);
  ++counters_.preemptions;
}

void Engine::Give(Sequence& sequence, std::int64_t tokens) {
  sequence.scheduled = tokens;
  if (sequence.decodes()) {
    batch_.AddDecode(sequence.computed);
  } else {
    batch_.AddChunk(tokens, sequence.computed);
  }
}

void Engine::EndStep(absl::Time now, std::vector<StepOutput>& out) {
  if (batch_.empty() || now < step_end_) return;
  batch_ = {};
  step_end_ = absl::InfiniteFuture();
  ++counters_.steps;
  for (Sequence& sequence : running_) {
    if (sequence.scheduled > 0) Advance(sequence, out);
  }
  running_.erase(
      std::remove_if(running_.begin(), running_.end(), [](const Sequence& s) { return s.done; }),
      running_.end());
}

void Engine::Advance(Sequence& sequence, std::vector<StepOutput>& out) {
  sequence.computed += std::exchange(sequence.scheduled, 0);
  const std::int64_t prompt = std::min(sequence.computed, sequence.request.prompt_tokens);
  if (prompt > sequence.counted) {
    counters_.prompt_tokens += prompt - std::exchange(sequence.counted, prompt);
  }
  if (sequence.computed < sequence.length()) return;
  const bool answers = sequence.request.output_tokens > 0;
  const bool first = sequence.generated == 0;
  if (answers) {
    ++sequence.generated;
    ++counters_.generated_tokens;
  }
  sequence.done = !answers || sequence.generated == sequence.request.output_tokens;
  out.push_back(
      {sequence.request.id, first, sequence.done, first ? sequence.queued : absl::ZeroDuration()});
  if (sequence.done) free_blocks_ += std::exchange(sequence.blocks, 0);
}

EngineGauges Engine::gauges() const {
  EngineGauges out = counters_;
  out.running = static_cast<int>(running_.size());
  out.waiting = static_cast<int>(waiting_.size());
  out.kv_blocks_total = limits_.kv_blocks;
  out.kv_blocks_used = limits_.kv_blocks - free_blocks_;
  return out;
}

EngineLoad Engine::load() const {
  EngineLoad out{.running = static_cast<int>(running_.size()),
                 .waiting = static_cast<int>(waiting_.size())};
  for (const Sequence& sequence : running_) {
    out.context_tokens += sequence.computed;
    if (!sequence.decodes()) out.waiting_tokens += sequence.length() - sequence.computed;
  }
  for (const Sequence& sequence : waiting_) out.waiting_tokens += sequence.length();
  return out;
}

}  // namespace spillway
