#pragma once

#include <gmock/gmock.h>

#include <string>
#include <vector>

#include "policies/check.h"

namespace spillway {

// What gtest prints when a list of findings is not as expected.
inline void PrintTo(const Finding& finding, std::ostream* out) {
  *out << (finding.error ? "error " : "warning ") << finding.where << ": " << finding.what;
}

inline auto ErrorAt(const std::string& where, const std::string& words) {
  return ::testing::AllOf(::testing::Field(&Finding::error, true),
                          ::testing::Field(&Finding::where, where),
                          ::testing::Field(&Finding::what, ::testing::HasSubstr(words)));
}
inline auto WarningAt(const std::string& where, const std::string& words) {
  return ::testing::AllOf(::testing::Field(&Finding::error, false),
                          ::testing::Field(&Finding::where, where),
                          ::testing::Field(&Finding::what, ::testing::HasSubstr(words)));
}

}  // namespace spillway
