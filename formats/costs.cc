#include "formats/costs.h"

#include <algorithm>
#include <map>

#include "formats/api_json.h"

namespace spillway {
namespace {

// What making the nodes emitted, for the part of their time that the row holds.
std::optional<GramsCo2e> EmbodiedOf(const record::LedgerRow& row, const PoolSpec* pool) {
  if (pool == nullptr || !pool->power.embodied) return std::nullopt;
  return Scale(*pool->power.embodied, absl::FDivDuration(row.node_time, absl::Hours(1)));
}

void WriteCount(JsonWriter& w, const CostSum& sum) {
  w.Member("requests", sum.requests).Member("jobs", sum.jobs);
  w.Member("without_baseline", sum.without_baseline);
  w.Member("prompt_tokens", sum.prompt_tokens).Member("output_tokens", sum.output_tokens);
  w.Member("node_hours", absl::ToDoubleHours(sum.node_time));
}

// SCI = ((E x I) + M) / R of ISO/IEC 21031, R = 1,000 requests. E x I is `carbon`; M is 0 where no
// pool says what its nodes emitted in the making.
void WriteSci(JsonWriter& w, const CostSum& sum) {
  w.Key("sci_grams_per_1000_requests");
  if (sum.requests == 0) {
    w.Null();
    return;
  }
  const double grams =
      static_cast<double>((sum.request_carbon + sum.request_embodied).value()) / kMicrosPerGram;
  w.Value(grams * 1000 / static_cast<double>(sum.requests));
}

void WriteSum(JsonWriter& w, const CostSum& sum, bool with_key) {
  const auto money = [&](const char* key, Usd amount) {
    w.Key(key);
    WriteApiMoney(w, amount);
  };
  const auto compared = [&](const char* key, Usd amount) {
    w.Key(key);
    if (sum.compared()) {
      WriteApiMoney(w, amount);
    } else {
      w.Null();
    }
  };
  w.BeginObject();
  if (with_key) w.Member("key", sum.key);
  money("cost_usd", sum.cost);
  money("marginal_cost_usd", sum.marginal_cost);
  compared("baseline_usd", sum.baseline_cost);
  compared("compared_cost_usd", sum.compared_cost);
  compared("saved_usd", sum.saved());
  money("idle_usd", sum.idle);
  money("overhead_usd", sum.overhead);
  money("bill_usd", sum.bill());
  WriteCount(w, sum);
  w.Key("energy_joules");
  WriteApiMicros(w, sum.energy.value());
  w.Key("energy_metered_joules");
  WriteApiMicros(w, sum.metered_energy.value());
  w.Member("energy_basis", EnergyBasis(sum.energy, sum.metered_energy));
  w.Key("carbon_grams");
  WriteApiMicros(w, sum.carbon.value());
  w.Key("embodied_carbon_grams");
  if (sum.has_embodied) {
    WriteApiMicros(w, sum.embodied.value());
  } else {
    w.Null();
  }
  WriteSci(w, sum);
  w.EndObject();
}

}  // namespace

std::string_view EnergyBasis(Joules energy, Joules metered) {
  if (metered == Joules(0)) return "estimated";
  return metered == energy ? "metered" : "mixed";
}

void CostSum::Add(const record::LedgerRow& row, const PoolSpec* pool) {
  energy += row.energy;
  metered_energy += row.metered_energy;
  carbon += row.carbon;
  const std::optional<GramsCo2e> made = EmbodiedOf(row, pool);
  has_embodied |= made.has_value();
  embodied += made.value_or(GramsCo2e(0));
  switch (row.category) {
    case record::Category::kIdle:
      idle += row.cost;
      return;
    case record::Category::kOverhead:
      overhead += row.cost;
      return;
    case record::Category::kWork:
      break;
  }
  Booked::Add(row);
  prompt_tokens += row.prompt_tokens;
  output_tokens += row.output_tokens;
  node_time += row.node_time;
  if (row.kind != WorkKind::kRequest) {
    jobs += row.finished;
    return;
  }
  requests += row.finished;
  request_carbon += row.carbon;
  request_embodied += made.value_or(GramsCo2e(0));
}

std::string CostKey(CostsBy by, const record::LedgerRow& row, const PoolSpec* pool) {
  if (by == CostsBy::kDay) return absl::FormatTime("%Y-%m-%d", row.hour, absl::UTCTimeZone());
  if (by == CostsBy::kPool) return pool != nullptr ? pool->name : "?";
  if (row.category == record::Category::kIdle) return std::string(kIdleKey);
  if (by == CostsBy::kTenant) return row.tenant;
  if (by == CostsBy::kKind) return std::string(NameOf(row.kind));
  return row.model.empty() ? std::string(kJobsKey) : row.model;
}

CostReport ReportCosts(const std::vector<record::LedgerRow>& rows, CostsBy by,
                       absl::FunctionRef<const PoolSpec*(PoolId)> pool_of) {
  CostReport report;
  report.by = by;
  std::map<std::string, CostSum> sums;
  for (const record::LedgerRow& row : rows) {
    const PoolSpec* pool = pool_of(row.pool);
    CostSum& sum = sums[CostKey(by, row, pool)];
    sum.Add(row, pool);
    report.total.Add(row, pool);
  }
  for (auto& [key, sum] : sums) {
    sum.key = key;
    report.rows.push_back(std::move(sum));
  }
  std::stable_partition(report.rows.begin(), report.rows.end(),
                        [](const CostSum& sum) { return sum.key != kIdleKey; });
  return report;
}

void WriteCosts(JsonWriter& w, const CostReport& report) {
  w.BeginObject().Member("object", "costs").Key("from");
  WriteApiTime(w, report.from);
  w.Key("to");
  WriteApiTime(w, report.to);
  w.Member("by", NameOf(report.by)).Key("rows").BeginArray();
  for (const CostSum& row : report.rows) WriteSum(w, row, true);
  w.EndArray().Key("total");
  WriteSum(w, report.total, false);
  w.EndObject();
}

}  // namespace spillway
