#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "core/units.h"

// What no policy can undercut: the least that some work could have cost on some pools, if it were
// divided at will and everything had been known beforehand. A linear programme, solved by CLP.
//
//   min  sum_p price_p y_p + sum_rp usd_rp x_rp
//   s.t. sum_p x_rp = amount_r                    all of the work is done
//        sum_r hours_rpk x_rp <= y_p <= nodes_p x available_p     on each part k of pool p
//        x_rp = 0 where p cannot do r
//
// The answer is rounded down and does not lean on the solver's tolerances: it is computed anew from
// the dual prices (weak duality), so whatever CLP returned, nothing feasible is cheaper.
namespace spillway {

// A bucket of pieces of work that are alike: requests of one model and size, jobs of one class.
struct BoundWork {
  std::string name;
  double amount = 0;  // in any unit (requests, units of a class); finite, >= 0
};

// Identical nodes. The same nodes at another price (in another hour, at the spot price) are a pool
// of their own; work does not say when it is done, which can only lower the bound.
struct BoundPool {
  std::string name;
  // What one more node-hour in use adds to the bill: the price where node time is metered, the
  // energy where nodes are paid for anyway. Nothing where tokens are paid (BoundLoad::usd), and for
  // an unknown price, since that can only lower the bound. >= 0.
  UsdPerHour node_hour{};
  int nodes = 1;               // >= 0
  absl::Duration available{};  // of each node, finite
  // A node is paid for all of `available` once it does anything: y_p / available_p is whole.
  bool whole = false;
};

// One unit of a bucket on a pool.
struct BoundLoad {
  bool able = false;
  // Node-hours it takes, at the best rate there is, of each part of a node that works beside the
  // others (an engine's prompts and answers): each part has the hours of the node. At most 8 parts,
  // as many for all work on a pool; parts left out are 0. Doubles, since a unit may be one token.
  std::vector<double> node_hours;
  double usd = 0;  // of tokens, egress; >= 0
};

struct BoundProblem {
  std::vector<BoundWork> work;
  std::vector<BoundPool> pools;
  std::vector<std::vector<BoundLoad>> loads;  // [work][pool]
  Usd committed_bill{};                       // added to the answer: paid whatever is done
};

struct BoundAnswer {
  Usd lower_bound{};
  // An assignment that comes near it: fractions of each bucket by pool, and node-hours in use (paid
  // for, on whole nodes). `cost` is its bill, so lower_bound <= true minimum <= cost, up to
  // rounding.
  std::vector<std::vector<double>> share;  // [work][pool]; of work with no amount all 0
  std::vector<double> node_hours;          // [pool]
  Usd cost{};
  // By how much one more node-hour of the pool would lower the bill, >= 0; 0 where some are left.
  // On whole nodes that of the fractional problem.
  std::vector<UsdPerHour> shadow_price;
};

// With whole nodes it branches on them, 200 times at most: then lower_bound is the best proven so
// far. Deterministic; no time limit. Errors:
//   kInvalidArgument     sizes that do not match, numbers that are negative or not finite (named)
//   kFailedPrecondition  no pool is able to do a bucket (named), or the node-hours do not suffice
//   kInternal            CLP gave up
absl::StatusOr<BoundAnswer> LowerBound(const BoundProblem& problem);

}  // namespace spillway
