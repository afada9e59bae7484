#include "controller/metrics/record_counters.h"

#include <gtest/gtest.h>

#include "tests/support/fleets.h"

namespace spillway {
namespace {

std::map<std::string, double> Values(const RecordCounters& counters) {
  std::vector<prometheus::MetricFamily> families;
  FamilyWriter w(families);
  counters.Write(w);
  std::map<std::string, double> values;
  for (const auto& family : families) {
    for (const auto& metric : family.metric) {
      std::string name = family.name + "{";
      for (const auto& label : metric.label)
        name += (name.back() == '{' ? "" : ",") + label.name + "=" + label.value;
      values[name + "}"] = metric.counter.value;
    }
  }
  return values;
}

RecordCounters WithPools(RecordCounters::Caps caps = {}) {
  RecordCounters counters(caps);
  const FleetSpec fleet = fixtures::DemoFleet();
  for (std::uint32_t i = 0; i < fleet.pools.size(); ++i) {
    counters.Count(record::PoolRow{.pool = PoolId{i},
                                   .spec = std::make_shared<const PoolSpec>(fleet.pools[i])});
  }
  return counters;
}

record::JobRow Ended(std::uint64_t id, JobState state, std::string tenant = "default") {
  Work work = fixtures::SmallJob();
  work.tenant = std::move(tenant);
  record::JobRow row{.job = {.id = JobId{id}, .work = std::make_shared<const Work>(work)}};
  row.job.state = state;
  row.job.attempts.push_back({.number = 1, .pool = PoolId{0}});
  return row;
}

TEST(RecordCounters, AJobEndsOnce) {
  RecordCounters counters = WithPools();
  counters.Count(Ended(1, JobState::kRunning));
  counters.Count(Ended(1, JobState::kSucceeded));
  counters.Count(Ended(1, JobState::kSucceeded));
  counters.Count(Ended(2, JobState::kFailed));
  const auto values = Values(counters);
  EXPECT_EQ(values.at("spillway_jobs_total{kind=job,pool=local,tenant=default,outcome=succeeded}"),
            1);
  EXPECT_EQ(values.at("spillway_jobs_total{kind=job,pool=local,tenant=default,outcome=failed}"), 1);
}

TEST(RecordCounters, DecisionsRefusalsAndSpillsAreCounted) {
  RecordCounters counters = WithPools();
  Decision decision{.work = JobId{1}, .outcome = Outcome::kPlaced, .chosen = PoolId{3}};
  const auto candidate = [](std::uint32_t pool, Verdict verdict, Code code, int position) {
    Candidate c{.pool = PoolId{pool}, .verdict = verdict};
    c.codes.Add(code);
    c.position = static_cast<std::int16_t>(position);
    return c;
  };
  decision.candidates = {candidate(0, Verdict::kRefused, Code::kTooLate, 0),
                         candidate(1, Verdict::kRefused, Code::kMemory, -1),
                         candidate(3, Verdict::kChosen, Code::kChosen, 1),
                         candidate(4, Verdict::kOutranked, Code::kOutranked, 2)};
  counters.Count(record::DecisionRow{std::make_shared<const Decision>(decision)});
  const auto values = Values(counters);
  EXPECT_EQ(values.at("spillway_decisions_total{rule=none,pool=xeon-amx,code=chosen}"), 1);
  EXPECT_EQ(values.at("spillway_spillover_total{from=local,to=xeon-amx}"), 1);
  EXPECT_EQ(values.at("spillway_refusals_total{pool=local,code=too_late}"), 1);
  EXPECT_EQ(values.at("spillway_refusals_total{pool=edge-npu,code=memory}"), 1);
}

TEST(RecordCounters, ARefusedSubmissionIsAnOutcomeToo) {
  RecordCounters counters = WithPools();
  Decision decision{.tenant = "default", .outcome = Outcome::kRefused};
  counters.Count(record::DecisionRow{std::make_shared<const Decision>(decision)});
  EXPECT_EQ(
      Values(counters).at("spillway_jobs_total{kind=job,pool=none,tenant=default,outcome=refused}"),
      1);
}

TEST(RecordCounters, ManyTenantsCannotMakeManySeries) {
  RecordCounters counters = WithPools({.tenants = 10});
  for (std::uint64_t t = 0; t < 1000; ++t)
    counters.Count(Ended(t + 1, JobState::kSucceeded, "tenant-" + std::to_string(t)));
  const auto values = Values(counters);
  EXPECT_LT(values.size(), 30u);
  EXPECT_EQ(values.at("spillway_jobs_total{kind=job,pool=local,tenant=other,outcome=succeeded}"),
            990);
  Dropped dropped;
  counters.AddDropped(dropped);
  EXPECT_EQ(dropped["tenant"], 990u);
}

}  // namespace
}  // namespace spillway
