#include "tests/controller/store/scribe.h"

#include <variant>

#include "absl/strings/str_cat.h"
#include "formats/codec.h"

namespace spillway::testing_support {
namespace {

PoolId RandomPool(RandomValues& random) { return PoolId(random.Below(Scribe::kPools)); }

absl::Time HourOf(absl::Time time) {
  return absl::FromUnixSeconds(absl::ToUnixSeconds(time) / 3600 * 3600);
}

struct Put {
  Model& model;
  void operator()(const record::JobRow& row) { model.jobs[row.job.id] = row.job; }
  void operator()(const record::DecisionRow& row) {
    model.decisions[row.decision->id] = row.decision;
  }
  void operator()(const record::LedgerRow& row) {
    model.ledger[{row.hour, row.pool, row.tenant, std::string(NameOf(row.category)),
                  std::string(NameOf(row.kind)), row.model}] = row;
  }
  void operator()(const record::BudgetRow& row) {
    model.budgets[{row.tenant, std::string(NameOf(row.period))}] = row;
  }
  void operator()(const record::PoolRow& row) { model.pools[row.pool] = row; }
  void operator()(const record::PoolBooksRow& row) { model.books[row.pool] = row; }
  void operator()(const record::ObservationRow& row) {
    model.observations[{row.tenant, row.name}] = row;
    if (row.runs.empty()) model.observations.erase({row.tenant, row.name});
  }
  void operator()(const record::PolicyRow& row) { model.policies[row.version] = row; }
  void operator()(const record::CountersRow& row) { model.counters = row; }
  void operator()(const record::SpeedRow&) {}
  void operator()(const record::ModelRow&) {}
  void operator()(const record::RouterRow&) {}
};

template <class Rows, class Found>
std::string DifferentRows(const char* table, const Rows& wanted, const Found& found) {
  if (wanted.size() != found.size())
    return absl::StrCat(table, ": ", found.size(), " rows, wanted ", wanted.size());
  auto row = found.begin();
  for (const auto& [key, value] : wanted) {
    if (codec::Encode(value) != codec::Encode(*row++)) return absl::StrCat(table, " differ");
  }
  return "";
}

}  // namespace

void Model::Apply(const Batch& batch) {
  events.insert(events.end(), batch.events.begin(), batch.events.end());
  for (const Record& row : batch.records) std::visit(Put{*this}, row);
  for (const StoredAnswer& answer : batch.answers) answers[{answer.tenant, answer.key}] = answer;
}

Scribe::Scribe(std::uint64_t seed) : random_(seed) {}

Batch Scribe::Next(int events) {
  Batch batch;
  for (int i = 0; i < events; ++i) {
    now_ += absl::Nanoseconds(static_cast<std::int64_t>(random_.Below(60'000'000'000)));
    counters_.last_event = EventNumber{Number(counters_.last_event) + 1};
    const Event event{.number = counters_.last_event, .at = now_, .body = event::TimerFired{}};
    random_.OneIn(2) ? AddSubmission(batch, event) : AddOther(batch, event);
    counters_.placements = random_.Bits() >> 1;
    batch.records.push_back(counters_);
  }
  AddBooks(batch);
  return batch;
}

void Scribe::AddSubmission(Batch& batch, Event event) {
  auto work = random_.Make<Work>();
  work.tenant = TenantName(random_.Below(3));
  const auto shared = std::make_shared<const Work>(std::move(work));
  event.body = event::Submitted{shared};
  batch.events.push_back(event);
  const bool refused = random_.OneIn(5);
  const JobId id = refused ? JobId{} : JobId{Number(event.number)};
  auto decision = MakeDecision(id, event.number, shared->tenant);
  batch.records.push_back(record::DecisionRow{decision});
  if (refused) return;
  // Sometimes another copy of the work than the event's: nothing hangs on the pointer.
  known_[id] = MakeJob(id, random_.OneIn(3) ? std::make_shared<const Work>(*shared) : shared);
  batch.records.push_back(record::JobRow{known_[id], /*is_new=*/true});
  batch.answers.push_back({.tenant = shared->tenant,
                           .key = absl::StrCat("key-", random_.Below(50)),
                           .body_hash = random_.Bits(),
                           .status = 201,
                           .body = random_.Text(),
                           .location = absl::StrCat("/api/v1/jobs/", ToString(id)),
                           .at = event.at});
}

void Scribe::AddOther(Batch& batch, Event event) {
  event::AttemptEnded ended;
  random_.Fill(ended);
  event.body = std::move(ended);
  batch.events.push_back(std::move(event));
  for (auto& [id, job] : known_) {
    if (!random_.OneIn(4)) continue;
    job = MakeJob(id, job.work);
    batch.records.push_back(record::JobRow{job});
    batch.records.push_back(
        record::DecisionRow{MakeDecision(id, counters_.last_event, job.work->tenant)});
  }
}

void Scribe::AddBooks(Batch& batch) {
  for (int i = 0; i < 4; ++i) {
    record::LedgerRow ledger;
    for (Usd* amount :
         {&ledger.cost, &ledger.marginal_cost, &ledger.baseline_cost, &ledger.compared_cost})
      random_.Fill(*amount);
    random_.Fill(ledger.category);
    random_.Fill(ledger.ended);
    random_.Fill(ledger.without_baseline);
    random_.Fill(ledger.energy);
    random_.Fill(ledger.carbon);
    random_.Fill(ledger.metered_energy);
    ledger.node_time = absl::Nanoseconds(static_cast<std::int64_t>(random_.Below(1'000'000)));
    random_.Fill(ledger.finished);
    random_.Fill(ledger.prompt_tokens);
    random_.Fill(ledger.output_tokens);
    random_.Fill(ledger.kind);
    ledger.model = random_.OneIn(2) ? "" : "m";
    ledger.hour = HourOf(now_) - absl::Hours(static_cast<std::int64_t>(random_.Below(5)));
    ledger.pool = RandomPool(random_);
    ledger.tenant = random_.OneIn(3) ? "" : TenantName(random_.Below(2));
    batch.records.push_back(std::move(ledger));
    record::BudgetRow budget;
    budget.tenant = TenantName(random_.Below(2));
    budget.period = random_.OneIn(2) ? BudgetPeriod::kDay : BudgetPeriod::kMonth;
    budget.since = HourOf(now_);
    random_.Fill(budget.spent);
    budget.warned = random_.OneIn(2) ? 0 : 80;
    budget.forecast_warned = random_.OneIn(2);
    batch.records.push_back(std::move(budget));
  }
  auto pool = random_.Make<record::PoolRow>();
  pool.pool = RandomPool(random_);
  auto spec = random_.Make<PoolSpec>();
  spec.name = PoolName(static_cast<int>(Index(pool.pool)));
  pool.spec = std::make_shared<const PoolSpec>(std::move(spec));
  batch.records.push_back(std::move(pool));
  auto books = random_.Make<record::PoolBooksRow>();
  books.pool = RandomPool(random_);
  books.booked_until = now_ - absl::Minutes(static_cast<std::int64_t>(random_.Below(120)));
  if (random_.OneIn(2)) books.booked_until = HourOf(books.booked_until);  // an hour just ended
  batch.records.push_back(std::move(books));
  auto observation = random_.Make<record::ObservationRow>();
  observation.name = absl::StrCat("name-", random_.Below(5));
  batch.records.push_back(std::move(observation));
  if (random_.OneIn(4)) {
    auto policy = random_.Make<record::PolicyRow>();
    policy.version = random_.Below(10);
    policy.policy = std::make_shared<const PolicySpec>(random_.Make<PolicySpec>());
    batch.records.push_back(std::move(policy));
  }
}

Job Scribe::MakeJob(JobId id, std::shared_ptr<const Work> work) {
  Job job = random_.Make<Job>();
  job.id = id;
  job.work = std::move(work);
  for (Attempt& attempt : job.attempts) attempt.pool = RandomPool(random_);
  return job;
}

std::shared_ptr<const Decision> Scribe::MakeDecision(JobId job, EventNumber event,
                                                     const std::string& tenant) {
  auto decision = random_.Make<Decision>();
  counters_.last_decision = DecisionId{Number(counters_.last_decision) + 1};
  decision.id = counters_.last_decision;
  decision.event = event;
  decision.work = job;
  decision.tenant = tenant;
  return std::make_shared<const Decision>(std::move(decision));
}

std::string Difference(const Model& model, Archive& archive) {
  for (const auto& [id, job] : model.jobs) {
    const auto found = archive.FindJob(id);
    if (!found.ok()) return found.status().ToString();
    if (!(*found == job)) return absl::StrCat(ToString(id), " differs");
  }
  for (const auto& [id, decision] : model.decisions) {
    const auto found = archive.FindDecision(id);
    if (!found.ok()) return found.status().ToString();
    if (!(**found == *decision)) return absl::StrCat(ToString(id), " differs");
  }
  for (const auto& [key, answer] : model.answers) {
    const auto found = archive.FindAnswer(key.first, key.second);
    if (!found.ok() || !found->has_value()) return "an answer is missing";
    const StoredAnswer& a = **found;
    if (std::tie(a.tenant, a.key, a.body_hash, a.status, a.body, a.location, a.at) !=
        std::tie(answer.tenant, answer.key, answer.body_hash, answer.status, answer.body,
                 answer.location, answer.at))
      return "an answer differs";
  }
  const auto ledger = archive.Ledger({});
  if (!ledger.ok()) return ledger.status().ToString();
  std::vector<record::LedgerRow> rows;
  for (const auto& [key, row] : model.ledger) rows.push_back(row);
  if (*ledger != rows) return "the ledger differs";
  const auto pools = archive.Pools();
  if (!pools.ok()) return pools.status().ToString();
  return DifferentRows("pools", model.pools, *pools);
}

std::string Difference(const Model& model, const Remembered& remembered) {
  if (!(remembered.counters == model.counters)) return "counters differ";
  std::vector<Job> live;
  for (const auto& [id, job] : model.jobs) {
    if (!IsTerminal(job.state)) live.push_back(job);
  }
  if (remembered.jobs != live) return "live jobs differ";
  std::vector<record::LedgerRow> open;
  for (const auto& [pool, books] : model.books) {
    for (const auto& [key, row] : model.ledger) {
      if (row.pool == pool && row.hour + absl::Hours(1) > books.booked_until) open.push_back(row);
    }
  }
  if (remembered.ledger != open) return "the open ledger differs";
  std::string found = DifferentRows("pools", model.pools, remembered.pools);
  if (found.empty()) found = DifferentRows("pool_books", model.books, remembered.books);
  if (found.empty())
    found = DifferentRows("observations", model.observations, remembered.observations);
  if (!found.empty()) return found;
  const record::PolicyRow* newest = nullptr;
  const record::PolicyRow* from_file = nullptr;
  for (const auto& [version, row] : model.policies) {
    newest = &row;
    if (row.from_file) from_file = &row;
  }
  const auto same = [](const record::PolicyRow* a, const std::optional<record::PolicyRow>& b) {
    return (a != nullptr) == b.has_value() && (!b || codec::Encode(*a) == codec::Encode(*b));
  };
  if (!same(newest, remembered.policy)) return "the newest policy differs";
  if (!same(from_file, remembered.file_policy)) return "the newest policy of the file differs";
  return "";
}

std::string Difference(const Model& model, const std::vector<Event>& events) {
  if (events.size() != model.events.size())
    return absl::StrCat(events.size(), " events, wanted ", model.events.size());
  for (std::size_t i = 0; i < events.size(); ++i) {
    const Event &a = events[i], &b = model.events[i];
    if (a.number != b.number || a.at != b.at || KindOf(a.body) != KindOf(b.body) ||
        EncodeEvent(a.body) != EncodeEvent(b.body))
      return absl::StrCat("event ", Number(b.number), " differs");
  }
  return "";
}

}  // namespace spillway::testing_support
