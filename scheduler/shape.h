#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/container/btree_set.h"
#include "core/decision.h"
#include "core/pool.h"
#include "core/work.h"
#include "policies/claim_order.h"
#include "scheduler/amounts.h"
#include "scheduler/backlog.h"
#include "scheduler/node_set.h"

namespace spillway {

// What work adds on a pool if nodes have to be switched on for it: they boot, and are held
// meanwhile. Kept apart: most pools have none, and every decision walks over what all have.
struct BootOnPool {
  Quantiles time;
  Amounts amounts;
  bool takes_whole_nodes = false;  // so that it always finds them off
};

// What is true of one shape of work on one pool whatever the load: computed once, read by every
// decision.
struct ShapeOnPool {
  int alternative = -1;
  bool able = false;  // no code below: only able pools have the rest
  CodeSet codes;      // cannot, and kRule, kReserved where all nodes are reserved for others
  Figures figures;
  Slot slot;
  int nodes = 1;
  int group = NodeSet::kCommon;
  std::int64_t micro_nodes = 1;
  Quantiles duration;
  Basis basis = Basis::kAssumed;
  bool priced = false;
  Usd cost{}, marginal{};
  Joules energy{};
  GramsCo2e carbon{};
  std::shared_ptr<const BootOnPool> boot;  // null: no node ever has to be switched on

  bool BootsAlways() const { return boot && boot->takes_whole_nodes; }
  // What pools are ordered by, which knows no load: whether a part of a node finds one that is on
  // is not known yet. None: not priced.
  std::optional<Usd> MarginalInOrder() const {
    if (!priced) return std::nullopt;
    return BootsAlways() ? marginal + boot->amounts.marginal : marginal;
  }
};

// What a pool said when this shape last looked at it: true as long as the pool's version is the
// same.
struct Glance {
  std::uint64_t version = 0;  // of the pool; 0: never looked
  CodeSet unavailable;        // down, cordoned, draining
  bool fits = false;
  bool boots = false;  // it fits on nodes that are off only
  // Where it does not fit, and nobody is ahead: when it would. Good until the first of the pool's
  // running work overruns.
  absl::Time ready_p50, ready_p90, good_until = absl::InfinitePast();
};

// Work that differs only in what no pool cares about (command, deadline, priority, ...) has one
// shape.
struct Shape {
  std::string key;         // ShapeKey of the work
  std::uint64_t hash = 0;  // XXH64 of the key: stable, part of a decision's inputs_hash
  std::shared_ptr<const Work> sample;
  bool named = false;                   // runs of its name count
  int rule = -1;                        // of the policy
  std::vector<ShapeOnPool> pools;       // by PoolId
  std::vector<Claim> order;             // able pools
  mutable std::vector<Glance> glances;  // by PoolId; a cache
  std::uint64_t survey_hash = 0;        // XXH64 of what the survey found: durations and costs
  Baseline baseline;
  UsdPerHour baseline_rate{};

  // For which state of the world the above holds.
  std::uint64_t config_version = 0, estimator_version = 0;
  // Queued jobs of this shape.
  absl::btree_set<QueueRank> waiting;
};

// Everything of the work that a pool, a price, a rule or an estimate may depend on, as bytes: two
// pieces of work with equal keys are told the same by every pool at any one time, but for their
// objectives. `named`: its runs were observed, so its name counts too (the estimator learns by
// name).
std::string ShapeKey(const Work& work, bool named);
std::unique_ptr<Shape> MakeShape(std::shared_ptr<const Work> work, bool named, std::string key);

}  // namespace spillway
