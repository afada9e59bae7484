#include "controller/northbound/work_body.h"

#include <utility>
#include <variant>

#include "absl/strings/str_cat.h"
#include "controller/northbound/known_names.h"
#include "core/status.h"
#include "formats/findings.h"
#include "formats/work_text.h"

namespace spillway {
namespace {

void Note(std::string pointer, std::string why, InputError& error) {
  if (!why.empty()) error.Add({.pointer = std::move(pointer), .detail = std::move(why)});
}

void CheckDemand(const Demand& demand, const std::string& pointer, const Snapshot& snapshot,
                 InputError& error) {
  if (const auto* units = std::get_if<ClassUnits>(&demand))
    Note(pointer + "/class", WhyNoClass(units->work_class, snapshot), error);
  if (const auto* declared = std::get_if<DeclaredSeconds>(&demand);
      declared && !declared->on.empty())
    Note(pointer + "/on", WhyNoDeviceOrPool(declared->on, snapshot), error);
}

// A name that nothing bears is a slip of the pen: such work would wait or run under a false
// estimate, and nobody would be told.
absl::Status CheckNames(const Work& work, const Snapshot& snapshot) {
  InputError error;
  if (!work.pin.empty()) Note("/pool", WhyNoPool(work.pin, snapshot), error);
  CheckDemand(work.demand, "/demand", snapshot, error);
  for (std::size_t i = 0; i < work.alternatives.size(); ++i) {
    const Demand& demand = work.alternatives[i].demand;
    if (demand == work.demand) continue;  // Inherited, and judged already.
    CheckDemand(demand, absl::StrCat("/alternatives/", i, "/demand"), snapshot, error);
  }
  return error.ToStatus();
}

}  // namespace

absl::StatusOr<std::shared_ptr<const Work>> WorkOf(std::string_view body, const std::string& tenant,
                                                   const Snapshot& snapshot) {
  SPILLWAY_ASSIGN_OR_RETURN(Work work, ParseWork(body, snapshot.policy->objectives));
  SPILLWAY_RETURN_IF_ERROR(CheckNames(work, snapshot));
  work.tenant = tenant;
  return std::make_shared<const Work>(std::move(work));
}

}  // namespace spillway
