#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <string>
#include <tuple>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "controller/metrics/cost_projection.h"
#include "controller/metrics/families.h"
#include "controller/metrics/label_cap.h"
#include "core/record.h"

namespace spillway {

// Counts what was committed, row by row. Not thread-safe.
class RecordCounters {
 public:
  struct Caps {
    std::size_t tenants = 1000, pools = 2000, rules = 200;
    std::size_t spills = 10'000;  // pairs of pools
  };
  RecordCounters() : RecordCounters(Caps()) {}
  explicit RecordCounters(Caps caps);

  // True: the job is over, and was not before.
  bool Count(const record::JobRow& row);
  void Count(const record::DecisionRow& row);
  void Count(const record::LedgerRow& row);
  void Count(const record::PoolRow& row);
  template <class Other>
  void Count(const Other&) {}

  void Write(FamilyWriter& w) const;
  // What did not fit under the caps.
  void AddDropped(Dropped& dropped) const;
  const CostProjection& costs() const { return costs_; }

 private:
  using Words = std::vector<std::string>;
  // By the labels' values; sorted, so that a scrape reads the same each time.
  using Series = std::map<Words, std::uint64_t>;

  std::string NameOfPool(PoolId id) const;  // "none" for kNoPool
  std::string PoolLabel(PoolId id);
  bool FirstEnd(JobId id);
  void CountSpill(const Decision& decision);
  void CountRefusals(const Decision& decision);

  Caps caps_;
  LabelCap tenants_, pools_, rules_;
  std::uint64_t dropped_spills_ = 0;
  std::vector<std::string> names_;  // by PoolId
  Series jobs_, decisions_, spills_;
  // Many on each decision, so counted without text: by pool and code.
  absl::flat_hash_map<std::uint64_t, std::uint64_t> refusals_;
  CostProjection costs_;

  // A job's row may be written again after its end; it ends once.
  absl::flat_hash_set<std::uint64_t> ended_;
  std::deque<std::uint64_t> ended_order_;
};

}  // namespace spillway
