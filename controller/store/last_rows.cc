#include "controller/store/last_rows.h"

#include <string_view>
#include <tuple>
#include <variant>

#include "absl/container/flat_hash_map.h"

namespace spillway::store {
namespace {

// Which table, and the key there. Texts are borrowed from the record.
struct Key {
  std::size_t table = 0;
  std::uint64_t number = 0, other = 0;
  std::string_view first, second;

  friend bool operator==(const Key&, const Key&) = default;
  template <typename H>
  friend H AbslHashValue(H h, const Key& k) {
    h = H::combine(std::move(h), k.table, k.number, k.other);
    h = H::combine_contiguous(std::move(h), k.first.data(), k.first.size());
    h = H::combine_contiguous(std::move(h), k.second.data(), k.second.size());
    return H::combine(std::move(h), k.first.size());
  }
};

struct KeyOf {
  Key operator()(const record::JobRow& row) const { return {.number = Number(row.job.id)}; }
  Key operator()(const record::DecisionRow& row) const {
    return {.number = Number(row.decision->id)};
  }
  Key operator()(const record::LedgerRow& row) const {
    return {.number = static_cast<std::uint64_t>(absl::ToUnixSeconds(row.hour)),
            .other = std::uint64_t{Index(row.pool)} << 16 |
                     std::uint64_t{static_cast<std::uint8_t>(row.category)} << 8 |
                     static_cast<std::uint8_t>(row.kind),
            .first = row.tenant,
            .second = row.model};
  }
  Key operator()(const record::BudgetRow& row) const {
    return {.number = static_cast<std::uint8_t>(row.period), .first = row.tenant};
  }
  Key operator()(const record::PoolRow& row) const { return {.number = Index(row.pool)}; }
  Key operator()(const record::PoolBooksRow& row) const { return {.number = Index(row.pool)}; }
  Key operator()(const record::ObservationRow& row) const {
    return {.first = row.tenant, .second = row.name};
  }
  Key operator()(const record::PolicyRow& row) const { return {.number = row.version}; }
  Key operator()(const record::CountersRow&) const { return {}; }
  Key operator()(const record::SpeedRow& row) const {
    return {.number = Index(row.pool), .first = row.model};
  }
  Key operator()(const record::ModelRow& row) const { return {.first = row.model}; }
  Key operator()(const record::RouterRow& row) const { return {.number = Number(row.inputs->id)}; }
};

bool IsNew(const Record& row) {
  const auto* job = std::get_if<record::JobRow>(&row);
  return job != nullptr && job->is_new;
}

}  // namespace

std::vector<LastRow> LastRows(absl::Span<const Record> records) {
  absl::flat_hash_map<Key, LastRow> last;
  last.reserve(records.size());
  for (std::size_t i = 0; i < records.size(); ++i) {
    Key key = std::visit(KeyOf(), records[i]);
    key.table = records[i].index();
    LastRow& row = last[key];
    row.index = i;
    row.is_new = row.is_new || IsNew(records[i]);
  }
  std::vector<LastRow> rows;
  rows.reserve(last.size());
  for (std::size_t i = 0; i < records.size(); ++i) {
    Key key = std::visit(KeyOf(), records[i]);
    key.table = records[i].index();
    if (const LastRow& row = last.find(key)->second; row.index == i) rows.push_back(row);
  }
  return rows;
}

}  // namespace spillway::store
