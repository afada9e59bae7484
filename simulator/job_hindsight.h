#pragma once

#include <utility>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/time/time.h"
#include "core/config.h"
#include "core/job.h"
#include "simulator/hindsight.h"

namespace spillway {

// Of a job that a pool of last resort did: was there room for it on a cheaper pool, long enough and
// soon enough? Asked at the end, when it is known how full every pool was at every instant. A pool
// is looked at as one vessel: how its nodes would have had to be filled is left aside.
class JobHindsight {
 public:
  static constexpr std::size_t kMostJobs = 20'000;  // that are examined: the first ones
  static constexpr std::size_t kMostSteps = 2'000'000;

  explicit JobHindsight(const Config& config);  // outlives it

  // How much of the pool is held from now on, of 1.
  void Held(PoolId pool, double part, absl::Time now);
  // One of its nodes went down, or came up again.
  void NodeChanged(PoolId pool, bool up, absl::Time now);
  // Succeeded. How long it takes on a pool, as one of its alternatives.
  void Done(const Job& job, absl::FunctionRef<absl::Duration(PoolId, const WorkFace&)> duration_on,
            RegretTally& tally);
  void Finish(RegretTally& tally) const;

 private:
  struct Place {
    HindsightCandidate candidate;
    PoolId pool = kNoPool;
    double part = 0;  // of the pool
    absl::Duration runs{};
  };
  struct Piece {
    absl::Time created;
    absl::Duration within{};
    bool by_start = false;  // it had to begin by then, not to end
    std::vector<Place> places;
  };
  Place PlaceOn(const Job& job, PoolId pool, const WorkFace& face, absl::Duration runs) const;
  // From its arrival until there was room for as long as it runs; Infinite: not in time.
  absl::Duration RoomAfter(const Piece& piece, const Place& place) const;

  struct History {
    double held = 0;
    int down = 0;
    std::vector<std::pair<absl::Time, double>> steps;  // rising; what cannot be had from then on
  };
  void Note(PoolId pool, absl::Time now);

  const Config& config_;
  std::vector<History> pools_;
  std::vector<Piece> pieces_;
};

}  // namespace spillway
