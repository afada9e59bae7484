#include "scheduler/brain.h"

#include <algorithm>

#include "core/check.h"
#include "scheduler/brain_impl.h"

namespace spillway {

Brain::Brain() : impl_(std::make_unique<Impl>()) {}
Brain::~Brain() = default;

absl::Status Brain::Restore(Remembered remembered) { return impl_->Restore(std::move(remembered)); }
Reply Brain::Handle(const Event& event, Effects& effects) { return impl_->Handle(event, effects); }
absl::Time Brain::NextTimer() const { return impl_->NextTimer(); }
Decision Brain::DryRun(const Work& work, absl::Time now) const { return impl_->DryRun(work, now); }
std::vector<PoolStatus> Brain::Pools() const { return impl_->Pools(); }
QueueStatus Brain::Queue() const { return impl_->Queue(); }
std::uint64_t Brain::policy_version() const { return impl_->policy_row_.version; }
std::shared_ptr<const PolicySpec> Brain::policy() const { return impl_->policy_row_.policy; }
std::shared_ptr<const Config> Brain::config() const { return impl_->world_.config; }
std::vector<AttemptKey> Brain::Running(PoolId pool) const { return impl_->Running(pool); }
std::shared_ptr<const RouterInputs> Brain::router_inputs() const { return impl_->router_inputs_; }
std::vector<record::LedgerRow> Brain::OpenLedger(absl::Time now) const {
  return impl_->OpenLedger(now);
}

Reply Brain::Impl::Handle(const Event& event, Effects& effects) {
  SPILLWAY_CHECK(Number(event.number) > Number(counters_.last_event));
  SPILLWAY_CHECK(event.at >= now_);
  effects_ = &effects;
  counters_.last_event = event.number;
  AdvanceTo(event.at);
  Reply reply = std::visit([&](const auto& body) { return On(body); }, event.body);
  Settle();
  Flush();
  effects_ = nullptr;
  return reply;
}

// Time passes: hours end in the books, prices change.
void Brain::Impl::AdvanceTo(absl::Time now) {
  now_ = now;
  for (const auto& pool : world_.pools)
    books_.CatchUp(
        *pool, [&](AttemptKey key) -> const Job& { return JobOf(key); }, now);
  router_changed_ |= router_.Expire(now);
  if (now >= next_budgets_) {
    CountSpending();
    next_budgets_ = budgets_.NextPeriod(now);
    ConsiderAll();  // who waited for its tenant's next day
  }
  if (now < next_price_) return;
  RepriceAll();
  WorldChanged();
}

// What the ledger has grown by is spent before anybody else is decided about.
void Brain::Impl::CountSpending() {
  for (const Books::Spending& spending : books_.TakeSpending())
    budgets_.Spend(spending.tenant, spending.hour, spending.grown);
}

Ask Brain::Impl::AskOf(const Work& work, absl::Time submitted, QueueRank rank,
                       absl::Time now) const {
  if (!budgets_.binds()) return {work, submitted, rank, {}};
  return {work, submitted, rank, budgets_.BoundOf(work.tenant, books_.HeldBy(work.tenant), now)};
}

// Offers what became free and decides who is due, until nothing moves. It ends: a job that is
// placed leaves the queue, one that is not is asked once for each pool, and a plan frees a pool
// once an event.
void Brain::Impl::Settle() {
  CountSpending();
  if (now_ >= offer_again_) {
    offer_again_ = absl::InfiniteFuture();
    for (const auto& [pool, from] : offer_on_) freed_.insert(pool);
  }
  for (;;) {
    if (!timers_.empty() && timers_.begin()->first <= now_) {
      LiveJob& live = *jobs_.at(timers_.begin()->second);
      timers_.erase(timers_.begin());
      live.timer = absl::InfiniteFuture();
      if (!live.waiting) Enqueue(live);
      Consider(live);
    } else if (!freed_.empty()) {
      PoolRun& pool = *Pool(*freed_.begin());
      freed_.erase(freed_.begin());
      Offer(pool);
    } else {
      break;
    }
  }
}

void Brain::Impl::EmitBooks() {
  emitted_books_.resize(world_.pools.size());
  for (const auto& pool : world_.pools) {
    record::PoolBooksRow& emitted = emitted_books_[Index(pool->id())];
    if (emitted == pool->books) continue;
    emitted = pool->books;
    effects_->records.push_back(pool->books);
  }
}

void Brain::Impl::Flush() {
  for (const JobId id : changed_) {
    const auto found = jobs_.find(id);
    effects_->records.push_back(record::JobRow{found->second->job, created_.contains(id)});
    if (IsTerminal(found->second->job.state)) jobs_.erase(found);
  }
  changed_.clear();
  created_.clear();
  EmitRouter();
  EmitBooks();
  CountSpending();
  for (record::BudgetRow& row : budgets_.TakeChanged(now_))
    effects_->records.push_back(std::move(row));
  for (record::LedgerRow& row : books_.TakeChanged(now_))
    effects_->records.push_back(std::move(row));
  effects_->records.push_back(counters_);
  KeepShapesBounded();
}

absl::Time Brain::Impl::NextTimer() const {
  absl::Time next = std::min({offer_again_, next_price_, router_.NextTimer()});
  if (!waiting_since_.empty()) next = std::min(next, next_budgets_);
  if (!timers_.empty()) next = std::min(next, timers_.begin()->first);
  const auto books_move = [](const auto& pool) {
    return !pool->removed && (IsAlwaysUp(pool->spec()) || pool->nodes().in_use() > 0 ||
                              pool->books.allocated != Usd(0));
  };
  const bool hours_matter = std::any_of(world_.pools.begin(), world_.pools.end(), books_move);
  return hours_matter ? std::min(next, Books::HourOf(now_) + absl::Hours(1)) : next;
}

Decision Brain::Impl::DryRun(const Work& work, absl::Time now) const {
  const bool named = IsNamed(work);
  const auto own_shape =
      MakeShape(std::make_shared<const Work>(work), named, ShapeKey(work, named));
  Shape& shape = *own_shape;
  Survey(shape, world_);
  const Ask ask = AskOf(
      *shape.sample, now,
      {world_.policy->queue().KeyOf(work, now), JobId{Number(counters_.last_event) + 1}}, now);
  Decider decider;
  const Draft& draft = decider.Decide(ask, shape, *world_.policy, world_.pools, now,
                                      counters_.placements, Number(counters_.last_decision) + 1);
  Decision decision = Expand(draft, ask, shape, *world_.policy);
  if (!CouldEver(shape, work, world_) || IsBeyondBudget(draft))
    decision.outcome = Outcome::kRefused;
  decision.at = now;
  decision.policy_version = policy_row_.version;
  return decision;
}

std::vector<PoolStatus> Brain::Impl::Pools() const {
  std::vector<PoolStatus> all;
  for (const auto& pool : world_.pools) {
    const NodeSet& nodes = pool->nodes();
    PoolStatus status;
    status.id = pool->id();
    status.spec = pool->shared_spec();
    status.state = pool->state;
    status.removed = pool->removed;
    status.price = pool->price;
    status.nodes_up = nodes.up();
    status.cpus_total = nodes.shape().cpus * nodes.up();
    status.memory_total = nodes.shape().memory * nodes.up();
    status.devices_total = std::int64_t{nodes.shape().devices} * nodes.up();
    status.cpus_free = nodes.cpus_free();
    status.memory_free = nodes.memory_free();
    status.devices_free = nodes.devices_free();
    status.running = static_cast<int>(pool->running().size());
    status.awaited_by = static_cast<int>(pool->backlog().size());
    all.push_back(std::move(status));
  }
  return all;
}

QueueStatus Brain::Impl::Queue() const {
  QueueStatus status{.depth = static_cast<std::int64_t>(waiting_since_.size()),
                     .oldest = std::nullopt};
  if (!waiting_since_.empty()) status.oldest = waiting_since_.begin()->first;
  return status;
}

std::vector<AttemptKey> Brain::Impl::Running(PoolId id) const {
  std::vector<AttemptKey> keys;
  if (Index(id) >= world_.pools.size()) return keys;
  for (const auto& [key, held] : world_.pools[Index(id)]->running()) keys.push_back(key);
  return keys;
}

std::vector<record::LedgerRow> Brain::Impl::OpenLedger(absl::Time now) const {
  Books books = books_;
  for (const auto& pool : world_.pools) {
    if (pool->removed) continue;
    record::PoolBooksRow copy = pool->books;
    const absl::Time end = std::min(now, Books::HourOf(copy.booked_until) + absl::Hours(1));
    books.Close(
        *pool, copy, [&](AttemptKey key) -> const Job& { return JobOf(key); }, end);
  }
  std::vector<record::LedgerRow> rows;
  for (const auto& [key, row] : books.rows()) {
    if (row.hour == Books::HourOf(now)) rows.push_back(row);
  }
  return rows;
}

}  // namespace spillway
