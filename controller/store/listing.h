#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "controller/archive.h"
#include "controller/store/connection.h"

namespace spillway::store {

// Ids of a listing, in the order asked for: the filters become one SELECT for each combination of
// values that one index answers in that order, each cut at the limit, and the union of those cut
// again. So a page costs a page, however many rows there are (unless a second filter passes over
// many rows that the first one finds). Values are bound, never written into the text.
class IdListing {
 public:
  using Value = std::variant<std::int64_t, std::string>;

  // `table` and `key`: "jobs" and "id".
  IdListing(std::string_view table, std::string_view key, SortOrder order)
      : table_(table), key_(key), order_(order) {}

  // column = any of `values`; none of them: nothing is found.
  void AnyOf(std::string_view column, std::vector<Value> values);
  void After(std::int64_t id) { after_ = id; }

  // At most `limit` ids. Throws SQLite::Exception.
  std::vector<std::int64_t> Read(Connection& connection, std::int64_t limit) const;

 private:
  struct Filter {
    std::string column;
    std::vector<Value> values;
  };
  using Picks = std::vector<std::size_t>;  // one value of each filter

  std::string SelectText() const;
  bool NextPicks(Picks& picks) const;
  int BindOne(Statement& statement, int index, const Picks& picks, std::int64_t limit) const;

  std::string table_, key_;
  SortOrder order_;
  std::vector<Filter> filters_;
  std::optional<std::int64_t> after_;
};

}  // namespace spillway::store
