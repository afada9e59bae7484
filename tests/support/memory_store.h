#pragma once

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "controller/archive.h"

namespace spillway {

// A journal and its archive in memory, with gates for tests: commits can be held back and made to
// fail. What the archive shows is what was committed, never more. Thread-safe.
class MemoryStore final : public Journal, public Archive {
 public:
  // --- Gates. While commits are held, Commit() blocks before anything is kept.
  void Hold() {
    const std::lock_guard lock(mutex_);
    held_ = true;
  }
  void Release() {
    const std::lock_guard lock(mutex_);
    held_ = false;
    changed_.notify_all();
  }
  // Blocks until a commit stands at the gate; false after 10 s.
  bool WaitUntilHeld() const {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, std::chrono::seconds(10), [this] { return at_gate_; });
  }
  // From now on the log is written from what Pack() made, as SqliteStore does it.
  void PackRequests() {
    const std::lock_guard lock(mutex_);
    packing_ = true;
  }
  void FailCommits() {
    const std::lock_guard lock(mutex_);
    failing_ = true;
  }

  std::vector<Event> log() const {
    const std::lock_guard lock(mutex_);
    return log_;
  }
  std::vector<std::size_t> batch_sizes() const {
    const std::lock_guard lock(mutex_);
    return batch_sizes_;
  }

  // --- Journal
  std::optional<PackedRequests> Pack(const event::Body& happened) const override {
    const std::lock_guard lock(mutex_);
    const auto* const ended = std::get_if<event::RequestsEnded>(&happened);
    if (!packing_ || ended == nullptr) return std::nullopt;
    event::RequestsEnded& copies = packed_.emplace_back();
    for (const auto& request : ended->requests)
      copies.requests.push_back(std::make_shared<const Request>(*request));
    return PackedRequests{.event = {}, .text = std::to_string(packed_.size() - 1), .ids = {}};
  }
  absl::Status Commit(const Batch& batch) override {
    std::unique_lock lock(mutex_);
    at_gate_ = held_;
    changed_.notify_all();
    changed_.wait(lock, [this] { return !held_; });
    at_gate_ = false;
    if (failing_) return absl::DataLossError("disk is gone");
    for (const Event& event : batch.events) log_.push_back(event);
    for (const PackedRequests& packed : batch.packed) {
      const auto at = std::find_if(log_.begin(), log_.end(),
                                   [&](const Event& e) { return e.number == packed.event; });
      at->body = packed_[std::stoul(packed.text)];
    }
    batch_sizes_.push_back(batch.events.size());
    for (const Record& record : batch.records)
      std::visit([this](const auto& row) { Keep(row); }, record);
    for (const StoredAnswer& answer : batch.answers)
      answers_.emplace(std::pair(answer.tenant, answer.key), answer);
    return absl::OkStatus();
  }
  absl::StatusOr<Remembered> Recall() override {
    const std::lock_guard lock(mutex_);
    Remembered r{.counters = counters_};
    if (!log_.empty()) r.counters.last_event = log_.back().number;
    for (const auto& [id, row] : pools_) r.pools.push_back(row);
    for (const auto& [id, row] : books_) r.books.push_back(row);
    absl::Time latest = absl::InfinitePast();
    for (const auto& [key, row] : ledger_) latest = std::max(latest, row.hour);
    for (const auto& [key, row] : ledger_) {
      if (row.hour == latest) r.ledger.push_back(row);
    }
    for (const auto& [key, row] : observations_) r.observations.push_back(row);
    for (const auto& [key, row] : speeds_) r.speeds.push_back(row);
    for (const auto& [key, row] : models_) r.models.push_back(row);
    for (const auto& [key, row] : budgets_) r.budgets.push_back(row);
    for (const auto& [id, job] : jobs_) {
      if (!IsTerminal(job.state)) r.jobs.push_back(job);
    }
    if (!policies_.empty()) r.policy = policies_.rbegin()->second;
    for (const auto& [version, row] : policies_) {
      if (row.from_file) r.file_policy = row;
    }
    return r;
  }
  absl::StatusOr<std::vector<Event>> Events(EventNumber from, std::size_t limit) override {
    const std::lock_guard lock(mutex_);
    std::vector<Event> events;
    for (const Event& event : log_) {
      if (event.number >= from && events.size() < limit) events.push_back(event);
    }
    return events;
  }

