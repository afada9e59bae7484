#include "simulator/replay/rerun.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>

#include "simulator/replay/recorded_work.h"
#include "simulator/replay/redecide.h"
#include "simulator/replay/replay_report.h"
#include "tests/simulator/replay/listed_log.h"
#include "tests/simulator/sim_world.h"
#include "tests/support/fleets.h"

namespace spillway {
namespace {

using testing::Contains;
using testing::HasSubstr;

// A log whose requests came and went as in a run of the simulator: what is run again from it must
// come out as that run did.
std::unique_ptr<fixtures::World> Lived(CellOutcome& as_lived, int requests = 300) {
  const auto config = ConfigOf(kTwoPools);
  ScenarioSpec scenario = PlainScenario();
  scenario.start = absl::FromUnixSeconds(1'790'000'000);
  ListedArrivals arrivals(PoissonChats(requests, 3, 400, 100, 5));
  std::vector<Request> ended;
  auto cell = RunCell({.config = config,
                       .scenario = &scenario,
                       .arrivals = &arrivals,
                       .on_request = [&](const Request& request) { ended.push_back(request); }});
  EXPECT_TRUE(cell.ok()) << cell.status();
  as_lived = *cell;
  auto world = std::make_unique<fixtures::World>(*config, scenario.start);
  for (std::uint32_t p = 0; p < 2; ++p) {
    for (int e = 0; e < 2; ++e) world->Give(event::EndpointSeen{{PoolId{p}, e}, true, {}});
  }
  for (const Request& request : ended) {
    world->RunUntil(request.ended);
    world->Give(event::RequestsEnded{{std::make_shared<const Request>(request)}});
  }
  return world;
}

RecordedPast PastOf(const fixtures::World& world) {
  ListedLog log(world);
  auto config = LastConfig(log);
  EXPECT_TRUE(config.ok()) << config.status();
  PastCollector collector(log.extent(), *config);
  std::optional<RecordedPast> past;
  const auto done = Redecide(log, {.on_fold = [&](const Event& event, const Reply& reply,
                                                  const Effects& effects, const Brain& brain) {
                               collector.Hear(event, reply, effects, brain);
                               if (event.number == log.extent().last) {
                                 auto taken = collector.Take(brain);
                                 EXPECT_TRUE(taken.ok()) << taken.status();
                                 if (taken.ok()) past = *std::move(taken);
                               }
                             }});
  EXPECT_TRUE(done.ok()) << done.status();
  EXPECT_TRUE(past.has_value());
  return past ? *std::move(past) : RecordedPast();
}

Rerun Again(const RecordedPast& past, const ReplayChange& change = {}) {
  auto rerun = RunAgain(past, change);
  EXPECT_TRUE(rerun.ok()) << rerun.status();
  return rerun.ok() ? *std::move(rerun) : Rerun();
}

TEST(RunAgain, WhatTheSimulatorRecordedItRepeats) {
  CellOutcome lived;
  const auto world = Lived(lived);
  const RecordedPast past = PastOf(*world);
  EXPECT_EQ(past.outcome.completed, lived.completed);
  EXPECT_EQ(past.work->requests.size(), 300u);
  const Rerun rerun = Again(past);
  const BackTest& test = rerun.back_test;
  EXPECT_NEAR(test.ttft_mean.recorded, lived.ttft.mean, 1e-9);
  EXPECT_LT(test.latency_mean.error(), 1e-9);
  EXPECT_LT(test.latency_p99.error(), 1e-9);
  EXPECT_LT(test.worst_share_gap(), 1e-9);
  EXPECT_LT(test.cost.error(), 1e-3) << test.cost.recorded << " " << test.cost.simulated;
  EXPECT_NEAR(test.cost.recorded, static_cast<double>(lived.cost.value()) * 1e-9, 1e-4);
  EXPECT_EQ(rerun.outcome.rows.size(), 1u);
  EXPECT_TRUE(rerun.outcome.rows[0].is_baseline);
}

TEST(RunAgain, AtTwiceThePricesTheBillIsTwice) {
  CellOutcome lived;
  const auto world = Lived(lived);
  const RecordedPast past = PastOf(*world);
  ReplayChange change;
  change.prices_file = "dear.yaml";
  // Dated long after the record: they hold from its beginning, and that is said.
  const absl::Time later = past.end + absl::Hours(1000);
  change.prices = PricesSpec{{{"xeon", later, {.node_hour = UsdPerHour(1'428'000'000)}},
                              {"a10", later, {.node_hour = UsdPerHour(2'012'000'000)}}}};
  const Rerun rerun = Again(past, change);
  ASSERT_EQ(rerun.outcome.rows.size(), 2u);
  const RowOutcome &base = rerun.outcome.rows[0], &other = rerun.outcome.rows[1];
  EXPECT_EQ(base.fleet, "recorded config");
  EXPECT_EQ(other.fleet, "changed");
  EXPECT_FALSE(other.is_baseline);
  EXPECT_NEAR(other.cost.mean, 2 * base.cost.mean, 1e-6 * base.cost.mean);
  EXPECT_NEAR(other.saving->mean, -1, 1e-6);
  EXPECT_THAT(rerun.outcome.verdict, HasSubstr("the prices of dear.yaml"));
  EXPECT_THAT(rerun.outcome.verdict, HasSubstr("100.0 % more"));
  EXPECT_THAT(rerun.outcome.verdict, HasSubstr("(± "));
  EXPECT_THAT(rerun.notes, Contains(HasSubstr("the first price of xeon is dated")));
}

TEST(RunAgain, AnotherPolicySendsItElsewhere) {
  CellOutcome lived;
  const auto world = Lived(lived);
  const RecordedPast past = PastOf(*world);
  ReplayChange change;
  change.policy = past.config->policy;
  change.policy->name = "a10-only";
  RuleSpec only;
  only.name = "all";
  PoolSelector a10;
  a10.name = {"a10"};
  only.claim = {a10};
  change.policy->rules = {only};
  const Rerun rerun = Again(past, change);
  EXPECT_EQ(rerun.outcome.cells[1].nvidia_share, 1);
  EXPECT_LT(rerun.outcome.cells[0].nvidia_share, 1);
  EXPECT_THAT(rerun.outcome.verdict, HasSubstr("the policy a10-only"));
  EXPECT_EQ(rerun.scenario.pairs.size(), 2u);
}

// Rankings have inputs, and no tokens: how many they were is what counts.
TEST(RecordedRequests, OfAModelWithoutTokensKeepTheirItems) {
  RecordedWork work;
  RecordedRequests recorded(work);
  Request page;
  page.features.kind = ModelKind::kBatch;
  page.features.model = page.answered_by = "ranking";
  page.features.arrived = absl::UnixEpoch() + absl::Seconds(1);
  page.features.prompt_bytes = 50'000;
  page.features.items = 7;
  page.end = RequestEnd::kAnswered;
  recorded.Add(page, absl::UnixEpoch());
  recorded.Finish();
  EXPECT_EQ(recorded.assumed(), 0) << "no answer has a length";
  const auto stream = Replayed(std::make_shared<const RecordedWork>(work));
  Arrival arrival;
  ASSERT_TRUE(stream->Next(arrival));
  EXPECT_EQ(arrival.items, 7);
  EXPECT_EQ(arrival.prompt_tokens, 0);
  EXPECT_EQ(arrival.truth.output_tokens, 0);
}

TEST(RunAgain, WorkThatIsLeftUndoneSavesNothing) {
  Config config;
  config.fleet = fixtures::DemoFleet();
  fixtures::World world(config);
  for (int i = 0; i < 5; ++i) {
    Work work;
    work.run.command = {"true"};
    work.demand = DeclaredSeconds{absl::Seconds(10), ""};
    world.Submit(work);
    world.RunFor(absl::Minutes(1));
  }
  const RecordedPast past = PastOf(world);
  ReplayChange change;
  change.policy = past.config->policy;
  RuleSpec only;
  only.name = "all";
  PoolSelector nvidia;
  nvidia.vendor = {"nvidia"};  // its pool takes no job without devices
  only.claim = {nvidia};
  change.policy->rules = {only};
  const Rerun rerun = Again(past, change);
  EXPECT_EQ(rerun.outcome.cells[1].refused, 5);
  EXPECT_EQ(rerun.outcome.rows[1].label, LoadLabel::kOverloaded);
  EXPECT_THAT(rerun.outcome.verdict,
              HasSubstr("would have left 5 of 5 pieces of work undone (0 under the recorded "
                        "configuration)"));
  EXPECT_THAT(rerun.outcome.verdict, testing::Not(HasSubstr(" less")));
}

TEST(RunAgain, JobsTakeWhatTheyTook) {
  Config config;
  config.fleet = fixtures::DemoFleet();
  fixtures::World world(config);
  world.fate = [](const command::Launch&) { return fixtures::Fate{absl::Seconds(120)}; };
  for (int i = 0; i < 5; ++i) {
    Work work;
    work.name = "job";
    work.run.command = {"true"};
    work.needs.cpus = MilliCpus(1000);
    work.demand = DeclaredSeconds{absl::Seconds(10), ""};  // it says less than it takes
    world.Submit(work);
    world.RunFor(absl::Minutes(10));
  }
  const RecordedPast past = PastOf(world);
  ASSERT_EQ(past.work->jobs.size(), 5u);
  const Rerun rerun = Again(past);
  EXPECT_NEAR(rerun.back_test.turnaround_mean.recorded, 120, 0.5);
  EXPECT_LT(rerun.back_test.turnaround_mean.error(), 0.01);
  EXPECT_LT(rerun.back_test.cost.error(), 0.01);
}

TEST(PastCollector, SaysWhatWillNotBeRepeated) {
  CellOutcome lived;
  const auto world = Lived(lived, 20);
  Request broken = *std::get<event::RequestsEnded>(world->log.back().body).requests.front();
  broken.end = RequestEnd::kClientGone;
  broken.output_tokens.reset();
  broken.prompt_tokens.reset();
  broken.features.pin = "a10";
  Request whole = *std::get<event::RequestsEnded>(world->log.back().body).requests.front();
  whole.ttft.reset();
  world->Give(event::RequestsEnded{{std::make_shared<const Request>(whole)}});
  world->Give(event::PoolStateSet{PoolId{0}, PoolState::kDraining});
  world->Give(event::RequestsEnded{{std::make_shared<const Request>(broken)}});
  world->Restart();
  const RecordedPast past = PastOf(*world);
  EXPECT_THAT(past.notes, Contains(HasSubstr("1 restarts")));
  EXPECT_THAT(past.notes, Contains(HasSubstr("1 times a pool was cordoned")));
  EXPECT_THAT(past.notes, Contains(HasSubstr("1 requests were pinned")));
  EXPECT_THAT(past.notes, Contains(HasSubstr("1 requests were not streamed")));
  EXPECT_THAT(past.notes, Contains(HasSubstr("1 requests have no whole answer")));
  for (const RecordedRequest& request : past.work->requests) {
    EXPECT_GT(request.prompt_tokens, 0);
    EXPECT_GT(request.output_tokens, 0);
  }
}

TEST(PastCollector, TheConfigurationIsTheOneThatWasReadLast) {
  CellOutcome lived;
  const auto world = Lived(lived, 20);
  Config now = world->config();
  now.fleet.aliases["fast"] = {"qwen2-7b"};
  now.tenants.tenants.push_back({.name = "red"});
  ASSERT_TRUE(world->Give(event::FileRead{std::make_shared<const Config>(now)}).status.ok());
  const RecordedPast past = PastOf(*world);
  EXPECT_TRUE(past.config->fleet.aliases.contains("fast"));
  EXPECT_EQ(past.config->tenants.tenants.size(), 1u);
  EXPECT_THAT(past.notes, Contains(HasSubstr("1 times the configuration was read again")));
}

TEST(ReplayReport, SaysWhatDiffersAndWhatIsMissing) {
  ReplayReport report;
  report.redecided.log = {.first = EventNumber{40}, .last = EventNumber{90}};
  report.redecided.decisions = {.equal = 3, .differing = 12, .not_redone = 2};
  report.redecided.first = {{"dec-000017", "pool: recorded a10, now xeon"}};
  const std::string text = ReplayText(report);
  EXPECT_THAT(text, HasSubstr("begins with event 40"));
  EXPECT_THAT(text, HasSubstr("15 decided again, 3 equal, 12 differing"));
  EXPECT_THAT(text, HasSubstr("dec-000017: pool: recorded a10, now xeon"));
  EXPECT_THAT(text, HasSubstr("and 11 more"));
  EXPECT_THAT(ReplayJson(report), HasSubstr(R"("all_equal":false)"));
}

}  // namespace
}  // namespace spillway
