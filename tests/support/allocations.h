#pragma once

#include <cstdint>

namespace spillway::fixtures {

// How often this program has called operator new so far, on all threads. Only in programs that link
// tests/support/allocations.cc, which replaces that operator.
std::int64_t Allocations();

}  // namespace spillway::fixtures
