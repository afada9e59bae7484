#include "adapters/modelled/engine_loop.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/check.h"

namespace spillway::modelled {
namespace {

using SteadyClock = std::chrono::steady_clock;

// How far the engine may lag behind the clock and still catch up, which makes up for timers that
// fire late. What this machine is too slow for beyond that is lost, as it would be on a real one.
constexpr absl::Duration kMostCatchUp = absl::Milliseconds(50);

}  // namespace

TokenFlow::TokenFlow(EngineLoop& loop, std::vector<SequencePlan> plans, bool every_token,
                     std::shared_ptr<Waker> waker)
    : loop_(loop),
      plans_(std::move(plans)),
      every_token_(every_token),
      waker_(std::move(waker)),
      given_(plans_.size()),
      left_(plans_.size()),
      last_token_(plans_.size()) {}

TokenFlow::~TokenFlow() { loop_.Withdraw(*this); }

EngineLoop::EngineLoop(std::shared_ptr<const StepTimes> times, EngineLimits limits)
    : limits_(limits), engine_(std::move(times), limits), at_(Now()), thread_([this] { Run(); }) {}

EngineLoop::~EngineLoop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  work_.notify_one();
  thread_.join();
  SPILLWAY_CHECK(places_.empty());
}

// Steady time; the day it names means nothing.
absl::Time EngineLoop::Now() {
  return absl::UnixEpoch() + absl::FromChrono(SteadyClock::now().time_since_epoch());
}

absl::StatusOr<std::unique_ptr<TokenFlow>> EngineLoop::Submit(std::vector<SequencePlan> plans,
                                                              bool every_token,
                                                              std::shared_ptr<Waker> waker) {
  std::unique_ptr<TokenFlow> flow(
      new TokenFlow(*this, std::move(plans), every_token, std::move(waker)));
  EngineAdmission verdict = EngineAdmission::kAdmitted;
  {
    const std::lock_guard lock(mutex_);
    flow->first_id_ = next_id_;
    flow->since_ = Now();
    for (std::size_t i = 0; i < flow->size() && verdict == EngineAdmission::kAdmitted; ++i) {
      const SequencePlan& plan = flow->plans_[i];
      verdict = engine_.Add({.id = next_id_,
                             .prompt_tokens = plan.prompt_tokens,
                             .output_tokens = plan.output_tokens,
                             .prefix = {plan.prefix.hashes.data(), plan.prefix.count}},
                            flow->since_);
      if (verdict == EngineAdmission::kAdmitted) places_[next_id_++] = {flow.get(), i};
    }
    if (verdict != EngineAdmission::kAdmitted)
      Remove(*flow);
    else if (std::exchange(idle_, false))
      work_.notify_one();
  }
  switch (verdict) {
    case EngineAdmission::kAdmitted:
      return flow;
    case EngineAdmission::kQueueFull:
      return absl::ResourceExhaustedError(
          absl::StrCat("the engine's queue is full: ", limits_.max_waiting, " requests wait"));
    case EngineAdmission::kNeverFits:
      break;
  }
  return absl::OutOfRangeError(absl::StrCat("longer than the ", limits_.LongestSequence(),
                                            " tokens that the engine's memory holds"));
}

EngineTally EngineLoop::Look() const {
  const std::lock_guard lock(mutex_);
  EngineTally tally = tally_;
  tally.gauges = engine_.gauges();
  return tally;
}

void EngineLoop::Withdraw(TokenFlow& flow) {
  const std::lock_guard lock(mutex_);
  tally_.aborted += Remove(flow);
}

std::size_t EngineLoop::Remove(const TokenFlow& flow) {
  std::size_t removed = 0;
  for (std::size_t i = 0; i < flow.size(); ++i) {
    const auto place = places_.find(flow.first_id_ + i);
    if (place == places_.end() || place->second.flow != &flow) continue;
    engine_.Cancel(place->first);
    places_.erase(place);
    ++removed;
  }
  return removed;
}

void EngineLoop::Run() {
  std::unique_lock lock(mutex_);
  std::vector<std::shared_ptr<Waker>> wakers;
  while (!stopping_) {
    const absl::Time now = Now();
    at_ = std::max(at_, now - kMostCatchUp);
    const absl::Time end = engine_.NextStepEnd(at_);
    if (end == absl::InfiniteFuture()) {
      idle_ = true;
      work_.wait(lock, [this] { return stopping_ || !idle_; });
      at_ = Now();
    } else if (end > now) {
      work_.wait_until(lock,
                       SteadyClock::time_point(absl::ToChronoNanoseconds(end - absl::UnixEpoch())));
    } else {
      at_ = end;
      EndStep(wakers);
      // Those who want to come in or leave get their turn between two steps.
      lock.unlock();
      for (const auto& waker : wakers) waker->Wake();
      wakers.clear();
      lock.lock();
    }
  }
}

void EngineLoop::EndStep(std::vector<std::shared_ptr<Waker>>& wakers) {
  outputs_.clear();
  touched_.clear();
  engine_.EndStep(at_, outputs_);
  for (const StepOutput& output : outputs_) {
    if (TokenFlow* flow = Take(output)) touched_.push_back(flow);
  }
  std::sort(touched_.begin(), touched_.end());
  touched_.erase(std::unique(touched_.begin(), touched_.end()), touched_.end());
  for (const TokenFlow* flow : touched_) wakers.push_back(flow->waker_);
}

TokenFlow* EngineLoop::Take(const StepOutput& output) {
  const auto place = places_.find(output.id);
  SPILLWAY_CHECK(place != places_.end());
  TokenFlow& flow = *place->second.flow;
  const std::size_t i = place->second.index;
  const SequencePlan& plan = flow.plans_[i];
  if (output.first) {
    tally_.prompt_tokens += static_cast<std::uint64_t>(plan.prompt_tokens);
    // A late step takes in who came after its nominal begin: never less than nothing.
    tally_.first_token.Add(std::max(at_ - flow.since_, absl::ZeroDuration()));
    tally_.queued.Add(std::max(output.queued, absl::ZeroDuration()));
  } else {
    tally_.between_tokens.Add(at_ - flow.last_token_[i]);
  }
  flow.last_token_[i] = at_;
  if (plan.output_tokens > 0) tally_.generation_tokens += 1;
  flow.given_[i].fetch_add(1, std::memory_order_release);
  if (output.last) {
    tally_.whole.Add(std::max(at_ - flow.since_, absl::ZeroDuration()));
    (plan.cut ? tally_.cut : tally_.stopped) += 1;
    places_.erase(place);
    flow.left_.fetch_sub(1, std::memory_order_release);
  }
  return flow.every_token_ || flow.over() ? &flow : nullptr;
}

}  // namespace spillway::modelled
