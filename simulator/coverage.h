#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "core/config.h"
#include "core/job.h"
#include "core/request.h"
#include "core/scenario.h"
#include "performance/job_speed.h"
#include "simulator/result.h"

namespace spillway {

// What each pool of a cell could do, by itself and idle: a fleet may hold hardware that is fast and
// cheap for work that hardly ever comes. Counted over everything that was submitted; compute over
// what was completed.
class CoverageTally {
 public:
  // Both outlive it.
  CoverageTally(const Config& config, const ScenarioObjective& objective);

  // `models`: that may answer. A pool covers the request if one of its engines that serves one of
  // them holds the prompt and one token more, and is in time for it while nothing else is there.
  void Asked(std::string_view model, const std::vector<std::string>& models, std::int64_t prompt);
  // By capability alone (policies/ability.h), every alternative counted.
  void Asked(const Work& job);
  void Done(const Request& request);  // answered
  void Done(const Job& job);          // succeeded
  void Write(CellOutcome& out) const;

 private:
  struct OfModel {
    std::vector<std::int64_t> longest;  // by pool: the longest prompt it covers; 0: none
    // Of any pool, by the whole objective, by its TTFT and its TPOT alone.
    std::int64_t longest_of_any = 0, longest_ttft = 0, longest_tpot = 0;
    std::vector<std::int64_t> covered;  // by pool: requests
    std::vector<bool> serves;
    std::int64_t asked = 0;
  };
  struct OfClass {
    std::vector<std::int64_t> covered;  // by pool: jobs
    std::int64_t asked = 0;
  };
  OfModel ModelOn(const std::vector<std::string>& models) const;
  struct Longest {
    std::int64_t both = 0, ttft = 0, tpot = 0;
  };
  Longest LongestOn(const PoolSpec& pool, const ServeSpec& serve) const;
  double SecondsOf(const Work& work) const;

  const Config& config_;
  const ScenarioObjective& objective_;
  SpeedBook book_;
  std::vector<PoolSpeed> speeds_;
  std::map<std::string, OfModel, std::less<>> models_;
  std::map<std::string, OfClass, std::less<>> classes_;
  std::int64_t requests_ = 0, feasible_ = 0, feasible_ttft_ = 0, feasible_tpot_ = 0;
  std::vector<double> request_compute_, job_compute_;  // by pool
};

}  // namespace spillway
