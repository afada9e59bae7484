#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "absl/container/btree_map.h"
#include "absl/time/time.h"
#include "core/job.h"
#include "core/policy_spec.h"
#include "core/pool.h"
#include "core/record.h"
#include "scheduler/backlog.h"
#include "scheduler/node_set.h"
#include "scheduler/releases.h"

namespace spillway {

inline constexpr std::int64_t kMicroNode = 1'000'000;

// The nodes that each replica of `serves` runs on, in the order of its endpoints.
std::vector<std::vector<int>> ReplicaNodes(const PoolSpec& spec);

// The largest share of any resource of a node that a slot takes, over `count` nodes: how much of
// the pool it keeps from others. Rounded up; at least 1.
std::int64_t MicroNodesOf(const Slot& slot, int count, const NodeShape& shape);

// One pool as it is: its nodes, what runs there, what counts on it. A plain state machine under the
// brain.
class PoolRun {
 public:
  PoolRun(PoolId id, std::shared_ptr<const PoolSpec> spec, const TenantsSpec& tenants);

  // A new specification: capacity starts anew, and what runs is put back where it was as far as
  // that place still exists. Answers the attempts whose place is gone.
  std::vector<AttemptKey> Respecify(std::shared_ptr<const PoolSpec> spec,
                                    const TenantsSpec& tenants);

  PoolId id() const { return id_; }
  const PoolSpec& spec() const { return *spec_; }
  const std::shared_ptr<const PoolSpec>& shared_spec() const { return spec_; }
  const NodeSet& nodes() const { return nodes_; }
  Backlog& backlog() { return backlog_; }
  const Backlog& backlog() const { return backlog_; }
  const absl::btree_map<AttemptKey, std::unique_ptr<Running>>& running() const { return running_; }
  int GroupOf(const std::string& tenant) const;
  // Of its site, from now on. What was held before must have been booked.
  void SetCarbon(GramsCo2ePerKwh intensity);

  // Rises with every change that a wait or a fit may depend on.
  std::uint64_t version() const { return version_; }
  void Touch() { ++version_; }
  // Asks the processor for what a look at an unchanged pool reads.
  void Prefetch() const {
    __builtin_prefetch(&version_);
    __builtin_prefetch(&spec_);
  }

  void Hold(Running running);
  void Expect(AttemptKey key, absl::Time end_p50, absl::Time end_p90);  // a better guess
  void Release(AttemptKey key);
  // Up: new work may start there. Gone: it is not up, and nobody pays for it.
  void SetNode(int node, bool up, bool gone);
  std::vector<AttemptKey> RunningOn(int node) const;

  bool Fits(const Slot& slot, int count, int group) const {
    return nodes_.Fits(slot, count, group);
  }
  // Would it be put on a node on which nothing is held yet? It fits.
  bool OpensNode(const Slot& slot, int count, int group, NodeRule rule) const;
  // Does it fit beside the engines, when nothing else runs and every node is up?
  bool FitsBesideEngines(const Slot& slot, int count, int group) const {
    return !bare_ || bare_->Fits(slot, count, group);
  }
  // Until work could start that does not fit now, or has others ahead of it. Infinite: never, as
  // things are.
  Quantiles Wait(const Slot& slot, int count, int group, std::int64_t micro_nodes,
                 const Load& ahead, absl::Time now) const;
  // When the first running attempt is due; until then no estimate here is overrun.
  absl::Time FirstEnd() const { return std::min(p50_.FirstEnd(), p90_.FirstEnd()); }
  // Busy share of the pool's capacity, [0, 1].
  double LoadShare() const;

  // What operators and price books have said.
  PoolState state = PoolState::kActive;
  bool added = false, removed = false;
  std::optional<Price> own_price;
  absl::Time own_price_at;
  Price price;  // in force, with the speed-up of modelled pools folded in
  record::PoolBooksRow books;

 private:
  // What a node would have left once some of its work has ended; scratch of EarliestFit.
  struct Freed {
    std::uint64_t look = 0;  // of which call this is
    MilliCpus cpus{};
    Bytes memory{};
    int parts = 0;
    bool fits = false;
  };
  absl::Time EarliestFit(const Releases& releases, const Slot& slot, int count, int group,
                         int fitting, absl::Time now) const;

  // What every decision reads stands together.
  PoolId id_;
  std::uint64_t version_ = 1;
  Backlog backlog_;
  std::shared_ptr<const PoolSpec> spec_;
  std::vector<std::string> tenant_groups_;  // beside groups of nodes_, from 1
  NodeSet nodes_;
  std::optional<NodeSet> bare_;  // with nothing but its engines; none: it has no engines
  absl::btree_map<AttemptKey, std::unique_ptr<Running>> running_;
  Releases p50_, p90_;
  mutable std::vector<Freed> freed_;  // by node
  mutable std::uint64_t looks_ = 0;
};

}  // namespace spillway
