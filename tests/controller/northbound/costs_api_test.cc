// What was paid for, over the API; and budgets, as those who submit see them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <sstream>

#include "tests/controller/northbound/api_rig.h"

namespace spillway {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

// Runs one job of ten minutes on the local machine, which costs 0.10 USD an hour.
void RunOne(ApiRig& rig) {
  const std::string id = rig.Submit(ApiRig::kLocal);
  ASSERT_TRUE(rig.process().WaitForLaunches(1));
  rig.process().Started({ApiRig::IdOf(id), 1});
  rig.rig().clock().Advance(absl::Minutes(10));
  rig.process().Ended({ApiRig::IdOf(id), 1}, 0);
  while (rig.Get("/api/v1/jobs/" + id).Text("finished_at").empty()) std::this_thread::yield();
}

std::vector<std::string> Keys(const Received& costs) {
  std::vector<std::string> keys;
  for (const Value& row : costs.json.Find("rows")->list())
    keys.push_back(row.Find("key")->string());
  return keys;
}
std::int64_t Nanos(const Value& row, const char* key) {
  const std::string text = row.Find(key)->string();
  return static_cast<std::int64_t>(std::llround(std::stod(text) * 1e9));
}

TEST(CostsApi, AnyGroupingIsTheSameBillAsTheLedger) {
  ApiRig rig;
  rig.Start();
  RunOne(rig);
  const Received ledger = rig.Get("/api/v1/ledger");
  const std::int64_t bill = Nanos(*ledger.json.Find("totals"), "cost_usd");
  EXPECT_GT(bill, 0);
  for (const std::string by : {"tenant", "model", "pool", "day", "kind"}) {
    const Received costs = rig.Get("/api/v1/costs?by=" + by);
    ASSERT_EQ(costs.status, 200) << costs.body;
    EXPECT_EQ(costs.Text("by"), by);
    std::int64_t sum = 0;
    for (const Value& row : costs.json.Find("rows")->list()) sum += Nanos(row, "bill_usd");
    EXPECT_EQ(sum, bill) << by;
    EXPECT_EQ(Nanos(*costs.json.Find("total"), "bill_usd"), bill) << by;
  }
  const Received costs = rig.Get("/api/v1/costs");
  EXPECT_THAT(Keys(costs), ElementsAre("default", "(idle)"));
  const Value& mine = costs.json.Find("rows")->list()[0];
  EXPECT_EQ(mine.Find("jobs")->real(), 1);
  EXPECT_EQ(mine.Find("idle_usd")->string(), "0.000000000");
}

TEST(CostsApi, WhatMakesNoSenseIsRefused) {
  ApiRig rig;
  rig.Start();
  for (const char* query : {"?by=shape", "?from=yesterday", "?form=2026-01-01T00:00:00Z",
                            "?from=2020-01-01T00:00:00Z&to=2026-01-01T00:00:00Z",
                            "?from=2026-02-01T00:00:00Z&to=2026-01-01T00:00:00Z"})
    EXPECT_EQ(rig.Get(std::string("/api/v1/costs") + query).status, 400) << query;
  EXPECT_EQ(rig.Get("/api/v1/ledger?format=focus").status, 400);
  EXPECT_EQ(rig.Get("/api/v1/ledger?format=focus-csv&group_by=hour").status, 400);
}

TEST(CostsApi, TheLedgerAsFocusIsTheSameBill) {
  ApiRig rig;
  rig.Start();
  RunOne(rig);
  const Received csv = rig.Get("/api/v1/ledger?format=focus-csv");
  ASSERT_EQ(csv.status, 200) << csv.body;
  EXPECT_THAT(std::string(csv.headers.Get("Content-Type")), HasSubstr("text/csv"));
  EXPECT_THAT(csv.body, testing::StartsWith("BilledCost,BillingAccountId,"));
  std::int64_t sum = 0;
  std::istringstream lines(csv.body);
  std::string line;
  std::getline(lines, line);
  while (std::getline(lines, line))
    sum += static_cast<std::int64_t>(std::llround(std::stod(line) * 1e9));
  EXPECT_EQ(sum, Nanos(*rig.Get("/api/v1/ledger").json.Find("totals"), "cost_usd"));
  ApiRig small({.snapshot_period = absl::ZeroDuration()}, {.focus_rows = 0});
  small.Start();
  RunOne(small);
  EXPECT_EQ(small.Get("/api/v1/ledger?format=focus-csv").status, 400)
      << "more than one answer holds";
}

TEST(BudgetApi, WorkBeyondTheBudgetIsRefusedUntilTheDayEnds) {
  ApiRig rig;
  TenantSpec tenant{.name = "default"};
  tenant.budget = {.per_day = Usd(1), .when_spent = WhenSpent::kRefuse};
  rig.rig().config()->tenants.tenants = {tenant};
  rig.Start();
  for (const bool with_key : {true, true, false}) {
    Headers headers;
    if (with_key) headers.Add("Idempotency-Key", "once");
    const Received refused = rig.Post("/api/v1/jobs", ApiRig::kLocal, headers);
    EXPECT_EQ(refused.status, 429) << refused.body;
    EXPECT_EQ(refused.Text("code"), "budget_spent");
    EXPECT_EQ(refused.headers.Find("Idempotency-Replayed"), std::nullopt)
        << "tomorrow the same key may be answered otherwise";
    const int wait = std::stoi(std::string(refused.headers.Get("Retry-After")));
    EXPECT_GT(wait, 0);
    EXPECT_LE(wait, 24 * 3600 + 1);
    const Value& candidate = refused.json.Find("candidates")->list()[0];
    EXPECT_EQ(candidate.Find("code")->string(), "budget");
    EXPECT_THAT(candidate.Find("why")->string(), HasSubstr("tenant's budget"));
  }
  EXPECT_EQ(rig.Post("/api/v1/decisions:dry-run", ApiRig::kLocal).Text("outcome"), "refused");
}

}  // namespace
}  // namespace spillway
