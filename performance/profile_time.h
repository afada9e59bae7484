#pragma once

#include <optional>
#include <vector>

#include "core/model.h"
#include "performance/roofline.h"

// Step times from a measured table. Between its points linear; outside of them as the nearest
// point, times how the roofline goes on from there (before the first point not less than the
// roofline itself). A phase without points is the roofline's.
//  - a prompt chunk that has more behind it than a prompt of its length would: plus the roofline's
//    attention for the rest
//  - sequences with a longer context than the measured one: plus the time to read it; shorter
//    contexts take what was measured
//  - both phases in one step: 1.1 x the longer (Splitwise: mixed batch)
namespace spillway {

class ProfileTimes final : public StepTimes {
 public:
  // Times that fall where they should rise (noise) are lifted to the one before.
  ProfileTimes(const EngineProfile& profile, const Roofline& roofline);

  absl::Duration Of(const StepBatch& batch) const override;
  std::optional<DecodeCurve> Decodes(int sequences) const override;
  Basis basis() const override {
    return prefill_.empty() || decode_.empty() ? Basis::kRoofline : Basis::kProfile;
  }

 private:
  struct Point {
    double at = 0, seconds = 0;
  };
  static std::vector<Point> Rising(const std::vector<EngineProfile::Point>& points);
  // Prompts of so many tokens, or so many sequences at the measured context, by the roofline.
  double RooflinePrefill(double tokens) const;
  double RooflineDecode(double sequences) const;
  template <class Outside>
  static double At(const std::vector<Point>& points, double at, Outside outside);
  double Prefill(const StepBatch& batch) const;
  double MeasuredDecode(int sequences) const;
  double Decode(const StepBatch& batch) const;

  std::vector<Point> prefill_, decode_;
  double decode_context_ = 0;
  Roofline roofline_;
};

}  // namespace spillway
