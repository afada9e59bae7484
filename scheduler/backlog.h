#pragma once

#include <cstdint>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/numeric/int128.h"
#include "core/estimate.h"
#include "core/ids.h"

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
  friend Load operator+(Load a, const Load& b) { return a += b; }
  friend bool operator==(const Load&, const Load&) = default;
};
// What work holds, in millionths of a node (its largest share of any resource, over all its nodes)
// for as long as it runs.
Load LoadOf(std::int64_t micro_nodes, const Quantiles& duration);

// The queued jobs that count on one pool, and how much work stands ahead of any place in the queue:
// a treap with sums, O(log n). Priorities of the treap are a hash of the job, so its shape is the
// same whatever the order of insertion.
class Backlog {
 public:
  void Add(const QueueRank& rank, const Load& load);
  void Remove(const QueueRank& rank);       // must be there
  Load Ahead(const QueueRank& rank) const;  // of all with a smaller rank
  bool AnyAhead(const QueueRank& rank) const;
  std::size_t size() const { return nodes_.size() - free_.size(); }
  // The first in the queue; not to be asked of an empty one.
  const QueueRank& First() const;

 private:
  using Ref = std::int32_t;  // index into nodes_, -1: none
  struct Node {
    QueueRank rank;
    Load own, sum;
    std::uint64_t priority = 0;
    Ref left = -1, right = -1;
  };
  Node& At(Ref r) { return nodes_[static_cast<std::size_t>(r)]; }
  const Node& At(Ref r) const { return nodes_[static_cast<std::size_t>(r)]; }
  void Sum(Ref r);
  void Split(Ref root, const QueueRank& rank, Ref& below, Ref& rest);
  Ref Merge(Ref a, Ref b);
  Ref Insert(Ref root, Ref node);
  Ref Erase(Ref root, const QueueRank& rank);

  std::vector<Node> nodes_;
  std::vector<Ref> free_;
  Ref root_ = -1;
};

}  // namespace spillway
