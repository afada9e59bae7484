#pragma once

#include <cstddef>
#include <optional>
#include <string>

#include "absl/time/time.h"
#include "absl/types/span.h"
#include "core/units.h"

// Whether a placement was dearer than it had to be, seen from the end: when every pool's true load
// is known. Where a policy falls back on NVIDIA, this says how often it need not have.
namespace spillway {

// One pool of a decision, with what came to pass there or would have.
struct HindsightCandidate {
  std::string pool;
  bool backstop = false;  // of the vendor (or tier) that is asked about
  // Could the work have run there at all: capability, rules, health at that time.
  bool able = false;
  // From the work's arrival until a place for it was really free there, and how long it then takes
  // until the instant that the objective names (first token, start, finish).
  absl::Duration free_after{}, takes{};
  Usd cost{};  // of the work there, in the book that decisions compare
};

struct Regret {
  std::string pool;  // the cheapest that was feasible and is no backstop
  Usd saved{};       // > 0: by how much it would have been cheaper
  friend bool operator==(const Regret&, const Regret&) = default;
};
// Of a piece of work that ran on `chosen`, an index into `candidates`, and had to be there `within`
// its arrival. Nothing: `chosen` is no backstop, or nothing cheaper would have been in time. Of
// equal costs the first wins.
//
// A clairvoyant moves one piece only, while all else stays as it was: each regret by itself is
// true, their sum is no bill that one fleet could have had.
std::optional<Regret> RegretOf(absl::Span<const HindsightCandidate> candidates, std::size_t chosen,
                               absl::Duration within);

}  // namespace spillway
