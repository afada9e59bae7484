#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <map>
#include <set>

#include "tests/simulator/workloads/pulled.h"
#include "tests/support/temporary_folder.h"

namespace spillway {
namespace {

using namespace testing_support;  // NOLINT(google-build-using-namespace): its own
using testing::HasSubstr;

TraceSpec& TraceOf(PartSpec& part) { return std::get<TraceSpec>(part.arrivals); }
PartSpec Azure() {
  return TracePartOf(TraceFormat::kAzureLlm, "azure_llm_2023_conv_first2400s.csv");
}
constexpr std::size_t kAzureRows = 14'176;

TEST(Traces, SeedZeroReplaysThemAsTheyAre) {
  const Workload workload = LoadOrDie({Azure()});
  const auto all = PullAll(workload, 0);
  ASSERT_EQ(all.size(), kAzureRows);
  EXPECT_TRUE(InOrder(all));
  EXPECT_EQ(all[1].at, 4'314'600'000);
  EXPECT_EQ(all[1].prompt_tokens, 396);
  EXPECT_EQ(all[1].truth.output_tokens, 109);
  EXPECT_EQ(all[1].model, "m");
  EXPECT_EQ(all[1].max_tokens, std::nullopt);
  const auto reports = workload.reports();
  EXPECT_EQ(reports[0].trace.rows, 14'176);
  EXPECT_EQ(reports[0].span, absl::Nanoseconds(2'399'964'600'001));
}

TEST(Traces, RateRunsTheirClockFaster) {
  PartSpec part = Azure();
  TraceOf(part).rate = 2;
  const auto all = PullAll(LoadOrDie({part}), 0);
  ASSERT_EQ(all.size(), kAzureRows);
  EXPECT_EQ(all[1].at, 2'157'300'000);
  EXPECT_EQ(all.back().at, 1'199'982'300'000);
  // In ten minutes of the run stand twenty of the trace.
  part.lasts = absl::Minutes(10);
  std::size_t within = 0;
  for (const Arrival& arrival : PullAll(LoadOrDie({Azure()}), 0))
    within += arrival.at < 1200 * kSecond;
  EXPECT_EQ(PullAll(LoadOrDie({part}), 0).size(), within);
}

TEST(Traces, ShareKeepsEachRowWithThatChance) {
  PartSpec part = Azure();
  TraceOf(part).share = 0.25;
  const Workload workload = LoadOrDie({part});
  const auto all = PullAll(workload, 0);
  EXPECT_NEAR(static_cast<double>(all.size()), 0.25 * kAzureRows,
              4 * std::sqrt(0.1875 * kAzureRows));
  EXPECT_GT(all.back().at, 2390 * kSecond) << "the span stays";
}

TEST(Traces, FromAndForCutThem) {
  PartSpec part = Azure();
  TraceOf(part).from = absl::Minutes(10);
  part.lasts = absl::Minutes(5);
  part.after = absl::Minutes(1);
  std::vector<std::int64_t> expected;
  for (const Arrival& arrival : PullAll(LoadOrDie({Azure()}), 0)) {
    if (arrival.at >= 600 * kSecond && arrival.at < 900 * kSecond)
      expected.push_back(arrival.at - 540 * kSecond);
  }
  std::vector<std::int64_t> got;
  for (const Arrival& arrival : PullAll(LoadOrDie({part}), 0)) got.push_back(arrival.at);
  EXPECT_EQ(got, expected);
}

TEST(Traces, MustHaveRowsWhereTheyAreCut) {
  PartSpec part = Azure();
  TraceOf(part).from = absl::Hours(1);
  EXPECT_THAT(std::string(Workload::Load({"w", {part}}).status().message()),
              HasSubstr("no row lies between"));
}

TEST(Traces, MayNameTheirModels) {
  PartSpec part = TracePartOf(TraceFormat::kBurstGpt, "burstgpt_first24.csv");
  part.request.models.clear();
  part.request.max_tokens = 250;
  const Workload workload = LoadOrDie({part});
  const auto all = PullAll(workload, 0);
  ASSERT_EQ(all.size(), 23u);
  EXPECT_EQ(all[2].model, "GPT-4");
  EXPECT_EQ(all[2].max_tokens, 250);
  EXPECT_EQ(all[2].truth.output_tokens, 250);
  part = Azure();
  part.request.models.clear();
  EXPECT_THAT(std::string(Workload::Load({"w", {part}}).status().message()),
              HasSubstr("the part wants the key `model`"));
}

TEST(Traces, BadRowsAreToldBeforeAnythingRuns) {
  TemporaryFolder folder;
  PartSpec part = Azure();
  TraceOf(part).file = folder.Of("bad.csv");
  std::ofstream(TraceOf(part).file)
      << "arrival_s,prompt_tokens,output_tokens\n0,1,1\n1,x,1\n2,1,1\n";
  EXPECT_THAT(std::string(Workload::Load({"w", {part}}).status().message()),
              HasSubstr("bad.csv:3:3: `prompt_tokens` is `x`"));
  TraceOf(part).skip_bad_rows = 1;
  const Workload workload = LoadOrDie({part});
  EXPECT_EQ(PullAll(workload, 0).size(), 2u);
  EXPECT_EQ(workload.reports()[0].trace.bad, 1);
  TraceOf(part).file = folder.Of("none.csv");
  EXPECT_EQ(Workload::Load({"w", {part}}).status().code(), absl::StatusCode::kNotFound);
}

// ---- Moving-block bootstrap

// Every row of a drawn block stands in the trace, with the same distances: so from one row to the
// next, either both move by the same shift, or a new block begins.
TEST(Bootstrap, KeepsBlocksAsTheyWere) {
  const Workload workload = LoadOrDie({Azure()});
  const auto original = PullAll(workload, 0);
  std::multimap<std::pair<std::int64_t, std::int64_t>, std::int64_t> rows;
  for (const Arrival& a : original)
    rows.emplace(std::pair(a.prompt_tokens, a.truth.output_tokens), a.at);
  for (std::uint64_t seed = 1; seed <= 5; ++seed) {
    const auto drawn = PullAll(workload, seed);
    ASSERT_FALSE(drawn.empty());
    EXPECT_TRUE(InOrder(drawn)) << "seed " << seed;
    EXPECT_LT(drawn.back().at, 2400 * kSecond);
    // Eight blocks of 5 min: one shift explains all rows of each.
    for (std::int64_t block = 0; block < 8; ++block) {
      std::set<std::int64_t> shifts;
      bool is_first = true;
      for (const Arrival& a : drawn) {
        if (a.at / (300 * kSecond) != block) continue;
        std::set<std::int64_t> possible;
        const auto [begin, end] = rows.equal_range({a.prompt_tokens, a.truth.output_tokens});
        for (auto row = begin; row != end; ++row) possible.insert(a.at - row->second);
        if (is_first) shifts = possible;
        is_first = false;
        std::erase_if(shifts, [&](std::int64_t shift) { return !possible.contains(shift); });
      }
      EXPECT_EQ(shifts.size(), 1u) << "seed " << seed << ", block " << block;
    }
  }
}

TEST(Bootstrap, KeepsTheLoadAndItsBursts) {
  const Workload workload = LoadOrDie({Azure()});
  std::vector<double> sizes, dispersion;
  for (std::uint64_t seed = 1; seed <= 100; ++seed) {
    const auto drawn = PullAll(workload, seed);
    sizes.push_back(static_cast<double>(drawn.size()));
    const Moments m = MomentsOf(CountsOf(drawn, 30 * kSecond, 80));
    dispersion.push_back(m.variance / m.mean);
  }
  const Moments size = MomentsOf(sizes);
  // Blocks that move favour the middle of the trace a little over its ends.
  EXPECT_NEAR(size.mean, kAzureRows, 0.05 * kAzureRows);
  EXPECT_GT(size.variance, 0);
  EXPECT_GT(MomentsOf(dispersion).mean, 4);
  EXPECT_LT(MomentsOf(dispersion).mean, 10);
}

TEST(Bootstrap, SameSeedSameDay) {
  const Workload workload = LoadOrDie({Azure()});
  const auto first = PullAll(workload, 3), again = PullAll(workload, 3),
             other = PullAll(workload, 4);
  ASSERT_EQ(first.size(), again.size());
  for (std::size_t i = 0; i < first.size(); ++i) ASSERT_EQ(first[i].at, again[i].at);
  EXPECT_NE(first.size(), other.size());
}

TEST(Bootstrap, CanBeSwitchedOff) {
  PartSpec part = Azure();
  TraceOf(part).block = std::nullopt;
  EXPECT_EQ(PullAll(LoadOrDie({part}), 9).size(), kAzureRows);
  TraceOf(part).block = absl::Hours(1);  // longer than the trace
  EXPECT_EQ(PullAll(LoadOrDie({part}), 9).size(), kAzureRows);
}

// ---- Blocks of prompts

TEST(TraceBlocks, AreSharedAsInTheTrace) {
  PartSpec part = TracePartOf(TraceFormat::kMooncake, "mooncake_conversation_first90s.jsonl");
  const Workload workload = LoadOrDie({part});
  const auto all = PullAll(workload, 0);
  ASSERT_EQ(all[0].blocks.size(), 14u);
  EXPECT_EQ(all[0].block_tokens, 512);
  EXPECT_EQ(all[0].blocks[0], all[1].blocks[0]);  // both are id 0
  EXPECT_NE(all[0].blocks[1], all[1].blocks[1]);
}

TEST(TraceBlocks, OfOtherFilesAreOthers) {
  TemporaryFolder folder;
  PartSpec first = TracePartOf(TraceFormat::kMooncake, "mooncake_conversation_first90s.jsonl");
  PartSpec second = first;
  second.name = "copy";
  TraceOf(second).file = folder.Of("copy.jsonl");
  std::ofstream(TraceOf(second).file) << std::ifstream(TraceOf(first).file).rdbuf();
  const Workload workload = LoadOrDie({first, second});
  const auto all = PullAll(workload, 0);
  ASSERT_EQ(all[0].at, all[1].at);
  EXPECT_NE(all[0].blocks[0], all[1].blocks[0]);
}

TEST(TraceBlocks, OfARowThatIsDrawnAgainAreSomebodyElses) {
  TemporaryFolder folder;
  PartSpec part = TracePartOf(TraceFormat::kSpillwayCsv, "");
  TraceOf(part).file = folder.Of("t.csv");
  TraceOf(part).block = absl::Seconds(2);
  std::ofstream file(TraceOf(part).file);
  file << "arrival_s,prompt_tokens,output_tokens,blocks\n";
  for (int i = 0; i < 12; ++i) file << i << "," << 100 + i << ",1,5 " << 1000 + i << "\n";
  file.close();
  const Workload workload = LoadOrDie({part});
  int repeated = 0;
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    std::map<std::int64_t, std::set<std::uint64_t>> first_blocks;
    std::map<std::int64_t, int> times;
    for (const Arrival& arrival : PullAll(workload, seed)) {
      ++times[arrival.prompt_tokens];
      first_blocks[arrival.prompt_tokens].insert(arrival.blocks[0]);
    }
    for (const auto& [row, count] : times) {
      repeated += count > 1;
      EXPECT_EQ(first_blocks[row].size(), static_cast<std::size_t>(count)) << "seed " << seed;
    }
  }
  EXPECT_GT(repeated, 10);
}

// ---- Jobs

TEST(TraceJobs, OpenBPodsAskForWhatTheyHadAndTellNoLength) {
  PartSpec part = TracePartOf(TraceFormat::kOpenB, "openb_pods_default_first600.csv");
  part.request.models.clear();
  part.job.work.priority = 3;
  const Workload workload = LoadOrDie({part});
  const auto all = PullAll(workload, 0);
  ASSERT_EQ(all.size(), 600u);
  const Arrival& pod = all[1];
  EXPECT_EQ(pod.kind, WorkKind::kJob);
  EXPECT_EQ(pod.job->needs.cpus, MilliCpus(6000));
  EXPECT_EQ(pod.job->needs.devices.count, 1);
  EXPECT_DOUBLE_EQ(pod.job->needs.devices.fraction, 0.46);
  EXPECT_EQ(pod.job->priority, 3);
  EXPECT_EQ(pod.job->demand, Demand());
  EXPECT_EQ(pod.truth.run, Demand(DeclaredSeconds{absl::Seconds(12'475'899), ""}));
}

TEST(TraceJobs, GavelWorkersFillNodes) {
  PartSpec part = TracePartOf(TraceFormat::kGavel, "gavel_msr_seed0_2vc.csv");
  part.job.work.needs.devices.count = 4;
  part.job.deadline = absl::Hours(1);
  const Workload workload = LoadOrDie({part});
  std::map<std::pair<int, int>, int> shapes;  // nodes, devices of one
  for (const Arrival& arrival : PullAll(workload, 0)) {
    const Needs& needs = arrival.job->needs;
    ++shapes[{needs.nodes, needs.devices.count}];
    EXPECT_EQ(arrival.job->demand, arrival.truth.run);
    EXPECT_EQ(arrival.job->name, std::get<ClassUnits>(arrival.truth.run).work_class);
    EXPECT_EQ(arrival.job->objective.deadline,
              kStart + absl::Nanoseconds(arrival.at) + absl::Hours(1));
    EXPECT_EQ(arrival.tenant, arrival.job->tenant);
    EXPECT_LE(needs.devices.count, 4);
  }
  EXPECT_GT((shapes[{1, 1}]), 500);
  EXPECT_GT((shapes[{2, 4}]), 0) << "eight workers";
}

// What an alternative took over from the document follows the rows; what it says itself stays.
TEST(TraceJobs, RowsReachTheAlternativesToo) {
  PartSpec part = TracePartOf(TraceFormat::kGavel, "gavel_msr_seed0_2vc.csv");
  part.job.work.needs.devices.count = 4;
  Alternative same{.needs = part.job.work.needs, .demand = part.job.work.demand};
  Alternative on_cpus = same;
  on_cpus.needs.devices.count = 0;
  on_cpus.needs.cpus = MilliCpus(24'000);
  part.job.work.alternatives = {same, on_cpus};
  for (const Arrival& arrival : PullAll(LoadOrDie({part}), 0)) {
    const auto& told = arrival.job->alternatives;
    EXPECT_EQ(told[0].needs, arrival.job->needs);
    EXPECT_EQ(told[0].demand, arrival.job->demand);
    EXPECT_EQ(told[1].needs.devices.count, 0);
    EXPECT_EQ(told[1].needs.cpus, MilliCpus(24'000));
    EXPECT_EQ(told[1].needs.nodes, arrival.job->needs.nodes);
  }
}

}  // namespace
}  // namespace spillway
