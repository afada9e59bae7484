#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"

// How a modelled engine misbehaves when it is told to: for tests of whoever routes to engines.
namespace spillway {

// Fractions of the requests, each in [0, 1] and at most 1 together; which requests they are is a
// function of the seed and of the order in which requests come.
struct EngineFaults {
  double error = 0;             // answered 500
  double stall = 0;             // begin to answer, then fall silent, the connection open
  double drop = 0;              // break the connection in the middle of the answer
  double truncate = 0;          // end in good order in the middle: no finish_reason, no [DONE]
  double lie = 0;               // answer well, but `usage` is wrong
  absl::Duration slow_start{};  // everything is answered 503 for so long
  friend bool operator==(const EngineFaults&, const EngineFaults&) = default;
};

// A JSON object of the names above: {"stall": 0.1, "slow_start": "5s"}. kInvalidArgument names what
// is wrong, with the nearest name that there is.
absl::StatusOr<EngineFaults> ParseEngineFaults(std::string_view json);
// The same from words of a command line, "stall=0.1" each.
absl::StatusOr<EngineFaults> EngineFaultsOf(const std::vector<std::string>& words);
std::string EngineFaultsJson(const EngineFaults& faults);

enum class EngineFault : std::uint8_t { kNone, kError, kStall, kDrop, kTruncate, kLie };

// What befalls the request of that number (from 0).
EngineFault FaultFor(const EngineFaults& faults, std::uint64_t seed, std::uint64_t number);

}  // namespace spillway
