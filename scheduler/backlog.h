#pragma once

#include <cstdint>

#include "absl/numeric/int128.h"
#include "core/estimate.h"
#include "core/ids.h"
#include "core/units.h"
#include "scheduler/sum_tree.h"

namespace spillway {

// Place of a job in the one queue: the smaller first.
struct QueueRank {
  std::int64_t key = 0;  // QueueOrder::KeyOf
  JobId job{};
  friend auto operator<=>(const QueueRank&, const QueueRank&) = default;
};

// Capacity x time, exact: millionths of a node x nanoseconds.
struct Load {
  absl::int128 p50 = 0, p90 = 0;
  Load& operator+=(const Load& other) {
    p50 += other.p50;
    p90 += other.p90;
    return *this;
  }
  friend bool operator==(const Load&, const Load&) = default;
};

// What work holds, in millionths of a node (its largest share of any resource, over all its nodes),
// for as long as it runs.
inline Load LoadOf(std::int64_t micro_nodes, const Quantiles& duration) {
  return {absl::int128(micro_nodes) * ToNanos(duration.p50),
          absl::int128(micro_nodes) * ToNanos(duration.p90)};
}

// The queued jobs that count on one pool, and how much work stands ahead of any place in the queue.
class Backlog {
 public:
  void Add(const QueueRank& rank, const Load& load) { jobs_.Add(rank, load, Number(rank.job)); }
  void Remove(const QueueRank& rank) { jobs_.Remove(rank); }
  Load Ahead(const QueueRank& rank) const { return jobs_.Before(rank); }
  bool AnyAhead(const QueueRank& rank) const { return !jobs_.empty() && jobs_.First() < rank; }
  const QueueRank& First() const { return jobs_.First(); }
  std::size_t size() const { return jobs_.size(); }

 private:
  SumTree<QueueRank, Load> jobs_;
};

}  // namespace spillway
