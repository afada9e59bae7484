#include "controller/store/listing.h"

#include <utility>

#include "absl/strings/str_cat.h"

namespace spillway::store {

void IdListing::AnyOf(std::string_view column, std::vector<Value> values) {
  filters_.push_back({std::string(column), std::move(values)});
}

// One combination of values: a SELECT of its own, so that it may have its own order and limit.
std::string IdListing::SelectText() const {
  std::string text = absl::StrCat("SELECT * FROM (SELECT ", key_, " AS id FROM ", table_);
  std::string_view glue = " WHERE ";
  for (const Filter& filter : filters_) {
    absl::StrAppend(&text, ToAbsl(std::exchange(glue, " AND ")), filter.column, " = ?");
  }
  const bool newest = order_ == SortOrder::kNewestFirst;
  if (after_) absl::StrAppend(&text, ToAbsl(glue), key_, newest ? " < ?" : " > ?");
  absl::StrAppend(&text, " ORDER BY ", key_, newest ? " DESC" : "", " LIMIT ?)");
  return text;
}

// Counts through all combinations, like digits; false after the last.
bool IdListing::NextPicks(Picks& picks) const {
  for (std::size_t i = 0; i < picks.size(); ++i) {
    if (++picks[i] < filters_[i].values.size()) return true;
    picks[i] = 0;
  }
  return false;
}

int IdListing::BindOne(Statement& statement, int index, const Picks& picks,
                       std::int64_t limit) const {
  for (std::size_t i = 0; i < filters_.size(); ++i) {
    const Value& value = filters_[i].values[picks[i]];
    if (const auto* text = std::get_if<std::string>(&value)) {
      statement.Bind(++index, std::string_view(*text));
    } else {
      statement.Bind(++index, std::get<std::int64_t>(value));
    }
  }
  if (after_) statement.Bind(++index, *after_);
  statement.Bind(++index, limit);
  return index;
}

std::vector<std::int64_t> IdListing::Read(Connection& connection, std::int64_t limit) const {
  for (const Filter& filter : filters_) {
    if (filter.values.empty()) return {};
  }
  const std::string one = SelectText();
  std::string text = one;
  Picks picks(filters_.size(), 0);
  while (NextPicks(picks)) absl::StrAppend(&text, " UNION ALL ", one);
  absl::StrAppend(&text, " ORDER BY id", order_ == SortOrder::kNewestFirst ? " DESC" : "",
                  " LIMIT ?");

  Statement statement(connection.handle(), text);
  int index = 0;
  do {
    index = BindOne(statement, index, picks, limit);  // from the first combination again
  } while (NextPicks(picks));
  statement.Bind(index + 1, limit);
  std::vector<std::int64_t> ids;
  while (statement.Step()) ids.push_back(statement.Int(0));
  return ids;
}

}  // namespace spillway::store
