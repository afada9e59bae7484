#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "core/command.h"
#include "core/job.h"
#include "core/pool.h"
#include "core/scenario.h"
#include "performance/job_speed.h"
#include "simulator/agenda.h"
#include "simulator/time_strip.h"
#include "simulator/virtual_host.h"
#include "simulator/workloads/arrival.h"

namespace spillway {

// Attempts of jobs in virtual time: what was launched starts at once, or when the node that was
// bought for it has booted, and ends when its true duration is over.
class JobFlow {
 public:
  // All outlive it.
  JobFlow(const FleetSpec& fleet, const Catalog& catalog, const WorldSpec& world, Agenda& agenda);

  // What the job with this id really takes.
  void Know(JobId id, const Demand& truth) { truths_[id] = truth; }
  void Forget(JobId id) {
    truths_.erase(id);
    saved_.erase(id);
  }
  // Events for the brain are appended.
  void Run(const command::Launch& launch, absl::Time now, std::vector<event::Body>& events);
  void Run(const command::Cancel& cancel, absl::Time now, std::vector<event::Body>& events);
  // The node will be taken back: who has the time for it saves what it has done.
  void Notice(PoolId pool, int node, absl::Time now);
  // A tick of kind kJobStart.
  void Start(std::uint32_t id, absl::Time now, std::vector<event::Body>& events);
  // A tick of kind kJobEnd.
  void End(std::uint32_t id, absl::Time now, std::vector<event::Body>& events);
  // What that job really takes there from its begin, as the alternative that `face` is;
  // `otherwise`, if nobody knows.
  absl::Duration DurationOn(PoolId pool, const WorkFace& face, JobId job,
                            absl::Duration otherwise) const;
  // Told how much of a pool is held, of 1, whenever that changes.
  std::function<void(PoolId, double, absl::Time)> on_held;
  void CloseStrips(absl::Time now);
  const TimeStrip& strip(PoolId pool) const { return pools_[Index(pool)].strip; }

 private:
  struct OnPool {
    TimeStrip strip;
    double held = 0;  // of its capacity
  };
  struct Running {
    AttemptKey key;
    PoolId pool = kNoPool;
    double share = 0;  // of the pool that it holds
    std::vector<int> nodes;
    absl::Time begins;
    absl::Duration takes{};
    std::optional<absl::Time> told;  // that its node will be taken back
  };
  bool OpensNode(const command::Launch& launch) const;
  void Leave(std::uint32_t id, absl::Time now);
  void Save(const Running& running, absl::Time now);
  absl::Duration DurationOf(const command::Launch& launch) const;
  double ShareOf(const command::Launch& launch) const;
  void Hold(PoolId pool, double share, absl::Time now);

  const FleetSpec& fleet_;
  SpeedBook speeds_;
  std::vector<PoolSpeed> pool_speeds_;
  Agenda& agenda_;
  std::vector<OnPool> pools_;
  const WorldSpec& world_;
  std::map<JobId, Demand> truths_;
  std::map<JobId, double> saved_;               // part of a job that is done and kept
  std::map<std::pair<PoolId, int>, int> held_;  // attempts on each node
  std::map<std::uint32_t, Running> running_;
  std::map<AttemptKey, std::uint32_t> by_key_;
  std::uint32_t last_ = 0;
};

}  // namespace spillway
