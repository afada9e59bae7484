#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/controller/northbound/api_rig.h"

namespace spillway {
namespace {

using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;

TEST(PoolsApi, ShowsTheFleetInItsOrder) {
  ApiRig rig;
  rig.Start();
  const Received list = rig.Get("/api/v1/pools");
  ASSERT_EQ(list.json.Find("data")->list().size(), 5u);
  EXPECT_EQ(list.Text("first_id"), "local");
  const Received page = rig.Get("/api/v1/pools?limit=2&after=local");
  EXPECT_EQ(page.Text("first_id"), "edge-npu");
  EXPECT_THAT(std::string(page.headers.Get("Link")), HasSubstr("after=gaudi2"));
  EXPECT_EQ(rig.Get("/api/v1/pools?after=nobody").status, 400);
  const Received one = rig.Get("/api/v1/pools/a10");
  EXPECT_EQ(one.Text("vendor"), "nvidia");
  EXPECT_EQ(one.Text("modelled"), "true");
  EXPECT_EQ(rig.Get("/api/v1/pools/nobody").status, 404);
}

TEST(PoolsApi, CordonDrainAndResumeShowAtOnce) {
  ApiRig rig({.snapshot_period = absl::Hours(1)});
  rig.Start();
  EXPECT_EQ(rig.Post("/api/v1/pools/a10/cordon").Text("state"), "cordoned");
  EXPECT_EQ(rig.Get("/api/v1/pools/a10").Text("state"), "cordoned");
  EXPECT_EQ(rig.Post("/api/v1/pools/a10/resume").Text("state"), "active");
  // An empty pool is drained at once.
  EXPECT_EQ(rig.Post("/api/v1/pools/a10/drain").status, 200);
  EXPECT_NE(rig.Get("/api/v1/pools/a10").Text("state"), "active");
  EXPECT_EQ(rig.Post("/api/v1/pools/nobody/drain").status, 404);
}

TEST(PoolsApi, APriceIsChangedOverTheOneThatWasRead) {
  ApiRig rig;
  rig.Start();
  const std::string path = "/api/v1/pools/a10/price";
  const Received before = rig.Get(path);
  EXPECT_EQ(before.Text("node_hour_usd"), "1.006000000");
  const std::string etag(before.headers.Get("ETag"));
  const Received changed =
      rig.Send(Method::kPut, path, R"({"node_hour":"2 USD"})", {{"If-Match", etag}});
  EXPECT_EQ(changed.status, 200) << changed.body;
  EXPECT_EQ(changed.Text("node_hour_usd"), "2.000000000");
  EXPECT_NE(changed.headers.Get("ETag"), etag);
  const Received late =
      rig.Send(Method::kPut, path, R"({"node_hour":"3 USD"})", {{"If-Match", etag}});
  EXPECT_EQ(late.status, 412);
  EXPECT_EQ(rig.Get(path).Text("node_hour_usd"), "2.000000000");
  EXPECT_EQ(rig.Send(Method::kPut, path, R"({"node_hour":"4 USD"})").status, 200);
  EXPECT_EQ(rig.Send(Method::kPut, path, R"({"node_hour":4})").status, 400);
}

TEST(PoolsApi, APriceThatIsReadCanBeWrittenBack) {
  ApiRig rig;
  for (PoolSpec& pool : rig.rig().config()->fleet.pools) {
    if (pool.name == "a10") pool.adapter.speedup = 20;
  }
  rig.Start();
  const std::string path = "/api/v1/pools/a10/price";
  const Received set = rig.Send(
      Method::kPut, path, R"({"node_hour":"1.20 USD","as_of":"2026-08-01","source":"a bill"})");
  EXPECT_EQ(set.Text("node_hour_usd"), "1.200000000");  // not times 20
  EXPECT_EQ(rig.rig().host().snapshot()->Find("a10")->price.node_hour, UsdPerHour(24'000'000'000));
  EXPECT_EQ(set.Text("source"), "a bill");
  const Received again = rig.Send(Method::kPut, path, rig.Get(path).body);
  EXPECT_EQ(again.status, 200) << again.body;
  EXPECT_EQ(again.body, set.body);
  EXPECT_EQ(again.headers.Get("ETag"), set.headers.Get("ETag"));
  EXPECT_EQ(rig.Get("/api/v1/pools/a10").json.Find("price")->Find("node_hour_usd")->string(),
            "1.200000000");
  // Where a figure comes from is part of what was read.
  const Received other =
      rig.Send(Method::kPut, path, R"({"node_hour":"1.20 USD","source":"another bill"})");
  EXPECT_NE(other.headers.Get("ETag"), set.headers.Get("ETag"));
  EXPECT_EQ(rig.Send(Method::kPut, path, R"({"node_hour_usd":null})").status, 400);
  EXPECT_EQ(rig.Send(Method::kPut, path, R"({"node_hour_usd":"1","node_hour":"1 USD"})").status,
            400);
}

TEST(PoolsApi, APoolCanBeAddedOnce) {
  ApiRig rig;
  rig.Start();
  const std::string pool = R"({"name":"l4","adapter":{"type":"modelled"},"device":"nvidia-l4-24g",
    "node":{"cpus":4,"memory":"16GiB","devices":1},"runtimes":{"cuda":"12.4"},"billing":"metered",
    "price":{"node_hour":"0.8 USD"},"power":{"idle":"10 W","busy":"70 W"}})";
  const Received added = rig.Post("/api/v1/pools", pool);
  ASSERT_EQ(added.status, 201) << added.body;
  EXPECT_EQ(added.headers.Get("Location"), "/api/v1/pools/l4");
  EXPECT_EQ(added.Text("vendor"), "nvidia");
  EXPECT_EQ(rig.Get("/api/v1/pools").Text("last_id"), "l4");
  const Received again = rig.Post("/api/v1/pools", pool);
  EXPECT_EQ(again.status, 409);
  EXPECT_EQ(again.headers.Get("x-should-retry"), "false");
  EXPECT_EQ(rig.Post("/api/v1/pools", R"({"name":"x"})").status, 400);
}

TEST(DevicesApi, ShowsTheCatalogue) {
  ApiRig rig;
  rig.Start();
  const Received list = rig.Get("/api/v1/devices");
  EXPECT_EQ(list.status, 200);
  EXPECT_EQ(list.Text("first_id"), "nvidia-l4-24g");
}

TEST(PolicyApi, IsReplacedOnlyOverTheVersionThatWasRead) {
  ApiRig rig;
  rig.Start();
  const Received before = rig.Get("/api/v1/policy");
  EXPECT_EQ(before.Text("name"), "backstop");
  const std::string etag(before.headers.Get("ETag"));
  const std::string policy = R"({"name":"mine","claim":{"order":"cost"}})";
  EXPECT_EQ(rig.Send(Method::kPut, "/api/v1/policy", policy).status, 428);
  EXPECT_EQ(rig.Send(Method::kPut, "/api/v1/policy", policy, {{"If-Match", "\"77\""}}).status, 412);
  const Received put = rig.Send(Method::kPut, "/api/v1/policy", policy, {{"If-Match", etag}});
  ASSERT_EQ(put.status, 200) << put.body;
  EXPECT_NE(put.headers.Get("ETag"), etag);
  EXPECT_EQ(rig.Get("/api/v1/policy").Text("name"), "mine");
  EXPECT_EQ(rig.Get("/api/v1/policy").headers.Get("ETag"), put.headers.Get("ETag"));
  EXPECT_EQ(rig.Send(Method::kPut, "/api/v1/policy", policy, {{"If-Match", etag}}).status, 412);
}

TEST(PolicyApi, WhatIsReadCanBeWrittenBack) {
  ApiRig rig;
  rig.Start();
  const Received json = rig.Get("/api/v1/policy");
  const Headers match{{"If-Match", json.headers.Get("ETag")}};
  EXPECT_EQ(rig.Send(Method::kPut, "/api/v1/policy?dry_run=true", json.body, match).status, 200);
  const Received yaml = rig.Get("/api/v1/policy", {{"Accept", "application/yaml"}});
  EXPECT_EQ(yaml.headers.Get("Content-Type"), "application/yaml");
  EXPECT_EQ(rig.Send(Method::kPut, "/api/v1/policy?dry_run=true", yaml.body,
                     {{"Content-Type", "application/yaml"}})
                .status,
            200);
}

TEST(PolicyApi, ADryRunChecksAndChangesNothing) {
  ApiRig rig;
  rig.Start();
  const Received checked = rig.Send(Method::kPut, "/api/v1/policy?dry_run=true",
                                    R"({"name":"odd","claim":{"backstop":{"vendor":"nobody"}}})");
  EXPECT_EQ(checked.status, 200) << checked.body;
  EXPECT_FALSE(checked.json.Find("warnings")->list().empty());
  EXPECT_EQ(rig.Get("/api/v1/policy").Text("name"), "backstop");
}

TEST(PolicyApi, APolicyThatDoesNotHoldTogetherIsRefusedWithPointers) {
  ApiRig rig;
  rig.Start();
  const std::string policy = R"({"rules":[
    {"name":"all","when":{},"claim":[{"kind":"cpu"}]},
    {"name":"never","when":{"kind":"job"},"claim":[{"kind":"gpu"}]}]})";
  const Received refused = rig.Send(Method::kPut, "/api/v1/policy?dry_run=true", policy);
  EXPECT_EQ(refused.status, 422) << refused.body;
  EXPECT_EQ(refused.Text("code"), "invalid_policy");
  EXPECT_THAT(refused.json.Find("errors")->list()[0].Find("pointer")->string(),
              HasSubstr("/rules/"));
  EXPECT_EQ(rig.Send(Method::kPut, "/api/v1/policy?dry_run=true", R"({"calim":{}})").status, 400);
}

