#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "absl/container/btree_map.h"
#include "absl/container/btree_set.h"
#include "absl/container/flat_hash_map.h"
#include "core/text.h"
#include "scheduler/books.h"
#include "scheduler/brain.h"
#include "scheduler/budgets.h"
#include "scheduler/decider.h"
#include "scheduler/lifecycle.h"
#include "scheduler/router_state.h"
#include "scheduler/survey.h"

// Private to brain*.cc: the state of the brain, and how its parts work together. Job events are in
// brain_jobs.cc, the queue in brain_queue.cc, the fleet in brain_fleet.cc, requests in
// brain_requests.cc.
namespace spillway {

// A job that has not ended.
struct LiveJob {
  Job job;
  Shape* shape = nullptr;  // set while it waits
  QueueRank rank;
  bool waiting = false;  // in the queue; false while it runs or backs off
  absl::Time timer = absl::InfiniteFuture();
  EventNumber moved_in{};  // the last event in which its plan moved
};

class Brain::Impl {
 public:
  // How many waiting shapes are asked when capacity frees; the others are asked a moment later.
  static constexpr int kOfferDepth = 64;
  static constexpr absl::Duration kOfferAgain = absl::Milliseconds(100);
  // Shapes kept although nothing waits in them, and (shape, pool) entries kept in all.
  static constexpr std::size_t kIdleShapes = 1024;
  static constexpr std::size_t kSurveyed = 400'000;

  absl::Status Restore(Remembered remembered);
  Reply Handle(const Event& event, Effects& effects);
  absl::Time NextTimer() const;
  Decision DryRun(const Work& work, absl::Time now) const;
  std::vector<PoolStatus> Pools() const;
  QueueStatus Queue() const;
  std::vector<record::LedgerRow> OpenLedger(absl::Time now) const;
  std::vector<AttemptKey> Running(PoolId pool) const;

  World world_;
  record::PolicyRow policy_row_;                       // in force
  std::shared_ptr<const PolicySpec> file_policy_;      // the last that a file gave
  std::shared_ptr<const RouterInputs> router_inputs_;  // null: no pool has engines

 private:
  // brain.cc
  void AdvanceTo(absl::Time now);
  void Settle();
  void Flush();
  void EmitBooks();
  void CountSpending();
  Ask AskOf(const Work& work, absl::Time submitted, QueueRank rank, absl::Time now) const;

  // brain_jobs.cc
  Reply On(const event::Submitted& e);
  Reply On(const event::CancelRequested& e);
  Reply On(const event::AttemptStarted& e);
  Reply On(const event::AttemptEnded& e);
  Reply RefuseNow(const Draft& draft, const Ask& ask, const Shape& shape, bool never);
  void Launch(LiveJob& live, const Draft& draft);
  void EndAttempt(LiveJob& live, const event::AttemptEnded& e);
  void Finish(LiveJob& live, JobStep step, std::string message);
  void RetryLater(LiveJob& live, int failures);
  DecisionId Record(Decision decision, const LiveJob* live);
  void SetBaselineCost(Job& job);
  LiveJob* Find(JobId id);
  const Job& JobOf(AttemptKey key) const;

  // brain_queue.cc
  void Enqueue(LiveJob& live);
  void Dequeue(LiveJob& live);
  void Consider(LiveJob& live);
  void Replan(LiveJob& live, const Draft& draft);
  void DropPlan(LiveJob& live);
  void SetTimer(LiveJob& live);
  absl::Time MissedAt(const LiveJob& live) const;
  void Offer(PoolRun& pool);
  void ConsiderAll();
  void RebuildQueue();
  void MarkFree(PoolRun& pool);
  Shape& ShapeFor(const std::shared_ptr<const Work>& work);
  void DropShape(Shape& shape);
  void KeepShapesBounded();
  void SetHead(Shape& shape, const std::optional<QueueRank>& before);
  bool IsNamed(const Work& work) const;
  void Reshape(const Work& work);

  // brain_fleet.cc
  Reply On(const event::Started& e);
  Reply On(const event::NodeSeen& e);
  Reply On(const event::PoolStateSet& e);
  Reply On(const event::PoolPriced& e);
  Reply On(const event::PoolAdded& e);
  Reply On(const event::PolicySet& e);
  Reply On(const event::PricesSet& e);
  Reply On(const event::FileRead& e);
  Reply On(const event::CarbonSeen& e);
  Reply On(const event::TimerFired&) { return {}; }
  absl::Status UsePolicy(std::shared_ptr<const PolicySpec> spec, bool from_file, bool is_new);
  void UseFleet(const FleetSpec& fleet);
  PoolRun* Standing(std::string_view name);
  void Join(std::shared_ptr<const PoolSpec> spec, bool added);
  void Reserve(PoolRun& pool, const TenantsSpec& before);
  void WorldChanged();
  void Reprice(PoolRun& pool);
  void RepriceAll();
  absl::Time NextPriceChange() const;
  void BringUp(PoolRun& pool);
  void LoseAttempt(AttemptKey key, std::string why);
  void EmitPool(const PoolRun& pool);
  FleetSpec ActiveFleet() const;
  PoolRun* Pool(PoolId id);
  void DrainedMaybe(PoolRun& pool);

  // brain_requests.cc
  Reply On(const event::EndpointSeen& e);
  Reply On(const event::RequestsEnded& e);
  void EmitRouter();

  absl::Time now_ = absl::InfinitePast();
  Effects* effects_ = nullptr;  // of the event being handled
  record::CountersRow counters_;
  std::shared_ptr<const PricesSpec> prices_;
  Books books_;
  Budgets budgets_;
  absl::Time next_budgets_ = absl::InfiniteFuture();  // when they begin anew
  Decider decider_;
  absl::flat_hash_map<JobId, std::unique_ptr<LiveJob>> jobs_;
  absl::btree_set<JobId> changed_;
  absl::btree_map<JobId, bool> created_;
  absl::btree_set<std::pair<absl::Time, JobId>> timers_;
  // Shapes by key, and those with somebody waiting by who is first in them.
  std::unordered_map<std::string, std::unique_ptr<Shape>> shapes_;
  absl::btree_map<QueueRank, Shape*> heads_;
  absl::btree_set<std::pair<absl::Time, JobId>> waiting_since_;
  absl::flat_hash_map<std::string, absl::btree_set<JobId>> waiting_by_name_;
  absl::btree_set<PoolId> freed_;
  absl::btree_map<PoolId, QueueRank> offer_on_;  // pools whose offer was cut off, and where
  absl::Time offer_again_ = absl::InfiniteFuture();
  std::vector<record::PoolBooksRow> emitted_books_;
  absl::Time next_price_ = absl::InfiniteFuture();
  RouterState router_;
  bool router_changed_ = false;  // the router's inputs have to be made anew
};

}  // namespace spillway
