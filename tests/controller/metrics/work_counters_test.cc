#include "controller/metrics/work_counters.h"

#include <gtest/gtest.h>

#include "tests/support/router_world.h"

namespace spillway {
namespace {

// Counters and, of histograms, their counts: "name{label=value,...}".
std::map<std::string, double> Values(const prometheus::Registry& registry) {
  std::map<std::string, double> values;
  for (const auto& family : registry.Collect()) {
    for (const auto& metric : family.metric) {
      std::string name = family.name + "{";
      for (const auto& label : metric.label)
        name += (name.back() == '{' ? "" : ",") + label.name + "=" + label.value;
      values[name + "}"] = family.type == prometheus::MetricType::Histogram
                               ? static_cast<double>(metric.histogram.sample_count)
                               : metric.counter.value;
    }
  }
  return values;
}

class WorkCountersTest : public testing::Test {
 protected:
  WorkCountersTest() {
    const FleetSpec fleet = fixtures::DemoFleet();  // local edge-npu gaudi2 xeon-amx a10
    for (std::uint32_t i = 0; i < fleet.pools.size(); ++i) {
      counters.Count(record::PoolRow{.pool = PoolId{i},
                                     .spec = std::make_shared<const PoolSpec>(fleet.pools[i])});
    }
  }
  double At(const std::string& series) {
    const auto values = Values(registry);
    const auto found = values.find(series);
    return found == values.end() ? 0 : found->second;
  }
  static constexpr PoolId kEdge{1}, kA10{4};

