#include "formats/api_json.h"

#include <limits>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "formats/value.h"
#include "tests/formats/api_normal.h"

namespace spillway {
namespace {

const PoolSpec* NoPool(PoolId) { return nullptr; }

template <class F>
std::string Text(F write) {
  std::string text;
  JsonWriter w(text);
  write(w);
  return text;
}

std::shared_ptr<const Work> EchoWork() {
  Work work;
  work.name = "echo";
  work.run.command = {"echo", "hi \"there\""};
  work.needs.memory = Bytes(1 << 30);
  work.needs.runtime.name = "none";
  work.objective.start_within = absl::Seconds(30);
  work.objective.max_cost = Usd(50'000'000);
  work.labels = {{"team", "web"}};
  return std::make_shared<const Work>(work);
}

TEST(ApiScalars, MoneyHasNinePlacesAndItsSign) {
  const auto money = [](std::int64_t v) {
    return Text([&](JsonWriter& w) { WriteApiMoney(w, Usd(v)); });
  };
  EXPECT_EQ(money(1190000), R"("0.001190000")");
  EXPECT_EQ(money(-1), R"("-0.000000001")");
  EXPECT_EQ(money(12'000'000'000), R"("12.000000000")");
  EXPECT_EQ(money(std::numeric_limits<std::int64_t>::min()), R"("-9223372036.854775808")");
}

TEST(ApiScalars, MicrosAreExactDecimalNumbers) {
  const auto micros = [](std::int64_t v) {
    return Text([&](JsonWriter& w) { WriteApiMicros(w, v); });
  };
  EXPECT_EQ(micros(1600'000'000), "1600");
  EXPECT_EQ(micros(173333), "0.173333");
  EXPECT_EQ(micros(-1500000), "-1.5");
  EXPECT_EQ(micros(9'007'199'254'740'993), "9007199254.740993");
}

TEST(ApiScalars, TimesAreUtcWithMilliseconds) {
  EXPECT_EQ(ApiTime(absl::FromUnixMillis(1785230102417)), "2026-07-28T09:15:02.417Z");
  EXPECT_EQ(ApiTime(absl::UnixEpoch() + absl::Nanoseconds(999'999)), "1970-01-01T00:00:00.000Z");
  EXPECT_EQ(Text([](JsonWriter& w) { WriteApiTime(w, absl::InfiniteFuture()); }), "null");
}

TEST(ApiJob, EchoesWhatWasSubmittedAndNamesNoPoolWhileItWaits) {
  Job job{.id = JobId{45}, .work = EchoWork(), .created_at = absl::FromUnixMillis(0)};
  job.decision = DecisionId{7};
  const std::string text = Text([&](JsonWriter& w) { WriteJob(w, job, NoPool); });
  EXPECT_EQ(NormalJson(text), NormalJson(R"({
    "id": "job-000045", "state": "queued", "pool": null, "modelled": false,
    "created_at": "1970-01-01T00:00:00.000Z", "started_at": null, "finished_at": null,
    "cancelling": false, "exit_code": null, "signal": null, "message": null,
    "cost_usd": "0.000000000", "marginal_cost_usd": "0.000000000",
    "overhead_cost_usd": "0.000000000", "baseline_cost_usd": null,
    "energy_joules": 0, "carbon_grams": 0, "decision": "dec-000007", "attempts": [],
    "tenant": "default", "name": "echo",
    "run": {"command": ["echo", "hi \"there\""]},
    "needs": {"cpus": 1, "memory": "1GiB", "devices": {"count": 0}, "runtime": "none"},
    "objective": {"start_within": "30s", "max_cost_usd": "0.050000000", "on_miss": "run"},
    "priority": 0, "retries": {"own": 0, "infrastructure": 3}, "labels": {"team": "web"}})"));
}

TEST(ApiJob, AFinishedOneTellsHowItEndedAndWhere) {
  PoolSpec pool;
  pool.name = "a10";
  pool.modelled = true;
  Job job{.id = JobId{1}, .work = EchoWork(), .created_at = absl::FromUnixMillis(0)};
  job.state = JobState::kFailed;
  job.cancelling = true;
  Attempt attempt{.number = 1, .pool = PoolId{0}};
  attempt.state = AttemptState::kEnded;
  attempt.fault = Fault::kOwn;
  attempt.exit_code = 3;
  attempt.message = "exited";
  attempt.launched_at = absl::FromUnixMillis(5);
  attempt.nodes = {{.node = 1, .devices = {0, 2}}};
  job.attempts = {attempt};
  const auto json = ParseJson(Text([&](JsonWriter& w) {
    WriteJob(w, job, [&](PoolId id) { return id == PoolId{0} ? &pool : nullptr; });
  }));
  ASSERT_TRUE(json.ok()) << json.status();
  EXPECT_EQ(json->Find("pool")->string(), "a10");
  EXPECT_TRUE(json->Find("modelled")->boolean());
  EXPECT_EQ(json->Find("exit_code")->AsInt64(), 3);
  EXPECT_FALSE(json->Find("cancelling")->boolean());
  EXPECT_EQ(json->Find("message")->string(), "exited");
  const Value& shown = json->Find("attempts")->list()[0];
  EXPECT_EQ(shown.Find("fault")->string(), "own");
  EXPECT_EQ(WriteJson(*shown.Find("nodes")), R"([{"node":1,"devices":[0,2]}])");
}

TEST(ApiLedger, BothSidesOfASavingStandInOneBook) {
  LedgerReport report;
  LedgerSum row;
  row.pool = "a10";
  row.Add({.cost = Usd(30),
           .marginal_cost = Usd(9),
           .baseline_cost = Usd(50),
           .compared_cost = Usd(20),
           .ended = 2,
           .without_baseline = 1});
  report.rows = {row};
  report.totals = row;
  report.totals.pool.reset();
  const auto json = ParseJson(Text([&](JsonWriter& w) { WriteLedger(w, report); }));
  ASSERT_TRUE(json.ok());
  const Value& saving = *json->Find("totals")->Find("saving");
  EXPECT_EQ(saving.Find("cost_usd")->string(), "0.000000020");
  EXPECT_EQ(saving.Find("baseline_cost_usd")->string(), "0.000000050");
  EXPECT_EQ(saving.Find("saved_usd")->string(), "0.000000030");
  EXPECT_EQ(json->Find("rows")->list()[0].Find("cost_usd")->string(), "0.000000030");
}

TEST(ApiProblem, HoldsEveryPartThatIsKnownAndNoOther) {
  Problem problem{.status = 400, .code = "invalid", .title = "Not valid", .detail = "one error"};
  EXPECT_EQ(ProblemBody(problem),
            R"({"type":"/problems/invalid","title":"Not valid","status":400,"detail":"one error",)"
            R"("code":"invalid","retryable":false})");
  problem.instance = "/api/v1/jobs";
  problem.trace_id = "abc";
  problem.errors = {{"/needs/cpus", "is no number"}};
  problem.candidates = "[]";
  EXPECT_EQ(NormalJson(ProblemBody(problem)), NormalJson(R"({
    "type": "/problems/invalid", "title": "Not valid", "status": 400, "detail": "one error",
    "instance": "/api/v1/jobs", "code": "invalid", "trace_id": "abc", "retryable": false,
    "errors": [{"pointer": "/needs/cpus", "detail": "is no number"}], "candidates": []})"));
}

TEST(ApiPool, TellsWhatItIsWhatItCostsAndWhatIsFree) {
  PoolSpec spec;
  spec.name = "a10";
  spec.adapter.type = "modelled";
  spec.modelled = true;
  spec.kind = DeviceKind::kGpu;
  spec.vendor = "nvidia";
  spec.node = {.cpus = MilliCpus(4000), .memory = Bytes(16), .devices = 1};
  spec.nodes = 2;
  Price price{.node_hour = UsdPerHour(1'006'000'000), .as_of = "2026-07-20"};
  const auto json = ParseJson(Text([&](JsonWriter& w) {
    WritePool(w, {.spec = spec, .price = price, .nodes_up = 2, .cpus_free = MilliCpus(1500)});
  }));
  ASSERT_TRUE(json.ok());
  EXPECT_EQ(json->Find("price")->Find("node_hour_usd")->string(), "1.006000000");
  EXPECT_TRUE(json->Find("price")->Find("input_usd_per_mtoken")->is_null());
  EXPECT_EQ(json->Find("free")->Find("cpus")->real(), 1.5);
  EXPECT_EQ(json->Find("node")->Find("devices")->AsInt64(), 1);
  EXPECT_EQ(json->Find("state")->string(), "active");
  EXPECT_TRUE(json->Find("modelled")->boolean());
  EXPECT_TRUE(json->Find("device")->is_null());
}

}  // namespace
}  // namespace spillway