  // --- Archive
  absl::StatusOr<Job> FindJob(JobId id) override {
    const std::lock_guard lock(mutex_);
    const auto found = jobs_.find(id);
    if (found == jobs_.end()) return absl::NotFoundError("there is no job " + ToString(id));
    return found->second;
  }
  absl::StatusOr<std::shared_ptr<const Decision>> FindDecision(DecisionId id) override {
    const std::lock_guard lock(mutex_);
    const auto found = decisions_.find(id);
    if (found == decisions_.end())
      return absl::NotFoundError("there is no decision " + ToString(id));
    return found->second;
  }
  absl::StatusOr<std::shared_ptr<const Work>> FindWorkOf(const Decision& decision) override {
    const std::lock_guard lock(mutex_);
    if (const auto job = jobs_.find(decision.work); job != jobs_.end()) return job->second.work;
    for (const Event& event : log_) {
      const auto* submitted = std::get_if<event::Submitted>(&event.body);
      if (event.number == decision.event && submitted != nullptr) return submitted->work;
    }
    return absl::NotFoundError("its work is not kept");
  }
  absl::StatusOr<Page<Job>> ListJobs(const JobQuery& query) override {
    const std::lock_guard lock(mutex_);
    const auto wanted = [&](const Job& job) {
      if (query.tenant && job.work->tenant != *query.tenant) return false;
      if (query.name && job.work->name != *query.name) return false;
      if (query.pool &&
          (job.attempts.empty() || PoolName(job.attempts.back().pool) != *query.pool)) {
        return false;
      }
      return query.states.empty() ||
             std::find(query.states.begin(), query.states.end(), job.state) != query.states.end();
    };
    return Pick(jobs_, wanted, query);
  }
  absl::StatusOr<Page<std::shared_ptr<const Decision>>> ListDecisions(
      const DecisionQuery& query) override {
    const std::lock_guard lock(mutex_);
    const auto wanted = [&](const std::shared_ptr<const Decision>& decision) {
      if (query.tenant && decision->tenant != *query.tenant) return false;
      if (query.job && decision->work != *query.job) return false;
      return !query.outcome || decision->outcome == *query.outcome;
    };
    return Pick(decisions_, wanted, query);
  }
  absl::StatusOr<std::vector<record::LedgerRow>> Ledger(const LedgerQuery& query) override {
    const std::lock_guard lock(mutex_);
    std::vector<record::LedgerRow> rows;
    for (const auto& [key, row] : ledger_) {
      if (query.from && row.hour < *query.from) continue;
      if (query.until && row.hour >= *query.until) continue;
      if (query.tenant && row.tenant != *query.tenant) continue;
      if (query.pool && PoolName(row.pool) != *query.pool) continue;
      rows.push_back(row);
    }
    return rows;
  }
  absl::StatusOr<std::shared_ptr<const Request>> FindRequest(RequestId id) override {
    const std::lock_guard lock(mutex_);
    const auto all = Requests();
    const auto found = all.find(id);
    if (found == all.end()) return absl::NotFoundError("there is no request " + ToString(id));
    return found->second;
  }
  absl::StatusOr<std::vector<std::shared_ptr<const Request>>> ListRequests(
      std::optional<RequestId> after, int limit) override {
    const std::lock_guard lock(mutex_);
    std::vector<std::shared_ptr<const Request>> newest;
    const auto all = Requests();
    for (auto it = all.rbegin(); it != all.rend(); ++it) {
      if ((!after || it->first < *after) && newest.size() < static_cast<std::size_t>(limit))
        newest.push_back(it->second);
    }
    return newest;
  }
  absl::StatusOr<std::shared_ptr<const RouterInputs>> FindRouterInputs(EventNumber id) override {
    const std::lock_guard lock(mutex_);
    const auto found = routers_.find(id);
    if (found == routers_.end()) return absl::NotFoundError("no longer kept");
    return found->second;
  }
  absl::StatusOr<std::optional<StoredAnswer>> FindAnswer(const std::string& tenant,
                                                         const std::string& key) override {
    const std::lock_guard lock(mutex_);
    const auto found = answers_.find({tenant, key});
    if (found == answers_.end()) return std::optional<StoredAnswer>();
    return std::optional(found->second);
  }
  absl::StatusOr<std::vector<record::PoolRow>> Pools() override {
    const std::lock_guard lock(mutex_);
    std::vector<record::PoolRow> rows;
    for (const auto& [id, row] : pools_) rows.push_back(row);
    return rows;
  }

