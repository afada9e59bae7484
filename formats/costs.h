#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "core/pool.h"
#include "core/record.h"
#include "formats/booked.h"
#include "formats/json_writer.h"

// Cost reports: rows of the ledger added up by tenant, model, pool, day or kind of work, as
// GET /api/v1/costs gives them. Allocated cost throughout; both sides of a saving are about the
// same work, and idle time is never mixed into what work cost.
namespace spillway {

enum class CostsBy : std::uint8_t { kTenant, kModel, kPool, kDay, kKind };
inline constexpr EnumNames<CostsBy, 5> kCostsByNames{{{CostsBy::kTenant, "tenant"},
                                                      {CostsBy::kModel, "model"},
                                                      {CostsBy::kPool, "pool"},
                                                      {CostsBy::kDay, "day"},
                                                      {CostsBy::kKind, "kind"}}};
constexpr const auto& NamesOf(CostsBy) { return kCostsByNames; }

// Keys of rows that are about no tenant, model or kind. No name can look like them.
inline constexpr std::string_view kIdleKey = "(idle)", kJobsKey = "(jobs)";

// What was booked is that of work alone.
struct CostSum : Booked {
  std::string key;
  Usd idle{}, overhead{};               // beside work; with `cost` they are the bill
  std::int64_t requests = 0, jobs = 0;  // that ended
  std::int64_t prompt_tokens = 0, output_tokens = 0;
  absl::Duration node_time{};  // of work
  // At the nodes and with PUE: idle and overhead included.
  Joules energy{}, metered_energy{};
  GramsCo2e carbon{};
  GramsCo2e embodied{};  // scope 3, of pools that state it
  bool has_embodied = false;
  GramsCo2e request_carbon{}, request_embodied{};  // of the requests alone

  Usd bill() const { return cost + idle + overhead; }
  bool compared() const { return compared_cost != Usd(0) || baseline_cost != Usd(0); }
  // `pool`: null where nobody knows it any more.
  void Add(const record::LedgerRow& row, const PoolSpec* pool);
};

// Under which key the row stands.
std::string CostKey(CostsBy by, const record::LedgerRow& row, const PoolSpec* pool);

struct CostReport {
  absl::Time from, to;
  CostsBy by = CostsBy::kTenant;
  std::vector<CostSum> rows;  // by key, idle time last
  CostSum total;
};
CostReport ReportCosts(const std::vector<record::LedgerRow>& rows, CostsBy by,
                       absl::FunctionRef<const PoolSpec*(PoolId)> pool_of);
void WriteCosts(JsonWriter& w, const CostReport& report);

// "metered", "estimated", or "mixed": where the figure of an energy comes from.
std::string_view EnergyBasis(Joules energy, Joules metered);

}  // namespace spillway
