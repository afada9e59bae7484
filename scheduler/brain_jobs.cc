// Jobs in the brain: submitted, launched, ended, tried again.
#include <algorithm>

#include "core/check.h"
#include "scheduler/brain_impl.h"

namespace spillway {

LiveJob* Brain::Impl::Find(JobId id) {
  const auto found = jobs_.find(id);
  return found == jobs_.end() ? nullptr : found->second.get();
}

const Job& Brain::Impl::JobOf(AttemptKey key) const { return jobs_.at(key.job)->job; }

DecisionId Brain::Impl::Record(Decision decision, const LiveJob* live) {
  counters_.last_decision = DecisionId{Number(counters_.last_decision) + 1};
  decision.id = counters_.last_decision;
  decision.event = counters_.last_event;
  decision.work = live ? live->job.id : JobId{};
  decision.at = now_;
  decision.policy_version = policy_row_.version;
  effects_->records.push_back(
      record::DecisionRow{std::make_shared<const Decision>(std::move(decision))});
  return counters_.last_decision;
}

Reply Brain::Impl::RefuseNow(const Draft& draft, const Ask& ask, const Shape& shape, bool never) {
  Decision decision = Expand(draft, ask, shape, *world_.policy);
  decision.outcome = Outcome::kRefused;
  decision.chosen = kNoPool;
  Record(std::move(decision), nullptr);
  return {.status = never ? absl::InvalidArgumentError("no configured pool could ever do this work")
                          : absl::ResourceExhaustedError(
                                "the tenant's budget has less left than this work would cost"),
          .decision = std::get<record::DecisionRow>(effects_->records.back()).decision};
}

Reply Brain::Impl::On(const event::Submitted& e) {
  Shape& shape = ShapeFor(e.work);
  Survey(shape, world_);
  const Ask ask = AskOf(
      *e.work, now_,
      {world_.policy->queue().KeyOf(*e.work, now_), JobId{Number(counters_.last_event)}}, now_);
  const bool never = !CouldEver(shape, *e.work, world_);
  if (never || ask.budget.left) {
    const Draft& draft = decider_.Decide(ask, shape, *world_.policy, world_.pools, now_,
                                         counters_.placements, Number(counters_.last_decision) + 1);
    if (never || IsBeyondBudget(draft)) return RefuseNow(draft, ask, shape, never);
  }
  auto live = std::make_unique<LiveJob>();
  live->job.id = JobId{Number(counters_.last_event)};
  live->job.work = e.work;
  live->job.created_at = now_;
  LiveJob& added = *live;
  jobs_.emplace(added.job.id, std::move(live));
  created_.emplace(added.job.id, true);
  Enqueue(added);
  Consider(added);
  Reply reply{.status = absl::OkStatus(), .job = added.job.id};
  for (auto row = effects_->records.rbegin(); row != effects_->records.rend(); ++row) {
    const auto* recorded = std::get_if<record::DecisionRow>(&*row);
    if (recorded == nullptr || recorded->decision->work != reply.job) continue;
    reply.decision = recorded->decision;
    break;
  }
  return reply;
}

void Brain::Impl::Launch(LiveJob& live, const Draft& draft) {
  Job& job = live.job;
  const Shape& shape = *live.shape;
  const Judged& judged = draft.judged[static_cast<std::size_t>(draft.chosen)];
  const ShapeOnPool& on_pool = shape.pools[Index(judged.pool)];
  PoolRun& pool = *Pool(judged.pool);
  auto nodes = pool.nodes().Find(on_pool.slot, on_pool.nodes, on_pool.group,
                                 world_.policy->NodesOf(pool.spec()));
  SPILLWAY_CHECK(nodes.has_value());  // startable: it fits
  const Ask ask = AskOf(*job.work, job.created_at, live.rank, now_);
  job.decision = Record(Expand(draft, ask, shape, *world_.policy), &live);
  job.state = *After(job.state, JobStep::kLaunch);
  job.incapable_since.reset();
  Attempt attempt{.number = static_cast<int>(job.attempts.size()) + 1,
                  .pool = judged.pool,
                  .alternative = on_pool.alternative};
  attempt.nodes = *std::move(nodes);
  attempt.decision = job.decision;
  attempt.expected = on_pool.duration;
  if (shape.baseline.cost) {
    attempt.baseline_duration = shape.baseline.duration;
    attempt.baseline_rate = shape.baseline_rate;
  }
  attempt.launched_at = attempt.rate_since = now_;
  attempt.expected_cost = on_pool.cost;
  if (judged.boots) {
    attempt.boot = on_pool.boot->time;
    attempt.expected_cost += on_pool.boot->amounts.cost;
  }
  books_.Hold(pool, job, attempt);
  const AttemptKey key{job.id, attempt.number};
  Books::Touch(pool, now_);
  pool.Hold({key, on_pool.slot, attempt.nodes, on_pool.micro_nodes,
             now_ + attempt.boot.p50 + on_pool.duration.p50,
             now_ + attempt.boot.p90 + on_pool.duration.p90});
  effects_->commands.push_back(command::Launch{
      .key = key,
      .epoch = counters_.epoch,
      .pool = judged.pool,
      .work = job.work,
      .alternative = on_pool.alternative,
      .nodes = attempt.nodes,
      .modelled_duration = pool.spec().modelled ? on_pool.duration.p50 : absl::ZeroDuration()});
  job.attempts.push_back(std::move(attempt));
  ++counters_.placements;
  Dequeue(live);
}

Reply Brain::Impl::On(const event::AttemptStarted& e) {
  LiveJob* live = Find(e.key.job);
  if (live == nullptr || live->job.attempts.empty()) return {};
  Attempt& attempt = live->job.attempts.back();
  if (attempt.number != e.key.attempt || attempt.state != AttemptState::kStarting) return {};
  attempt.state = AttemptState::kRunning;
  attempt.started_at = now_;
  if (!live->job.started_at) live->job.started_at = now_;
  live->job.state = *After(live->job.state, JobStep::kStart);
  Pool(attempt.pool)->Expect(e.key, now_ + attempt.expected.p50, now_ + attempt.expected.p90);
  changed_.insert(live->job.id);
  return {};
}

Reply Brain::Impl::On(const event::AttemptEnded& e) {
  LiveJob* live = Find(e.key.job);
  if (live == nullptr || live->job.attempts.empty()) return {};
  const Attempt& attempt = live->job.attempts.back();
  if (attempt.number == e.key.attempt && attempt.state != AttemptState::kEnded)
    EndAttempt(*live, e);
  return {};
}

void Brain::Impl::EndAttempt(LiveJob& live, const event::AttemptEnded& e) {
  Job& job = live.job;
  Attempt& attempt = job.attempts.back();
  PoolRun& pool = *Pool(attempt.pool);
  // Asked to end, it ended: whatever it said last, nobody tries it again. A success stays one.
  const Fault fault = job.cancelling && e.fault != Fault::kNone ? Fault::kCancelled : e.fault;
  attempt.state = AttemptState::kEnded;
  attempt.finished_at = now_;
  attempt.fault = fault;
  attempt.exit_code = e.exit_code;
  attempt.signal = e.signal;
  attempt.message = e.message;
  Books::Touch(pool, now_);
  const bool overhead = fault == Fault::kInfrastructure;
  books_.End(pool, job, attempt, overhead ? record::Category::kOverhead : record::Category::kWork,
             e.metered, now_);
  if (pool.running().contains(e.key))
    pool.Release(e.key);  // its place may have left the configuration
  MarkFree(pool);
  DrainedMaybe(pool);
  if (overhead) {
    job.overhead_cost += attempt.cost;
  } else {
    job.cost += attempt.cost;
    job.marginal_cost += attempt.marginal_cost;
  }
  job.energy += attempt.energy;
  job.carbon += attempt.carbon;
  changed_.insert(job.id);
  switch (fault) {
    case Fault::kNone: {
      const absl::Duration ran = now_ - attempt.started_at.value_or(attempt.launched_at);
      const WorkFace face = FaceOf(*job.work, attempt.alternative);
      const bool knew = IsNamed(*job.work);
      for (auto& row :
           world_.estimator.Observe(*job.work, face, attempt.pool, ran, counters_.last_event)) {
        effects_->records.push_back(std::move(row));
      }
      if (!knew && IsNamed(*job.work)) Reshape(*job.work);
      return Finish(live, JobStep::kSucceed, "");
    }
    case Fault::kCancelled:
      return Finish(live, JobStep::kCancel, "");
    case Fault::kOwn:
      if (job.own_failures++ < job.work->retries.own) return RetryLater(live, job.own_failures);
      return Finish(live, JobStep::kFail, attempt.message);
    case Fault::kInfrastructure:
      if (job.infrastructure_failures++ < job.work->retries.infrastructure)
        return RetryLater(live, job.infrastructure_failures);
      return Finish(live, JobStep::kFail, "lost too often to what it ran on: " + attempt.message);
  }
}

void Brain::Impl::RetryLater(LiveJob& live, int failures) {
  live.job.state = *After(live.job.state, JobStep::kRetry);
  live.job.not_before = now_ + Backoff(failures);
  changed_.insert(live.job.id);
  SetTimer(live);
}

// One clean attempt on the baseline, as long as the last one took by the ratio of the two
// estimates.
void Brain::Impl::SetBaselineCost(Job& job) {
  if (job.attempts.empty()) return;
  const Attempt& last = job.attempts.back();
  const bool known =
      last.baseline_duration > absl::ZeroDuration() && last.expected.p50 > absl::ZeroDuration();
  if (!known || !last.finished_at || last.fault == Fault::kInfrastructure) return;
  const double ratio = absl::FDivDuration(last.baseline_duration, last.expected.p50);
  // The baseline is taken to be up: what this one had to boot is no part of it.
  const absl::Duration ran = *last.finished_at - last.started_at.value_or(last.launched_at);
  job.baseline_cost = last.baseline_rate * Scale(ran, ratio);
}

void Brain::Impl::Finish(LiveJob& live, JobStep step, std::string message) {
  Job& job = live.job;
  Dequeue(live);
  job.not_before.reset();
  SetTimer(live);
  job.state = *After(job.state, step);
  job.finished_at = now_;
  job.message = std::move(message);
  SetBaselineCost(job);
  if (!job.attempts.empty()) books_.Compare(job.attempts.back().pool, job, now_);
  changed_.insert(job.id);
}

Reply Brain::Impl::On(const event::CancelRequested& e) {
  LiveJob* live = Find(e.job);
  if (live == nullptr)
    return {.status = absl::NotFoundError("no such job, or it has ended"), .job = e.job};
  Job& job = live->job;
  if (job.state == JobState::kQueued) {
    Finish(*live, JobStep::kCancel, "");
  } else if (!job.cancelling) {
    job.cancelling = true;
    const Attempt& attempt = job.attempts.back();
    effects_->commands.push_back(command::Cancel{
        .key = {job.id, attempt.number}, .epoch = counters_.epoch, .pool = attempt.pool});
    changed_.insert(job.id);
  }
  return {.status = absl::OkStatus(), .job = e.job};
}

}  // namespace spillway
