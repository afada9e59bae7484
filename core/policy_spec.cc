#include "core/policy_spec.h"

#include <algorithm>

namespace spillway {
namespace {

template <class T>
bool OneOf(const std::vector<T>& wanted, const T& found) {
  return wanted.empty() || std::find(wanted.begin(), wanted.end(), found) != wanted.end();
}
std::string ClassOf(const Work& work) {
  const auto* units = std::get_if<ClassUnits>(&work.demand);
  return units ? units->work_class : "";
}
bool LabelsMatch(const std::map<std::string, std::vector<std::string>>& wanted, const Work& work) {
  return std::all_of(wanted.begin(), wanted.end(), [&](const auto& entry) {
    const auto found = work.labels.find(entry.first);
    return found != work.labels.end() && OneOf(entry.second, found->second);
  });
}

}  // namespace

bool WorkSelector::Matches(const Work& work) const {
  return OneOf(kind, work.kind) && OneOf(name, work.name) && OneOf(tenant, work.tenant) &&
         OneOf(confidential, work.needs.confidential) && OneOf(work_class, ClassOf(work)) &&
         OneOf(model, work.needs.model) && LabelsMatch(labels, work) &&
         (!min_priority || work.priority >= *min_priority);
}

}  // namespace spillway
