#include "simulator/student.h"

#include <boost/math/distributions/students_t.hpp>
#include <cmath>

namespace spillway {

MeanOf MeanWithInterval(const std::vector<double>& values) {
  MeanOf out;
  if (values.empty()) return out;
  const auto n = static_cast<double>(values.size());
  for (const double value : values) out.mean += value / n;
  if (values.size() < 2) return out;
  double squares = 0;
  for (const double value : values) squares += (value - out.mean) * (value - out.mean);
  const double error = std::sqrt(squares / (n - 1) / n);
  const boost::math::students_t student(n - 1);
  out.half = boost::math::quantile(student, 0.975) * error;
  return out;
}

}  // namespace spillway
