#include "controller/waiting_for_restart.h"

#include <algorithm>
#include <map>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "formats/codec.h"

namespace spillway {
namespace {

constexpr std::size_t kMostNames = 10;

using Texts = std::map<std::string, std::string>;  // name -> all that it says

template <class T>
Texts TextsOf(const std::vector<T>& entries, std::string (*text)(const T&)) {
  Texts texts;
  for (const T& entry : entries) texts[entry.name] = text(entry);
  return texts;
}

std::string TextOf(const PoolSpec& pool) { return codec::Encode(pool); }
// Without what follows at once. A tenant of whom nothing else is said needs no restart.
std::string TextOf(const TenantSpec& tenant) {
  TenantSpec rest = tenant;
  rest.quota.requests_per_minute.reset();
  rest.quota.concurrency.reset();
  return codec::Encode(TenantsSpec{{rest}});
}

void Compare(std::string_view sort, const Texts& before, const Texts& after,
             std::vector<std::string>& words) {
  std::vector<std::string> names;
  for (const auto& [name, text] : after) {
    const auto found = before.find(name);
    if (found == before.end())
      names.push_back(absl::StrCat("`", name, "` (new)"));
    else if (found->second != text)
      names.push_back(absl::StrCat("`", name, "` (changed)"));
  }
  for (const auto& [name, text] : before) {
    if (!after.contains(name)) names.push_back(absl::StrCat("`", name, "` (gone)"));
  }
  if (names.empty()) return;
  const std::size_t more = names.size() - std::min(names.size(), kMostNames);
  names.resize(names.size() - more);
  words.push_back(absl::StrCat(std::string(sort), " ", absl::StrJoin(names, ", "),
                               more > 0 ? absl::StrCat(" and ", more, " more") : ""));
}

Texts TextsOf(const FleetSpec& fleet) {
  Texts texts;
  for (const auto& [alias, models] : fleet.aliases) texts[alias] = absl::StrJoin(models, "\n");
  return texts;
}

}  // namespace

std::string WaitingForRestart(const Config& started, const Config& now) {
  std::vector<std::string> words;
  Compare("pools", TextsOf<PoolSpec>(started.fleet.pools, TextOf),
          TextsOf<PoolSpec>(now.fleet.pools, TextOf), words);
  Compare("aliases", TextsOf(started.fleet), TextsOf(now.fleet), words);
  Compare("tenants", TextsOf<TenantSpec>(started.tenants.tenants, TextOf),
          TextsOf<TenantSpec>(now.tenants.tenants, TextOf), words);
  return absl::StrJoin(words, "; ");
}

}  // namespace spillway
