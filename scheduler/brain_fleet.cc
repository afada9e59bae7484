// The fleet in the brain: what operators and files say, nodes that come and go, prices, policies,
// and how a brain is restored.
#include <algorithm>
#include <tuple>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/check.h"
#include "policies/check.h"
#include "scheduler/brain_impl.h"

namespace spillway {
namespace {

// Does holding a part of it come to the same energy, carbon and share of the price?
bool SameAmounts(const PoolSpec& a, const PoolSpec& b) {
  const auto of = [](const PoolSpec& pool) {
    const Power& power = pool.power;
    return std::tuple(pool.billing, pool.node, pool.weights.cpus, pool.weights.memory,
                      pool.weights.devices, power.idle, power.busy, power.pue, power.tariff,
                      pool.site.carbon);
  };
  return of(a) == of(b);
}

bool SamePrice(const Price& a, const Price& b) {
  return a.node_hour == b.node_hour && a.input == b.input && a.output == b.output;
}

}  // namespace

PoolRun* Brain::Impl::Pool(PoolId id) {
  return Index(id) < world_.pools.size() ? world_.pools[Index(id)].get() : nullptr;
}

FleetSpec Brain::Impl::ActiveFleet() const {
  FleetSpec fleet;
  for (const auto& pool : world_.pools) {
    if (!pool->removed) fleet.pools.push_back(pool->spec());
  }
  return fleet;
}

void Brain::Impl::EmitPool(const PoolRun& pool) {
  router_changed_ = true;
  record::PoolRow row{.pool = pool.id(),
                      .spec = pool.shared_spec(),
                      .state = pool.state,
                      .added = pool.added,
                      .removed = pool.removed,
                      .price = pool.price,
                      .own_price = pool.own_price,
                      .own_price_at = pool.own_price_at};
  for (int i = 0; i < pool.nodes().size(); ++i) {
    if (!pool.nodes().IsUp(i)) row.down.push_back(i);
    if (pool.nodes().IsGone(i)) row.gone.push_back(i);
  }
  effects_->records.push_back(std::move(row));
}

// ---- Starting

absl::Status Brain::Impl::Restore(Remembered remembered) {
  counters_ = remembered.counters;
  for (std::size_t i = 0; i < remembered.pools.size(); ++i) {
    record::PoolRow& row = remembered.pools[i];
    if (Index(row.pool) != i || !row.spec) {
      return absl::DataLossError(absl::StrCat("the table of pools has no row ", i));
    }
    auto pool = std::make_unique<PoolRun>(row.pool, row.spec, TenantsSpec());
    pool->state = row.state;
    pool->added = row.added;
    pool->removed = row.removed;
    pool->own_price = row.own_price;
    pool->own_price_at = row.own_price_at;
    pool->price = row.price;
    for (const int node : row.down) pool->SetNode(node, false, false);
    for (const int node : row.gone) pool->SetNode(node, false, true);
    world_.pools.push_back(std::move(pool));
  }
  emitted_books_.resize(world_.pools.size());
  for (const record::PoolBooksRow& row : remembered.books) {
    if (Pool(row.pool) == nullptr)
      return absl::DataLossError("the books name a pool that the table of pools lacks");
    Pool(row.pool)->books = emitted_books_[Index(row.pool)] = row;
  }
  books_.Restore(std::move(remembered.ledger));
  for (const record::ObservationRow& row : remembered.observations) world_.estimator.Restore(row);
  for (record::SpeedRow& row : remembered.speeds) router_.Restore(std::move(row));
  for (record::ModelRow& row : remembered.models) router_.Restore(std::move(row));
  budgets_.Restore(std::move(remembered.budgets));
  if (remembered.policy) policy_row_ = *remembered.policy;
  if (remembered.file_policy) file_policy_ = remembered.file_policy->policy;
  for (Job& job : remembered.jobs) {
    auto live = std::make_unique<LiveJob>();
    live->job = std::move(job);
    const Job& j = live->job;
    if (j.state == JobState::kQueued) {
      live->waiting = !j.not_before.has_value();
      if (live->waiting) {
        waiting_since_.emplace(j.created_at, j.id);
        if (!j.work->name.empty())
          waiting_by_name_[j.work->tenant + '\0' + j.work->name].insert(j.id);
      } else {
        live->timer = *j.not_before;
        timers_.emplace(live->timer, j.id);
      }
    } else {
      const Attempt& attempt = j.attempts.back();
      PoolRun* pool = Pool(attempt.pool);
      if (pool == nullptr)
        return absl::DataLossError(
            absl::StrCat(ToString(j.id), " runs on a pool that is not in the tables"));
      const Needs& needs = FaceOf(*j.work, attempt.alternative).needs;
      const Slot slot = SlotOf(needs);
      const absl::Time from = attempt.started_at.value_or(attempt.launched_at);
      const Quantiles boot = attempt.started_at ? Quantiles() : attempt.boot;
      pool->Hold({{j.id, attempt.number},
                  slot,
                  attempt.nodes,
                  MicroNodesOf(slot, needs.nodes, pool->spec().node),
                  from + boot.p50 + attempt.expected.p50,
                  from + boot.p90 + attempt.expected.p90});
      books_.Hold(*pool, j, attempt);
    }
    jobs_.emplace(j.id, std::move(live));
  }
  return absl::OkStatus();
}

Reply Brain::Impl::On(const event::Started& e) {
  counters_.epoch = e.epoch;
  world_.config = e.config;
  router_.Restart();
  router_changed_ = true;
  prices_ = std::make_shared<const PricesSpec>(e.config->prices);
  budgets_.Configure(e.config->tenants);
  next_budgets_ = budgets_.NextPeriod(now_);
  UseFleet(e.config->fleet);
  // A file that says what it said before does not undo what the API has set since.
  const bool file_is_new = !file_policy_ || !(*file_policy_ == e.config->policy);
  const absl::Status status =
      file_is_new || !policy_row_.policy
          ? UsePolicy(std::make_shared<const PolicySpec>(e.config->policy), true, true)
          : UsePolicy(policy_row_.policy, policy_row_.from_file, false);
  if (!status.ok()) return {.status = status};
  world_.estimator.SetDefault(world_.policy->spec().default_duration);
  RepriceAll();
  WorldChanged();
  return {};
}

void Brain::Impl::UseFleet(const FleetSpec& fleet) {
  std::vector<AttemptKey> homeless;
  const auto keep = [&](std::vector<AttemptKey> keys) {
    homeless.insert(homeless.end(), keys.begin(), keys.end());
  };
  for (const auto& pool : world_.pools) {
    const auto named = [&](const PoolSpec& spec) { return spec.name == pool->spec().name; };
    const auto found = std::find_if(fleet.pools.begin(), fleet.pools.end(), named);
    const bool was_removed = pool->removed;
    if (!was_removed && found == fleet.pools.end() && !pool->added) {
      books_.Close(
          *pool, [&](AttemptKey key) -> const Job& { return JobOf(key); }, now_);
    }
    pool->removed = found == fleet.pools.end() && !pool->added;
    if (!was_removed && found != fleet.pools.end() && !SameAmounts(pool->spec(), *found))
      BringUp(*pool);
    Books::Touch(*pool, now_);  // its engines may hold other nodes from now on
    if (found != fleet.pools.end()) {
      if (pool->own_price && !SamePrice(pool->spec().price, found->price)) pool->own_price.reset();
      pool->added = false;
      keep(pool->Respecify(std::make_shared<const PoolSpec>(*found), world_.config->tenants));
    } else {
      keep(pool->Respecify(pool->shared_spec(), world_.config->tenants));
    }
    if (pool->removed) {
      for (const auto& [key, held] : pool->running()) homeless.push_back(key);
    } else if (was_removed) {
      pool->books.booked_until = pool->books.touched_at = now_;
    }
  }
  for (const PoolSpec& spec : fleet.pools) {
    const auto named = [&](const auto& pool) { return pool->spec().name == spec.name; };
    if (std::any_of(world_.pools.begin(), world_.pools.end(), named)) continue;
    const PoolId id{static_cast<std::uint32_t>(world_.pools.size())};
    world_.pools.push_back(std::make_unique<PoolRun>(id, std::make_shared<const PoolSpec>(spec),
                                                     world_.config->tenants));
    world_.pools.back()->books.booked_until = world_.pools.back()->books.touched_at = now_;
    world_.pools.back()->price = spec.price;
  }
  for (const AttemptKey key : homeless) LoseAttempt(key, "its place left the configuration");
  for (const auto& pool : world_.pools) EmitPool(*pool);
}

absl::Status Brain::Impl::UsePolicy(std::shared_ptr<const PolicySpec> spec, bool from_file,
                                    bool is_new) {
  auto policy = Policy::Compile(*spec, ActiveFleet(), world_.config->tenants);
  if (!policy.ok()) return policy.status();
  world_.policy = *std::move(policy);
  world_.estimator.SetDefault(spec->default_duration);
  router_changed_ = true;
  if (!is_new) return absl::OkStatus();
  policy_row_ = {
      .version = policy_row_.version + 1, .since = now_, .policy = spec, .from_file = from_file};
  if (from_file) file_policy_ = std::move(spec);
  effects_->records.push_back(policy_row_);
  return absl::OkStatus();
}

// Surveys, ranks and plans rest on what has just changed.
void Brain::Impl::WorldChanged() {
  ++world_.version;
  std::vector<std::shared_ptr<const PoolSpec>> specs;
  for (const auto& pool : world_.pools) specs.push_back(pool->shared_spec());
  world_.estimator.Configure(world_.config->catalog, specs);
  RebuildQueue();
  ConsiderAll();
}

// ---- Prices

void Brain::Impl::Reprice(PoolRun& pool) {
  Price price = pool.spec().price;
  absl::Time since = absl::InfinitePast();
  for (const PriceChange& change : prices_->prices) {
    if (change.pool != pool.spec().name || change.from > now_ || change.from < since) continue;
    price = change.price;
    since = change.from;
  }
  if (pool.own_price && pool.own_price_at >= since) price = *pool.own_price;
  if (SamePrice(price, pool.price)) {
    pool.price = price;
    return;
  }
  BringUp(pool);
  pool.price = price;
  EmitPool(pool);
}

// What a rate is about to change for: all that was held so far is booked by the old one.
void Brain::Impl::BringUp(PoolRun& pool) {
  books_.Close(
      pool, [&](AttemptKey key) -> const Job& { return JobOf(key); }, now_);
  for (const auto& [key, held] : pool.running()) {
    Job& job = Find(key.job)->job;
    Books::Settle(pool, job, job.attempts.back(), now_);
    changed_.insert(job.id);
  }
}

void Brain::Impl::RepriceAll() {
  for (const auto& pool : world_.pools) {
    if (!pool->removed) Reprice(*pool);
  }
  next_price_ = NextPriceChange();
}

absl::Time Brain::Impl::NextPriceChange() const {
  absl::Time next = absl::InfiniteFuture();
  for (const PriceChange& change : prices_->prices) {
    if (change.from > now_) next = std::min(next, change.from);
  }
  return next;
}

Reply Brain::Impl::On(const event::PoolPriced& e) {
  PoolRun* pool = Pool(e.pool);
  if (pool == nullptr || pool->removed) return {.status = absl::NotFoundError("no such pool")};
  pool->own_price = e.price;
  pool->own_price_at = now_;
  Reprice(*pool);
  EmitPool(*pool);
  WorldChanged();
  return {};
}

Reply Brain::Impl::On(const event::PricesSet& e) {
  prices_ = e.prices;
  RepriceAll();
  WorldChanged();
  return {};
}

// A site's electricity is a part of what its pools are: the reading takes the place of what the
// configuration said, until the next one or a restart.
Reply Brain::Impl::On(const event::CarbonSeen& e) {
  bool any = false;
  for (const auto& pool : world_.pools) {
    if (pool->removed || pool->spec().site.name != e.site ||
        pool->spec().site.carbon == e.intensity)
      continue;
    BringUp(*pool);
    pool->SetCarbon(e.intensity);
    EmitPool(*pool);
    any = true;
  }
  if (any) WorldChanged();
  return {};
}

// ---- Policy and pools

Reply Brain::Impl::On(const event::PolicySet& e) {
  // A file that says what it said before does not undo what the API has set since.
  if (e.from_file && file_policy_ && *file_policy_ == *e.policy) return {};
  const absl::Status status = UsePolicy(e.policy, e.from_file, true);
  if (!status.ok()) return {.status = status};
  WorldChanged();
  return {};
}

PoolRun* Brain::Impl::Standing(std::string_view name) {
  for (const auto& pool : world_.pools) {
    if (!pool->removed && pool->spec().name == name) return pool.get();
  }
  return nullptr;
}

// A pool that does not stand yet. One that did once has its number and books back.
void Brain::Impl::Join(std::shared_ptr<const PoolSpec> spec, bool added) {
  const auto named = [&](const auto& pool) { return pool->spec().name == spec->name; };
  const auto known = std::find_if(world_.pools.begin(), world_.pools.end(), named);
  PoolRun* pool = nullptr;
  if (known == world_.pools.end()) {
    const PoolId id{static_cast<std::uint32_t>(world_.pools.size())};
    world_.pools.push_back(std::make_unique<PoolRun>(id, spec, world_.config->tenants));
    pool = world_.pools.back().get();
  } else {
    pool = known->get();
    pool->Respecify(spec, world_.config->tenants);
  }
  pool->removed = false;
  pool->added = added;
  pool->state = PoolState::kActive;
  pool->price = spec->price;
  pool->books.booked_until = pool->books.touched_at = now_;
  Reprice(*pool);
  EmitPool(*pool);
}

Reply Brain::Impl::On(const event::PoolAdded& e) {
  if (Standing(e.pool->name) != nullptr) {
    return {.status = absl::AlreadyExistsError(
                absl::StrCat("there is a pool `", e.pool->name, "` already"))};
  }
  Join(e.pool, true);
  SPILLWAY_CHECK(UsePolicy(policy_row_.policy, policy_row_.from_file, false).ok());
  WorldChanged();
  return {};
}

// Only a policy that does not compile can be wrong here: it is tried before anything changes.
Reply Brain::Impl::On(const event::FileRead& e) {
  const bool new_policy = !file_policy_ || !(*file_policy_ == e.config->policy);
  const auto policy =
      new_policy ? std::make_shared<const PolicySpec>(e.config->policy) : policy_row_.policy;
  std::vector<const PoolSpec*> joining;
  FleetSpec fleet = ActiveFleet();
  for (const PoolSpec& spec : e.config->fleet.pools) {
    if (Standing(spec.name) != nullptr) continue;
    joining.push_back(&spec);
    fleet.pools.push_back(spec);
  }
  const auto compiled = Policy::Compile(*policy, fleet, e.config->tenants);
  if (!compiled.ok()) return {.status = compiled.status()};

  const std::shared_ptr<const Config> before = std::exchange(world_.config, e.config);
  prices_ = std::make_shared<const PricesSpec>(e.config->prices);
  budgets_.Configure(e.config->tenants);
  next_budgets_ = budgets_.NextPeriod(now_);
  for (const auto& pool : world_.pools) {
    if (!pool->removed) Reserve(*pool, before->tenants);
  }
  for (const PoolSpec* spec : joining) Join(std::make_shared<const PoolSpec>(*spec), false);
  SPILLWAY_CHECK(UsePolicy(policy, new_policy || policy_row_.from_file, new_policy).ok());
  RepriceAll();
  router_changed_ = true;
  WorldChanged();
  return {};
}

// Nodes that are reserved otherwise than they were `before`.
void Brain::Impl::Reserve(PoolRun& pool, const TenantsSpec& before) {
  const auto of = [&](const TenantsSpec& all) {
    std::vector<std::pair<std::string, int>> reserved;
    for (const TenantSpec& tenant : all.tenants) {
      for (const Reservation& some : tenant.reserved) {
        if (some.pool == pool.spec().name) reserved.emplace_back(tenant.name, some.nodes);
      }
    }
    return reserved;
  };
  if (of(before) == of(world_.config->tenants)) return;
  for (const AttemptKey key : pool.Respecify(pool.shared_spec(), world_.config->tenants))
    LoseAttempt(key, "its place left the configuration");
  EmitPool(pool);
}

Reply Brain::Impl::On(const event::PoolStateSet& e) {
  PoolRun* pool = Pool(e.pool);
  if (pool == nullptr || pool->removed) return {.status = absl::NotFoundError("no such pool")};
  if (pool->state == e.state) return {};
  pool->state = e.state;
  pool->Touch();
  DrainedMaybe(*pool);
  EmitPool(*pool);
  // Who counted on it looks elsewhere, or here again.
  ConsiderAll();
  MarkFree(*pool);
  return {};
}

void Brain::Impl::DrainedMaybe(PoolRun& pool) {
  if (pool.state != PoolState::kDraining || !pool.running().empty()) return;
  pool.state = PoolState::kCordoned;
  pool.Touch();
  EmitPool(pool);
}

// ---- Nodes

Reply Brain::Impl::On(const event::NodeSeen& e) {
  PoolRun* pool = Pool(e.pool);
  if (pool == nullptr || e.node < 0 || e.node >= pool->nodes().size()) return {};
  const bool usable = e.up && !e.taken_back, gone = !e.up && e.taken_back;
  const std::vector<AttemptKey> lost = e.up ? std::vector<AttemptKey>() : pool->RunningOn(e.node);
  if (pool->nodes().IsUp(e.node) == usable && pool->nodes().IsGone(e.node) == gone && lost.empty())
    return {};
  Books::Touch(*pool, now_);  // what is in use may change
  pool->SetNode(e.node, usable, gone);
  for (const AttemptKey key : lost) {
    LoseAttempt(key, absl::StrCat("node ", e.node, " of pool ", pool->spec().name,
                                  gone ? " was taken back" : " went down"));
  }
  EmitPool(*pool);
  if (usable) {
    MarkFree(*pool);
  } else {
    ConsiderAll();
  }
  return {};
}

// The attempt is over for us; whatever is left of it is told to end.
void Brain::Impl::LoseAttempt(AttemptKey key, std::string why) {
  LiveJob& live = *Find(key.job);
  effects_->commands.push_back(
      command::Cancel{.key = key, .epoch = counters_.epoch, .pool = live.job.attempts.back().pool});
  EndAttempt(live, {.key = key, .fault = Fault::kInfrastructure, .message = std::move(why)});
}

}  // namespace spillway
