#include "formats/workload_lengths.h"

#include <algorithm>
#include <filesystem>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/text.h"
#include "formats/units.h"

namespace spillway {
namespace {

constexpr double kMostTokens = 1e7;
constexpr std::size_t kMostClusters = 1000, kMostQuantiles = 100;

// One value of a length: a number, or a duration in seconds.
auto ValueOf(bool is_span) {
  return [is_span](const Place& at, double& out) {
    if (is_span) {
      absl::Duration span{};
      ReadSpan(at, span);
      out = absl::ToDoubleSeconds(span);
      return;
    }
    double value = 0;
    const std::size_t before = at.reading().error().size();
    Read(at, value);
    if (at.reading().error().size() > before) return;
    if (value > kMostTokens) return at.Fail("is out of range: 0 to 10000000");
    out = value;
  };
}

void ReadLognormal(const Place& at, bool is_span, LengthSpec& out) {
  ObjectReader r(at, "`lognormal`");
  out.shape = LengthShape::kLognormal;
  const bool has_both = static_cast<int>(r.Required("p50", out.p50, ValueOf(is_span))) +
                            static_cast<int>(r.Required("p99", out.p99, ValueOf(is_span))) ==
                        2;
  r.Optional("most", out.most, ValueOf(is_span));
  r.Finish();
  if (has_both && !(out.p50 > 0 && out.p50 <= out.p99)) {
    at.Fail("wants 0 < `p50` <= `p99`");
  }
}

// {p1: 12, p50: 300, p99.9: 4000}, in any order.
void ReadQuantiles(const Place& at, bool is_span, LengthSpec& out) {
  out.shape = LengthShape::kQuantiles;
  if (!at.value().is_map() || at.value().map().size() < 2 ||
      at.value().map().size() > kMostQuantiles) {
    return at.Fail("wants a map of 2 to 100 quantiles, like {p5: 40, p50: 300, p95: 2000}");
  }
  for (const Member& member : at.value().map()) {
    const Place place = at.Child(member);
    const std::string_view key = member.key;
    const auto percent = ParsePercent(absl::StrCat(ToAbsl(key.substr(key.empty() ? 0 : 1)), "%"));
    if (!key.starts_with('p') || !percent.ok()) {
      place.Fail(absl::StrCat("`", member.key, "` is no quantile: write p0 to p100"));
      continue;
    }
    double value = 0;
    ValueOf(is_span)(place, value);
    out.quantiles.emplace_back(*percent, value);
  }
  std::sort(out.quantiles.begin(), out.quantiles.end());
  for (std::size_t i = 1; i < out.quantiles.size(); ++i) {
    if (out.quantiles[i].second < out.quantiles[i - 1].second) {
      return at.Fail("wants values that do not fall from one quantile to the next");
    }
  }
}

void ReadColumn(const Place& at, const std::string& folder, bool is_span, LengthSpec& out) {
  ObjectReader r(at, "`column`");
  out.shape = LengthShape::kColumn;
  r.Required("file", out.file,
             [&](const Place& place, std::string& file) { ReadFileName(place, folder, file); });
  r.Required("name", out.column);
  r.Optional("most", out.most, ValueOf(is_span));
  r.Finish();
}

void ReadShare(const Place& at, double& share) {
  double value = 0;
  const std::size_t before = at.reading().error().size();
  ReadPercent(at, value);
  if (at.reading().error().size() > before) return;
  if (value <= 0) return at.Fail("wants more than 0%");
  share = value;
}

// `bootstrap: 5min`, or `none`.
void ReadBlock(const Place& at, std::optional<absl::Duration>& block) {
  if (at.value().is_string() && at.value().string() == "none") {
    block = std::nullopt;
    return;
  }
  absl::Duration span{};
  ReadSpan(at, span);
  if (span > absl::ZeroDuration()) block = span;
}

void ReadGamma(const Place& at, GammaSpec& out) {
  ObjectReader r(at, "`gamma`");
  r.Required("rate", out.rate, ReadArrivalRate);
  if (r.Required("cv", out.cv, ReadPositive) && (out.cv < 0.01 || out.cv > 100)) {
    at.Fail("`cv` is out of range: 0.01 to 100");
  }
  r.Finish();
}
void ReadOnOff(const Place& at, OnOffSpec& out) {
  ObjectReader r(at, "`on-off`");
  r.Required("on", out.on, ReadSpan);
  r.Required("off", out.off, ReadSpan);
  r.Required("rate", out.rate, ReadArrivalRate);
  r.Optional("off_rate", out.off_rate, ReadArrivalRate);
  r.Finish();
}
void ReadSurge(const Place& at, SurgeSpec& out) {
  ObjectReader r(at, "`surge`");
  r.Required("rate", out.rate, ReadArrivalRate);
  r.Required("at", out.at);
  r.Optional("rise", out.rise);
  r.Optional("half", out.half, ReadSpan);
  r.Finish();
  if (out.rise > out.at) at.Fail("`rise` is longer than the time until `at`");
}
void ReadDiurnal(const Place& at, DiurnalSpec& out) {
  ObjectReader r(at, "`diurnal`");
  const bool has_mean = r.Required("mean", out.mean, ReadArrivalRate);
  const bool has_peak = r.Required("peak", out.peak, ReadArrivalRate);
  r.Optional("period", out.period, ReadSpan);
  r.Optional("peak_at", out.peak_at);
  SurgeSpec surge;
  if (r.Optional("surge", surge, ReadSurge)) out.surge = surge;
  r.Finish();
  if (has_mean && has_peak && (out.peak < out.mean || out.peak > 2 * out.mean)) {
    at.Fail(
        "wants `mean` <= `peak` <= 2 x `mean`: the rate follows a cosine and is never negative");
  }
}
void ReadSessions(const Place& at, SessionsSpec& out) {
  ObjectReader r(at, "`sessions`");
  r.Required("users", out.users, Between(1, 1'000'000));
  r.Required("think", out.think, ReadSpan);
  if (r.Optional("turns", out.turns, ReadPositive) && (out.turns < 1 || out.turns > 1000)) {
    at.Fail("`turns` is out of range: 1 to 1000");
  }
  r.Optional("context", out.context, Between(1, 10'000'000));
  r.Finish();
}

// The keys beside `trace`.
void ReadTraceKeys(ObjectReader& r, const std::string& folder, TraceSpec& out) {
  const auto file = [&](const Place& at, std::string& name) { ReadFileName(at, folder, name); };
  r.Required("trace", out.file, file);
  const bool has_format = r.Required("format", out.format);
  r.Optional("lengths", out.lengths, file);
  r.Optional("clusters", out.clusters, Listed(kDefaultRead, kMostClusters));
  r.Optional("skip_bad_rows", out.skip_bad_rows, Between(0, 1'000'000));
  r.Optional("rate", out.rate, [](const Place& at, double& rate) {
    ReadPositive(at, rate);
    if (rate < 1e-6 || rate > 1e6) at.Fail("is out of range: 1e-6 to 1e6");
  });
  r.Optional("share", out.share, ReadShare);
  r.Optional("from", out.from);
  r.Optional("bootstrap", out.block, ReadBlock);
  if (!has_format) return;
  const bool is_servegen = out.format == TraceFormat::kServeGen;
  if (is_servegen != r.Has("lengths")) {
    r.at().Fail(is_servegen ? "the format `servegen` needs the key `lengths`: its second file"
                            : "`lengths` belongs to the format `servegen`");
  }
  if (is_servegen && r.Has("skip_bad_rows")) {
    r.at().Fail("`skip_bad_rows` does not go with `servegen`: a missing window is no lost row");
  }
  if (is_servegen && r.Has("bootstrap")) {
    r.at().Fail("`bootstrap` does not go with `servegen`: its arrivals are drawn in any case");
  }
  if (r.Has("clusters") && out.format != TraceFormat::kGavel) {
    r.at().Fail("`clusters` belongs to the format `gavel`");
  }
}

}  // namespace

void ReadArrivalRate(const Place& at, double& out) {
  constexpr std::pair<std::string_view, double> kUnits[] = {
      {"/s", 1}, {"/min", 60}, {"/h", 3600}, {"/d", 86400}};
  const std::string text = at.value().is_number() ? at.value().text() : TextOf(at);
  if (text.empty()) return;
  for (const auto& [unit, seconds] : kUnits) {
    if (!text.ends_with(unit)) continue;
    const auto number =
        ParsePerSecond(absl::StrCat(text.substr(0, text.size() - unit.size()), "/s"));
    if (!number.ok() || *number > 1e6 * seconds) break;
    out = *number / seconds;
    return;
  }
  at.Fail(absl::StrCat("`", text.substr(0, 64), "` is no rate: write one like 5/s, 90/min or 3/h, ",
                       "more than 0, up to a million a second"));
}

void ReadFileName(const Place& at, const std::string& folder, std::string& out) {
  const std::string name = TextOf(at);
  if (name.empty()) return;
  // An absolute path stays as it is.
  out = folder.empty() ? name : (std::filesystem::path(folder) / name).lexically_normal().string();
}

void ReadLength(const Place& at, const std::string& folder, bool is_span, LengthSpec& out) {
  if (!at.value().is_map()) return ValueOf(is_span)(at, out.constant);
  ObjectReader r(at, "a length");
  r.Optional("lognormal", out,
             [&](const Place& place, LengthSpec& spec) { ReadLognormal(place, is_span, spec); });
  r.Optional("quantiles", out,
             [&](const Place& place, LengthSpec& spec) { ReadQuantiles(place, is_span, spec); });
  r.Optional("column", out, [&](const Place& place, LengthSpec& spec) {
    ReadColumn(place, folder, is_span, spec);
  });
  r.Finish();
  if (at.value().map().size() != 1) {
    at.Fail("wants a number, or one of `lognormal`, `quantiles` and `column`");
  }
}

void ReadArrivals(ObjectReader& r, const std::string& folder, ArrivalSpec& out) {
  static constexpr std::string_view kWays[] = {"trace",  "poisson", "gamma",
                                               "on-off", "diurnal", "sessions"};
  const auto ways = std::count_if(std::begin(kWays), std::end(kWays),
                                  [&](std::string_view way) { return r.Has(way); });
  if (r.is_map() && ways != 1) {
    r.at().Fail(
        absl::StrCat("a part wants one of `trace`, `poisson`, `gamma`, `on-off`, `diurnal` ",
                     "and `sessions`, found ", ways));
  }
  const auto take = [&]<class Spec>(std::string_view key, Spec spec, auto read) {
    if (r.Optional(key, spec, read)) out = spec;
  };
  take("poisson", PoissonSpec(),
       [](const Place& at, PoissonSpec& spec) { ReadArrivalRate(at, spec.rate); });
  take("gamma", GammaSpec(), ReadGamma);
  take("on-off", OnOffSpec(), ReadOnOff);
  take("diurnal", DiurnalSpec(), ReadDiurnal);
  take("sessions", SessionsSpec(), ReadSessions);
  if (r.Has("trace")) {
    TraceSpec trace;
    ReadTraceKeys(r, folder, trace);
    out = std::move(trace);
    return;
  }
  for (const char* key : {"trace", "format", "lengths", "clusters", "skip_bad_rows", "rate",
                          "share", "from", "bootstrap"}) {
    r.Refuse(key, "belongs to a `trace`");
  }
}

}  // namespace spillway
