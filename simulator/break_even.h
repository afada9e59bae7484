#pragma once

#include <functional>

#include "absl/status/statusor.h"
#include "core/catalog.h"
#include "core/scenario.h"
#include "simulator/result.h"

namespace spillway {

// Two fleets of one device each, sized anew for every load of every workload: what their devices
// cost by each price list, and up to which load the first is the cheaper. kCancelled; errors as
// SizeFleet's, but that a model fits on no node is an answer.
struct BreakEvenRun {
  int jobs = 1;
  std::function<void()> on_sized;
  std::function<bool()> cancelled;
};
// How many sizings that is.
int SizingsOf(const BreakEvenSpec& even);
absl::StatusOr<BreakEvenOutcome> FindBreakEven(const BreakEvenSpec& even,
                                               const ScenarioSpec& scenario, const Catalog& catalog,
                                               const BreakEvenRun& run);

// By counts and prices alone. Of counts that are not known, the first is never the cheaper one; the
// second always the dearer.
BreakEvenPrice CheaperUpTo(const PriceListSpec& list, const std::vector<BreakEvenNodes>& nodes);

// The same with `factor` times as much of it in the same time.
WorkloadSpec AtLoad(WorkloadSpec workload, double factor);
// Arrivals a second, of what is known beforehand; 0: a trace or sessions say.
double RateOf(const WorkloadSpec& workload);

}  // namespace spillway