  prometheus::Registry registry;
  WorkCounters counters{registry, {.tenants = 2, .classes = 2, .series = 3}};
};

Decision Placed(PoolId chosen, std::vector<std::pair<PoolId, Code>> others) {
  Decision decision{.outcome = Outcome::kPlaced, .chosen = chosen};
  Candidate won{.pool = chosen, .verdict = Verdict::kChosen};
  won.codes.Add(Code::kChosen);
  decision.candidates.push_back(won);
  for (const auto& [pool, code] : others) {
    Candidate other{.pool = pool, .verdict = Verdict::kRefused};
    other.codes.Add(code);
    decision.candidates.push_back(other);
  }
  return decision;
}

TEST_F(WorkCountersTest, NvidiaIsAvoidableWhereAnotherPoolIsAble) {
  const std::string avoidable = "spillway_avoidable_nvidia_placements_total{class=job,pool=a10}";
  counters.Count(Placed(kA10, {{kEdge, Code::kRuntime}}));
  EXPECT_EQ(At(avoidable), 0);  // it cannot
  counters.Count(Placed(kA10, {{kEdge, Code::kCordoned}}));
  EXPECT_EQ(At(avoidable), 1);
  counters.Count(Placed(kA10, {{kEdge, Code::kRule}}));  // only the policy says no
  EXPECT_EQ(At(avoidable), 2);
  counters.Count(Placed(kEdge, {{kA10, Code::kOutranked}}));
  EXPECT_EQ(At(avoidable), 2);
  EXPECT_EQ(At("spillway_placements_total{class=job,kind=gpu,pool=a10,vendor=nvidia}"), 3);
  EXPECT_EQ(At("spillway_placements_total{class=job,kind=npu,pool=edge-npu,vendor=intel}"), 1);
}

TEST_F(WorkCountersTest, OnlyPlacementsCount) {
  Decision waiting{.outcome = Outcome::kWaiting};
  counters.Count(waiting);
  for (const auto& [series, value] : Values(registry))
    EXPECT_EQ(series.find("placements"), std::string::npos) << series;
}

Job Ended(std::string work_class, std::string tenant = "default") {
  Work work = fixtures::SmallJob();
  work.tenant = std::move(tenant);
  work.demand = ClassUnits{std::move(work_class), 1};
  Job job{
      .id = JobId{1}, .work = std::make_shared<const Work>(work), .created_at = absl::UnixEpoch()};
  job.state = JobState::kSucceeded;
  job.started_at = absl::UnixEpoch() + absl::Seconds(2);
  job.finished_at = absl::UnixEpoch() + absl::Seconds(9);
  job.attempts.push_back({.number = 1, .pool = PoolId{1}, .started_at = job.started_at});
  return job;
}

TEST_F(WorkCountersTest, JobsByClassAndPoolUntilTheCap) {
  for (const char* name : {"training", "ocr", "a-third", "a-fourth"})
    counters.CountEnded(Ended(name));
  EXPECT_EQ(At("spillway_job_wait_seconds{pool=edge-npu,work_class=training}"), 1);
  EXPECT_EQ(At("spillway_job_duration_seconds{pool=edge-npu,work_class=ocr}"), 1);
  EXPECT_EQ(At("spillway_job_cost_usd{pool=edge-npu,work_class=other}"), 2);
  Dropped dropped;
  counters.AddDropped(dropped);
  EXPECT_EQ(dropped["work_class"], 2u);
}

TEST_F(WorkCountersTest, ObjectivesByTenantUntilTheCap) {
  for (int i = 0; i < 10; ++i) counters.CountEnded(Ended("ocr", "tenant-" + std::to_string(i)));
  EXPECT_EQ(At("spillway_objectives_total{class=job,outcome=kept,tenant=tenant-0}"), 1);
  EXPECT_EQ(At("spillway_objectives_total{class=job,outcome=kept,tenant=other}"), 8);
}

TEST_F(WorkCountersTest, AClaimThatCameToNothing) {
  Job job = Ended("ocr");
  job.attempts.insert(job.attempts.begin(),
                      {.number = 1, .pool = kA10, .fault = Fault::kInfrastructure});
  counters.CountEnded(job);
  EXPECT_EQ(At("spillway_claim_conflicts_total{class=job,pool=a10}"), 1);
  Request request;
  request.attempts = {{{kEdge, 0}, ForwardFault::kOverloaded}, {{kA10, 0}, ForwardFault::kNone}};
  counters.Count(request, nullptr);
  EXPECT_EQ(At("spillway_claim_conflicts_total{class=request,pool=edge-npu}"), 1);
}

TEST_F(WorkCountersTest, RequestsAreJudgedByTheViewInForce) {
  fixtures::RouterWorld world({fixtures::EnginePool("npu"), fixtures::NvidiaPool("gpu")});
  const auto view = world.View();
  WorkCounters fresh(registry, {});
  for (std::uint32_t i = 0; i < 2; ++i)
    fresh.Count(record::PoolRow{.pool = PoolId{i}, .spec = world.inputs.pools[i].spec});

  Request request;
  request.features = fixtures::ChatRequest();
  request.features.model = "my-name-for-it";
  request.attempts = {{{PoolId{1}, 0}, ForwardFault::kNone}};
  request.answered_by = "chat";
  request.cached_tokens = 640;
  request.ttft = view->Limits(request.features, nullptr).ttft;
  fresh.Count(request, view.get());
  EXPECT_EQ(At("spillway_objectives_total{class=request,outcome=kept,tenant=default}"), 1);
  EXPECT_EQ(At("spillway_avoidable_nvidia_placements_total{class=request,pool=gpu}"), 1);
  EXPECT_EQ(At("spillway_request_models_total{requested=my-name-for-it,served=chat}"), 1);
  EXPECT_EQ(At("spillway_request_cached_tokens_total{model=chat,pool=gpu}"), 640);
  *request.ttft += absl::Nanoseconds(1);
  fresh.Count(request, view.get());
  EXPECT_EQ(At("spillway_objectives_total{class=request,outcome=missed,tenant=default}"), 1);
}

// Cordoned, down or full: it stays a pool that could have had the work.
TEST_F(WorkCountersTest, ARequestIsAvoidableWhereverElseItsModelIsServed) {
  fixtures::RouterWorld world({fixtures::EnginePool("npu"), fixtures::NvidiaPool("gpu"),
                               fixtures::NvidiaPool("other-gpu", 1, "large")});
  world["npu"].state = PoolState::kCordoned;
  const auto view = world.View();
  WorkCounters fresh(registry, {});
  for (std::uint32_t i = 0; i < 3; ++i)
    fresh.Count(record::PoolRow{.pool = PoolId{i}, .spec = world.inputs.pools[i].spec});
  const auto placed = [&](std::uint32_t pool, std::string model) {
    Request request;
    request.features = fixtures::ChatRequest(std::move(model));
    request.attempts = {{{PoolId{pool}, 0}, ForwardFault::kNone}};
    fresh.Count(request, view.get());
  };
  placed(1, "chat");
  placed(2, "large");
  placed(0, "chat");
  EXPECT_EQ(At("spillway_avoidable_nvidia_placements_total{class=request,pool=gpu}"), 1);
  EXPECT_EQ(At("spillway_avoidable_nvidia_placements_total{class=request,pool=other-gpu}"), 0);
  EXPECT_EQ(At("spillway_avoidable_nvidia_placements_total{class=request,pool=npu}"), 0);
}

}  // namespace
}  // namespace spillway
