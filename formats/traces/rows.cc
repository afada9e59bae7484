#include "formats/traces/rows.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "core/status.h"
#include "core/text.h"
#include "formats/json_scan.h"

namespace spillway {
namespace {

using Use = TraceColumn::Use;

const TraceColumn* Find(const TraceTable& table, std::string_view name) {
  const auto found = std::find_if(table.columns.begin(), table.columns.end(),
                                  [&](const TraceColumn& column) { return column.name == name; });
  return found == table.columns.end() ? nullptr : &*found;
}

std::string UnknownName(const TraceTable& table, std::string_view what, std::string_view name) {
  std::vector<std::string> known;
  for (const TraceColumn& column : table.columns) known.emplace_back(column.name);
  const std::string nearest = name.size() > 64 ? "" : NearestWord(name, known);
  return absl::StrCat("unknown ", ToAbsl(what), " ", Quoted(name),
                      nearest.empty() ? absl::StrCat(": wants ", absl::StrJoin(known, ", "))
                                      : absl::StrCat(" (did you mean `", nearest, "`?)"));
}

// One value into the row; false, and the fault told, if it is not what is wanted.
bool ReadValue(const TraceColumn& column, std::string_view text, TraceRow& row, RowFault& fault) {
  if (!column.read) return true;
  TraceField field{text};
  column.read(field, row);
  if (field.ok) return true;
  fault.detail = absl::StrCat("`", ToAbsl(column.name), "` is ",
                              text.empty() ? "empty" : Quoted(text), ": wants ", field.wanted);
  return false;
}

// A CSV field; lists are separated by spaces.
bool ReadField(const TraceColumn& column, std::string_view text, TraceRow& row, RowFault& fault) {
  if (text.empty() && column.use != Use::kRequired) return true;
  if (!column.is_list) return ReadValue(column, text, row, fault);
  while (!text.empty()) {
    const std::size_t stop = std::min(text.find(' '), text.size());
    if (stop > 0 && !ReadValue(column, text.substr(0, stop), row, fault)) return false;
    text.remove_prefix(std::min(stop + 1, text.size()));
  }
  return true;
}

// A number or a string, as the text that a CSV file would hold.
bool JsonScalar(JsonCursor& json, std::string& text) {
  if (json.Peek() == '"') {
    JsonText raw;
    if (!json.String(&raw)) return false;
    const auto resolved = ResolveJsonText(raw);
    if (!resolved) return json.Fail("half a surrogate pair");
    text = *resolved;
    return true;
  }
  std::string_view number;
  if (!json.Number(&number)) return false;
  text = number;
  return true;
}

void Clear(TraceRow& row) {
  std::vector<std::uint64_t> blocks = std::move(row.blocks);
  blocks.clear();
  row = TraceRow();
  row.blocks = std::move(blocks);
}

}  // namespace

absl::StatusOr<RowReader> RowReader::Open(const std::string& path, const TraceTable& table,
                                          const RowOptions& options) {
  SPILLWAY_ASSIGN_OR_RETURN(LineFile file, LineFile::Open(path));
  RowReader reader(std::move(file), table, options);
  if (!options.is_json) SPILLWAY_RETURN_IF_ERROR(reader.ReadHeading());
  return reader;
}

// Never skipped: without it no row means anything.
absl::Status RowReader::ReadHeading() {
  InputError error(file_.path());
  std::string_view line;
  if (!file_.Next(line)) {
    SPILLWAY_RETURN_IF_ERROR(file_.status());
    error.Add({"", 1, 1, "is empty: wants a heading that names the columns"});
    return error.ToStatus();
  }
  if (line.starts_with("\xef\xbb\xbf")) line.remove_prefix(3);  // a byte order mark
  if (const char* fault = csv_.Split(line)) {
    error.Add({"", 1, csv_.column(), fault});
    return error.ToStatus();
  }
  for (const CsvField& field : csv_.fields()) {
    const TraceColumn* column = Find(*table_, field.text);
    if (!column) error.Add({"", 1, field.column, UnknownName(*table_, "column", field.text)});
    if (column && std::find(heading_.begin(), heading_.end(), column) != heading_.end()) {
      error.Add({"", 1, field.column, absl::StrCat(Quoted(field.text), " stands here twice")});
    }
    heading_.push_back(column);
  }
  for (const TraceColumn& column : table_->columns) {
    const bool is_there = std::find(heading_.begin(), heading_.end(), &column) != heading_.end();
    if (column.use != Use::kRequired || is_there) continue;
    error.Add({"", 1, 1, absl::StrCat("the heading lacks the column `", ToAbsl(column.name), "`")});
  }
  return error.ToStatus();
}

absl::StatusOr<bool> RowReader::Next(TraceRow& row) {
  std::string_view line;
  while (file_.Next(line)) {
    if (line.empty()) continue;
    RowFault fault;
    switch (Read(line, row, fault)) {
      case RowVerdict::kKeep:
        ++report_.rows;
        return true;
      case RowVerdict::kLeaveOut:
        ++report_.left_out;
        break;
      case RowVerdict::kBad:
        SPILLWAY_RETURN_IF_ERROR(Skip(fault));
    }
  }
  SPILLWAY_RETURN_IF_ERROR(file_.status());
  return false;
}

RowVerdict RowReader::Read(std::string_view line, TraceRow& row, RowFault& fault) {
  Clear(row);
  const bool is_read = options_.is_json ? ReadJson(line, row, fault) : ReadCsv(line, row, fault);
  if (!is_read) return RowVerdict::kBad;
  fault.column = 1;
  const RowVerdict verdict = table_->finish ? table_->finish(row, fault) : RowVerdict::kKeep;
  if (verdict == RowVerdict::kBad || !InOrder(row, fault)) return RowVerdict::kBad;
  return verdict;
}

bool RowReader::ReadCsv(std::string_view line, TraceRow& row, RowFault& fault) {
  if (const char* why = csv_.Split(line)) {
    fault = {csv_.column(), why};
    return false;
  }
  const auto& fields = csv_.fields();
  if (fields.size() != heading_.size()) {
    fault.detail =
        absl::StrCat("has ", fields.size(), " fields, the heading has ", heading_.size());
    return false;
  }
  for (std::size_t i = 0; i < fields.size(); ++i) {
    fault.column = fields[i].column;
    if (!ReadField(*heading_[i], fields[i].text, row, fault)) return false;
  }
  return true;
}

bool RowReader::ReadJson(std::string_view line, TraceRow& row, RowFault& fault) {
  JsonCursor json(line);
  std::string text;
  seen_.assign(table_->columns.size(), false);
  const auto value = [&](const TraceColumn& column) {
    json.Peek();  // past the blanks
    fault.column = static_cast<std::uint32_t>(json.position() + 1);
    return JsonScalar(json, text) && ReadValue(column, text, row, fault);
  };
  const auto member = [&](const JsonText& key) {
    const std::string name = ResolveJsonText(key).value_or("?");
    const TraceColumn* column = Find(*table_, name);
    if (!column) {
      fault = {static_cast<std::uint32_t>(json.position() + 1), UnknownName(*table_, "key", name)};
      return false;
    }
    const auto index = static_cast<std::size_t>(column - table_->columns.data());
    if (seen_[index]) fault.detail = absl::StrCat("the key `", name, "` stands here twice");
    if (seen_[index]) return false;
    seen_[index] = true;
    if (!column->read) return json.Skip();
    return column->is_list ? json.Array([&] { return value(*column); }) : value(*column);
  };
  if (!json.Object(member) || !json.AtEnd()) {
    if (fault.detail.empty()) {
      fault = {static_cast<std::uint32_t>(json.position() + 1),
               absl::StrCat("no JSON object: ", json.fault())};
    }
    return false;
  }
  for (std::size_t i = 0; i < seen_.size(); ++i) {
    if (seen_[i] || table_->columns[i].use != Use::kRequired) continue;
    fault = {1, absl::StrCat("lacks the key `", ToAbsl(table_->columns[i].name), "`")};
    return false;
  }
  return true;
}

bool RowReader::InOrder(const TraceRow& row, RowFault& fault) {
  const std::string_view key = options_.times_by_tenant ? row.tenant : std::string_view();
  auto last = last_.find(key);
  if (last == last_.end()) last = last_.emplace(std::string(key), row.at).first;
  if (row.at < last->second) {
    fault.detail = absl::StrCat("its time lies ", static_cast<double>(last->second - row.at) / 1e9,
                                " s before that of a row above: wants rows in the order of time");
    return false;
  }
  last->second = row.at;
  return true;
}

absl::Status RowReader::Skip(const RowFault& fault) {
  const InputFinding finding{"", file_.number(), fault.column, fault.detail};
  if (report_.bad == options_.skip_bad) {
    InputError error(file_.path());
    error.Add(finding);
    if (options_.skip_bad == 0) return error.ToStatus();
    error.Add({"", file_.number(), 1,
               absl::StrCat("this is one bad row more than the ", options_.skip_bad,
                            " that may be skipped")});
    return error.ToStatus();
  }
  ++report_.bad;
  if (report_.bad_rows.size() < InputError::kMaxFindings) {
    report_.bad_rows.push_back(Describe(finding, file_.path()));
  }
  return absl::OkStatus();
}

absl::Status RowReader::Fault(std::string detail) const {
  InputError error(file_.path());
  error.Add({"", file_.number(), 1, std::move(detail)});
  return error.ToStatus();
}

}  // namespace spillway
