#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "absl/time/time.h"
#include "absl/types/span.h"
#include "core/batch_profile.h"
#include "core/catalog.h"
#include "core/estimate.h"
#include "core/pool.h"

// How long a batch takes, by the number of its items: images to classify, samples to rank.
namespace spillway {

class BatchTimes {
 public:
  // Measured points, at least one. Between them linear; fewer items than the first take as long as
  // that (batches are padded to what was compiled); more than the last go on at its rate. Times
  // that fall where they should rise (noise) are lifted to the one before. `slower` multiplies all.
  BatchTimes(absl::Span<const BatchProfile::Point> points, double slower,
             Basis basis = Basis::kProfile);
  // Where nobody measured batches: 1 ms (assumed), and each item at the class's rate (> 0).
  static BatchTimes OfRate(double items_per_second, double slower);

  // Whole nanoseconds, at least one; more items never take less. `items` > 0.
  absl::Duration Of(int items) const;
  Basis basis() const { return basis_; }

 private:
  struct Point {
    double items = 0, nanos = 0;
  };
  BatchTimes(std::vector<Point> points, double step, Basis basis)
      : points_(std::move(points)), per_item_(step), basis_(basis) {}
  std::vector<Point> points_;
  double per_item_ = 0;  // nanoseconds of one beyond the last point
  Basis basis_ = Basis::kAssumed;
};

// A class of work on the hardware of a pool.
struct BatchSpeed {
  BatchTimes times;
  int instances = 1;       // batches at once on one device (CPUs: on the catalogue's slice)
  int measured_items = 0;  // of the largest batch that was measured; 0: none was
};
// From the profile of (class, device), else from the class's rate for the device (a device's whole
// rate in one instance). A pool's `speed` divides all times, confidential computing multiplies
// them. None: the pool names no device of the catalogue, or the class has no rate for it.
std::optional<BatchSpeed> BatchSpeedFor(const Catalog& catalog,
                                        absl::Span<const BatchProfile> profiles,
                                        const PoolSpec& pool, std::string_view work_class);

}  // namespace spillway
