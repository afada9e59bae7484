#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "core/decision.h"
#include "core/ids.h"
#include "core/names.h"
#include "core/units.h"
#include "core/work.h"

// A job as it is recorded: what was asked for, and what has become of it.
namespace spillway {

enum class JobState : std::uint8_t {
  kQueued,
  kStarting,
  kRunning,
  kSucceeded,
  kFailed,
  kCancelled
};
inline constexpr EnumNames<JobState, 6> kJobStateNames{{{JobState::kQueued, "queued"},
                                                        {JobState::kStarting, "starting"},
                                                        {JobState::kRunning, "running"},
                                                        {JobState::kSucceeded, "succeeded"},
                                                        {JobState::kFailed, "failed"},
                                                        {JobState::kCancelled, "cancelled"}}};
constexpr const auto& NamesOf(JobState) { return kJobStateNames; }
constexpr bool IsTerminal(JobState state) { return state >= JobState::kSucceeded; }

// Who is to blame for the end of an attempt. Own: exit code, signal, cannot be started; the job
// pays. Infrastructure: node lost, reclaimed, supervisor gone; booked as the pool's overhead.
enum class Fault : std::uint8_t { kNone, kOwn, kInfrastructure, kCancelled };
inline constexpr EnumNames<Fault, 4> kFaultNames{{{Fault::kNone, "none"},
                                                  {Fault::kOwn, "own"},
                                                  {Fault::kInfrastructure, "infrastructure"},
                                                  {Fault::kCancelled, "cancelled"}}};
constexpr const auto& NamesOf(Fault) { return kFaultNames; }

// What an attempt holds on one node.
struct NodeShare {
  int node = 0;              // index within the pool, from 0
  std::vector<int> devices;  // indices of the devices held there
  friend bool operator==(const NodeShare&, const NodeShare&) = default;
};

enum class AttemptState : std::uint8_t { kStarting, kRunning, kEnded };
inline constexpr EnumNames<AttemptState, 3> kAttemptStateNames{
    {{AttemptState::kStarting, "starting"},
     {AttemptState::kRunning, "running"},
     {AttemptState::kEnded, "ended"}}};
constexpr const auto& NamesOf(AttemptState) { return kAttemptStateNames; }

struct Attempt {
  int number = 1;
  PoolId pool = kNoPool;
  int alternative = -1;          // face of the work that was launched
  std::vector<NodeShare> nodes;  // empty where the cluster places by itself
  AttemptState state = AttemptState::kStarting;
  DecisionId decision{};
  Quantiles expected;  // duration, as estimated at launch
  Quantiles boot;      // of nodes that it opened, before it starts; zero: they were on
  absl::Duration
      baseline_duration{};     // p50 on the baseline, as estimated at launch; 0: no baseline
  UsdPerHour baseline_rate{};  // of what it would hold on the baseline
  absl::Time
      rate_since;  // the amounts below are complete up to here: launch, or the last change of price
  absl::Time launched_at;  // resources are held, and paid for, from here ...
  std::optional<absl::Time> started_at;
  std::optional<absl::Time> finished_at;  // ... to here
  Fault fault = Fault::kNone;
  std::optional<int> exit_code, signal;
  std::string message;  // why it could not start or was lost; empty if there is nothing to say
  Usd cost{}, marginal_cost{};  // complete when it has ended
  Joules energy{};
  GramsCo2e carbon{};
  bool metered = false;  // a device metered the energy; otherwise it is estimated
  Usd expected_cost{};   // allocated, as estimated at launch: what a budget sets aside for it
  friend bool operator==(const Attempt&, const Attempt&) = default;
};

// Which pool a queued job counts on: the one whose backlog it stands in.
struct Plan {
  PoolId pool = kNoPool;
  Quantiles duration;  // there, as estimated when the plan was made
  friend bool operator==(const Plan&, const Plan&) = default;
};

struct Job {
  JobId id{};
  std::shared_ptr<const Work> work;  // never null, never changes
  absl::Time created_at;

  JobState state = JobState::kQueued;
  bool cancelling = false;  // asked to end, not yet over
  std::string message;      // why it failed, in words, where the attempts do not say it
  std::vector<Attempt> attempts;
  int own_failures = 0, infrastructure_failures = 0;
  std::optional<absl::Time> not_before;       // backing off after a failure
  std::optional<absl::Time> incapable_since;  // no pool could do it any more, since then
  DecisionId decision{};                      // the latest
  Plan plan;                                  // queued only
  absl::Time spill_at = absl::InfiniteFuture();
  std::optional<absl::Time> started_at, finished_at;
  Usd cost{}, marginal_cost{}, overhead_cost{};
  std::optional<Usd> baseline_cost;
  Joules energy{};
  GramsCo2e carbon{};
  friend bool operator==(const Job& a, const Job& b);
};

}  // namespace spillway
