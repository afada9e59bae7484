#include "formats/scenario_world.h"

#include <algorithm>
#include <set>

#include "absl/strings/str_cat.h"
#include "core/text.h"
#include "formats/config_file.h"
#include "formats/units.h"

namespace spillway {
namespace {

constexpr std::size_t kMostNames = 1000;

// `names` of what there is; notes one that is not among them.
void ReadKnown(const Place& at, std::string& out, const std::vector<std::string>& names,
               std::string_view what) {
  std::string word;
  ReadName(at, word);
  if (word.empty()) return;
  out = word;
  if (std::find(names.begin(), names.end(), word) != names.end()) return;
  const std::string nearest = NearestWord(word, names);
  at.Fail(absl::StrCat("no fleet has a ", ToAbsl(what), " `", word, "`",
                       nearest.empty() ? "" : absl::StrCat(" (did you mean `", nearest, "`?)")));
}

class WorldReader {
 public:
  WorldReader(const WorldSources& sources, ScenarioInputs& inputs)
      : sources_(sources), inputs_(inputs) {
    for (const PoolSpec& pool : sources.pools.pools) {
      pools_.push_back(pool.name);
      if (!pool.site.name.empty()) sites_.push_back(pool.site.name);
    }
  }

  void Read(const Place& at, WorldSpec& out) {
    ObjectReader r(at, "`world`");
    r.Optional("failures", out, [this](const Place& p, WorldSpec& w) { ReadFailures(p, w); });
    r.Optional("spot", out.spot, [this](const Place& p, auto& all) { ReadSpots(p, all); });
    StartUpSpec start_up;
    if (r.Optional("start_up", start_up, ReadStartUp)) out.start_up = start_up;
    r.Optional("prices", out, [this](const Place& p, WorldSpec& w) { ReadPriceFile(p, w); });
    CarbonSpec carbon;
    if (r.Optional("carbon", carbon, [this](const Place& p, CarbonSpec& c) { ReadCarbon(p, c); }))
      out.carbon = std::move(carbon);
    r.Finish();
  }

 private:
  void ReadPoolName(const Place& at, std::string& out) const {
    if (!sources_.pools_are_known) return ReadName(at, out);
    ReadKnown(at, out, pools_, "pool");
  }

  // Nodes that fail without end would keep a run from ever going on.
  static void ReadSecond(const Place& at, absl::Duration& out) {
    absl::Duration read;
    ReadSpan(at, read);
    if (read > absl::ZeroDuration() && read < absl::Seconds(1))
      return at.Fail("is less than a second");
    if (read > absl::ZeroDuration()) out = read;
  }
  static void ReadTimes(ObjectReader& r, FailureSpec& out) {
    r.Required("mtbf", out.mtbf, ReadSecond);
    r.Optional("repair", out.repair, ReadSecond);
  }
  void ReadPoolFailures(const Place& at, std::map<std::string, FailureSpec>& out) const {
    if (!IsMapOfNames(at, kMostNames)) return;
    for (const Member& member : at.value().map()) {
      const Value name = Value::MakeString(member.key);
      const Place place = at.Child(member);
      std::string pool;
      ReadPoolName(place.Holding(name), pool);
      ObjectReader r(place, "the failures of a pool");
      ReadTimes(r, out[member.key]);
      r.Finish();
    }
  }
  void ReadFailures(const Place& at, WorldSpec& out) const {
    ObjectReader r(at, "`failures`");
    // Only some pools may fail.
    if (r.Has("mtbf") || !r.Has("pools")) {
      ReadTimes(r, out.failures);
    } else {
      r.Refuse("repair", "it belongs to an `mtbf`");
    }
    r.Optional("pools", out.pool_failures,
               [this](const Place& p, auto& pools) { ReadPoolFailures(p, pools); });
    r.Finish();
  }

  static void ReadStartUp(const Place& at, StartUpSpec& out) {
    ObjectReader r(at, "`start_up`");
    r.Optional("boot", out.boot);
    r.Optional("storage", out.storage);
    r.Optional("cold", out.cold);
    r.Finish();
  }

  // One, or a list of them.
  void ReadSpots(const Place& at, std::vector<SpotSpec>& out) {
    const auto one = [this](const Place& p, SpotSpec& spot) { ReadSpot(p, spot); };
    if (at.value().is_list()) {
      Listed(one, kMostNames)(at, out);
    } else {
      ReadSpot(at, out.emplace_back());
    }
    std::set<std::string> seen;
    for (const SpotSpec& spot : out) {
      for (const std::string& pool : spot.pools) {
        if (!seen.insert(pool).second)
          at.Fail(
              absl::StrCat("names pool `", pool, "` twice: a node is taken back by one of them"));
      }
    }
  }

