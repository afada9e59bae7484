#pragma once

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "core/clock.h"
#include "core/command.h"
#include "core/config.h"
#include "core/event.h"
#include "scheduler/brain.h"

// A brain in virtual time, with a fake of everything southbound: what is launched runs for as long
// as the test says. Nothing here decides; it is the smallest host there is.
namespace spillway::fixtures {

// What becomes of a launched attempt.
struct Fate {
  absl::Duration run = absl::Seconds(10);
  Fault fault = Fault::kNone;
  std::optional<Joules> metered;
  absl::Duration boot{};  // until it starts
};

class World {
 public:
  explicit World(Config config, absl::Time start = absl::FromUnixSeconds(1'790'000'000))
      : config_(std::make_shared<const Config>(std::move(config))),
        clock_(start),
        brain_(std::make_unique<Brain>()) {
    Give(event::Started{++epoch_, config_});
  }

  // How long launches run and how they end; by default ten seconds, well.
  std::function<Fate(const command::Launch&)> fate = [](const command::Launch&) { return Fate{}; };

  Reply Submit(Work work) {
    return Give(event::Submitted{std::make_shared<const Work>(std::move(work))});
  }
  Reply Give(event::Body body) {
    const Event event{EventNumber{++last_}, clock_.Now(), std::move(body)};
    log.push_back(event);
    if (on_event) on_event(event);
    Effects effects;
    const Reply reply = brain_->Handle(event, effects);
    Remember(effects);
    return reply;
  }

  // Runs what is due until `until`, or until nothing happens any more.
  void RunUntil(absl::Time until) {
    for (;;) {
      const absl::Time due = due_.empty() ? absl::InfiniteFuture() : due_.begin()->first.first;
      const absl::Time timer = brain_->NextTimer();
      const absl::Time next = std::min(due, timer);
      if (next > until || next == absl::InfiniteFuture()) break;
      clock_.AdvanceTo(next);
      if (timer <= due) {
        Give(event::TimerFired{});
        continue;
      }
      const event::Body body = due_.begin()->second;
      due_.erase(due_.begin());
      Give(body);
    }
    if (until != absl::InfiniteFuture()) clock_.AdvanceTo(until);
  }
  void RunFor(absl::Duration d) { RunUntil(Now() + d); }
  // Until every job has ended (timers of the books go on for ever), or `limit` has passed.
  void RunToEnd(absl::Duration limit = absl::Hours(48)) {
    const absl::Time end = Now() + limit;
    while (live() > 0 && Now() < end) {
      const absl::Time due = due_.empty() ? absl::InfiniteFuture() : due_.begin()->first.first;
      const absl::Time next = std::min(due, brain_->NextTimer());
      if (next > end) break;
      RunUntil(next);
    }
  }

  // Throws the brain away and goes on with one that was restored from the records.
  void Restart() {
    brain_ = std::make_unique<Brain>();
    const absl::Status status = brain_->Restore(Tables());
    if (!status.ok()) std::abort();
    Give(event::Started{++epoch_, config_});
  }
  void Reconfigure(Config config) { config_ = std::make_shared<const Config>(std::move(config)); }

  absl::Time Now() const { return clock_.Now(); }
  void Advance(absl::Duration d) { clock_.Advance(d); }
  Brain& brain() { return *brain_; }
  const Config& config() const { return *config_; }
  const Job& job(JobId id) const { return jobs.at(id); }
  const Decision& decision(JobId id) const { return *decisions.at(jobs.at(id).decision); }
  std::string PoolOf(JobId id) const {
    const Job& j = jobs.at(id);
    return j.attempts.empty() ? "" : NameOf(j.attempts.back().pool);
  }
  std::string NameOf(PoolId id) const { return id == kNoPool ? "" : pools.at(id).spec->name; }
  PoolId IdOf(const std::string& name) const {
    for (const auto& [id, row] : pools) {
      if (row.spec->name == name) return id;
    }
    return kNoPool;
  }
  std::size_t live() const {
    std::size_t n = 0;
    for (const auto& [id, j] : jobs) n += !IsTerminal(j.state);
    return n;
  }

  // What a store would hold: the last row for each key.
  Remembered Tables() const {
    Remembered all{.counters = counters};
    for (const auto& [id, row] : pools) all.pools.push_back(row);
    for (const auto& [id, row] : books) all.books.push_back(row);
    absl::Time open = absl::InfiniteFuture();
    for (const auto& [id, row] : books) open = std::min(open, row.booked_until);
    for (const auto& [key, row] : ledger) {
      if (row.hour + absl::Hours(1) > open) all.ledger.push_back(row);
    }
    for (const auto& [key, row] : observations) all.observations.push_back(row);
    for (const auto& [key, row] : speeds) all.speeds.push_back(row);
    for (const auto& [key, row] : models) all.models.push_back(row);
    for (const auto& [key, row] : budgets) all.budgets.push_back(row);
    for (const auto& [id, j] : jobs) {
      if (!IsTerminal(j.state)) all.jobs.push_back(j);
    }
    if (!policies.empty()) all.policy = policies.rbegin()->second;
    for (const auto& [version, row] : policies) {
      if (row.from_file) all.file_policy = row;
    }
    return all;
  }

  std::map<JobId, Job> jobs;
  std::map<DecisionId, std::shared_ptr<const Decision>> decisions;
  std::map<record::LedgerKey, record::LedgerRow> ledger;
  std::map<PoolId, record::PoolRow> pools;
  std::map<PoolId, record::PoolBooksRow> books;
  std::map<std::pair<std::string, std::string>, record::ObservationRow> observations;
  std::map<std::pair<PoolId, std::string>, record::SpeedRow> speeds;
  std::map<std::string, record::ModelRow> models;
  std::map<EventNumber, std::shared_ptr<const RouterInputs>> routers;
  std::map<std::uint64_t, record::PolicyRow> policies;
  std::map<std::pair<std::string, BudgetPeriod>, record::BudgetRow> budgets;
  record::CountersRow counters;
  std::vector<Event> log;
  std::vector<Record> records;
  std::vector<command::Launch> launches;
  // Called with each event before the brain has it.
  std::function<void(const Event&)> on_event;
  // Called with each launch, after its records were remembered.
  std::function<void(const command::Launch&)> on_launch;

 private:
  void Remember(const Effects& effects) {
    for (const Record& r : effects.records) {
      records.push_back(r);
      std::visit([this](const auto& row) { Keep(row); }, r);
    }
    for (const Command& c : effects.commands)
      std::visit([this](const auto& command) { Run(command); }, c);
  }
  void Keep(const record::JobRow& r) { jobs[r.job.id] = r.job; }
  void Keep(const record::DecisionRow& r) { decisions[r.decision->id] = r.decision; }
  void Keep(const record::LedgerRow& r) { ledger[record::KeyOf(r)] = r; }
  void Keep(const record::PoolRow& r) { pools[r.pool] = r; }
  void Keep(const record::PoolBooksRow& r) { books[r.pool] = r; }
  void Keep(const record::ObservationRow& r) {
    if (r.runs.empty()) {
      observations.erase({r.tenant, r.name});
    } else {
      observations[{r.tenant, r.name}] = r;
    }
  }
  void Keep(const record::PolicyRow& r) { policies[r.version] = r; }
  void Keep(const record::CountersRow& r) { counters = r; }
  void Keep(const record::BudgetRow& r) { budgets[{r.tenant, r.period}] = r; }
  void Keep(const record::SpeedRow& r) { speeds[{r.pool, r.model}] = r; }
  void Keep(const record::ModelRow& r) { models[r.model] = r; }
  void Keep(const record::RouterRow& r) { routers[r.inputs->id] = r.inputs; }

  void Run(const command::Launch& launch) {
    launches.push_back(launch);
    if (on_launch) on_launch(launch);
    const Fate f = fate(launch);
    Due(Now() + f.boot, event::AttemptStarted{launch.key});
    event::AttemptEnded ended{.key = launch.key, .fault = f.fault};
    ended.metered = f.metered;
    if (f.fault == Fault::kNone) ended.exit_code = 0;
    if (f.fault == Fault::kOwn) ended.exit_code = 1;
    Due(Now() + f.boot + f.run, ended);
  }
  void Run(const command::Cancel& cancel) {
    Due(Now(), event::AttemptEnded{.key = cancel.key, .fault = Fault::kCancelled});
  }
  void Due(absl::Time at, event::Body body) {
    due_.emplace(std::pair(at, next_due_++), std::move(body));
  }

  std::shared_ptr<const Config> config_;
  ManualClock clock_;
  std::unique_ptr<Brain> brain_;
  std::uint64_t last_ = 0, epoch_ = 0, next_due_ = 0;
  std::map<std::pair<absl::Time, std::uint64_t>, event::Body> due_;
};

}  // namespace spillway::fixtures
