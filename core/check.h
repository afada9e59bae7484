#pragma once

#include <cstdio>
#include <cstdlib>

// Aborts when one of our own invariants is broken. Never for input, configuration or hardware:
// those are answered with an absl::Status. Kept in release builds. (Debian 12's Abseil predates
// absl/log/check.h.)
#define SPILLWAY_CHECK(condition)                                                                \
  (static_cast<bool>(condition)                                                                  \
       ? void(0)                                                                                 \
       : (std::fprintf(stderr, "%s:%d: broken invariant: %s\n", __FILE__, __LINE__, #condition), \
          std::abort()))
