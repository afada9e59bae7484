#pragma once

#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <ctime>
#include <string_view>

// The hold model, by which event queues are compared: `pending` events; take the first, put it back
// some time later, and again. All queues get the same delays. Plain C++, so that programs around
// other simulators can include it.
namespace spillway::bench {

// Seconds that this process has computed. Not those on the wall: what else runs on the machine
// should tell as little as it can.
inline double SecondsComputed() {
  return static_cast<double>(std::clock()) / static_cast<double>(CLOCKS_PER_SEC);
}

// Of mean 1 s in ns: one of 4,096 quantiles, chosen by a xorshift generator. A table that stays in
// the first cache costs every queue the same two nanoseconds.
class Delays {
 public:
  // exponential, uniform (0 to 2 s), or bimodal: nine of ten a thousandth of the tenth.
  explicit Delays(std::string_view kind) {
    for (std::size_t i = 0; i < quantiles_.size(); ++i) {
      const double u = (static_cast<double>(i) + 0.5) / static_cast<double>(quantiles_.size());
      quantiles_[i] = static_cast<std::int64_t>(1e9 * Quantile(kind, u));
    }
  }
  std::int64_t Next() {
    state_ ^= state_ << 13;
    state_ ^= state_ >> 7;
    state_ ^= state_ << 17;
    return quantiles_[state_ >> 52];
  }

 private:
  static double Exponential(double u) { return -std::log(1 - u); }
  static double Quantile(std::string_view kind, double u) {
    if (kind == "uniform") return 2 * u;
    if (kind == "bimodal") {
      constexpr double kLong = 1 / 0.1009;  // mean of all: 0.9 x kLong / 1000 + 0.1 x kLong = 1
      return u < 0.9 ? kLong / 1000 * Exponential(u / 0.9) : kLong * Exponential((u - 0.9) / 0.1);
    }
    return Exponential(u);
  }

  std::array<std::int64_t, 4096> quantiles_{};
  std::uint64_t state_ = 0x9e3779b97f4a7c15;
};

}  // namespace spillway::bench
