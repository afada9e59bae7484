#include "controller/northbound/activity.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace spillway {
namespace {

constexpr float kNothing = std::numeric_limits<float>::quiet_NaN();

Activity::PoolCounts* CountsOf(Activity::Step& step, PoolId pool) {
  if (pool == kNoPool) return nullptr;
  if (Index(pool) >= step.pools.size()) step.pools.resize(Index(pool) + 1);
  return &step.pools[Index(pool)];
}

std::size_t Place(std::int64_t step) { return static_cast<std::size_t>(step % SeriesRing::kSteps); }

}  // namespace

Activity::Step& Activity::At(absl::Time at) {
  // A clock that was set back counts in the newest step.
  const std::int64_t number =
      steps_.empty() ? StepOf(at) : std::max(StepOf(at), steps_.back().number);
  if (steps_.empty() || steps_.back().number != number) {
    steps_.emplace_back().number = number;
    while (steps_.front().number <= number - static_cast<std::int64_t>(kSteps)) steps_.pop_front();
  }
  return steps_.back();
}

void Activity::JobEnded(absl::Time at, PoolId pool, absl::Duration lasted) {
  Step& step = At(at);
  ++step.jobs;
  if (PoolCounts* counts = CountsOf(step, pool)) ++counts->jobs;
  step.job.Add(lasted);
}

void Activity::RequestEnded(absl::Time at, const Request& request) {
  Step& step = At(at);
  ++step.requests;
  if (request.end == RequestEnd::kRefused || request.end == RequestEnd::kFailed) {
    ++step.refused;
    return;
  }
  if (PoolCounts* counts = CountsOf(step, request.endpoint().pool)) ++counts->requests;
  if (request.end != RequestEnd::kAnswered) return;
  step.request.Add(request.ended - request.features.arrived);
  if (request.ttft) step.first_token.Add(*request.ttft);
}

const Activity::Step* Activity::Find(std::int64_t number) const {
  const auto found = std::lower_bound(steps_.begin(), steps_.end(), number,
                                      [](const Step& s, std::int64_t n) { return s.number < n; });
  return found != steps_.end() && found->number == number ? &*found : nullptr;
}

Activity::Step Activity::Sum(absl::Time now, absl::Duration span) const {
  const std::int64_t first = StepOf(now) - span / kStep;
  Step sum;
  sum.number = first;
  for (const Step& step : steps_) {
    if (step.number <= first) continue;
    sum.jobs += step.jobs;
    sum.requests += step.requests;
    sum.refused += step.refused;
    sum.job.Add(step.job);
    sum.request.Add(step.request);
    sum.first_token.Add(step.first_token);
  }
  return sum;
}

SeriesRing::SeriesRing() { values_.fill(kNothing); }

void SeriesRing::Put(std::int64_t step, std::optional<double> value) {
  if (step <= last_) return;
  const std::int64_t from = last_ == 0 ? step : std::max(last_ + 1, step - kSteps + 1);
  for (std::int64_t missed = from; missed < step; ++missed) values_[Place(missed)] = kNothing;
  values_[Place(step)] = value ? static_cast<float>(*value) : kNothing;
  last_ = step;
}

std::optional<double> SeriesRing::At(std::int64_t step) const {
  if (step > last_ || step <= last_ - kSteps || step < 0) return std::nullopt;
  const float value = values_[Place(step)];
  if (std::isnan(value)) return std::nullopt;
  return value;
}

}  // namespace spillway
