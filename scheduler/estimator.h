#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "core/config.h"
#include "core/estimate.h"
#include "core/record.h"
#include "core/work.h"
#include "performance/job_speed.h"

namespace spillway {

// How long a job takes on a pool: the last 50 runs of (tenant, name) once there are five of them,
// else what its demand and the catalogue say (performance/job_speed.h), else the policy's default.
// Runs are kept as they would have been at speed 1, and per unit where the demand counts units of a
// class, so that a run seen on one pool speaks for the others: through the rates of the class, else
// at ratio 1.
//
// At most kNames names are remembered; the one that was added to longest ago goes first.
class Estimator {
 public:
  static constexpr std::size_t kNames = 10'000;

  // Speeds of the pools, in the order of PoolId. Remembered runs stay.
  void Configure(const Catalog& catalog, const std::vector<std::shared_ptr<const PoolSpec>>& pools);
  void SetDefault(absl::Duration if_unknown) { if_unknown_ = if_unknown; }

  struct Length {
    Quantiles duration;
    Basis basis = Basis::kAssumed;
  };
  // `by_name`: go by the runs of this name, if they are enough.
  Length LengthOf(const Work& work, const WorkFace& face, PoolId pool, bool by_name) const;
  // The same on a pool that is not of the fleet (a priced device of the catalogue as baseline).
  Length LengthOn(const Work& work, const WorkFace& face, const PoolSpec& pool, bool by_name) const;

  // A run that ended well. Work without a name teaches nothing. Answers the rows to remember.
  std::vector<record::ObservationRow> Observe(const Work& work, const WorkFace& face, PoolId pool,
                                              absl::Duration ran, EventNumber event);
  void Restore(const record::ObservationRow& row);

  // Have enough runs of this (tenant, name) been seen to go by them?
  bool Knows(const Work& work) const;
  // Changes whenever answers about this (tenant, name) may.
  std::uint64_t VersionOf(const Work& work) const;

 private:
  using Name = std::pair<std::string, std::string>;
  struct Runs {
    record::ObservationRow row;
    Quantiles quantiles;  // of row.runs
    std::uint64_t version = 0;
  };
  const Runs* Find(const Work& work) const;
  Length Answer(const Work& work, const WorkFace& face, const PoolSpeed& speed, bool by_name) const;
  // What a run is divided by to bring it to speed 1; the rates of the class where they are known.
  double Factor(const WorkFace& face, const PoolSpeed& speed) const;
  static void Summarise(Runs& runs);

  std::optional<SpeedBook> book_;
  std::vector<PoolSpeed> speeds_;
  absl::Duration if_unknown_ = absl::Seconds(60);
  std::map<Name, Runs> runs_;
  std::map<EventNumber, Name> oldest_;
};

}  // namespace spillway
