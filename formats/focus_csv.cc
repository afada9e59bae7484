#include "formats/focus_csv.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "core/check.h"
#include "core/text.h"
#include "formats/costs.h"
#include "formats/json_writer.h"

namespace spillway {
namespace {

using record::Category;

std::string Instant(absl::Time time) {
  return absl::FormatTime("%Y-%m-%dT%H:%M:%SZ", time, absl::UTCTimeZone());
}

// Exact: nine places, six for micro-units.
std::string Fixed(std::int64_t value, std::int64_t one, int places) {
  const bool negative = value < 0;
  const auto size =
      negative ? ~static_cast<std::uint64_t>(value) + 1 : static_cast<std::uint64_t>(value);
  const auto unit = static_cast<std::uint64_t>(one);
  return absl::StrFormat("%s%d.%0*d", negative ? "-" : "", size / unit, places, size % unit);
}
std::string Money(Usd money) { return Fixed(money.value(), kNanosPerUsd, 9); }
std::string Micros(std::int64_t micros) { return Fixed(micros, kMicrosPerJoule, 6); }

std::string Hours(absl::Duration time) {
  return absl::StrFormat("%.12f", absl::ToDoubleHours(time));
}

std::string MonthStart(absl::Time time, int months_later) {
  const absl::TimeZone utc = absl::UTCTimeZone();
  return Instant(absl::FromCivil(absl::ToCivilMonth(time, utc) + months_later, utc));
}

// What a row is made from.
struct Charge {
  const record::LedgerRow& row;
  const PoolSpec* pool;

