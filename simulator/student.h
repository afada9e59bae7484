#pragma once

#include <vector>

#include "simulator/result.h"

namespace spillway {

// The mean, and half the width of its 95 % confidence interval by Student's t with n - 1 degrees of
// freedom; half is 0 for fewer than two values.
MeanOf MeanWithInterval(const std::vector<double>& values);

}  // namespace spillway