 private:
  void Keep(const record::JobRow& row) { jobs_[row.job.id] = row.job; }
  void Keep(const record::DecisionRow& row) { decisions_[row.decision->id] = row.decision; }
  void Keep(const record::LedgerRow& row) { ledger_[record::KeyOf(row)] = row; }
  void Keep(const record::BudgetRow& row) { budgets_[{row.tenant, row.period}] = row; }
  void Keep(const record::PoolRow& row) { pools_[row.pool] = row; }
  void Keep(const record::PoolBooksRow& row) { books_[row.pool] = row; }
  void Keep(const record::ObservationRow& row) { observations_[{row.tenant, row.name}] = row; }
  void Keep(const record::PolicyRow& row) { policies_[row.version] = row; }
  void Keep(const record::CountersRow& row) { counters_ = row; }
  void Keep(const record::SpeedRow& row) { speeds_[{row.pool, row.model}] = row; }
  void Keep(const record::ModelRow& row) { models_[row.model] = row; }
  void Keep(const record::RouterRow& row) { routers_[row.inputs->id] = row.inputs; }
  std::map<RequestId, std::shared_ptr<const Request>> Requests() const {
    std::map<RequestId, std::shared_ptr<const Request>> all;
    for (const Event& event : log_) {
      if (const auto* ended = std::get_if<event::RequestsEnded>(&event.body)) {
        for (const auto& request : ended->requests) all[request->id] = request;
      }
    }
    return all;
  }
  std::string PoolName(PoolId id) const {
    const auto found = pools_.find(id);
    return found != pools_.end() ? found->second.spec->name : "?";
  }

  template <class Rows, class Wanted, class Query>
  auto Pick(const Rows& rows, Wanted wanted, const Query& query) const
      -> Page<typename Rows::mapped_type> {
    Page<typename Rows::mapped_type> page;
    const auto add = [&](const auto& id, const auto& item) {
      const bool newest = query.order == SortOrder::kNewestFirst;
      if (query.after && (newest ? id >= *query.after : id <= *query.after)) return;
      if (!wanted(item)) return;
      if (page.items.size() < static_cast<std::size_t>(query.limit)) {
        page.items.push_back(item);
      } else {
        page.has_more = true;
      }
    };
    if (query.order == SortOrder::kNewestFirst) {
      for (auto it = rows.rbegin(); it != rows.rend(); ++it) add(it->first, it->second);
    } else {
      for (const auto& [id, item] : rows) add(id, item);
    }
    return page;
  }

  // All that follows is guarded by mutex_.
  mutable std::mutex mutex_;
  mutable std::condition_variable changed_;
  bool held_ = false;
  bool at_gate_ = false;
  bool failing_ = false, packing_ = false;
  mutable std::vector<event::RequestsEnded> packed_;  // the texts of what was packed say where
  std::vector<Event> log_;
  std::vector<std::size_t> batch_sizes_;
  std::map<JobId, Job> jobs_;
  std::map<DecisionId, std::shared_ptr<const Decision>> decisions_;
  std::map<record::LedgerKey, record::LedgerRow> ledger_;
  std::map<std::pair<std::string, BudgetPeriod>, record::BudgetRow> budgets_;
  std::map<PoolId, record::PoolRow> pools_;
  std::map<PoolId, record::PoolBooksRow> books_;
  std::map<std::pair<std::string, std::string>, record::ObservationRow> observations_;
  std::map<std::pair<PoolId, std::string>, record::SpeedRow> speeds_;
  std::map<std::string, record::ModelRow> models_;
  std::map<EventNumber, std::shared_ptr<const RouterInputs>> routers_;
  std::map<std::uint64_t, record::PolicyRow> policies_;
  record::CountersRow counters_;
  std::map<std::pair<std::string, std::string>, StoredAnswer> answers_;
};

}  // namespace spillway