TEST(DecisionsApi, ListsThoseAboutAJob) {
  ApiRig rig;
  rig.Start();
  const std::string first = rig.Submit(ApiRig::kLocal);
  rig.Submit(ApiRig::kLocal);
  const Received mine = rig.Get("/api/v1/decisions?job=" + first);
  ASSERT_EQ(mine.json.Find("data")->list().size(), 1u);
  EXPECT_EQ(mine.json.Find("data")->list()[0].Find("work")->string(), first);
  EXPECT_EQ(rig.Get("/api/v1/decisions?outcome=placed").json.Find("data")->list().size(), 2u);
  EXPECT_EQ(rig.Get("/api/v1/decisions?outcome=lost").status, 400);
  EXPECT_EQ(rig.Get("/api/v1/decisions/dec-999999").status, 404);
  EXPECT_EQ(rig.Get("/api/v1/decisions/x").status, 404);
}

TEST(LedgerApi, AddsUpToItsTotals) {
  ApiRig rig;
  rig.Start();
  const std::string id = rig.Submit(ApiRig::kLocal);
  ASSERT_TRUE(rig.process().WaitForLaunches(1));
  rig.process().Started({ApiRig::IdOf(id), 1});
  rig.rig().clock().Advance(absl::Minutes(10));
  rig.process().Ended({ApiRig::IdOf(id), 1}, 0);
  while (rig.Get("/api/v1/jobs/" + id).Text("finished_at").empty()) std::this_thread::yield();
  const auto cost = [&](const std::string& query) {
    const Received ledger = rig.Get("/api/v1/ledger" + query);
    EXPECT_EQ(ledger.status, 200) << ledger.body;
    double sum = 0;
    for (const Value& row : ledger.json.Find("rows")->list())
      sum += std::stod(row.Find("cost_usd")->string());
    const double total = std::stod(ledger.json.Find("totals")->Find("cost_usd")->string());
    EXPECT_NEAR(sum, total, 1e-9) << query;
    return total;
  };
  const double all = cost("");
  EXPECT_GT(all, 0);
  EXPECT_NEAR(cost("?group_by=pool"), all, 1e-9);
  EXPECT_NEAR(cost("?group_by=category,tenant"), all, 1e-9);
  // The local machine costs 0.10 USD an hour, and ten minutes have passed: exactly.
  const Received local = rig.Get("/api/v1/ledger?pool=local&group_by=pool");
  EXPECT_EQ(local.json.Find("totals")->Find("cost_usd")->string(), "0.016666667");
  EXPECT_EQ(rig.Get("/api/v1/ledger?group_by=shape").status, 400);
  EXPECT_EQ(rig.Get("/api/v1/ledger?from=yesterday").status, 400);
  EXPECT_EQ(rig.Get("/api/v1/ledger?from=2020-01-01T00:00:00Z&until=2026-01-01T00:00:00Z").status,
            400);
}

