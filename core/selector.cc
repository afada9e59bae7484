#include "core/selector.h"

#include <algorithm>

namespace spillway {
namespace {

template <class T>
bool OneOf(const std::vector<T>& wanted, const T& found) {
  return wanted.empty() || std::find(wanted.begin(), wanted.end(), found) != wanted.end();
}
template <class T>
bool AnyOf(const std::vector<T>& wanted, const std::vector<T>& found) {
  const auto is_found = [&](const T& w) {
    return std::find(found.begin(), found.end(), w) != found.end();
  };
  return wanted.empty() || std::any_of(wanted.begin(), wanted.end(), is_found);
}
bool RuntimesMatch(const std::vector<std::string>& wanted, const PoolSpec& pool) {
  const auto is_offered = [&](const std::string& w) { return pool.runtimes.contains(w); };
  return wanted.empty() || std::any_of(wanted.begin(), wanted.end(), is_offered);
}
bool LabelsMatch(const std::map<std::string, std::vector<std::string>>& wanted,
                 const PoolSpec& pool) {
  return std::all_of(wanted.begin(), wanted.end(), [&](const auto& entry) {
    const auto found = pool.labels.find(entry.first);
    return found != pool.labels.end() && OneOf(entry.second, found->second);
  });
}

}  // namespace

bool PoolSelector::empty() const { return *this == PoolSelector(); }

bool PoolSelector::Matches(const PoolSpec& pool) const {
  return OneOf(name, pool.name) && OneOf(kind, pool.kind) && OneOf(vendor, pool.vendor) &&
         OneOf(device, pool.device) && OneOf(arch, pool.arch) && OneOf(billing, pool.billing) &&
         OneOf(site, pool.site.name) && OneOf(site_kind, pool.site.kind) &&
         AnyOf(features, pool.features) && AnyOf(confidential, pool.confidential) &&
         RuntimesMatch(runtime, pool) && OneOf(tier, pool.tier) &&
         (!modelled || *modelled == pool.modelled) && LabelsMatch(labels, pool);
}

}  // namespace spillway
