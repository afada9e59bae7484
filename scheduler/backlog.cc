#include "scheduler/backlog.h"

#include "core/check.h"
#include "core/units.h"

namespace spillway {
namespace {

// The finaliser of SplitMix64 (Steele, Lea, Flood, OOPSLA 2014): any fixed mixing would do.
std::uint64_t Mix(std::uint64_t x) {
  x += 0x9e3779b97f4a7c15;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
  x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
  return x ^ (x >> 31);
}

}  // namespace

Load LoadOf(std::int64_t micro_nodes, const Quantiles& duration) {
  return {absl::int128(micro_nodes) * ToNanos(duration.p50),
          absl::int128(micro_nodes) * ToNanos(duration.p90)};
}

void Backlog::Sum(Ref r) {
  Node& node = At(r);
  node.sum = node.own;
  if (node.left >= 0) node.sum += At(node.left).sum;
  if (node.right >= 0) node.sum += At(node.right).sum;
}

void Backlog::Split(Ref root, const QueueRank& rank, Ref& below, Ref& rest) {
  if (root < 0) {
    below = rest = -1;
    return;
  }
  // Children are changed through locals: `below` and `rest` may alias a field of the node.
  Ref inner = -1;
  if (At(root).rank < rank) {
    Split(At(root).right, rank, inner, rest);
    At(root).right = inner;
    below = root;
  } else {
    Split(At(root).left, rank, below, inner);
    At(root).left = inner;
    rest = root;
  }
  Sum(root);
}

Backlog::Ref Backlog::Merge(Ref a, Ref b) {
  if (a < 0) return b;
  if (b < 0) return a;
  if (At(a).priority > At(b).priority) {
    const Ref merged = Merge(At(a).right, b);
    At(a).right = merged;
    Sum(a);
    return a;
  }
  const Ref merged = Merge(a, At(b).left);
  At(b).left = merged;
  Sum(b);
  return b;
}

Backlog::Ref Backlog::Insert(Ref root, Ref node) {
  if (root < 0 || At(node).priority > At(root).priority) {
    Ref below = -1, rest = -1;
    Split(root, At(node).rank, below, rest);
    At(node).left = below;
    At(node).right = rest;
    Sum(node);
    return node;
  }
  const bool left = At(node).rank < At(root).rank;
  const Ref child = Insert(left ? At(root).left : At(root).right, node);
  (left ? At(root).left : At(root).right) = child;
  Sum(root);
  return root;
}

Backlog::Ref Backlog::Erase(Ref root, const QueueRank& rank) {
  SPILLWAY_CHECK(root >= 0);
  if (At(root).rank == rank) {
    free_.push_back(root);
    return Merge(At(root).left, At(root).right);
  }
  const bool left = rank < At(root).rank;
  const Ref child = Erase(left ? At(root).left : At(root).right, rank);
  (left ? At(root).left : At(root).right) = child;
  Sum(root);
  return root;
}

void Backlog::Add(const QueueRank& rank, const Load& load) {
  Ref node = static_cast<Ref>(nodes_.size());
  if (free_.empty()) {
    nodes_.emplace_back();
  } else {
    node = free_.back();
    free_.pop_back();
  }
  At(node) = Node{.rank = rank, .own = load, .sum = load, .priority = Mix(Number(rank.job))};
  root_ = Insert(root_, node);
}

void Backlog::Remove(const QueueRank& rank) { root_ = Erase(root_, rank); }

Load Backlog::Ahead(const QueueRank& rank) const {
  Load ahead;
  for (Ref r = root_; r >= 0;) {
    const Node& node = At(r);
    if (node.rank < rank) {
      ahead += node.own;
      if (node.left >= 0) ahead += At(node.left).sum;
      r = node.right;
    } else {
      r = node.left;
    }
  }
  return ahead;
}

bool Backlog::AnyAhead(const QueueRank& rank) const { return root_ >= 0 && First() < rank; }

const QueueRank& Backlog::First() const {
  Ref r = root_;
  while (At(r).left >= 0) r = At(r).left;
  return At(r).rank;
}

}  // namespace spillway
