#include "controller/waiting_for_restart.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "formats/codec.h"

namespace spillway {
namespace {

constexpr std::size_t kMostNames = 10;

bool SaySame(const PoolSpec& a, const PoolSpec& b) { return codec::Encode(a) == codec::Encode(b); }

}  // namespace

const PoolSpec* Named(std::string_view name, const std::vector<PoolSpec>& pools) {
  const auto found = std::find_if(pools.begin(), pools.end(),
                                  [&](const PoolSpec& pool) { return pool.name == name; });
  return found == pools.end() ? nullptr : &*found;
}

std::string WaitingForRestart(const std::vector<PoolSpec>& from_file,
                              const std::vector<PoolSpec>& standing,
                              const std::vector<PoolSpec>& now) {
  std::vector<std::string> names;
  for (const PoolSpec& pool : now) {
    const PoolSpec* before = Named(pool.name, from_file);
    const bool by_api = before == nullptr;
    if (by_api) before = Named(pool.name, standing);
    if (before != nullptr && !SaySame(*before, pool)) {
      names.push_back(
          absl::StrCat("`", pool.name, by_api ? "` (added by the API)" : "` (changed)"));
    }
  }
  for (const PoolSpec& pool : from_file) {
    if (Named(pool.name, now) == nullptr) names.push_back(absl::StrCat("`", pool.name, "` (gone)"));
  }
  if (names.empty()) return "";
  const std::size_t more = names.size() - std::min(names.size(), kMostNames);
  names.resize(names.size() - more);
  return absl::StrCat("pools ", absl::StrJoin(names, ", "),
                      more > 0 ? absl::StrCat(" and ", more, " more") : "");
}

}  // namespace spillway
