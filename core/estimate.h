#pragma once

#include <optional>

#include "absl/time/time.h"
#include "core/names.h"
#include "core/units.h"

// What one piece of work would mean on one pool now.
namespace spillway {

// Where a duration comes from, best first.
enum class Basis : std::uint8_t { kObserved, kDeclared, kProfile, kRoofline, kAssumed };
inline constexpr EnumNames<Basis, 5> kBasisNames{{{Basis::kObserved, "observed"},
                                                  {Basis::kDeclared, "declared"},
                                                  {Basis::kProfile, "profile"},
                                                  {Basis::kRoofline, "roofline"},
                                                  {Basis::kAssumed, "assumed"}}};
constexpr const auto& NamesOf(Basis) { return kBasisNames; }

// Two points of a distribution: costs are compared on p50, objectives are tested on p90. p50 <=
// p90.
struct Quantiles {
  absl::Duration p50{}, p90{};
  friend bool operator==(const Quantiles&, const Quantiles&) = default;
};

// What p90 is, as a multiple of p50, until five runs were observed.
constexpr double SpreadOf(Basis basis) { return basis == Basis::kAssumed ? 2.0 : 1.25; }
inline constexpr int kRunsBeforeObserved = 5;
inline constexpr int kRunsRemembered = 50;

struct Estimate {
  Quantiles wait;                            // until it would start
  Quantiles duration;                        // from start to end
  std::optional<absl::Duration> ttft, tpot;  // requests
  Usd cost{};           // allocated: rate x share x held; what people are shown
  Usd marginal_cost{};  // what it adds to the bill; what decisions compare
  Joules energy{};      // at the node, without PUE
  GramsCo2e carbon{};   // with PUE
  bool priced = true;   // false: nobody knows the two costs above
  Basis basis = Basis::kAssumed;
  friend bool operator==(const Estimate&, const Estimate&) = default;
};

}  // namespace spillway