TEST(Site, SaysWhetherItIsReady) {
  ApiRig rig;
  rig.Start();
  EXPECT_EQ(rig.Get("/healthz").body, "ok\n");
  EXPECT_EQ(rig.Get("/readyz").body, "ready\n");
  rig.api().SetReady(false);
  EXPECT_EQ(rig.Get("/readyz").status, 503);
  EXPECT_EQ(rig.Get("/healthz").status, 200);
}

TEST(Site, ShowsItsDescriptionItsPathsAndItsProblems) {
  ApiRig rig;
  rig.Start();
  EXPECT_EQ(rig.Get("/openapi.yaml").body, OpenapiText());
  EXPECT_THAT(std::string(OpenapiText()), HasSubstr("openapi: 3.1.0"));
  EXPECT_EQ(rig.Get("/").json.Find("paths")->list().size(), Routes().size());
  EXPECT_EQ(rig.Get("/metrics").status, 200);
  for (const ProblemKind& kind : ProblemKinds())
    EXPECT_THAT(rig.Get("/problems/" + std::string(kind.name)).body,
                HasSubstr(std::string(kind.title)));
  EXPECT_EQ(rig.Get("/problems/nothing").status, 404);
}

TEST(Site, MetricsComeInTheFormThatIsAskedFor) {
  ApiRig rig;
  rig.Start();
  Headers open;
  open.Add("Accept", "application/openmetrics-text;version=1.0.0,text/plain;q=0.5");
  const auto answer = rig.Get("/metrics", open);
  EXPECT_EQ(answer.headers.Get("Content-Type"),
            "application/openmetrics-text; version=1.0.0; charset=utf-8");
  EXPECT_THAT(answer.body, EndsWith("# EOF\n"));
  const auto plain = rig.Get("/metrics");
  EXPECT_EQ(plain.headers.Get("Content-Type"), "text/plain; version=0.0.4; charset=utf-8");
  EXPECT_THAT(plain.body, Not(HasSubstr("# EOF")));
  EXPECT_EQ(plain.headers.Get("Vary"), "Accept");
}

TEST(Site, UnknownPathsAndMethodsAreProblems) {
  ApiRig rig;
  rig.Start();
  const Received missing = rig.Get("/api/v2/jobs");
  EXPECT_EQ(missing.status, 404);
  EXPECT_EQ(missing.headers.Get("Content-Type"), "application/problem+json");
  const Received wrong = rig.Send(Method::kDelete, "/api/v1/jobs");
  EXPECT_EQ(wrong.status, 405);
  EXPECT_EQ(wrong.headers.Get("Allow"), "POST, GET, HEAD");
}

}  // namespace
}  // namespace spillway