  bool idle() const { return row.category == Category::kIdle; }
  bool request() const { return row.kind == WorkKind::kRequest; }
  bool by_token() const { return pool != nullptr && pool->billing == Billing::kToken; }
  std::int64_t tokens() const { return row.prompt_tokens + row.output_tokens; }
  std::string pool_name() const { return pool != nullptr ? pool->name : "?"; }
};

std::string Describe(const Charge& c) {
  switch (c.row.category) {
    case Category::kIdle:
      return absl::StrCat("Idle time of pool ", c.pool_name());
    case Category::kOverhead:
      return absl::StrCat("Work lost to the infrastructure of pool ", c.pool_name());
    case Category::kWork:
      break;
  }
  if (c.request()) return absl::StrCat("Requests to ", c.row.model, " on pool ", c.pool_name());
  return absl::StrCat("Jobs on pool ", c.pool_name());
}

std::string Quantity(const Charge& c) {
  return c.by_token() ? absl::StrCat(c.tokens()) : Hours(c.row.node_time);
}
std::string UnitOf(const Charge& c) { return c.by_token() ? "Tokens" : "Hours"; }

std::string Tags(const Charge& c) {
  std::string json;
  JsonWriter w(json);
  w.BeginObject().Member("spillway/category", NameOf(c.row.category));
  if (!c.idle()) w.Member("spillway/kind", NameOf(c.row.kind));
  if (c.pool != nullptr) {
    for (const auto& [key, value] : c.pool->labels) w.Member(key, value);
  }
  w.EndObject();
  return json;
}

struct Column {
  std::string_view name;
  std::string (*value)(const Charge&);
};

std::string Cost(const Charge& c) { return Money(c.row.cost); }

// Mandatory columns and their rules: FOCUS 1.2, section "Columns".
const std::vector<Column>& Columns() {
  static const std::vector<Column> columns = {
      {"BilledCost", Cost},
      {"BillingAccountId", [](const Charge&) -> std::string { return "spillway"; }},
      {"BillingAccountName", [](const Charge&) -> std::string { return "Spillway"; }},
      {"BillingCurrency", [](const Charge&) -> std::string { return "USD"; }},
      {"BillingPeriodEnd", [](const Charge& c) { return MonthStart(c.row.hour, 1); }},
      {"BillingPeriodStart", [](const Charge& c) { return MonthStart(c.row.hour, 0); }},
      {"ChargeCategory", [](const Charge&) -> std::string { return "Usage"; }},
      {"ChargeClass", [](const Charge&) -> std::string { return ""; }},
      {"ChargeDescription", Describe},
      {"ChargePeriodEnd", [](const Charge& c) { return Instant(c.row.hour + absl::Hours(1)); }},
      {"ChargePeriodStart", [](const Charge& c) { return Instant(c.row.hour); }},
      {"ContractedCost", Cost},
      {"EffectiveCost", Cost},
      {"InvoiceIssuerName", [](const Charge&) -> std::string { return "Spillway"; }},
      {"ListCost", Cost},
      {"PricingQuantity", Quantity},
      {"PricingUnit", UnitOf},
      {"ProviderName", [](const Charge&) -> std::string { return "Spillway"; }},
      {"PublisherName", [](const Charge&) -> std::string { return "Spillway"; }},
      {"ServiceCategory",
       [](const Charge& c) -> std::string {
         return c.request() ? "AI and Machine Learning" : "Compute";
       }},
      {"ServiceName",
       [](const Charge& c) -> std::string {
         return c.idle() ? "Capacity" : c.request() ? "Inference" : "Jobs";
       }},
      {"CapacityReservationId",
       [](const Charge& c) -> std::string { return c.by_token() ? "" : c.pool_name(); }},
      {"CapacityReservationStatus",
       [](const Charge& c) -> std::string {
         return c.by_token() ? "" : c.idle() ? "Unused" : "Used";
       }},
      {"ConsumedQuantity",
       [](const Charge& c) {
         return c.request() ? absl::StrCat(c.tokens()) : Hours(c.row.node_time);
       }},
      {"ConsumedUnit",
       [](const Charge& c) -> std::string { return c.request() ? "Tokens" : "Hours"; }},
      {"PricingCategory", [](const Charge&) -> std::string { return "Standard"; }},
      {"RegionId", [](const Charge& c) { return c.pool ? c.pool->site.name : std::string(); }},
      {"ResourceId", [](const Charge& c) { return c.pool_name(); }},
      {"ResourceName", [](const Charge& c) { return c.pool_name(); }},
      {"ResourceType",
       [](const Charge& c) {
         return c.pool ? absl::StrCat(ToAbsl(NameOf(c.pool->kind)), " pool") : std::string("pool");
       }},
      {"ServiceSubcategory",
       [](const Charge& c) -> std::string {
         return c.request() ? "Generative AI" : "Other (Compute)";
       }},
      {"SubAccountId", [](const Charge& c) { return c.row.tenant; }},
      {"SubAccountName", [](const Charge& c) { return c.row.tenant; }},
      {"Tags", Tags},
      {"x_Pool", [](const Charge& c) { return c.pool_name(); }},
      {"x_Category", [](const Charge& c) { return std::string(NameOf(c.row.category)); }},
      {"x_Kind",
       [](const Charge& c) { return c.idle() ? std::string() : std::string(NameOf(c.row.kind)); }},
      {"x_Model", [](const Charge& c) { return c.row.model; }},
      {"x_Works", [](const Charge& c) { return absl::StrCat(c.row.finished); }},
      {"x_MarginalCost", [](const Charge& c) { return Money(c.row.marginal_cost); }},
      {"x_ComparedCost", [](const Charge& c) { return Money(c.row.compared_cost); }},
      {"x_BaselineCost", [](const Charge& c) { return Money(c.row.baseline_cost); }},
      {"x_InputTokens", [](const Charge& c) { return absl::StrCat(c.row.prompt_tokens); }},
      {"x_OutputTokens", [](const Charge& c) { return absl::StrCat(c.row.output_tokens); }},
      {"x_EnergyJoules", [](const Charge& c) { return Micros(c.row.energy.value()); }},
      {"x_EnergyBasis",
       [](const Charge& c) {
         return std::string(EnergyBasis(c.row.energy, c.row.metered_energy));
       }},
      {"x_CarbonGrams", [](const Charge& c) { return Micros(c.row.carbon.value()); }},
  };
  return columns;
}

// A name that a spreadsheet would compute is kept from it by an apostrophe. Amounts begin with
// digits or are negative numbers, and stay what they are.
bool LooksLikeFormula(std::string_view text) {
  if (text.empty()) return false;
  if (text.front() == '-') return text.find_first_not_of("-.0123456789") != std::string_view::npos;
  return std::string_view("=+@\t\r").find(text.front()) != std::string_view::npos;
}

void AppendField(std::string& out, std::string_view text) {
  if (LooksLikeFormula(text)) {
    AppendField(out, absl::StrCat("'", ToAbsl(text)));
    return;
  }
  if (text.find_first_of(",\"\r\n") == std::string_view::npos) {
    out.append(text);
    return;
  }
  out.push_back('"');
  for (const char c : text) {
    if (c == '"') out.push_back('"');
    out.push_back(c);
  }
  out.push_back('"');
}

}  // namespace

const std::vector<std::string_view>& FocusColumns() {
  static const std::vector<std::string_view> names = [] {
    std::vector<std::string_view> all;
    for (const Column& column : Columns()) all.push_back(column.name);
    return all;
  }();
  return names;
}

void AppendFocusHeader(std::string& out) {
  for (const std::string_view name : FocusColumns()) {
    if (!out.empty() && out.back() != '\n') out.push_back(',');
    out.append(name);
  }
  out.append("\r\n");
}

void AppendFocusRow(std::string& out, const record::LedgerRow& row, const PoolSpec* pool) {
  const Charge charge{row, pool};
  bool first = true;
  for (const Column& column : Columns()) {
    if (!std::exchange(first, false)) out.push_back(',');
    AppendField(out, column.value(charge));
  }
  out.append("\r\n");
}

}  // namespace spillway
