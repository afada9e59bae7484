#include "simulator/workloads/workload.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>
#include <thread>

#include "core/status.h"
#include "formats/file_text.h"
#include "formats/workload_file.h"
#include "tests/simulator/workloads/pulled.h"

namespace spillway {
namespace {

using namespace testing_support;  // NOLINT(google-build-using-namespace): its own

std::vector<PartSpec> ThreeParts() {
  PartSpec trace = TracePartOf(TraceFormat::kMooncake, "mooncake_conversation_first90s.jsonl");
  PartSpec poisson = RequestPart(PoissonSpec{20}, absl::Seconds(60));
  PartSpec jobs{.name = "jobs", .arrivals = PoissonSpec{0.5}, .lasts = absl::Minutes(2)};
  jobs.makes_jobs = true;
  jobs.job.work.demand = DeclaredSeconds{absl::Seconds(5), ""};
  return {trace, poisson, jobs};
}

// A mix is its parts, each as it is alone, in the order of time; ties go to the first part.
TEST(Mixes, AreTheirPartsInOrderOfTime) {
  const auto parts = ThreeParts();
  const Workload mix = LoadOrDie(parts);
  for (std::uint64_t seed = 0; seed < 5; ++seed) {
    const auto all = PullAll(mix, seed);
    for (std::size_t i = 1; i < all.size(); ++i) {
      EXPECT_LE(std::pair(all[i - 1].at, all[i - 1].part), std::pair(all[i].at, all[i].part))
          << "seed " << seed;
    }
    for (std::uint32_t part = 0; part < parts.size(); ++part) {
      std::vector<std::pair<std::int64_t, std::int64_t>> mixed, alone;
      for (const Arrival& a : all) {
        if (a.part == part) mixed.emplace_back(a.at, a.prompt_tokens);
      }
      for (const Arrival& a : PullAll(LoadOrDie({parts[part]}), seed))
        alone.emplace_back(a.at, a.prompt_tokens);
      EXPECT_EQ(mixed, alone) << "seed " << seed << ", part " << part;
    }
  }
}

// What is pulled into one arrival again and again leaves nothing behind of the one before.
TEST(Mixes, LeaveNothingBehindInAnArrival) {
  const Workload mix = LoadOrDie(ThreeParts());
  for (const Arrival& arrival : PullAll(mix, 1)) {
    const bool is_job = arrival.part == 2;
    EXPECT_EQ(arrival.kind == WorkKind::kJob, is_job);
    EXPECT_EQ(arrival.job != nullptr, is_job);
    EXPECT_EQ(arrival.model.empty(), is_job);
    EXPECT_EQ(arrival.truth.output_tokens > 0, !is_job);
    EXPECT_EQ(arrival.truth.run == Demand(), !is_job);
    EXPECT_EQ(arrival.blocks.empty(), arrival.part != 0);
  }
}

TEST(Workloads, MayBeRunByManyThreadsAtOnce) {
  const Workload mix = LoadOrDie(ThreeParts());
  std::vector<std::vector<Arrival>> all(4);
  std::vector<std::thread> threads;
  for (std::vector<Arrival>& one : all)
    threads.emplace_back([&mix, &one] { one = PullAll(mix, 5); });
  for (std::thread& thread : threads) thread.join();
  for (const std::vector<Arrival>& one : all) {
    ASSERT_EQ(one.size(), all[0].size());
    for (std::size_t i = 0; i < one.size(); ++i) {
      EXPECT_EQ(one[i].at, all[0][i].at);
      EXPECT_EQ(one[i].blocks, all[0][i].blocks);
    }
  }
}

// The YAML of docs/workloads.md names files that come with Spillway: every workload of it runs.
TEST(Workloads, OfTheDocumentationRun) {
  const auto page = ReadTextFile(SPILLWAY_SOURCE_DIR "/docs/workloads.md");
  ASSERT_TRUE(page.ok());
  std::set<std::string> ran;
  for (auto begin = page->find("```yaml\n"); begin != page->npos;
       begin = page->find("```yaml\n", begin)) {
    begin += 8;
    const auto document = ParseYaml(page->substr(begin, page->find("```", begin) - begin), "docs");
    ASSERT_TRUE(document.ok()) << document.status();
    Reading reading("docs");
    std::vector<WorkloadSpec> workloads;
    ReadWorkloads(Place(*document, reading).Child(document->map()[0]),
                  SPILLWAY_SOURCE_DIR "/configs/scenarios", workloads);
    ASSERT_TRUE(reading.ok()) << reading.ToStatus();
    for (const WorkloadSpec& spec : workloads) {
      if (spec.name == "yours") continue;  // a file that is not there
      const auto workload = Workload::Load(spec);
      ASSERT_TRUE(workload.ok()) << workload.status();
      for (std::uint64_t seed = 0; seed < 2; ++seed) {
        const auto all = PullAll(*workload, seed);
        std::set<std::uint32_t> parts;
        for (const Arrival& arrival : all) parts.insert(arrival.part);
        EXPECT_EQ(parts.size(), spec.parts.size()) << spec.name;
        EXPECT_TRUE(InOrder(all));
      }
      ran.insert(spec.name);
    }
  }
  EXPECT_EQ(ran, (std::set<std::string>{"a-mixed-day", "cached", "conversation", "reasoning",
                                        "training"}));
}

}  // namespace
}  // namespace spillway
