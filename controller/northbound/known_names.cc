#include "controller/northbound/known_names.h"

#include <vector>

#include "absl/strings/str_cat.h"
#include "core/text.h"

namespace spillway {
namespace {

std::string Unknown(std::string_view name, std::string_view what,
                    const std::vector<std::string_view>& known) {
  const std::string near = NearestWord(name, known);
  return absl::StrCat("is `", ToAbsl(name), "`, and there is no such ", ToAbsl(what),
                      near.empty() ? "" : absl::StrCat(" (did you mean `", near, "`?)"));
}

std::vector<std::string_view> PoolNamesOf(const Snapshot& snapshot) {
  std::vector<std::string_view> names;
  for (const PoolStatus& pool : snapshot.pools) {
    if (!pool.removed) names.push_back(pool.spec->name);
  }
  return names;
}

}  // namespace

std::string WhyNoPool(std::string_view name, const Snapshot& snapshot) {
  if (snapshot.Find(name) != nullptr) return {};
  return Unknown(name, "pool", PoolNamesOf(snapshot));
}

std::string WhyNoClass(std::string_view name, const Snapshot& snapshot) {
  std::vector<std::string_view> known;
  for (const auto& [known_name, work_class] : snapshot.config->catalog.classes) {
    if (known_name == name) return {};
    known.push_back(known_name);
  }
  return Unknown(name, "class of work", known);
}

std::string WhyNoDeviceOrPool(std::string_view name, const Snapshot& snapshot) {
  if (snapshot.Find(name) != nullptr) return {};
  std::vector<std::string_view> known = PoolNamesOf(snapshot);
  for (const auto& [device, entry] : snapshot.config->catalog.devices) {
    if (device == name) return {};
    known.push_back(device);
  }
  return Unknown(name, "device or pool", known);
}

}  // namespace spillway
