#include "formats/carbon_text.h"

#include <algorithm>
#include <optional>
#include <set>

#include "absl/strings/str_cat.h"
#include "core/status.h"
#include "core/text.h"
#include "formats/document.h"
#include "formats/units.h"
#include "formats/value.h"

namespace spillway {
namespace {

constexpr std::size_t kMostSources = 1000;
constexpr double kMostGrams = 5000;  // an oil fired peaker is at about 900

void ReadSource(const Place& at, const std::vector<std::string>& sites, CarbonSource& out) {
  ObjectReader r(at, "a source");
  r.Required("site", out.site, [&](const Place& p, std::string& name) {
    ReadName(p, name);
    if (!name.empty() && std::find(sites.begin(), sites.end(), name) == sites.end())
      FailWord(p, name, sites);
  });
  r.Optional("zone", out.zone);
  r.Optional("file", out.file);
  r.Optional("url", out.url);
  r.Optional("every", out.every);
  r.Optional("stale_after", out.stale_after);
  r.Finish();
  if (!r.is_map()) return;
  if (out.file.empty() == out.url.empty()) at.Fail("a source needs `file` or `url`, one of them");
  if (!out.url.empty() && !out.url.starts_with("http://") && !out.url.starts_with("https://"))
    at.Fail(absl::StrCat("`", out.url, "` is no URL of http or https"));
  if (out.every < absl::Seconds(10)) at.Fail("`every` is at least 10s");
  if (out.stale_after < out.every) at.Fail("`stale_after` is not less than `every`");
}

absl::StatusOr<std::optional<CarbonReading>> EntryOf(const Value& entry, std::string_view zone) {
  if (!entry.is_map()) return absl::InvalidArgumentError("an entry is no object");
  const Value* of = entry.Find("zone");
  const Value* grams = entry.Find("carbonIntensity");
  const Value* datetime = entry.Find("datetime");
  if (grams == nullptr || datetime == nullptr)
    return absl::InvalidArgumentError("an entry lacks `carbonIntensity` or `datetime`");
  if (!zone.empty() && (of == nullptr || !of->is_string() || of->string() != zone))
    return std::optional<CarbonReading>();
  if (!grams->is_number() || !(grams->real() >= 0 && grams->real() <= kMostGrams))
    return absl::InvalidArgumentError(
        absl::StrCat("`carbonIntensity` is `", grams->text(), "`: wants gCO2eq/kWh, 0 to 5000"));
  if (!datetime->is_string()) return absl::InvalidArgumentError("`datetime` is no text");
  SPILLWAY_ASSIGN_OR_RETURN(const absl::Time as_of, ParseTime(datetime->string()));
  return std::optional(CarbonReading{GramsCo2ePerKwh(grams->real()), as_of});
}

const Value::List* ListOf(const Value& document) {
  if (document.is_list()) return &document.list();
  const Value* data = document.is_map() ? document.Find("data") : nullptr;
  return data != nullptr && data->is_list() ? &data->list() : nullptr;
}

}  // namespace

void ReadCarbonSources(const Place& at, const FleetSpec& fleet, std::vector<CarbonSource>& out) {
  std::vector<std::string> sites;
  for (const PoolSpec& pool : fleet.pools) {
    if (!pool.site.name.empty()) sites.push_back(pool.site.name);
  }
  std::sort(sites.begin(), sites.end());
  sites.erase(std::unique(sites.begin(), sites.end()), sites.end());
  ObjectReader r(at, "carbon intensities");
  ReadKind(r, "Carbon");
  const auto read = [&](const Place& p, CarbonSource& source) { ReadSource(p, sites, source); };
  r.Required("sources", out, [&](const Place& list, std::vector<CarbonSource>& sources) {
    Listed(read, kMostSources)(list, sources);
    std::set<std::string> seen;
    for (std::size_t i = 0; i < sources.size(); ++i) {
      if (!sources[i].site.empty() && !seen.insert(sources[i].site).second)
        list.Item(i).Fail(absl::StrCat("site `", sources[i].site, "` has a source already"));
    }
  });
  r.Finish();
}

absl::StatusOr<CarbonReading> ParseCarbonReading(std::string_view json, std::string_view zone,
                                                 absl::Time now) {
  SPILLWAY_ASSIGN_OR_RETURN(const Value document, ParseJson(json));
  std::optional<CarbonReading> newest;
  const auto take = [&](const Value& entry) -> absl::Status {
    SPILLWAY_ASSIGN_OR_RETURN(const auto reading, EntryOf(entry, zone));
    if (reading && reading->as_of <= now && (!newest || reading->as_of > newest->as_of))
      newest = reading;
    return absl::OkStatus();
  };
  if (const Value::List* list = ListOf(document)) {
    for (const Value& entry : *list) SPILLWAY_RETURN_IF_ERROR(take(entry));
  } else {
    SPILLWAY_RETURN_IF_ERROR(take(document));
  }
  if (newest) return *newest;
  return absl::NotFoundError(absl::StrCat(
      "it has no entry", zone.empty() ? "" : absl::StrCat(" of zone `", ToAbsl(zone), "`"),
      " that is not of the future"));
}

}  // namespace spillway
