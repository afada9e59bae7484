#include "simulator/replay/past.h"

#include <algorithm>
#include <utility>
#include <variant>

#include "absl/strings/str_cat.h"
#include "core/status.h"
#include "scheduler/router_view.h"

namespace spillway {
namespace {

bool SamePrice(const Price& a, const Price& b) {
  return a.node_hour == b.node_hour && a.input == b.input && a.output == b.output;
}

// The attempt that says how long the work takes: the newest that was not lost or cancelled.
const Attempt* TellingAttempt(const Job& job) {
  for (auto attempt = job.attempts.rbegin(); attempt != job.attempts.rend(); ++attempt) {
    const bool own = attempt->fault == Fault::kNone || attempt->fault == Fault::kOwn;
    if (own && attempt->finished_at) return &*attempt;
  }
  return nullptr;
}

// Engines that others run are simulated by what they were found to serve.
void FillServed(const RouterInputs* inputs, PoolId id, PoolSpec& pool) {
  if (!pool.serves.empty() || inputs == nullptr || Index(id) >= inputs->pools.size()) return;
  for (const EndpointState& endpoint : inputs->pools[Index(id)].endpoints) {
    if (endpoint.models.empty()) continue;
    ServeSpec serve;
    serve.model = endpoint.models.front();
    pool.serves.push_back(std::move(serve));
  }
}

}  // namespace

absl::StatusOr<std::shared_ptr<const Config>> LastConfig(RecordedLog& log) {
  const LogExtent& extent = log.extent();
  for (auto epoch = extent.epochs.rbegin(); epoch != extent.epochs.rend(); ++epoch) {
    if (epoch->event > extent.last) continue;
    if (epoch->event < extent.first) break;
    SPILLWAY_ASSIGN_OR_RETURN(const std::vector<Event> events, log.Events(epoch->event));
    if (events.empty()) break;
    const auto* started = std::get_if<event::Started>(&events.front().body);
    if (started != nullptr) return started->config;
    return absl::DataLossError(
        absl::StrCat("event ", Number(epoch->event), " is not the start that it should be"));
  }
  return absl::NotFoundError("the configuration of the last start was swept from the log");
}

PastCollector::PastCollector(const LogExtent& log, std::shared_ptr<const Config> config,
                             PastWindow window)
    : log_(log),
      config_(std::move(config)),
      window_(window),
      speeds_(config_->catalog),
      tally_(ScenarioObjective{}, config_->policy.objectives, absl::InfinitePast(),
             static_cast<std::size_t>(log.pools)),
      requests_(*work_) {}

// --- What comes and goes -------------------------------------------------------------------------

void PastCollector::Note(const event::Body& body, const Reply& reply) {
  if (!reply.status.ok()) return;
  count_.starts += std::holds_alternative<event::Started>(body);
  count_.policies += std::holds_alternative<event::PolicySet>(body);
  count_.read += std::holds_alternative<event::FileRead>(body);
  count_.pools += std::holds_alternative<event::PoolAdded>(body);
  count_.states += std::holds_alternative<event::PoolStateSet>(body);
  count_.prices += std::holds_alternative<event::PoolPriced>(body) ||
                   std::holds_alternative<event::PricesSet>(body);
  if (const auto* node = std::get_if<event::NodeSeen>(&body)) count_.down += !node->up;
}

Demand PastCollector::TookOf(const Job& job) const {
  const Attempt* attempt = TellingAttempt(job);
  if (attempt == nullptr || Index(attempt->pool) >= pools_.size()) return {};
  const absl::Duration held = *attempt->finished_at - attempt->launched_at;
  const PoolSpeed pool = speeds_.SpeedOf(*pools_[Index(attempt->pool)].spec);
  const WorkFace face = FaceOf(*job.work, attempt->alternative);
  if (const auto* units = std::get_if<ClassUnits>(&face.demand)) {
    const auto number = speeds_.ClassNumber(units->work_class);
    const Rate rate = number ? RateOf(*number, face.needs, pool) : Rate{};
    if (rate.known())
      return ClassUnits{units->work_class, absl::ToDoubleSeconds(held) * rate.units_per_second};
  }
  return DeclaredSeconds{Scale(held, pool.speed), ""};
}

void PastCollector::HearJob(const Job& job, absl::Time at) {
  const auto open = open_.find(job.id);
  if (!IsTerminal(job.state)) return;
  if (open == open_.end()) {
    count_.before += job.created_at < window_.since;
    return;
  }
  RecordedJob& recorded = work_->jobs[open->second];
  open_.erase(open);
  for (const Attempt& attempt : job.attempts) {
    count_.lost_attempts += attempt.fault == Fault::kInfrastructure;
    count_.failed_attempts += attempt.fault == Fault::kOwn;
  }
  recorded.took = TookOf(job);
  if (job.state == JobState::kCancelled && job.attempts.empty()) {
    recorded.left_out = true;  // it never did anything, and nobody knows what it would have done
    ++count_.cancelled;
    return;
  }
  tally_.Submitted();
  tally_.Ended(job);
  end_ = at;
}

void PastCollector::HearRequests(const event::RequestsEnded& ended) {
  for (const auto& request : ended.requests) {
    if (request->features.arrived < window_.since) {
      ++count_.before;
      continue;
    }
    requests_.Add(*request, start_);
    tally_.Submitted();
    tally_.Ended(*request, request->endpoint().pool);
    const RequestFeatures& asked = request->features;
    count_.pinned += !asked.pin.empty();
    count_.budgets += asked.max_cost.has_value();
    count_.several += asked.choices > 1;
    count_.cascades += request->cascade.has_value();
    count_.unstreamed += request->end == RequestEnd::kAnswered && !request->ttft;
  }
}

void PastCollector::SeePools(const Event& event, const Brain& brain) {
  const bool may_change = std::holds_alternative<event::Started>(event.body) ||
                          std::holds_alternative<event::PoolAdded>(event.body) ||
                          std::holds_alternative<event::PoolPriced>(event.body) ||
                          std::holds_alternative<event::PricesSet>(event.body) ||
                          std::holds_alternative<event::FileRead>(event.body);
  if (!may_change) return;
  std::vector<PoolStatus> now = brain.Pools();
  for (std::size_t i = 0; i < now.size(); ++i) {
    const bool known = i < pools_.size();
    if (known && !SamePrice(pools_[i].price, now[i].price))
      changes_.push_back({now[i].spec->name, event.at, now[i].price});
    if (!known) changes_.push_back({now[i].spec->name, start_, now[i].price});
  }
  pools_ = std::move(now);
}

void PastCollector::Hear(const Event& event, const Reply& reply, const Effects& effects,
                         const Brain& brain) {
  start_ = std::min(start_, std::max(event.at, window_.since));
  if (event.at < window_.since) {
    SeePools(event, brain);
    // Prices as they are when the window begins.
    changes_.clear();
    for (const PoolStatus& pool : pools_) changes_.push_back({pool.spec->name, start_, pool.price});
    if (std::holds_alternative<event::Started>(event.body)) count_.starts = 1;
    return;
  }
  const absl::Time end_before = end_;
  Note(event.body, reply);
  SeePools(event, brain);
  if (const auto* submitted = std::get_if<event::Submitted>(&event.body)) {
    const JobId id{Number(event.number)};
    work_->jobs.push_back({.at = ToNanos(event.at - start_), .work = submitted->work, .took = {}});
    if (reply.status.ok()) {
      open_.emplace(id, work_->jobs.size() - 1);
    } else {  // no pool could ever do it; on another fleet one may
      Job refused;
      refused.work = submitted->work;
      refused.created_at = event.at;
      refused.state = JobState::kFailed;
      tally_.Submitted();
      tally_.Ended(refused);
    }
  }
  if (const auto* ended = std::get_if<event::RequestsEnded>(&event.body)) {
    HearRequests(*ended);
    end_ = event.at;
  }
  for (const Record& record : effects.records) {
    if (const auto* job = std::get_if<record::JobRow>(&record)) HearJob(job->job, event.at);
    if (const auto* row = std::get_if<record::LedgerRow>(&record)) ledger_[KeyOf(*row)] = *row;
  }
  if (end_ == end_before) return;
  last_hour_.clear();
  const absl::Time hour = absl::UnixEpoch() + absl::Floor(end_ - absl::UnixEpoch(), absl::Hours(1));
  for (auto row =
           ledger_.lower_bound({hour, PoolId{0}, "", record::Category::kWork, WorkKind::kJob, ""});
       row != ledger_.end(); ++row)
    last_hour_.insert(*row);
  for (record::LedgerRow& row : brain.OpenLedger(end_)) last_hour_[KeyOf(row)] = std::move(row);
}

// --- The end -------------------------------------------------------------------------------------

std::vector<record::LedgerRow> PastCollector::LedgerAtEnd() const {
  std::vector<record::LedgerRow> rows;
  const absl::Time hour = absl::UnixEpoch() + absl::Floor(end_ - absl::UnixEpoch(), absl::Hours(1));
  for (const auto& [key, row] : ledger_) {
    if (row.hour < hour && !last_hour_.contains(key)) rows.push_back(row);
  }
  for (const auto& [key, row] : last_hour_) rows.push_back(row);
  return rows;
}

Config PastCollector::ConfigAtEnd(const Brain& brain) const {
  const std::shared_ptr<const Config> read = brain.config();
  Config config = *read;
  config.policy = *brain.policy();
  config.fleet.pools.clear();
  for (std::size_t i = 0; i < pools_.size(); ++i) {
    if (pools_[i].removed) continue;
    PoolSpec pool = *pools_[i].spec;
    FillServed(brain.router_inputs().get(), pools_[i].id, pool);
    config.fleet.pools.push_back(std::move(pool));
  }
  // The first price of a pool is the one that it begins with; dated ones of the configuration stay.
  std::vector<PriceChange> dated;
  for (PoolSpec& pool : config.fleet.pools) {
    bool first = true;
    for (const PriceChange& change : changes_) {
      if (change.pool != pool.name) continue;
      if (first) pool.price = change.price;
      if (!first && dated.size() < 100'000) dated.push_back(change);
      first = false;
    }
    for (const PriceChange& change : read->prices.prices) {
      const bool known = std::any_of(dated.begin(), dated.end(), [&](const PriceChange& d) {
        return d.pool == change.pool && d.from == change.from;
      });
      if (change.pool == pool.name && change.from > start_ && !known) dated.push_back(change);
    }
    const auto own = std::find_if(dated.begin(), dated.end(),
                                  [&](const PriceChange& d) { return d.pool == pool.name; });
    std::stable_sort(own, dated.end(),
                     [](const auto& a, const auto& b) { return a.from < b.from; });
  }
  config.prices.prices = std::move(dated);
  return config;
}

std::vector<std::string> PastCollector::Notes() const {
  std::vector<std::string> notes;
  const auto note = [&](std::int64_t count, std::string_view what) {
    if (count > 0) notes.push_back(absl::StrCat(count, " ", ToAbsl(what)));
  };
  note(count_.starts - 1, "restarts of the controller are not repeated");
  note(count_.before,
       "pieces of work were under way when the time that is looked at begins, and are left out, "
       "though the bill holds what they cost from then on");
  note(count_.policies, "changes of policy: the last one stands for all of the time");
  note(count_.read, "times the configuration was read again: the last one stands for all of it");
  note(count_.pools, "pools were added meanwhile: they are there from the beginning");
  note(count_.states, "times a pool was cordoned, drained or resumed, which is not repeated");
  note(count_.down, "times a node was down, which is not repeated");
  note(count_.lost_attempts, "attempts of jobs were lost with their node, and are not repeated");
  note(count_.failed_attempts, "attempts of jobs failed by themselves: here they succeed");
  note(count_.cancelled, "jobs were cancelled before they began, and are left out");
  note(static_cast<std::int64_t>(open_.size()),
       "jobs had not ended: what they take is what the scheduler expects");
  note(count_.pinned, "requests were pinned to a pool: here the policy chooses");
  note(count_.budgets, "requests had a budget of their own, which is not looked at");
  note(count_.several, "requests asked for several answers: they count as one long one");
  note(count_.cascades, "requests were part of a cascade: each attempt comes as it came");
  note(count_.unstreamed,
       "requests were not streamed: their first token has no recorded time, and they do not count "
       "as in time there");
  note(requests_.assumed(),
       "requests have no whole answer: it is taken to be as long as most of its model");
  return notes;
}

absl::StatusOr<RecordedPast> PastCollector::Take(const Brain& brain) {
  if (work_->requests.empty() && work_->jobs.empty())
    return absl::FailedPreconditionError("nothing came in all the time that is recorded");
  if (work_->requests.size() + work_->jobs.size() > kMostRecorded)
    return absl::ResourceExhaustedError(
        absl::StrCat("more than ", kMostRecorded, " requests and jobs are recorded"));
  requests_.Finish();
  for (const auto& [id, place] : open_) {
    tally_.Submitted();
    tally_.Unfinished(start_ + absl::Nanoseconds(work_->jobs[place].at));
  }
  RecordedPast past;
  past.start = start_;
  past.end = std::max(start_, end_);
  past.notes = Notes();
  past.config = std::make_shared<const Config>(ConfigAtEnd(brain));
  past.work = work_;
  FleetSpec all;
  all.pools.resize(static_cast<std::size_t>(log_.pools));
  for (std::size_t i = 0; i < std::min(all.pools.size(), pools_.size()); ++i)
    all.pools[i] = *pools_[i].spec;
  past.outcome.pools.resize(all.pools.size());
  past.outcome.span = past.end - past.start;
  past.outcome.bin = past.outcome.span;
  if (end_ >= start_) tally_.Write(all, start_, LedgerAtEnd(), past.outcome);
  past.outcome.fleet = "as recorded";
  past.outcome.policy = past.config->policy.name;
  past.outcome.workload = "recorded";
  return past;
}

}  // namespace spillway
