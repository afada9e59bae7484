#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "core/check.h"

namespace spillway {

// A sorted set of keys, each with a value, that knows the sum of the values before any key: a treap
// with sums, O(log n). The priorities of the treap are a hash of what the caller names the entry
// by, so its shape does not depend on the order of insertion. `Sum` adds with += and is zero by
// default.
template <class Key, class Sum>
class SumTree {
 public:
  void Add(const Key& key, const Sum& value, std::uint64_t name) {
    Ref node = static_cast<Ref>(nodes_.size());
    if (free_.empty()) {
      nodes_.emplace_back();
    } else {
      node = free_.back();
      free_.pop_back();
    }
    At(node) = Node{.key = key, .own = value, .sum = value, .priority = Mix(name)};
    root_ = Insert(root_, node);
  }
  void Remove(const Key& key) { root_ = Erase(root_, key); }  // must be there

  bool empty() const { return root_ < 0; }
  std::size_t size() const { return nodes_.size() - free_.size(); }
  const Key& First() const {  // not of an empty one
    Ref r = root_;
    while (At(r).left >= 0) r = At(r).left;
    return At(r).key;
  }
  Sum Total() const { return empty() ? Sum() : At(root_).sum; }

  // Of the values of all keys below `key`.
  Sum Before(const Key& key) const {
    Sum before;
    for (Ref r = root_; r >= 0;) {
      const Node& node = At(r);
      if (node.key < key) {
        before += node.own;
        if (node.left >= 0) before += At(node.left).sum;
        r = node.right;
      } else {
        r = node.left;
      }
    }
    return before;
  }

  // The first key for which `holds(key, sum up to and with it)` is true, and the sum before it.
  // `holds` is false up to some key and true from there on.
  struct Found {
    std::optional<Key> key, previous;  // previous: the last key for which it is false
    Sum before;                        // of all keys up to `previous`
  };
  template <class Holds>
  Found FindFirst(Holds holds) const {
    Found found;
    for (Ref r = root_; r >= 0;) {
      const Node& node = At(r);
      Sum with = found.before;
      if (node.left >= 0) with += At(node.left).sum;
      with += node.own;
      if (holds(node.key, with)) {
        found.key = node.key;
        r = node.left;
      } else {
        found.previous = node.key;
        found.before = with;
        r = node.right;
      }
    }
    return found;
  }

 private:
  using Ref = std::int32_t;  // index into nodes_, -1: none
  struct Node {
    Key key;
    Sum own, sum;
    std::uint64_t priority = 0;
    Ref left = -1, right = -1;
  };
  Node& At(Ref r) { return nodes_[static_cast<std::size_t>(r)]; }
  const Node& At(Ref r) const { return nodes_[static_cast<std::size_t>(r)]; }

  // The finaliser of SplitMix64 (Steele, Lea, Flood, OOPSLA 2014): any fixed mixing would do.
  static std::uint64_t Mix(std::uint64_t x) {
    x += 0x9e3779b97f4a7c15;
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
    x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
    return x ^ (x >> 31);
  }
  void Add(Ref r) {
    Node& node = At(r);
    node.sum = node.own;
    if (node.left >= 0) node.sum += At(node.left).sum;
    if (node.right >= 0) node.sum += At(node.right).sum;
  }
  void Split(Ref root, const Key& key, Ref& below, Ref& rest) {
    if (root < 0) {
      below = rest = -1;
      return;
    }
    // Children are changed through a local: `below` and `rest` may be fields of a node.
    Ref inner = -1;
    if (At(root).key < key) {
      Split(At(root).right, key, inner, rest);
      At(root).right = inner;
      below = root;
    } else {
      Split(At(root).left, key, below, inner);
      At(root).left = inner;
      rest = root;
    }
    Add(root);
  }
  Ref Merge(Ref a, Ref b) {
    if (a < 0) return b;
    if (b < 0) return a;
    const bool a_first = At(a).priority > At(b).priority;
    const Ref top = a_first ? a : b;
    const Ref merged = a_first ? Merge(At(a).right, b) : Merge(a, At(b).left);
    (a_first ? At(a).right : At(b).left) = merged;
    Add(top);
    return top;
  }
  Ref Insert(Ref root, Ref node) {
    if (root < 0 || At(node).priority > At(root).priority) {
      Ref below = -1, rest = -1;
      Split(root, At(node).key, below, rest);
      At(node).left = below;
      At(node).right = rest;
      Add(node);
      return node;
    }
    const bool left = At(node).key < At(root).key;
    const Ref child = Insert(left ? At(root).left : At(root).right, node);
    (left ? At(root).left : At(root).right) = child;
    Add(root);
    return root;
  }
  Ref Erase(Ref root, const Key& key) {
    SPILLWAY_CHECK(root >= 0);
    if (At(root).key == key) {
      free_.push_back(root);
      return Merge(At(root).left, At(root).right);
    }
    const bool left = key < At(root).key;
    const Ref child = Erase(left ? At(root).left : At(root).right, key);
    (left ? At(root).left : At(root).right) = child;
    Add(root);
    return root;
  }

  Ref root_ = -1;
  std::vector<Node> nodes_;
  std::vector<Ref> free_;
};

}  // namespace spillway
