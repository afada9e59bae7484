// The CSV files of a scenario's world.
#include <algorithm>
#include <charconv>
#include <cmath>
#include <map>
#include <set>

#include "absl/strings/str_cat.h"
#include "core/status.h"
#include "core/text.h"
#include "formats/config_file.h"
#include "formats/scenario_world.h"
#include "formats/traces/table_file.h"
#include "formats/units.h"

namespace spillway {
namespace {

constexpr std::size_t kMostRows = 1'000'000;

// The names of a file's columns; empty if its first line cannot be split.
absl::StatusOr<std::vector<std::string>> HeadingOf(const std::string& path) {
  SPILLWAY_ASSIGN_OR_RETURN(LineFile file, LineFile::Open(path));
  std::string_view line;
  std::vector<std::string> names;
  CsvLine csv;
  if (!file.Next(line) || csv.Split(line)) return names;
  for (const CsvField& field : csv.fields()) names.emplace_back(field.text);
  return names;
}
bool Holds(const std::vector<std::string>& names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

absl::StatusOr<std::int64_t> WholeNumber(const TableFile& table, std::size_t column,
                                         std::int64_t most) {
  const std::string_view text = table.text(column);
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value < 0 || value > most)
    return table.Fault(column, absl::StrCat("a whole number from 0 to ", most));
  return value;
}

absl::Status TooLong(const std::string& path) {
  return absl::InvalidArgumentError(
      absl::StrCat(path, ": has more than ", kMostRows, " rows, which is the most that is read"));
}

// "2023-01-01 00:00:00" is UTC, as the column says; else RFC 3339.
absl::StatusOr<absl::Time> ParseUtc(std::string_view text) {
  absl::Time time;
  std::string error;
  if (text.size() == 19 && absl::ParseTime("%Y-%m-%d %H:%M:%S", ToAbsl(text), &time, &error))
    return time;
  return ParseTime(text);
}

struct PriceColumn {
  const char *column, *key, *unit;
};
constexpr PriceColumn kPriceColumns[] = {
    {"pool", "pool", ""},
    {"from", "from", ""},
    {"node_hour_usd", "node_hour", " USD"},
    {"input_usd_per_mtoken", "input", " USD/Mtoken"},
    {"output_usd_per_mtoken", "output", " USD/Mtoken"},
    {"as_of", "as_of", ""},
    {"source", "source", ""},
};

using Available = std::vector<std::pair<absl::Duration, int>>;

// Adds what holds from `at` on; false if that lies before the last entry.
bool Append(Available& series, absl::Duration at, int nodes) {
  if (!series.empty() && at < series.back().first) return false;
  if (!series.empty() && at == series.back().first) {
    series.back().second = nodes;
  } else {
    series.emplace_back(at, nodes);
  }
  return true;
}

absl::StatusOr<Available> ReadAvailability(const std::string& path) {
  SPILLWAY_ASSIGN_OR_RETURN(TableFile table, TableFile::Open(path, {"seconds", "available"}));
  Available series;
  for (std::size_t rows = 0;; ++rows) {
    SPILLWAY_ASSIGN_OR_RETURN(const bool more, table.Next());
    if (!more) return series;
    if (rows == kMostRows) return TooLong(path);
    SPILLWAY_ASSIGN_OR_RETURN(const double seconds, table.Decimal(0));
    SPILLWAY_ASSIGN_OR_RETURN(const std::int64_t nodes, WholeNumber(table, 1, 1'000'000));
    if (!Append(series, RoundToNanos(absl::Seconds(seconds)), static_cast<int>(nodes)))
      return table.Fault(0, "a time that is not before the row above it");
  }
}

absl::StatusOr<Available> ReadAddsAndRemoves(const std::string& path) {
  SPILLWAY_ASSIGN_OR_RETURN(TableFile table, TableFile::Open(path, {"time_ms", "event", "node"}));
  Available series;
  std::set<std::string, std::less<>> there;
  for (std::size_t rows = 0;; ++rows) {
    SPILLWAY_ASSIGN_OR_RETURN(const bool more, table.Next());
    if (!more) return series;
    if (rows == kMostRows) return TooLong(path);
    SPILLWAY_ASSIGN_OR_RETURN(const std::int64_t ms, WholeNumber(table, 0, 3'153'600'000'000));
    const std::string_view event = table.text(1);
    if (event == "add") {
      there.emplace(table.text(2));
    } else if (event == "remove") {
      there.erase(std::string(table.text(2)));
    } else {
      return table.Fault(1, "`add` or `remove`");
    }
    if (!Append(series, absl::Milliseconds(ms), static_cast<int>(there.size())))
      return table.Fault(0, "a time that is not before the row above it");
  }
}

}  // namespace

absl::StatusOr<PricesSpec> ReadPricesCsv(const std::string& path, const FleetSpec& fleet) {
  SPILLWAY_ASSIGN_OR_RETURN(const auto heading, HeadingOf(path));
  std::vector<std::string_view> wanted = {"pool", "from"};
  std::vector<const PriceColumn*> columns = {&kPriceColumns[0], &kPriceColumns[1]};
  for (const PriceColumn& column : kPriceColumns) {
    const bool is_taken = &column == &kPriceColumns[0] || &column == &kPriceColumns[1];
    if (is_taken || !Holds(heading, column.column)) continue;
    wanted.push_back(column.column);
    columns.push_back(&column);
  }
  const bool has_tokens = Holds(heading, "input_usd_per_mtoken");
  if (!has_tokens && !Holds(heading, "node_hour_usd")) wanted.push_back("node_hour_usd");
  SPILLWAY_ASSIGN_OR_RETURN(TableFile table, TableFile::Open(path, wanted));

  Value document = Value::MakeMap();
  Value& list = document.Set("prices", Value::MakeList());
  for (std::uint32_t rows = 0;; ++rows) {
    SPILLWAY_ASSIGN_OR_RETURN(const bool more, table.Next());
    if (!more) break;
    if (rows == 20'000) return absl::InvalidArgumentError(path + ": has more than 20000 rows");
    Value& row = list.Append(Value::MakeMap());
    const Mark mark{.line = table.line(), .column = 1};
    row.set_mark(mark);
    for (std::size_t i = 0; i < columns.size(); ++i) {
      if (table.text(i).empty()) continue;
      const std::string text = absl::StrCat(ToAbsl(table.text(i)), columns[i]->unit);
      row.Set(columns[i]->key, Value::MakeString(text)).set_mark(mark);
    }
  }
  Reading reading(path);
  PricesSpec prices;
  ReadPrices(Place(document, reading), fleet, prices);
  SPILLWAY_RETURN_IF_ERROR(reading.ToStatus());
  return prices;
}

absl::StatusOr<Available> ReadSpotTrace(const std::string& path) {
  SPILLWAY_ASSIGN_OR_RETURN(const auto heading, HeadingOf(path));
  SPILLWAY_ASSIGN_OR_RETURN(Available series, Holds(heading, "time_ms") ? ReadAddsAndRemoves(path)
                                                                        : ReadAvailability(path));
  if (series.empty()) return absl::InvalidArgumentError(path + ": holds no row");
  return series;
}

absl::StatusOr<std::vector<std::pair<absl::Time, GramsCo2ePerKwh>>> ReadCarbonCsv(
    const std::string& path, const CarbonColumns& columns) {
  SPILLWAY_ASSIGN_OR_RETURN(const auto heading, HeadingOf(path));
  std::string value = columns.column;
  if (value.empty()) {
    value = Holds(heading, "gCO2eq_per_kWh_lca") ? "gCO2eq_per_kWh_lca" : "gCO2eq_per_kWh";
  }
  std::vector<std::string_view> wanted = {"datetime_utc", value};
  const bool by_zone = !columns.zone.empty() && Holds(heading, "zone");
  if (by_zone) wanted.push_back("zone");
  SPILLWAY_ASSIGN_OR_RETURN(TableFile table, TableFile::Open(path, wanted));

  std::vector<std::pair<absl::Time, GramsCo2ePerKwh>> series;
  std::set<std::string, std::less<>> zones;
  for (std::size_t rows = 0;; ++rows) {
    SPILLWAY_ASSIGN_OR_RETURN(const bool more, table.Next());
    if (!more) break;
    if (rows == kMostRows) return TooLong(path);
    if (by_zone && table.text(2) != columns.zone) {
      if (zones.size() < 1000) zones.emplace(table.text(2));
      continue;
    }
    const auto time = ParseUtc(table.text(0));
    if (!time.ok()) return table.Fault(0, "a time like `2023-01-01 00:00:00`");
    SPILLWAY_ASSIGN_OR_RETURN(const double grams, table.Decimal(1));
    if (!series.empty() && *time <= series.back().first)
      return table.Fault(0, "a time after that of the row above it");
    series.emplace_back(*time, GramsCo2ePerKwh(grams));
  }
  if (!series.empty()) return series;
  const std::string nearest = NearestWord(columns.zone, zones);
  return absl::InvalidArgumentError(
      absl::StrCat(path, ": holds no row", by_zone ? " of zone `" + columns.zone + "`" : "",
                   nearest.empty() ? "" : " (did you mean `" + nearest + "`?)"));
}

}  // namespace spillway