  void ReadSpot(const Place& at, SpotSpec& out) {
    ObjectReader r(at, "`spot`");
    const auto pool_name = [this](const Place& p, std::string& name) { ReadPoolName(p, name); };
    r.Required("pools", out.pools, Listed(pool_name, kMostNames));
    r.Optional("notice", out.notice);
    r.Optional("away", out.away, ReadSpan);
    absl::Duration checkpoint{};
    if (r.Optional("checkpoint", checkpoint)) out.checkpoint = checkpoint;
    const bool has_process = r.Optional("mtbr", out.mtbr, [](const Place& p, auto& mtbr) {
      absl::Duration span{};
      ReadSpan(p, span);
      if (span > absl::ZeroDuration()) mtbr = span;
    });
    std::string file;
    if (r.Optional("trace", file)) ReadTrace(at.Child(*r.Take("trace")), file, out);
    r.Finish();
    if (has_process && !out.trace.empty()) at.Fail("has both `trace` and `mtbr`: say one of them");
    if (r.is_map() && !out.pools.empty() && !r.Has("trace") && !r.Has("mtbr"))
      at.Fail("spot pools need the key `trace` or `mtbr`");
  }
  void ReadTrace(const Place& at, const std::string& file, SpotSpec& out) {
    out.trace = inputs_.PathOf(file);
    if (!inputs_.Take(at, file, "spot")) return;
    auto series = ReadSpotTrace(out.trace);
    if (!series.ok()) return inputs_.AddFault(series.status());
    out.available = *std::move(series);
  }

  void ReadPriceFile(const Place& at, WorldSpec& out) {
    ObjectReader r(at, "`prices`");
    std::string file;
    const bool is_there = r.Required("file", file);
    r.Finish();
    if (!is_there) return;
    out.prices_file = inputs_.PathOf(file);
    const Place place = at.Child(*r.Take("file"));
    std::string text;
    if (!inputs_.Read(place, file, "prices", text) || !sources_.pools_are_known) return;
    auto prices = file.ends_with(".csv") ? ReadPricesCsv(out.prices_file, sources_.pools)
                                         : ParsePrices(text, sources_.pools, out.prices_file);
    if (!prices.ok()) return inputs_.AddFault(prices.status());
    out.prices = *std::move(prices);
  }

  void ReadCarbon(const Place& at, CarbonSpec& out) {
    ObjectReader r(at, "`carbon`");
    r.Optional("zone", out.zone);
    std::string file, column;
    const bool is_there = r.Required("file", file);
    r.Optional("column", column);
    absl::Time from = sources_.start;
    r.Optional("from", from);
    const auto site = [this](const Place& p, std::string& name) {
      if (!sources_.pools_are_known) return ReadName(p, name);
      ReadKnown(p, name, sites_, "site");
    };
    r.Optional("sites", out.sites, Listed(site, kMostNames));
    r.Finish();
    if (!is_there) return;
    out.file = inputs_.PathOf(file);
    const Place place = at.Child(*r.Take("file"));
    if (!inputs_.Take(place, file, "carbon")) return;
    auto series = ReadCarbonCsv(out.file, {.zone = out.zone, .column = column});
    if (!series.ok()) return inputs_.AddFault(series.status());
    out.series = *std::move(series);
    Shift(at, from, out);
  }
  // What the file says of `from` holds when the scenario starts.
  void Shift(const Place& at, absl::Time from, CarbonSpec& out) const {
    const auto first = out.series.front().first, last = out.series.back().first;
    if (from < first || from > last) {
      return at.Fail(
          absl::StrCat("the file tells of ", Format(first), " to ", Format(last),
                       ", and the scenario begins at ", Format(from),
                       ": say with `from:` which of its times stands for the beginning"));
    }
    const absl::Duration shift = sources_.start - from;
    for (auto& [time, grams] : out.series) time += shift;
  }

  const WorldSources& sources_;
  ScenarioInputs& inputs_;
  std::vector<std::string> pools_, sites_;
};

}  // namespace

void ReadWorld(const Place& at, const WorldSources& sources, ScenarioInputs& inputs,
               WorldSpec& out) {
  WorldReader(sources, inputs).Read(at, out);
}

}  // namespace spillway
