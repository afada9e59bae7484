#pragma once

#include <cstdint>
#include <iterator>
#include <utility>
#include <vector>

#include "absl/container/btree_map.h"
#include "absl/numeric/int128.h"
#include "absl/time/time.h"
#include "core/ids.h"
#include "core/job.h"
#include "scheduler/node_set.h"
#include "scheduler/sum_tree.h"

namespace spillway {

// An attempt that holds something of a pool.
struct Running {
  AttemptKey key;
  Slot slot;
  std::vector<NodeShare> nodes;
  std::int64_t micro_nodes = 0;
  absl::Time end_p50, end_p90;  // as expected now
};

// When running work is expected to give back what it holds, at one quantile; and from that, how
// long new work would wait. Instants are nanoseconds since the UNIX epoch, capacity is millionths
// of a node.
//
// Work that has outrun its estimate is expected to go on for as long again as it is late: at the
// end of its estimate it is due now, and the longer it overruns the less it is counted on.
class Releases {
 public:
  // `running` outlives its entry here.
  void Add(const Running& running, absl::Time end);
  void Remove(AttemptKey key, absl::Time end);
  std::int64_t busy() const { return sums_.Total().micro; }
  // The earliest expected end; InfiniteFuture if nothing runs.
  absl::Time FirstEnd() const {
    return ends_.empty() ? absl::InfiniteFuture() : absl::FromUnixNanos(ends_.begin()->first.first);
  }

  // When `ahead` (capacity x time) has been served by `capacity`, of which running work gives back
  // its part by and by, and `need` is free at that instant: water-filling over the releases, O(log
  // n). Exact for one slot; over several it takes queued work as divisible, so it is early by one
  // piece of work at most. What is overdue counts as one release, at its weighted mean.
  absl::Time Ready(absl::Time now, std::int64_t capacity, std::int64_t need,
                   absl::int128 ahead) const;

  // Calls `f(running, when)` for releases in order of time until it returns false or kWalked were
  // visited.
  template <class F>
  void Walk(absl::Time now, F f) const;

  static constexpr int kWalked = 256;

 private:
  using Order = std::pair<std::int64_t, AttemptKey>;  // end, who
  struct Held {
    std::int64_t micro = 0;       // millionths of a node
    absl::int128 micro_ends = 0;  // x end
    Held& operator+=(const Held& other) {
      micro += other.micro;
      micro_ends += other.micro_ends;
      return *this;
    }
  };
  static Held HeldBy(const Running& running, std::int64_t end);

  absl::btree_map<Order, const Running*> ends_;
  SumTree<Order, Held> sums_;
};

template <class F>
void Releases::Walk(absl::Time now, F f) const {
  const std::int64_t t = absl::ToUnixNanos(now);
  // The overdue ones come back in reverse: the latest of them is due last among them.
  const auto first_due = ends_.lower_bound({t, AttemptKey{}});
  auto overdue = first_due;
  auto due = first_due;
  for (int visited = 0; visited < kWalked && (overdue != ends_.begin() || due != ends_.end());
       ++visited) {
    bool take_overdue = overdue != ends_.begin();
    std::int64_t reflected = 0;
    if (take_overdue) {
      reflected = 2 * t - std::prev(overdue)->first.first;
      take_overdue = due == ends_.end() || reflected <= due->first.first;
    }
    if (take_overdue) {
      --overdue;
      if (!f(*overdue->second, reflected)) return;
    } else {
      if (!f(*due->second, due->first.first)) return;
      ++due;
    }
  }
}

}  // namespace spillway
