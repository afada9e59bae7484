// Cost reports and the FOCUS export.
#include "formats/costs.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

#include "formats/focus_csv.h"
#include "formats/value.h"
#include "tests/support/fleets.h"

namespace spillway {
namespace {

using record::Category;
using record::LedgerRow;
using testing::ElementsAre;

const absl::Time kHour = absl::FromUnixSeconds(1'790'000'000 / 3600 * 3600);

LedgerRow Row(Category category, std::string tenant, std::int64_t cost) {
  LedgerRow row;
  row.hour = kHour;
  row.pool = PoolId{0};
  row.tenant = std::move(tenant);
  row.category = category;
  row.kind = category == Category::kIdle ? WorkKind::kService : WorkKind::kJob;
  row.cost = Usd(cost);
  row.node_time = absl::Minutes(30);
  return row;
}
LedgerRow Answers(std::string tenant, std::string model, std::int64_t cost) {
  LedgerRow row = Row(Category::kWork, std::move(tenant), cost);
  row.kind = WorkKind::kRequest;
  row.model = std::move(model);
  row.finished = row.ended = 4;
  row.prompt_tokens = 100;
  row.output_tokens = 20;
  row.compared_cost = row.cost;
  row.baseline_cost = Usd(3 * cost);
  row.energy = Joules(1'000'000);
  row.carbon = GramsCo2e(2'000'000);
  return row;
}
std::vector<LedgerRow> Some() {
  LedgerRow job = Row(Category::kWork, "blue", 10);
  job.finished = 1;
  job.ended = 3;
  job.without_baseline = 1;
  return {job, Answers("blue", "chat", 20), Answers("red", "embed", 40),
          Row(Category::kOverhead, "blue", 5), Row(Category::kIdle, "", 1000)};
}

const PoolSpec& Pool() {
  static const PoolSpec pool = [] {
    PoolSpec p = fixtures::LocalPool();
    p.labels = {{"rack", "a,\"7\""}};
    return p;
  }();
  return pool;
}
const PoolSpec* PoolOf(PoolId) { return &Pool(); }

std::vector<std::string> Keys(const CostReport& report) {
  std::vector<std::string> keys;
  for (const CostSum& row : report.rows) keys.push_back(row.key);
  return keys;
}

TEST(Costs, RowsOfAnyGroupingAreTheBill) {
  for (const auto& [by, name] : NamesOf(CostsBy{})) {
    const CostReport report = ReportCosts(Some(), by, PoolOf);
    Usd bill;
    std::int64_t works = 0;
    for (const CostSum& row : report.rows) {
      bill += row.bill();
      works += row.jobs + row.requests;
    }
    EXPECT_EQ(bill, Usd(1075)) << name;
    EXPECT_EQ(report.total.bill(), Usd(1075)) << name;
    EXPECT_EQ(works, 9) << name;
  }
}

TEST(Costs, IdleTimeIsARowOfItsOwnAndLast) {
  EXPECT_THAT(Keys(ReportCosts(Some(), CostsBy::kTenant, PoolOf)),
              ElementsAre("blue", "red", "(idle)"));
  EXPECT_THAT(Keys(ReportCosts(Some(), CostsBy::kModel, PoolOf)),
              ElementsAre("(jobs)", "chat", "embed", "(idle)"));
  EXPECT_THAT(Keys(ReportCosts(Some(), CostsBy::kKind, PoolOf)),
              ElementsAre("job", "request", "(idle)"));
  EXPECT_THAT(Keys(ReportCosts(Some(), CostsBy::kPool, PoolOf)), ElementsAre("local"));
  EXPECT_THAT(Keys(ReportCosts(Some(), CostsBy::kDay, PoolOf)), ElementsAre("2026-09-21"));
}

TEST(Costs, ASavingComparesTheSameWork) {
  const CostReport report = ReportCosts(Some(), CostsBy::kTenant, PoolOf);
  const CostSum& blue = report.rows[0];
  EXPECT_EQ(blue.cost, Usd(30));
  EXPECT_EQ(blue.overhead, Usd(5));
  EXPECT_EQ(blue.compared_cost, Usd(20)) << "the job has no baseline";
  EXPECT_EQ(blue.baseline_cost, Usd(60));
  EXPECT_EQ(blue.without_baseline, 1);
  EXPECT_EQ(blue.jobs, 1) << "however many attempts";
  EXPECT_EQ(blue.requests, 4);
}

TEST(Costs, CarbonOfAThousandRequests) {
  PoolSpec pool = Pool();
  pool.power.embodied = GramsCo2e(8'000'000);  // 8 g an hour of a node
  const CostReport report =
      ReportCosts({Answers("blue", "chat", 20)}, CostsBy::kTenant, [&](PoolId) { return &pool; });
  std::string json;
  JsonWriter w(json);
  WriteCosts(w, report);
  const auto value = ParseJson(json);
  ASSERT_TRUE(value.ok()) << value.status();
  // (2 g + half an hour of 8 g) / 4 requests x 1,000.
  EXPECT_DOUBLE_EQ(value->Find("total")->Find("sci_grams_per_1000_requests")->real(), 1500);
  EXPECT_EQ(value->Find("total")->Find("energy_basis")->string(), "estimated");
  EXPECT_EQ(EnergyBasis(Joules(5), Joules(5)), "metered");
  EXPECT_EQ(EnergyBasis(Joules(5), Joules(4)), "mixed");
}

TEST(Costs, WhatNothingIsComparedWithHasNoSaving) {
  std::string json;
  JsonWriter w(json);
  WriteCosts(w, ReportCosts({Row(Category::kIdle, "", 7)}, CostsBy::kTenant, PoolOf));
  const auto value = ParseJson(json);
  ASSERT_TRUE(value.ok());
  EXPECT_TRUE(value->Find("total")->Find("saved_usd")->is_null());
  EXPECT_TRUE(value->Find("total")->Find("sci_grams_per_1000_requests")->is_null());
  EXPECT_EQ(value->Find("rows")->list()[0].Find("idle_usd")->string(), "0.000000007");
}

// ---- FOCUS 1.2

// Lines of fields, read as RFC 4180 says.
std::vector<std::vector<std::string>> ReadCsv(std::string_view csv) {
  std::vector<std::vector<std::string>> lines(1, std::vector<std::string>(1));
  bool quoted = false;
  for (std::size_t i = 0; i < csv.size(); ++i) {
    const char c = csv[i];
    if (c == '"' && quoted && i + 1 < csv.size() && csv[i + 1] == '"') {
      lines.back().back() += csv[++i];
    } else if (c == '"') {
      quoted = !quoted;
    } else if (!quoted && c == ',') {
      lines.back().emplace_back();
    } else if (!quoted && c == '\n') {
      lines.emplace_back(1);
    } else if (quoted || c != '\r') {
      lines.back().back() += c;
    }
  }
  lines.pop_back();
  return lines;
}

std::vector<std::map<std::string, std::string>> Focus(const std::vector<LedgerRow>& rows,
                                                      const PoolSpec* pool) {
  std::string csv;
  AppendFocusHeader(csv);
  for (const LedgerRow& row : rows) AppendFocusRow(csv, row, pool);
  const auto lines = ReadCsv(csv);
  std::vector<std::map<std::string, std::string>> all;
  for (std::size_t i = 1; i < lines.size(); ++i) {
    EXPECT_EQ(lines[i].size(), lines[0].size());
    for (std::size_t c = 0; c < lines[0].size(); ++c)
      all.resize(i), all.back()[lines[0][c]] = lines[i][c];
  }
  return all;
}

PoolSpec TokenPool() {
  PoolSpec pool = Pool();
  pool.billing = Billing::kToken;
  return pool;
}

// The rules of the specification's columns, for every kind of row that there is.
TEST(FocusCsv, KeepsTheRulesOfTheSpecification) {
  const PoolSpec token = TokenPool();
  for (const PoolSpec* pool : {&Pool(), &token, static_cast<const PoolSpec*>(nullptr)}) {
    const auto rows = Focus(Some(), pool);
    ASSERT_EQ(rows.size(), Some().size());
    for (auto row : rows) {
      // The 21 mandatory columns; of them ChargeClass alone may be null in a row of usage.
      for (const char* column :
           {"BilledCost",        "BillingAccountId",   "BillingAccountName", "BillingCurrency",
            "BillingPeriodEnd",  "BillingPeriodStart", "ChargeCategory",     "ChargeDescription",
            "ChargePeriodEnd",   "ChargePeriodStart",  "ContractedCost",     "EffectiveCost",
            "InvoiceIssuerName", "ListCost",           "PricingQuantity",    "PricingUnit",
            "ProviderName",      "PublisherName",      "ServiceCategory",    "ServiceName"})
        EXPECT_NE(row.at(column), "") << column;
      EXPECT_EQ(row.at("ChargeClass"), "") << "null unless a correction";
      EXPECT_EQ(row.at("ChargeCategory"), "Usage");
      EXPECT_EQ(row.at("BillingCurrency"), "USD");
      EXPECT_EQ(row.at("ChargePeriodStart"), "2026-09-21T14:00:00Z");
      EXPECT_EQ(row.at("ChargePeriodEnd"), "2026-09-21T15:00:00Z");
      EXPECT_EQ(row.at("BillingPeriodStart"), "2026-09-01T00:00:00Z");
      EXPECT_EQ(row.at("BillingPeriodEnd"), "2026-10-01T00:00:00Z") << "exclusive";
      const bool reserved = row.at("CapacityReservationId") != "";
      EXPECT_EQ(row.at("CapacityReservationStatus") == "", !reserved) << "null with its id";
      if (reserved) {
        EXPECT_EQ(row.at("CapacityReservationStatus") == "Unused", row.at("x_Category") == "idle");
      }
      const std::string category = row.at("ServiceCategory");
      EXPECT_TRUE(category == "Compute" || category == "AI and Machine Learning") << category;
      EXPECT_EQ(row.at("ServiceSubcategory"),
                category == "Compute" ? "Other (Compute)" : "Generative AI");
      EXPECT_EQ(row.at("SubAccountId") == "", row.at("x_Category") == "idle");
      EXPECT_TRUE(ParseJson(row.at("Tags")).ok()) << row.at("Tags");
      for (const char* cost : {"ListCost", "ContractedCost", "EffectiveCost"})
        EXPECT_EQ(row.at(cost), row.at("BilledCost"));
    }
  }
}

TEST(FocusCsv, ASavingIsInNoCostColumn) {
  const auto row = Focus({Answers("blue", "chat", 20)}, &Pool())[0];
  EXPECT_EQ(row.at("BilledCost"), "0.000000020");
  EXPECT_EQ(row.at("x_BaselineCost"), "0.000000060");
  EXPECT_EQ(row.at("x_ComparedCost"), "0.000000020");
  EXPECT_EQ(row.at("PricingQuantity"), "0.500000000000");
  EXPECT_EQ(row.at("PricingUnit"), "Hours");
  EXPECT_EQ(row.at("ConsumedQuantity"), "120");
  EXPECT_EQ(row.at("ConsumedUnit"), "Tokens");
  EXPECT_EQ(row.at("x_CarbonGrams"), "2.000000");
  const PoolSpec token = TokenPool();
  EXPECT_EQ(Focus({Answers("blue", "chat", 20)}, &token)[0].at("PricingQuantity"), "120");
}

// Engines name their models themselves: a name must not become a formula of who opens the file.
TEST(FocusCsv, ANameIsNoFormula) {
  for (const char* name : {"=HYPERLINK(\"http://x\")", "+1+1", "-1+1", "@SUM(A1)", "\t=1", "-a"}) {
    const auto fields = Focus({Answers("t", name, 1)}, &Pool())[0];
    EXPECT_EQ(fields.at("x_Model"), std::string("'") + name);
  }
  for (const char* name : {"org/model-7b", "a=b", "", "(idle)"})
    EXPECT_EQ(Focus({Answers("t", name, 1)}, &Pool())[0].at("x_Model"), name);
}

TEST(FocusCsv, MoneyIsExactAndTextIsQuoted) {
  LedgerRow row = Answers("t", "a,b\"c\n=1+1", 1);
  row.cost = Usd(INT64_MIN);
  const auto fields = Focus({row}, &Pool())[0];
  EXPECT_EQ(fields.at("BilledCost"), "-9223372036.854775808");
  EXPECT_EQ(fields.at("x_Model"), "a,b\"c\n=1+1");
  const auto tags = ParseJson(fields.at("Tags"));
  ASSERT_TRUE(tags.ok());
  EXPECT_EQ(tags->Find("rack")->string(), "a,\"7\"");
}

}  // namespace
}  // namespace spillway
