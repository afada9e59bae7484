#include "performance/profile_time.h"

#include <algorithm>

namespace spillway {

ProfileTimes::ProfileTimes(const EngineProfile& profile, const Roofline& roofline)
    : prefill_(Rising(profile.prefill)),
      decode_(Rising(profile.decode)),
      decode_context_(static_cast<double>(profile.decode_context)),
      roofline_(roofline) {}

std::vector<ProfileTimes::Point> ProfileTimes::Rising(
    const std::vector<EngineProfile::Point>& points) {
  std::vector<Point> out;
  double longest = 0;
  for (const EngineProfile::Point& point : points) {
    longest = std::max(longest, absl::ToDoubleSeconds(point.time));
    out.push_back({point.at, longest});
  }
  return out;
}

double ProfileTimes::RooflinePrefill(double tokens) const {
  StepBatch batch;
  batch.AddChunk(static_cast<std::int64_t>(tokens), 0);
  return roofline_.Seconds(batch);
}

double ProfileTimes::RooflineDecode(double sequences) const {
  return roofline_.Seconds(
      {.decodes = static_cast<int>(sequences),
       .decode_context = static_cast<std::int64_t>(sequences * decode_context_)});
}

template <class Outside>
double ProfileTimes::At(const std::vector<Point>& points, double at, Outside outside) {
  const auto above = std::lower_bound(points.begin(), points.end(), at,
                                      [](const Point& p, double x) { return p.at < x; });
  if (above == points.end()) {
    const Point& last = points.back();
    return last.seconds * std::max(1.0, outside(at) / outside(last.at));
  }
  if (above == points.begin()) {
    if (above->at == at) return above->seconds;
    // Not below what the roofline says is possible, where a table begins with large batches.
    const double scaled = above->seconds * std::min(1.0, outside(at) / outside(above->at));
    return std::max(scaled, std::min(outside(at), above->seconds));
  }
  const Point& below = *(above - 1);
  return below.seconds +
         (above->seconds - below.seconds) * (at - below.at) / (above->at - below.at);
}

double ProfileTimes::Prefill(const StepBatch& batch) const {
  const double tokens = static_cast<double>(batch.prefill_tokens);
  const double measured = At(prefill_, tokens, [this](double at) { return RooflinePrefill(at); });
  const double own = tokens * (tokens - 1) / 2;
  return measured + roofline_.AttentionSeconds(
                        std::max(0.0, static_cast<double>(batch.prefill_context) - own));
}

double ProfileTimes::MeasuredDecode(int sequences) const {
  return At(decode_, sequences, [this](double at) { return RooflineDecode(at); });
}

double ProfileTimes::Decode(const StepBatch& batch) const {
  const double measured = MeasuredDecode(batch.decodes);
  const double longer = static_cast<double>(batch.decode_context) - batch.decodes * decode_context_;
  return measured + roofline_.KvSeconds(std::max(0.0, longer));
}

// Up to the measured context as measured, beyond it the time to read the rest.
std::optional<DecodeCurve> ProfileTimes::Decodes(int sequences) const {
  if (decode_.empty()) return roofline_.Decodes(sequences);
  const double measured = MeasuredDecode(sequences) * roofline_.scale();
  const double token = roofline_.KvSeconds(1) * roofline_.scale();
  return LongerOf(TickLineOf(measured, 0),
                  TickLineOf(measured - token * sequences * decode_context_, token));
}

absl::Duration ProfileTimes::Of(const StepBatch& batch) const {
  if (batch.empty()) return absl::ZeroDuration();
  constexpr double kMixed = 1.1;
  const auto alone = [&](const std::vector<Point>& points, const StepBatch& phase, auto measured) {
    if (phase.empty()) return 0.0;
    return points.empty() ? roofline_.Seconds(phase) : measured(phase);
  };
  const StepBatch prompts{batch.prefill_tokens, batch.prefill_context, batch.prefills, 0, 0};
  const StepBatch answers{0, 0, 0, batch.decodes, batch.decode_context};
  const double prefill =
      alone(prefill_, prompts, [this](const StepBatch& b) { return Prefill(b); });
  const double decode = alone(decode_, answers, [this](const StepBatch& b) { return Decode(b); });
  const double both =
      prefill > 0 && decode > 0 ? kMixed * std::max(prefill, decode) : prefill + decode;
  return StepDuration(both * roofline_.scale());
}

}  // namespace spillway
