#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "controller/northbound/identity.h"
#include "controller/northbound/pulse.h"

// What a pulse shows, as JSON. Load is shown to everybody who may read; money only of the reader's
// own tenant, or of all to operators.
namespace spillway {

// Something that an operator should know.
struct HealthReason {
  bool critical = false;
  std::string_view code;  // "pool_down", of a closed set
  std::string text;
  std::string pool;  // empty: none in particular
};
// Worst first; empty: all is well.
std::vector<HealthReason> HealthOf(const PulseView& view);

// Who reads: what he may do, and whose money he is shown; none: everybody's, and idle time.
struct PulseViewer {
  Role role = Role::kOperator;
  std::optional<std::string> tenant;
};
std::string OverviewBody(const PulseView& view, const PulseViewer& viewer);

// An array: each pool with its load.
std::string PoolLoadsBody(const PulseView& view, bool with_money);

// A decision in short.
std::string TaleBody(const Tale& tale, const Snapshot& snapshot);
std::string_view TenantOf(const Tale& tale);

}  // namespace spillway
