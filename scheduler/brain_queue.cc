// The queue of the brain: who waits, when they are asked again, and what pools that free offer
// them.
#include <algorithm>

#include "core/check.h"
#include "scheduler/brain_impl.h"

namespace spillway {
namespace {

std::string NameKey(const Work& work) { return work.tenant + '\0' + work.name; }

// The instant after which work that must not miss its objective has missed it.
absl::Time MissOf(const Objective& objective, absl::Time submitted, absl::Duration least_run) {
  absl::Time missed = absl::InfiniteFuture();
  if (objective.start_within) missed = submitted + *objective.start_within;
  if (objective.deadline) missed = std::min(missed, *objective.deadline - least_run);
  return missed;
}

}  // namespace

bool Brain::Impl::IsNamed(const Work& work) const { return world_.estimator.Knows(work); }

Shape& Brain::Impl::ShapeFor(const std::shared_ptr<const Work>& work) {
  const bool named = IsNamed(*work);
  std::string key = ShapeKey(*work, named);
  const auto found = shapes_.find(key);
  if (found != shapes_.end()) return *found->second;
  auto shape = MakeShape(work, named, key);
  return *shapes_.emplace(std::move(key), std::move(shape)).first->second;
}

// Shapes are a cache: one that nobody waits in can be made again, and so can what was surveyed.
void Brain::Impl::KeepShapesBounded() {
  const std::size_t surveyed = shapes_.size() * std::max<std::size_t>(world_.pools.size(), 1);
  if (shapes_.size() - heads_.size() <= kIdleShapes && surveyed <= kSurveyed) return;
  for (auto entry = shapes_.begin(); entry != shapes_.end();) {
    Shape& shape = *entry->second;
    if (shape.waiting.empty()) {
      entry = shapes_.erase(entry);
      continue;
    }
    if (surveyed > kSurveyed) {
      shape.config_version = 0;
      shape.pools = {};
      shape.glances = {};
      shape.order = {};
    }
    ++entry;
  }
}

void Brain::Impl::SetHead(Shape& shape, const std::optional<QueueRank>& before) {
  const std::optional<QueueRank> after =
      shape.waiting.empty() ? std::nullopt : std::optional(*shape.waiting.begin());
  if (before == after) return;
  if (before) heads_.erase(*before);
  if (after) heads_.emplace(*after, &shape);
}

void Brain::Impl::Enqueue(LiveJob& live) {
  SPILLWAY_CHECK(!live.waiting);
  Shape& shape = ShapeFor(live.job.work);
  const auto before = shape.waiting.empty() ? std::nullopt : std::optional(*shape.waiting.begin());
  live.rank = {world_.policy->queue().KeyOf(*live.job.work, live.job.created_at), live.job.id};
  live.shape = &shape;
  live.waiting = true;
  live.job.not_before.reset();
  shape.waiting.insert(live.rank);
  SetHead(shape, before);
  waiting_since_.emplace(live.job.created_at, live.job.id);
  if (!live.job.work->name.empty()) waiting_by_name_[NameKey(*live.job.work)].insert(live.job.id);
  changed_.insert(live.job.id);
}

void Brain::Impl::Dequeue(LiveJob& live) {
  if (!live.waiting) return;
  DropPlan(live);
  Shape& shape = *live.shape;
  const auto before = std::optional(*shape.waiting.begin());
  shape.waiting.erase(live.rank);
  SetHead(shape, before);
  waiting_since_.erase({live.job.created_at, live.job.id});
  if (!live.job.work->name.empty()) {
    const auto named = waiting_by_name_.find(NameKey(*live.job.work));
    named->second.erase(live.job.id);
    if (named->second.empty()) waiting_by_name_.erase(named);
  }
  live.waiting = false;
  live.shape = nullptr;
  live.job.spill_at = absl::InfiniteFuture();
  SetTimer(live);
  changed_.insert(live.job.id);
}

void Brain::Impl::MarkFree(PoolRun& pool) {
  if (pool.nodes().cpus_free() > MilliCpus(0) && !pool.removed) freed_.insert(pool.id());
}

void Brain::Impl::DropPlan(LiveJob& live) {
  if (live.job.plan.pool == kNoPool) return;
  PoolRun& pool = *Pool(live.job.plan.pool);
  const bool was_first = pool.backlog().First() == live.rank;
  pool.backlog().Remove(live.rank);
  pool.Touch();
  live.job.plan = {};
  changed_.insert(live.job.id);
  // Those behind it may start now. Once an event for each job, so that plans cannot chase each
  // other.
  if (was_first && live.moved_in != counters_.last_event) MarkFree(pool);
  live.moved_in = counters_.last_event;
}

void Brain::Impl::Replan(LiveJob& live, const Draft& draft) {
  Plan plan;
  if (draft.planned >= 0) {
    plan.pool = draft.judged[static_cast<std::size_t>(draft.planned)].pool;
    plan.duration = live.shape->pools[Index(plan.pool)].duration;
  }
  if (plan == live.job.plan) return;
  DropPlan(live);
  live.job.plan = plan;
  changed_.insert(live.job.id);
  if (plan.pool == kNoPool) return;
  PoolRun& pool = *Pool(plan.pool);
  pool.backlog().Add(live.rank,
                     LoadOf(live.shape->pools[Index(plan.pool)].micro_nodes, plan.duration));
  pool.Touch();
}

absl::Time Brain::Impl::MissedAt(const LiveJob& live) const {
  if (live.job.work->objective.on_miss == OnMiss::kRun) return absl::InfiniteFuture();
  absl::Time missed = live.shape->order.empty() ? absl::InfiniteFuture() : absl::InfinitePast();
  for (const Claim& claim : live.shape->order) {
    const ShapeOnPool& on_pool = live.shape->pools[Index(claim.pool)];
    const Objective& objective = FaceOf(*live.job.work, on_pool.alternative).objective;
    missed = std::max(missed, MissOf(objective, live.job.created_at, on_pool.duration.p50));
  }
  return missed;
}

void Brain::Impl::SetTimer(LiveJob& live) {
  absl::Time next = absl::InfiniteFuture();
  if (live.waiting) {
    next = std::min(live.job.spill_at, MissedAt(live) + absl::Nanoseconds(1));
    if (live.job.incapable_since) {
      next = std::min(next, *live.job.incapable_since + live.job.work->queue_timeout.value_or(
                                                            world_.policy->spec().queue_timeout));
    }
  } else if (live.job.not_before) {
    next = *live.job.not_before;
  }
  if (next == live.timer) return;
  if (live.timer != absl::InfiniteFuture()) timers_.erase({live.timer, live.job.id});
  live.timer = next;
  if (next != absl::InfiniteFuture()) timers_.emplace(next, live.job.id);
}

// Decides a waiting job: it is launched, waits on, or is given up.
void Brain::Impl::Consider(LiveJob& live) {
  Job& job = live.job;
  Survey(*live.shape, world_);
  if (now_ > MissedAt(live))
    return Finish(live, JobStep::kFail, "missed its objective, and `on_miss` is fail");
  const Ask ask = AskOf(*job.work, job.created_at, live.rank, now_);
  const Draft& draft = decider_.Decide(ask, *live.shape, *world_.policy, world_.pools, now_,
                                       counters_.placements, Number(counters_.last_decision) + 1);
  if (draft.outcome == Outcome::kPlaced) return Launch(live, draft);
  const bool capable = draft.planned >= 0;
  if (capable == job.incapable_since.has_value()) {
    job.incapable_since = capable ? std::nullopt : std::optional(now_);
    changed_.insert(job.id);
  }
  const absl::Duration timeout =
      job.work->queue_timeout.value_or(world_.policy->spec().queue_timeout);
  if (!capable && now_ >= *job.incapable_since + timeout) {
    return Finish(live, JobStep::kFail,
                  "no_capable_pool: no pool could run it any more, and its queue_timeout is over");
  }
  const PoolId planned =
      capable ? draft.judged[static_cast<std::size_t>(draft.planned)].pool : kNoPool;
  if (job.decision == DecisionId{} || planned != job.plan.pool) {
    job.decision = Record(Expand(draft, ask, *live.shape, *world_.policy), &live);
    changed_.insert(job.id);
  }
  if (job.spill_at != draft.spill_at) {
    job.spill_at = draft.spill_at;
    changed_.insert(job.id);
  }
  Replan(live, draft);
  SetTimer(live);
}

// The waiting jobs in the order of the queue, one of each shape at a time: who cannot use the pool
// is passed over; of a shape whose first job stays, the others stay too until they are asked
// themselves. Nobody behind the first that counts on the pool may start there: it is asked, and if
// it stays, that is all.
void Brain::Impl::Offer(PoolRun& pool) {
  QueueRank cursor{std::numeric_limits<std::int64_t>::min(), JobId{}};
  if (const auto cut = offer_on_.find(pool.id()); cut != offer_on_.end()) {
    cursor = cut->second;
    offer_on_.erase(cut);
  }
  const auto fits = [&](Shape& shape) {
    Survey(shape, world_);
    const ShapeOnPool& on_pool = shape.pools[Index(pool.id())];
    return on_pool.able && pool.Fits(on_pool.slot, on_pool.nodes, on_pool.group);
  };
  for (int asked = 0, seen = 0; pool.nodes().cpus_free() > MilliCpus(0); ++seen) {
    if (asked >= kOfferDepth || seen >= kOfferDepth * 64) {
      offer_on_[pool.id()] = cursor;
      offer_again_ = std::min(offer_again_, now_ + kOfferAgain);
      return;
    }
    const bool counted_on = pool.backlog().size() > 0;
    const auto head = heads_.upper_bound(cursor);
    if (head != heads_.end() && (!counted_on || head->first < pool.backlog().First())) {
      cursor = head->first;
      if (!fits(*head->second)) continue;
      LiveJob& live = *jobs_.at(cursor.job);
      Consider(live);
      asked += live.waiting;
      continue;
    }
    if (!counted_on) return;
    LiveJob& first = *jobs_.at(pool.backlog().First().job);
    if (!fits(*first.shape)) return;
    Consider(first);
    if (first.waiting && first.job.plan.pool == pool.id()) return;
    ++asked;
  }
}

// Everything that decisions rest on has changed: ranks, shapes and backlogs are made anew from what
// jobs remember, so that a restored brain and one that never stopped are the same.
void Brain::Impl::RebuildQueue() {
  shapes_.clear();
  heads_.clear();
  offer_on_.clear();
  offer_again_ = absl::InfiniteFuture();
  for (const auto& pool : world_.pools) pool->backlog() = Backlog();
  std::vector<LiveJob*> waiting;
  for (const auto& [since, id] : waiting_since_) waiting.push_back(jobs_.at(id).get());
  for (LiveJob* live : waiting) {
    Shape& shape = ShapeFor(live->job.work);
    Survey(shape, world_);
    const auto before =
        shape.waiting.empty() ? std::nullopt : std::optional(*shape.waiting.begin());
    live->shape = &shape;
    live->rank = {world_.policy->queue().KeyOf(*live->job.work, live->job.created_at),
                  live->job.id};
    shape.waiting.insert(live->rank);
    SetHead(shape, before);
    Plan& plan = live->job.plan;
    if (plan.pool == kNoPool) continue;
    const ShapeOnPool& on_pool = shape.pools[Index(plan.pool)];
    Pool(plan.pool)->backlog().Add(live->rank, LoadOf(on_pool.micro_nodes, plan.duration));
  }
}

void Brain::Impl::ConsiderAll() {
  std::vector<std::pair<QueueRank, JobId>> order;
  for (const auto& [since, id] : waiting_since_) order.emplace_back(jobs_.at(id)->rank, id);
  std::sort(order.begin(), order.end());
  for (const auto& [rank, id] : order) {
    const auto found = jobs_.find(id);
    if (found != jobs_.end() && found->second->waiting) Consider(*found->second);
  }
}

// Runs of this name count from now on (or no longer): its waiting jobs move to the shape that says
// so.
void Brain::Impl::Reshape(const Work& work) {
  const auto named = waiting_by_name_.find(NameKey(work));
  if (named == waiting_by_name_.end()) return;
  for (const JobId id : named->second) {
    LiveJob& live = *jobs_.at(id);
    Shape& from = *live.shape;
    Shape& to = ShapeFor(live.job.work);
    if (&from == &to) continue;
    const auto from_before = std::optional(*from.waiting.begin());
    from.waiting.erase(live.rank);
    SetHead(from, from_before);
    const auto to_before = to.waiting.empty() ? std::nullopt : std::optional(*to.waiting.begin());
    to.waiting.insert(live.rank);
    SetHead(to, to_before);
    live.shape = &to;
    Survey(to, world_);
    SetTimer(live);
  }
}

}  // namespace spillway
