#include "formats/api_json.h"

namespace spillway {
namespace {

// Both sides of a saving stand in one book (allocated) and are about the same work.
void WriteSaving(JsonWriter& w, const LedgerSum& sum) {
  w.Key("saving").BeginObject().Key("cost_usd");
  WriteApiMoney(w, sum.compared_cost);
  w.Key("baseline_cost_usd");
  WriteApiMoney(w, sum.baseline_cost);
  w.Key("saved_usd");
  WriteApiMoney(w, sum.saved());
  w.Member("without_baseline", sum.without_baseline).EndObject();
}

void WriteSum(JsonWriter& w, const LedgerSum& sum) {
  w.BeginObject();
  if (sum.hour) {
    w.Key("hour");
    WriteApiTime(w, sum.hour);
  }
  if (sum.pool) w.Member("pool", *sum.pool);
  if (sum.modelled) w.Member("modelled", *sum.modelled);
  if (sum.tenant) w.Member("tenant", *sum.tenant);
  if (sum.category) w.Member("category", NameOf(*sum.category));
  w.Key("cost_usd");
  WriteApiMoney(w, sum.cost);
  w.Key("marginal_cost_usd");
  WriteApiMoney(w, sum.marginal_cost);
  w.Member("ended", sum.ended).Key("energy_joules");
  WriteApiMicros(w, sum.energy.value());
  w.Key("carbon_grams");
  WriteApiMicros(w, sum.carbon.value());
  WriteSaving(w, sum);
  w.EndObject();
}

}  // namespace

void LedgerSum::Add(const record::LedgerRow& row) {
  Booked::Add(row);
  ended += row.ended;
  energy += row.energy;
  carbon += row.carbon;
}

void WriteLedger(JsonWriter& w, const LedgerReport& report) {
  w.BeginObject().Member("object", "ledger").Key("from");
  WriteApiTime(w, report.from);
  w.Key("until");
  WriteApiTime(w, report.until);
  w.Key("group_by").BeginArray();
  for (const std::string& key : report.group_by) w.Value(key);
  w.EndArray().Key("rows").BeginArray();
  for (const LedgerSum& row : report.rows) WriteSum(w, row);
  w.EndArray().Key("totals");
  WriteSum(w, report.totals);
  w.EndObject();
}

}  // namespace spillway
