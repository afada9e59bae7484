#include "simulator/time_strip.h"

#include <algorithm>

namespace spillway {

void TimeStrip::Merge() {
  for (std::size_t i = 0; i < sums_.size(); i += 2)
    sums_[i / 2] = sums_[i] + (i + 1 < sums_.size() ? sums_[i + 1] : 0);
  sums_.resize((sums_.size() + 1) / 2);
  bin_ *= 2;
}

void TimeStrip::Fill(double until) {
  while (last_ < until) {
    double width = absl::ToDoubleSeconds(bin_);
    auto at = static_cast<std::size_t>(last_ / width);
    while (at >= kMostBins) {
      Merge();
      width = absl::ToDoubleSeconds(bin_);
      at = static_cast<std::size_t>(last_ / width);
    }
    if (at >= sums_.size()) sums_.resize(at + 1);
    const double end = std::min(until, static_cast<double>(at + 1) * width);
    // Rounding may leave `last_` at the very edge of its bin: then all goes into the next.
    sums_[at] += level_ * (end - last_);
    if (end <= last_) break;
    last_ = end;
  }
  last_ = std::max(last_, until);
}

void TimeStrip::Set(absl::Duration at, double level) {
  const double now = absl::ToDoubleSeconds(at);
  if (now > last_) {
    total_ += level_ * (now - last_);
    Fill(now);
  }
  level_ = level;
}

double TimeStrip::Mean() const { return last_ > 0 ? total_ / last_ : 0; }

std::vector<double> TimeStrip::Bins(absl::Duration bin) const {
  TimeStrip wide = *this;
  while (wide.bin_ < bin) wide.Merge();
  const double width = absl::ToDoubleSeconds(wide.bin_);
  std::vector<double> means(wide.sums_.size());
  for (std::size_t i = 0; i < means.size(); ++i) {
    const double end = std::min(last_, static_cast<double>(i + 1) * width);
    const double span = end - static_cast<double>(i) * width;
    means[i] = span > 0 ? wide.sums_[i] / span : 0;
  }
  return means;
}

}  // namespace spillway
