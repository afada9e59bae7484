#include "scheduler/books.h"

#include <algorithm>
#include <utility>

namespace spillway {
namespace {

using record::Category;

const Needs& NeedsOf(const Job& job, const Attempt& attempt) {
  return FaceOf(*job.work, attempt.alternative).needs;
}

// What the ledger has of the attempt already, of the time since its rate came into force.
Amounts Booked(const PoolRun& pool, const Job& job, const Attempt& attempt) {
  const absl::Duration booked =
      std::max(pool.books.booked_until - attempt.rate_since, absl::ZeroDuration());
  return AmountsOf(pool.spec(), pool.price, NeedsOf(job, attempt), booked);
}
Amounts SinceRate(const PoolRun& pool, const Job& job, const Attempt& attempt, absl::Time until) {
  return AmountsOf(pool.spec(), pool.price, NeedsOf(job, attempt), until - attempt.rate_since);
}

absl::Duration NodeTimeOf(const PoolRun& pool, Usd cost) {
  if (!IsPriced(pool.spec(), pool.price) || *pool.price.node_hour <= UsdPerHour(0)) return {};
  constexpr std::int64_t kHour = 3'600'000'000'000;
  return absl::Nanoseconds(units_internal::RoundedQuotient(absl::int128(cost.value()) * kHour,
                                                           pool.price.node_hour->value()));
}

// Of what the attempt was expected to cost, the part that the ledger does not have yet, where it
// has `booked` since the rate came into force.
Usd OutstandingOf(const Attempt& attempt, Usd booked) {
  return std::max(attempt.expected_cost - attempt.cost - booked, Usd(0));
}

Amounts TotalOf(const Attempt& attempt) {
  return {.cost = attempt.cost,
          .marginal = attempt.marginal_cost,
          .energy = attempt.energy,
          .carbon = attempt.carbon};
}

}  // namespace

absl::Time Books::HourOf(absl::Time t) {
  constexpr std::int64_t kHour = 3600;
  const std::int64_t seconds = absl::ToUnixSeconds(t);
  return absl::FromUnixSeconds(seconds - ((seconds % kHour) + kHour) % kHour);
}

void Books::Restore(std::vector<record::LedgerRow> rows) {
  for (record::LedgerRow& row : rows) rows_.emplace(record::KeyOf(row), std::move(row));
}

record::LedgerRow& Books::Row(absl::Time at, PoolId pool, const std::string& tenant,
                              Category category, WorkKind kind, const std::string& model) {
  const record::LedgerKey key(HourOf(at), pool, tenant, category, kind, model);
  auto [entry, fresh] = rows_.try_emplace(key);
  if (fresh) {
    entry->second.hour = HourOf(at);
    entry->second.pool = pool;
    entry->second.tenant = tenant;
    entry->second.category = category;
    entry->second.kind = kind;
    entry->second.model = model;
  }
  // What ends together is mostly of one row: thousands of requests at once.
  if (changed_.empty() || changed_.back() != key) changed_.push_back(key);
  return entry->second;
}

void Books::AddTo(record::LedgerRow& row, const PoolRun& pool, const Amounts& amounts) {
  row.cost += amounts.cost;
  row.node_time += NodeTimeOf(pool, amounts.cost);
  row.marginal_cost += amounts.marginal;
  row.energy += amounts.energy;
  row.carbon += amounts.carbon;
  if (row.category == Category::kWork && amounts.cost != Usd(0)) NoteSpending(row, amounts.cost);
}

// As few as there are tenants, most of the time: each is looked up by who keeps budgets.
void Books::NoteSpending(const record::LedgerRow& row, Usd grown) {
  if (!spending_.empty() && spending_.back().tenant == row.tenant &&
      spending_.back().hour == row.hour) {
    spending_.back().grown += grown;
  } else {
    spending_.push_back({row.tenant, row.hour, grown});
  }
}

void Books::Hold(const PoolRun& pool, const Job& job, const Attempt& attempt) {
  const Usd outstanding = OutstandingOf(attempt, Booked(pool, job, attempt).cost);
  if (outstanding > Usd(0)) held_[job.work->tenant] += outstanding;
}

Usd Books::HeldBy(const std::string& tenant) const {
  const auto found = held_.find(tenant);
  return found == held_.end() ? Usd(0) : found->second;
}

void Books::Release(const std::string& tenant, Usd amount) {
  if (amount == Usd(0)) return;
  const auto found = held_.find(tenant);
  found->second -= amount;
  if (found->second == Usd(0)) held_.erase(found);
}

std::vector<Books::Spending> Books::TakeSpending() { return std::exchange(spending_, {}); }

void Books::Touch(PoolRun& pool, absl::Time now) {
  pool.books.node_time += (now - pool.books.touched_at) * pool.nodes().in_use();
  pool.books.touched_at = now;
}

void Books::Settle(const PoolRun& pool, const Job& job, Attempt& attempt, absl::Time now) {
  const Amounts amounts = SinceRate(pool, job, attempt, now);
  attempt.cost += amounts.cost;
  attempt.marginal_cost += amounts.marginal;
  attempt.energy += amounts.energy;
  attempt.carbon += amounts.carbon;
  attempt.rate_since = now;
}

void Books::End(PoolRun& pool, const Job& job, Attempt& attempt, Category category,
                std::optional<Joules> metered, absl::Time now) {
  const Amounts booked = Booked(pool, job, attempt);
  const Amounts fresh = SinceRate(pool, job, attempt, now) - booked;
  Release(job.work->tenant, OutstandingOf(attempt, booked.cost));
  Settle(pool, job, attempt, now);
  pool.books.allocated += fresh.cost;
  pool.books.idle_energy += fresh.idle_energy;
  const Amounts total = TotalOf(attempt);
  record::LedgerRow& work = Row(now, pool.id(), job.work->tenant, Category::kWork, job.work->kind);
  AddTo(work, pool, fresh);
  ++work.ended;
  if (category == Category::kOverhead) {
    // Everything that it was booked as work moves; later rows first, since references may not
    // outlive Row().
    AddTo(work, pool, Amounts() - total);
    AddTo(Row(now, pool.id(), job.work->tenant, Category::kOverhead, job.work->kind), pool, total);
  }
  if (!metered) return;
  // The device knows better: the difference stands where the work does.
  record::LedgerRow& row = Row(now, pool.id(), job.work->tenant, category, job.work->kind);
  const double ratio = attempt.energy.value() > 0 ? static_cast<double>(metered->value()) /
                                                        static_cast<double>(attempt.energy.value())
                                                  : 1;
  const GramsCo2e carbon = Scale(attempt.carbon, ratio);
  row.energy += *metered - attempt.energy;
  row.carbon += carbon - attempt.carbon;
  row.metered_energy += *metered;
  attempt.metered = true;
  attempt.energy = *metered;
  attempt.carbon = carbon;
}

void Books::Compare(PoolId pool, const Job& job, absl::Time now) {
  if (job.attempts.empty()) return;
  record::LedgerRow& row = Row(now, pool, job.work->tenant, Category::kWork, job.work->kind);
  ++row.finished;
  if (!job.baseline_cost) {
    ++row.without_baseline;
    return;
  }
  row.baseline_cost += *job.baseline_cost;
  row.compared_cost += job.cost;
}

void Books::Add(PoolRun& pool, const Request& request, absl::Time now) {
  record::LedgerRow& row = Row(now, pool.id(), request.features.tenant, Category::kWork,
                               WorkKind::kRequest, request.answered_by);
  AddTo(row, pool,
        {.cost = request.cost,
         .marginal = request.marginal_cost,
         .energy = request.energy,
         .carbon = request.carbon});
  ++row.ended;
  ++row.finished;
  row.prompt_tokens += request.prompt_tokens.value_or(0);
  row.output_tokens += request.output_tokens.value_or(0);
  // What nobody has a price for cannot be compared.
  if (request.baseline_cost && request.priced) {
    row.baseline_cost += *request.baseline_cost;
    row.compared_cost += request.cost;
  } else {
    ++row.without_baseline;
  }
  row.node_time -= NodeTimeOf(pool, request.egress);
  pool.books.allocated += request.cost;
  pool.books.egress += request.egress;
}

void Books::AddLost(PoolRun& pool, const Request& request, const ForwardAttempt& lost,
                    absl::Time now) {
  record::LedgerRow& row =
      Row(now, pool.id(), request.features.tenant, Category::kOverhead, WorkKind::kRequest,
          request.answered_by.empty() ? request.features.model : request.answered_by);
  AddTo(row, pool,
        {.cost = lost.cost,
         .marginal = lost.marginal_cost,
         .energy = lost.energy,
         .carbon = lost.carbon});
  pool.books.allocated += lost.cost;
}

void Books::Close(PoolRun& pool, FindJob job_of, absl::Time until) {
  Close(pool, pool.books, job_of, until);
}

void Books::Close(const PoolRun& pool, record::PoolBooksRow& books, FindJob job_of,
                  absl::Time until) {
  if (until <= books.booked_until) return;
  const absl::Time from = books.booked_until;
  const absl::Duration in_use =
      books.node_time + (until - books.touched_at) * pool.nodes().in_use();
  for (const auto& [key, held] : pool.running()) {
    const Job& job = job_of(key);
    const Attempt& attempt = job.attempts.back();
    const Amounts booked = Booked(pool, job, attempt);
    const Amounts since = SinceRate(pool, job, attempt, until);
    const Amounts fresh = since - booked;
    AddTo(Row(from, pool.id(), job.work->tenant, Category::kWork, job.work->kind), pool, fresh);
    Release(job.work->tenant,
            OutstandingOf(attempt, booked.cost) - OutstandingOf(attempt, since.cost));
    books.allocated += fresh.cost;
    books.idle_energy += fresh.idle_energy;
  }
  // Nobody pays for what has left the configuration; what ends there still was somebody's.
  const absl::Duration node_time = pool.removed              ? absl::ZeroDuration()
                                   : IsAlwaysUp(pool.spec()) ? (until - from) * pool.spec().nodes
                                                             : in_use;
  const bool by_the_hour = IsPriced(pool.spec(), pool.price) && !pool.removed;
  const Usd bill = by_the_hour ? *pool.price.node_hour * node_time + books.egress : books.allocated;
  const Joules idle_energy = pool.spec().power.idle * node_time - books.idle_energy;
  if (bill != books.allocated || idle_energy != Joules(0)) {
    record::LedgerRow& idle = Row(from, pool.id(), "", Category::kIdle, WorkKind::kService);
    AddTo(idle, pool,
          {.cost = bill - books.allocated,
           .energy = idle_energy,
           .carbon = pool.spec().site.carbon.value_or(GramsCo2ePerKwh(0)) *
                     Scale(idle_energy, pool.spec().power.pue)});
  }
  books = {.pool = pool.id(), .booked_until = until, .touched_at = until};
}

void Books::CatchUp(PoolRun& pool, FindJob job_of, absl::Time now) {
  for (absl::Time end = HourOf(pool.books.booked_until) + absl::Hours(1); end <= now;
       end += absl::Hours(1)) {
    const bool stands = IsAlwaysUp(pool.spec()) || pool.nodes().in_use() > 0;
    const bool nothing = pool.running().empty() && (pool.removed || !stands) &&
                         pool.books.node_time == absl::ZeroDuration() &&
                         pool.books.allocated == Usd(0);
    if (nothing) {
      pool.books.booked_until = pool.books.touched_at = HourOf(now);
      return;
    }
    Close(pool, job_of, end);
  }
}

std::vector<record::LedgerRow> Books::TakeChanged(absl::Time now) {
  std::sort(changed_.begin(), changed_.end());
  changed_.erase(std::unique(changed_.begin(), changed_.end()), changed_.end());
  std::vector<record::LedgerRow> rows;
  for (const record::LedgerKey& key : changed_) rows.push_back(rows_.at(key));
  changed_.clear();
  while (!rows_.empty() && rows_.begin()->second.hour < HourOf(now)) rows_.erase(rows_.begin());
  return rows;
}

}  // namespace spillway
