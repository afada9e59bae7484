// Generators hold what they promise: counts within four standard errors at fixed seeds.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <numbers>

#include "tests/simulator/workloads/pulled.h"

namespace spillway {
namespace {

using namespace testing_support;  // NOLINT(google-build-using-namespace): its own

constexpr absl::Duration kLong = absl::Hours(10);
constexpr double kSeconds = 36'000;

double CountOf(const ArrivalSpec& arrivals, std::uint64_t seed) {
  return static_cast<double>(PullAll(LoadOrDie({RequestPart(arrivals, kLong)}), seed).size());
}

TEST(Generators, PoissonCountsVaryLikeTheirMean) {
  const auto all = PullAll(LoadOrDie({RequestPart(PoissonSpec{5}, kLong)}), 1);
  EXPECT_TRUE(InOrder(all));
  EXPECT_NEAR(static_cast<double>(all.size()), 5 * kSeconds, 4 * std::sqrt(5 * kSeconds));
  const Moments m = MomentsOf(CountsOf(all, 30 * kSecond, 1200));
  EXPECT_NEAR(m.variance / m.mean, 1, 4 * std::sqrt(2.0 / 1200));
}

// A renewal process: counts over long windows vary cv^2 times as much as their mean, gaps cv times.
TEST(Generators, GammaGapsHaveTheirMeanAndVariation) {
  for (const double cv : {0.3, 1.0, 2.5}) {
    const auto all = PullAll(LoadOrDie({RequestPart(GammaSpec{5, cv}, kLong)}), 2);
    std::vector<double> gaps;
    for (std::size_t i = 1; i < all.size(); ++i)
      gaps.push_back(static_cast<double>(all[i].at - all[i - 1].at) / kSecond);
    const Moments m = MomentsOf(gaps);
    EXPECT_NEAR(m.mean, 0.2, 4 * 0.2 * cv / std::sqrt(gaps.size())) << "cv " << cv;
    EXPECT_NEAR(std::sqrt(m.variance) / m.mean, cv, 0.03 * cv) << "cv " << cv;
  }
}

// However bursty, a short run is not given more than its rate: the first gap was already going on.
TEST(Generators, GammaHasNoRushAtTheStart) {
  const Workload workload = LoadOrDie({RequestPart(GammaSpec{1, 5}, absl::Seconds(10))});
  std::vector<double> counts;
  for (std::uint64_t seed = 1; seed <= 4000; ++seed)
    counts.push_back(static_cast<double>(PullAll(workload, seed).size()));
  const Moments m = MomentsOf(counts);
  EXPECT_NEAR(m.mean, 10, 4 * std::sqrt(m.variance / 4000));
}

TEST(Generators, OnOffIsBusyForItsShareOfTime) {
  const OnOffSpec spec{absl::Seconds(30), absl::Seconds(90), 20, 1};
  const auto all = PullAll(LoadOrDie({RequestPart(spec, kLong)}), 3);
  const double mean = (20 * 30 + 1 * 90) / 120.0;
  // Variance of the busy time over T: 2 T (on off)^2 / (on + off)^3.
  const double busy = std::sqrt(2 * kSeconds * 2700.0 * 2700.0 / (120.0 * 120 * 120));
  EXPECT_NEAR(static_cast<double>(all.size()), mean * kSeconds, 4 * 19 * busy);
  const Moments m = MomentsOf(CountsOf(all, 30 * kSecond, 1200));
  EXPECT_GT(m.variance / m.mean, 50) << "bursts";
  EXPECT_EQ(PullAll(LoadOrDie({RequestPart(OnOffSpec{absl::Seconds(1), absl::Seconds(1), 5, 0},
                                           absl::Hours(1))}),
                    1)
                .empty(),
            false);
}

TEST(Generators, DiurnalFollowsItsCosine) {
  const DiurnalSpec spec{10, 18, absl::Hours(10), absl::Hours(3)};
  const auto all = PullAll(LoadOrDie({RequestPart(spec, kLong)}), 4);
  const auto counts = CountsOf(all, 1800 * kSecond, 20);
  for (std::size_t i = 0; i < counts.size(); ++i) {
    // The mean of the cosine over the half hour.
    const double w = 2 * std::numbers::pi / 36'000, from = 1800.0 * i - 10'800, to = from + 1800;
    const double expected = 1800 * 10 + 8 * (std::sin(w * to) - std::sin(w * from)) / w;
    EXPECT_NEAR(counts[i], expected, 4 * std::sqrt(expected)) << "half hour " << i;
  }
}

TEST(Generators, BeginAndEndWhenTheySay) {
  PartSpec part = RequestPart(PoissonSpec{5}, absl::Minutes(10));
  part.after = absl::Minutes(20);
  const auto all = PullAll(LoadOrDie({part}), 1);
  ASSERT_FALSE(all.empty());
  EXPECT_GE(all.front().at, 1200 * kSecond);
  EXPECT_LT(all.back().at, 1800 * kSecond);
  EXPECT_NEAR(static_cast<double>(all.size()), 3000, 4 * std::sqrt(3000));
}

TEST(Generators, RareArrivalsEnd) {
  EXPECT_EQ(CountOf(PoissonSpec{1e-300}, 1), 0);
  EXPECT_EQ(CountOf(GammaSpec{1e-300, 100}, 1), 0);
  EXPECT_EQ(CountOf(OnOffSpec{absl::Nanoseconds(1), absl::Hours(876'000), 1, 0}, 1), 0);
  EXPECT_EQ(CountOf(DiurnalSpec{1e-300, 1e-300}, 1), 0);
}

// A crowd at an instant: nothing of it before, a straight climb, half as many after each `half`.
TEST(Generators, ASurgeClimbsAndDiesAway) {
  DiurnalSpec spec{20, 20};
  spec.surge = SurgeSpec{400, absl::Seconds(600), absl::Seconds(100), absl::Seconds(200)};
  const auto all = PullAll(LoadOrDie({RequestPart(spec, absl::Seconds(2000))}), 6);
  const auto counts = CountsOf(all, 100 * kSecond, 20);
  for (std::size_t i = 0; i < counts.size(); ++i) {
    const double from = 100.0 * static_cast<double>(i);
    double expected = 2000;
    if (from == 500) expected += 400 * 100 / 2.0;
    const double tau = 200 / std::numbers::ln2;
    if (from >= 600)
      expected += 400 * tau * (std::exp(-(from - 600) / tau) - std::exp(-(from - 500) / tau));
    EXPECT_NEAR(static_cast<double>(counts[i]), expected, 4 * std::sqrt(expected)) << i;
  }
}

TEST(Generators, SameSeedSameArrivalsOtherSeedOthers) {
  const Workload workload = LoadOrDie({RequestPart(GammaSpec{5, 2}, absl::Hours(1))});
  const auto first = PullAll(workload, 7), again = PullAll(workload, 7),
             other = PullAll(workload, 8);
  ASSERT_EQ(first.size(), again.size());
  for (std::size_t i = 0; i < first.size(); ++i) EXPECT_EQ(first[i].at, again[i].at);
  EXPECT_NE(first[0].at, other[0].at);
}

// The numbers themselves: another library, compiler or machine must not change them.
TEST(Generators, AreTheSameEverywhere) {
  PartSpec part = RequestPart(PoissonSpec{5}, absl::Hours(1));
  part.request.prompt_tokens =
      LengthSpec{.shape = LengthShape::kLognormal, .p50 = 500, .p99 = 4000};
  const auto poisson = PullAll(LoadOrDie({part}), 1);
  EXPECT_EQ(poisson[0].at, 756'547'747);
  EXPECT_EQ(poisson[100].at, 19'634'346'959);
  EXPECT_EQ(poisson[100].prompt_tokens, 336);
  part.arrivals = GammaSpec{5, 2};
  EXPECT_EQ(PullAll(LoadOrDie({part}), 1)[100].at, 23'789'574'892);
}

// One stream of chance a process: longer prompts do not shift who arrives when.
TEST(Generators, LengthsDoNotShiftArrivals) {
  PartSpec part = RequestPart(PoissonSpec{5}, absl::Hours(1));
  const auto constant = PullAll(LoadOrDie({part}), 1);
  part.request.prompt_tokens = LengthSpec{.shape = LengthShape::kLognormal, .p50 = 9, .p99 = 99};
  part.request.models = {{"a", 0.5}, {"b", 0.5}};
  const auto drawn = PullAll(LoadOrDie({part}), 1);
  ASSERT_EQ(constant.size(), drawn.size());
  for (std::size_t i = 0; i < drawn.size(); ++i) EXPECT_EQ(constant[i].at, drawn[i].at);
}

TEST(Generators, ModelsGetTheirShares) {
  PartSpec part = RequestPart(PoissonSpec{5}, kLong);
  part.request.models = {{"small", 0.7}, {"large", 0.2}, {"huge", 0.1}};
  std::map<std::string_view, double> counts;
  const Workload workload = LoadOrDie({part});
  const auto all = PullAll(workload, 1);
  const auto total = static_cast<double>(all.size());
  for (const Arrival& arrival : all) counts[arrival.model] += 1;
  for (const auto& [model, share] : part.request.models) {
    EXPECT_NEAR(counts[model], share * total, 4 * std::sqrt(share * (1 - share) * total)) << model;
  }
}

TEST(Generators, SayWhatTheyWereToldTo) {
  PartSpec part = RequestPart(PoissonSpec{5}, absl::Minutes(1));
  part.tenant = "web";
  part.request.max_tokens = 4;
  part.request.shared_prefix = 600;
  part.request.prompt_tokens = LengthSpec{.constant = 550};
  part.request.ttft = absl::Seconds(1);
  part.request.items = LengthSpec{.constant = 3};
  const Workload workload = LoadOrDie({part});
  const auto all = PullAll(workload, 1);
  const Arrival &first = all[0], &second = all[1];
  EXPECT_EQ(first.kind, WorkKind::kRequest);
  EXPECT_EQ(first.tenant, "web");
  EXPECT_EQ(first.items, 3);
  EXPECT_EQ(first.max_tokens, 4);
  EXPECT_EQ(first.truth.output_tokens, 4) << "an answer ends where the client said";
  EXPECT_EQ(first.ttft, absl::Seconds(1));
  EXPECT_EQ(first.tpot, std::nullopt);
  EXPECT_EQ(first.blocks.size(), 2u) << "whole blocks of 256 tokens of a prompt of 550";
  EXPECT_EQ(first.block_tokens, 256);
  EXPECT_EQ(first.blocks, second.blocks);
  EXPECT_EQ(first.session, 0u);
}

PartSpec JobPart() {
  PartSpec part{.name = "jobs", .arrivals = PoissonSpec{1.0 / 60}, .lasts = absl::Hours(100)};
  part.makes_jobs = true;
  part.job.work.name = "train";
  part.job.work.demand = ClassUnits{"train-resnet50", 7};
  return part;
}

TEST(GeneratedJobs, AreOneDocumentWhereTheyDoNotDiffer) {
  const Workload workload = LoadOrDie({JobPart()});
  const auto all = PullAll(workload, 1);
  EXPECT_NEAR(static_cast<double>(all.size()), 6000, 4 * std::sqrt(6000));
  EXPECT_EQ(all[0].kind, WorkKind::kJob);
  EXPECT_EQ(all[0].job, all[1].job);
  EXPECT_EQ(all[0].tenant, "default");
  EXPECT_EQ(all[0].truth.run, Demand(ClassUnits{"train-resnet50", 7}));
  EXPECT_EQ(all[0].job->demand, all[0].truth.run);
}

TEST(GeneratedJobs, DrawTheirUnitsAndTellThemOnlyIfDeclared) {
  PartSpec part = JobPart();
  part.job.units = LengthSpec{.shape = LengthShape::kQuantiles, .quantiles = {{0, 10}, {1, 20}}};
  part.job.declared = false;
  part.job.deadline = absl::Hours(4);
  const Workload workload = LoadOrDie({part});
  std::vector<double> units;
  for (const Arrival& arrival : PullAll(workload, 1)) {
    const auto& truth = std::get<ClassUnits>(arrival.truth.run);
    EXPECT_EQ(truth.work_class, "train-resnet50");
    units.push_back(truth.units);
    EXPECT_EQ(arrival.job->demand, Demand());
    EXPECT_EQ(arrival.job->objective.deadline,
              kStart + absl::Nanoseconds(arrival.at) + absl::Hours(4));
  }
  EXPECT_NEAR(MomentsOf(units).mean, 15, 4 * 10 / std::sqrt(12.0 * 6000));
}

TEST(GeneratedJobs, RunForWhatTheyDraw) {
  PartSpec part = JobPart();
  part.job.work.demand = DeclaredSeconds{absl::Seconds(1), "xeon"};
  part.job.duration = LengthSpec{.constant = 90};
  const auto all = PullAll(LoadOrDie({part}), 1);
  EXPECT_EQ(all[0].truth.run, Demand(DeclaredSeconds{absl::Seconds(90), "xeon"}));
  EXPECT_EQ(all[0].job->demand, all[0].truth.run);
}

// Pools that an alternative speaks of are asked about the job that came, not about the document.
TEST(GeneratedJobs, TellTheirAlternativesWhatTheyDrew) {
  PartSpec part = JobPart();
  part.job.units = LengthSpec{.constant = 700};
  part.job.deadline = absl::Hours(4);
  Alternative same, halves, seconds;
  same.demand = part.job.work.demand;
  halves.demand = ClassUnits{"halves", 14};
  seconds.demand = DeclaredSeconds{absl::Seconds(3), ""};
  part.job.work.alternatives = {same, halves, seconds};
  const auto all = PullAll(LoadOrDie({part}), 1);
  const auto& told = all[0].job->alternatives;
  EXPECT_EQ(told[0].demand, Demand(ClassUnits{"train-resnet50", 700}));
  EXPECT_EQ(told[1].demand, Demand(ClassUnits{"halves", 1400}));
  EXPECT_EQ(told[2].demand, seconds.demand);
  for (const Alternative& other : told)
    EXPECT_EQ(other.objective.deadline, kStart + absl::Nanoseconds(all[0].at) + absl::Hours(4));

  part.job.declared = false;
  const auto undeclared = PullAll(LoadOrDie({part}), 1);
  for (const Alternative& other : undeclared[0].job->alternatives)
    EXPECT_EQ(other.demand, Demand());
}

TEST(GeneratedJobs, TellTheirAlternativesHowLongTheyRun) {
  PartSpec part = JobPart();
  part.job.work.demand = DeclaredSeconds{absl::Seconds(2), "xeon"};
  part.job.duration = LengthSpec{.constant = 90};
  Alternative faster;
  faster.demand = DeclaredSeconds{absl::Seconds(1), ""};
  part.job.work.alternatives = {faster};
  const auto all = PullAll(LoadOrDie({part}), 1);
  EXPECT_EQ(all[0].job->alternatives[0].demand, Demand(DeclaredSeconds{absl::Seconds(45), ""}));
}

}  // namespace
}  // namespace spillway
