#pragma once

#include <map>
#include <memory>
#include <string>
#include <tuple>
#include <vector>

#include "absl/status/status.h"
#include "core/config.h"
#include "core/job.h"
#include "core/request.h"
#include "core/scenario.h"
#include "simulator/bound_loads.h"
#include "simulator/result.h"

namespace spillway {

// The least that the work which a cell completed could have cost on its own fleet: gathered while
// the cell runs, solved at its end. Requests are taken together by models and size, jobs of one
// shape by what they need.
class CellBound {
 public:
  // Outlives it.
  explicit CellBound(const Config& config) : config_(config) {}

  void Add(const Request& request, bool in_time);  // answered
  void Add(const Job& job);                        // succeeded
  // lower_bound, and lower_bound_slo if the cell reached `attainment`. Leaves them unset where
  // there is nothing to bound, or more shapes of jobs than it can take.
  absl::Status Write(const ScenarioObjective& objective, CellOutcome& out) const;

 private:
  static constexpr std::size_t kMostShapes = 500;
  using SizeKey = std::tuple<std::string, int, int>;  // model asked for, octaves of both lengths
  struct Shape {
    const Work* work = nullptr;  // one of them, kept below
    std::int64_t jobs = 0;
    absl::Duration seconds{};  // of those that say seconds
    double units = 0;          // of those that say units
  };
  absl::StatusOr<Usd> Solve(const std::map<SizeKey, RequestBucket>& buckets,
                            const RequestLoads& options, bool whole, const CellOutcome& out) const;

  const Config& config_;
  std::map<SizeKey, RequestBucket> all_, in_time_;
  std::vector<std::shared_ptr<const Work>> kept_;
  std::vector<Shape> shapes_;
  bool too_many_ = false;
};

}  // namespace spillway
