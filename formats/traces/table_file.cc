#include "formats/traces/table_file.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/status.h"
#include "core/text.h"
#include "formats/traces/columns.h"
#include "formats/traces/rows.h"

namespace spillway {
namespace {

absl::Status FaultAt(const LineFile& file, std::uint32_t column, std::string detail) {
  InputError error(file.path());
  error.Add({"", std::max(file.number(), std::uint32_t{1}), column, std::move(detail)});
  return error.ToStatus();
}

}  // namespace

absl::StatusOr<TableFile> TableFile::Open(const std::string& path,
                                          const std::vector<std::string_view>& columns) {
  SPILLWAY_ASSIGN_OR_RETURN(LineFile file, LineFile::Open(path));
  TableFile table(std::move(file));
  std::string_view line;
  if (!table.file_.Next(line)) {
    SPILLWAY_RETURN_IF_ERROR(table.file_.status());
    return FaultAt(table.file_, 1, "is empty: wants a heading that names the columns");
  }
  if (const char* fault = table.csv_.Split(line)) {
    return FaultAt(table.file_, table.csv_.column(), fault);
  }
  std::vector<std::string> found;
  for (const CsvField& field : table.csv_.fields()) found.emplace_back(field.text);
  table.width_ = found.size();
  for (const std::string_view column : columns) {
    const auto place = std::find(found.begin(), found.end(), column);
    if (place == found.end()) {
      const std::string nearest = NearestWord(column, found);
      return FaultAt(table.file_, 1,
                     absl::StrCat("the heading lacks the column ", Quoted(column),
                                  nearest.empty() ? "" : absl::StrCat(", it has `", nearest, "`")));
    }
    table.columns_.emplace_back(column);
    table.places_.push_back(static_cast<std::size_t>(place - found.begin()));
  }
  return table;
}

absl::StatusOr<bool> TableFile::Next() {
  std::string_view line;
  do {
    if (file_.Next(line)) continue;
    SPILLWAY_RETURN_IF_ERROR(file_.status());
    return false;
  } while (line.empty());
  if (const char* fault = csv_.Split(line)) return FaultAt(file_, csv_.column(), fault);
  if (csv_.fields().size() != width_) {
    return FaultAt(file_, 1,
                   absl::StrCat("has ", csv_.fields().size(), " fields, the heading has ", width_));
  }
  return true;
}

absl::Status TableFile::Fault(std::size_t column, std::string_view wanted) const {
  const CsvField& field = csv_.fields()[places_[column]];
  return FaultAt(
      file_, field.column,
      absl::StrCat("`", columns_[column], "` is ", Quoted(field.text), ": wants ", ToAbsl(wanted)));
}

absl::StatusOr<double> TableFile::Decimal(std::size_t column) const {
  if (const auto value = DecimalOf(text(column))) return *value;
  return Fault(column, "a number, not negative");
}

absl::StatusOr<std::vector<double>> ReadCsvColumn(const std::string& path,
                                                  const std::string& column) {
  constexpr std::size_t kMost = 5'000'000;
  SPILLWAY_ASSIGN_OR_RETURN(TableFile file, TableFile::Open(path, {column}));
  std::vector<double> values;
  for (;;) {
    SPILLWAY_ASSIGN_OR_RETURN(const bool is_there, file.Next());
    if (!is_there) break;
    if (values.size() == kMost) return file.Fault(0, "at most 5000000 rows");
    SPILLWAY_ASSIGN_OR_RETURN(const double value, file.Decimal(0));
    values.push_back(value);
  }
  if (values.empty()) return absl::InvalidArgumentError(absl::StrCat(path, ": has no rows"));
  return values;
}

}  // namespace spillway
