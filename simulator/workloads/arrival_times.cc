#include "simulator/workloads/arrival_times.h"

#include <cmath>
#include <numbers>
#include <optional>
#include <utility>
#include <variant>

#include "simulator/workloads/draw.h"

namespace spillway {

std::int64_t ArrivalNanos(double seconds) {
  if (!(seconds < 4e9)) return ArrivalTimes::kNever;
  return std::llround(seconds * 1e9);
}

namespace {

class Poisson final : public ArrivalTimes {
 public:
  Poisson(const PoissonSpec& spec, RandomStream random) : rate_(spec.rate), random_(random) {}
  std::int64_t Next() override {
    now_ += DrawExponential(random_) / rate_;
    return ArrivalNanos(now_);
  }

 private:
  double rate_, now_ = 0;  // seconds
  RandomStream random_;
};

// A renewal process that has been going on since long before: what is left of the first gap is an
// even part of one drawn in proportion to its length (a gamma variate of shape + 1). So the mean
// count up to t is rate x t for every t, however bursty it is.
class Gamma final : public ArrivalTimes {
 public:
  Gamma(const GammaSpec& spec, RandomStream random)
      : shape_(1 / (spec.cv * spec.cv)), scale_(1 / (spec.rate * shape_)), random_(random) {
    next_ = scale_ * DrawGamma(random_, shape_ + 1) * DrawUniform(random_);
  }
  std::int64_t Next() override {
    const double now = next_;
    next_ += scale_ * DrawGamma(random_, shape_);
    return ArrivalNanos(now);
  }

 private:
  double shape_, scale_, next_ = 0;
  RandomStream random_;
};

class OnOff final : public ArrivalTimes {
 public:
  OnOff(const OnOffSpec& spec, RandomStream random)
      : on_(absl::ToDoubleSeconds(spec.on)),
        off_(absl::ToDoubleSeconds(spec.off)),
        rate_(spec.rate),
        off_rate_(spec.off_rate),
        random_(random) {
    is_on_ = DrawUniform(random_) * (on_ + off_) < on_;
    until_ = (is_on_ ? on_ : off_) * DrawExponential(random_);
  }
  std::int64_t Next() override {
    for (;;) {
      const double rate = is_on_ ? rate_ : off_rate_;
      // Nothing is remembered from before a change of state: gaps are exponential.
      const double next = rate > 0 ? now_ + DrawExponential(random_) / rate : until_;
      if (rate > 0 && next < until_) {
        now_ = next;
        return ArrivalNanos(now_);
      }
      now_ = until_;
      if (!(now_ < 4e9)) return kNever;
      is_on_ = !is_on_;
      until_ += (is_on_ ? on_ : off_) * DrawExponential(random_);
    }
  }

 private:
  double on_, off_, rate_, off_rate_, now_ = 0, until_ = 0;
  bool is_on_ = true;
  RandomStream random_;
};

// The rate of a surge at a time since the start, both in seconds.
class Surge {
 public:
  explicit Surge(const SurgeSpec& spec)
      : rate_(spec.rate),
        at_(absl::ToDoubleSeconds(spec.at)),
        rise_(absl::ToDoubleSeconds(spec.rise)),
        half_(absl::ToDoubleSeconds(spec.half)) {}
  double At(double now) const {
    if (now >= at_) return rate_ * std::exp2(-(now - at_) / half_);
    return now > at_ - rise_ ? rate_ * (1 - (at_ - now) / rise_) : 0;
  }
  double begin() const { return at_ - rise_; }
  // No more than this from `now` on.
  double MostFrom(double now) const { return now < at_ ? rate_ : At(now); }

 private:
  double rate_, at_, rise_, half_;
};

// Thinning (Lewis and Shedler, 1979): arrivals at a rate that is never exceeded, each kept by the
// rate of its instant. What is never exceeded is found anew for each: the peak, with a surge that
// has begun, that of the instant before.
class Diurnal final : public ArrivalTimes {
 public:
  Diurnal(const DiurnalSpec& spec, RandomStream random)
      : mean_(spec.mean),
        peak_(spec.peak),
        period_(absl::ToDoubleSeconds(spec.period)),
        peak_at_(absl::ToDoubleSeconds(spec.peak_at)),
        random_(random) {
    if (spec.surge) surge_.emplace(*spec.surge);
  }
  std::int64_t Next() override {
    for (;;) {
      const bool calm = surge_ && now_ < surge_->begin();
      const double most = peak_ + (surge_ && !calm ? surge_->MostFrom(now_) : 0);
      now_ += DrawExponential(random_) / most;
      if (!(now_ < 4e9)) return kNever;
      if (calm && now_ >= surge_->begin()) {
        now_ = surge_->begin();  // nothing is remembered from before: gaps are exponential
        continue;
      }
      const double phase = 2 * std::numbers::pi * (now_ - peak_at_) / period_;
      double rate = mean_ + (peak_ - mean_) * std::cos(phase);
      if (surge_) rate += surge_->At(now_);
      if (DrawUniform(random_) * most < rate) return ArrivalNanos(now_);
    }
  }

 private:
  double mean_, peak_, period_, peak_at_, now_ = 0;
  std::optional<Surge> surge_;
  RandomStream random_;
};

}  // namespace

std::unique_ptr<ArrivalTimes> MakeArrivalTimes(const ArrivalSpec& spec, RandomStream random) {
  if (const auto* poisson = std::get_if<PoissonSpec>(&spec)) {
    return std::make_unique<Poisson>(*poisson, random);
  }
  if (const auto* gamma = std::get_if<GammaSpec>(&spec)) {
    return std::make_unique<Gamma>(*gamma, random);
  }
  if (const auto* on_off = std::get_if<OnOffSpec>(&spec)) {
    return std::make_unique<OnOff>(*on_off, random);
  }
  if (const auto* diurnal = std::get_if<DiurnalSpec>(&spec)) {
    return std::make_unique<Diurnal>(*diurnal, random);
  }
  return nullptr;
}

}  // namespace spillway
