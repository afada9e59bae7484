#pragma once

#include <gtest/gtest.h>

#include <boost/math/distributions/students_t.hpp>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <functional>
#include <vector>

namespace spillway {

// Does what theory says lie inside the 99 % confidence interval of the mean over independent
// replications (Student)? An interval that is wider than a tenth of it says nothing, and fails.
class Replications {
 public:
  void Add(double value) { values_.push_back(value); }

  double mean() const {
    double sum = 0;
    for (const double value : values_) sum += value;
    return sum / static_cast<double>(values_.size());
  }
  void ExpectInside(const char* what, double theory) const {
    const auto count = static_cast<double>(values_.size());
    const double mean = this->mean();
    double squares = 0;
    for (const double value : values_) squares += (value - mean) * (value - mean);
    const boost::math::students_t student(count - 1);
    const double half =
        boost::math::quantile(student, 0.995) * std::sqrt(squares / (count - 1) / count);
    std::printf("%s: theory %.4f, simulated %.4f +- %.4f\n", what, theory, mean, half);
    EXPECT_NEAR(mean, theory, half) << what << ": half of the 99 % interval";
    EXPECT_LT(half, 0.1 * theory) << what << ": the interval is too wide to say anything";
  }

 private:
  std::vector<double> values_;
};

inline constexpr int kReplications = 12;

}  // namespace spillway
