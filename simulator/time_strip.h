#pragma once

#include <cstddef>
#include <vector>

#include "absl/time/time.h"

namespace spillway {

// The time mean of a level that changes in steps, as a whole and in equal bins. Bins are merged in
// pairs when there are more than 120 of them: memory is bounded, whatever the span.
class TimeStrip {
 public:
  static constexpr std::size_t kMostBins = 120;
  static constexpr absl::Duration kFirstBin = absl::Seconds(10);

  // From `at` on the level is `level`; `at` (since the start of the run) never falls.
  void Set(absl::Duration at, double level);
  // Ends the strip there: no Set() after it.
  void Close(absl::Duration at) { Set(at, 0); }
  double Mean() const;  // over all that was seen
  absl::Duration bin() const { return bin_; }
  // Means by bin, `bin` wide (a multiple of bin() by a power of two).
  std::vector<double> Bins(absl::Duration bin) const;

 private:
  void Fill(double until);
  void Merge();
  std::vector<double> sums_;  // of each bin: level x seconds
  absl::Duration bin_ = kFirstBin;
  double last_ = 0, level_ = 0, total_ = 0;  // seconds, level, level x seconds
};

}  // namespace spillway
