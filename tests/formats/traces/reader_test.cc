#include "formats/traces/reader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <numeric>

#include "formats/traces/columns.h"
#include "tests/formats/traces/trace_files.h"

namespace spillway {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing_support::TraceText;

std::vector<TraceRow> ReadAll(TraceFormat format, const std::string& file,
                              TraceReport* report = nullptr,
                              const std::vector<std::string>& clusters = {}) {
  TraceSpec spec;
  spec.format = format;
  spec.clusters = clusters;
  spec.file = SPILLWAY_SOURCE_DIR "/configs/traces/" + file;
  std::vector<TraceRow> rows;
  const auto reader = TraceReader::Open(spec);
  EXPECT_TRUE(reader.ok()) << reader.status();
  TraceRow row;
  for (;;) {
    const auto is_there = (*reader)->Next(row);
    EXPECT_TRUE(is_there.ok()) << is_there.status();
    if (!is_there.ok() || !*is_there) break;
    rows.push_back(row);
  }
  if (report) *report = (*reader)->report();
  return rows;
}
template <class F>
std::int64_t Sum(const std::vector<TraceRow>& rows, F of) {
  return std::accumulate(rows.begin(), rows.end(), std::int64_t{0},
                         [&](std::int64_t sum, const TraceRow& row) { return sum + of(row); });
}
bool IsSorted(const std::vector<TraceRow>& rows) {
  return std::is_sorted(rows.begin(), rows.end(),
                        [](const TraceRow& a, const TraceRow& b) { return a.at < b.at; });
}

// ---- The files that come with Spillway. Sums were taken with awk.

TEST(TraceFiles, AzureConversations) {
  TraceReport report;
  const auto rows = ReadAll(TraceFormat::kAzureLlm, "azure_llm_2023_conv_first2400s.csv", &report);
  ASSERT_EQ(rows.size(), 14'176u);
  EXPECT_EQ(report, (TraceReport{.rows = 14'176}));
  EXPECT_EQ(rows[0].at, 0);
  EXPECT_EQ(rows[1].at, 4'314'600'000);
  EXPECT_EQ(rows[1].prompt_tokens, 396);
  EXPECT_EQ(rows[1].output_tokens, 109);
  EXPECT_EQ(rows.back().at, 2'399'964'600'000);
  EXPECT_EQ(Sum(rows, [](const TraceRow& row) { return row.prompt_tokens; }), 16942346);
  EXPECT_EQ(Sum(rows, [](const TraceRow& row) { return row.output_tokens; }), 2856415);
}

// Counts of 30 s vary 5 to 8 times as much as those of a Poisson process over the published trace;
// 8.35 times over this part of it.
TEST(TraceFiles, AzureConversationsAreBurstierThanPoisson) {
  std::vector<double> counts(80);
  for (const TraceRow& row :
       ReadAll(TraceFormat::kAzureLlm, "azure_llm_2023_conv_first2400s.csv")) {
    ++counts[static_cast<std::size_t>(row.at / 30'000'000'000)];
  }
  const double mean = std::accumulate(counts.begin(), counts.end(), 0.0) / 80;
  double variance = 0;
  for (const double count : counts) variance += (count - mean) * (count - mean) / 79;
  EXPECT_NEAR(mean, 177.2, 1e-9);
  EXPECT_NEAR(variance / mean, 8.3518, 1e-4);
}

TEST(TraceFiles, MooncakeIsSpreadOverItsGrid) {
  const auto rows = ReadAll(TraceFormat::kMooncake, "mooncake_conversation_first90s.jsonl");
  ASSERT_EQ(rows.size(), 260u);
  EXPECT_EQ(rows[0].prompt_tokens, 6758);
  EXPECT_EQ(rows[0].output_tokens, 500);
  EXPECT_EQ(rows[0].blocks.size(), 14u);
  EXPECT_EQ(rows[1].blocks, (std::vector<std::uint64_t>{0, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23,
                                                        24, 25, 26, 27}));
  // Ten rows at 0 ms, then sixteen at 3000.
  for (std::size_t i = 0; i < 10; ++i)
    EXPECT_EQ(rows[i].at, static_cast<std::int64_t>(i) * 300'000'000);
  EXPECT_EQ(rows[10].at, 3'000'000'000);
  // The next instant is 5999: what lies before it stays before it.
  EXPECT_EQ(rows[11].at, 3'000'000'000 + 2'999'000'000 / 16);
  EXPECT_TRUE(IsSorted(rows));
}

TEST(TraceFiles, BurstGptLeavesOutWhatFailed) {
  TraceReport report;
  const auto rows = ReadAll(TraceFormat::kBurstGpt, "burstgpt_first24.csv", &report);
  EXPECT_EQ(report, (TraceReport{.rows = 23, .left_out = 1}));
  EXPECT_EQ(rows[2].at, 118'000'000'000);
  EXPECT_EQ(rows[2].model, "GPT-4");
  EXPECT_EQ(rows[2].prompt_tokens, 417);
  EXPECT_EQ(rows[2].output_tokens, 276);
}

TEST(TraceFiles, OpenBPods) {
  const auto rows = ReadAll(TraceFormat::kOpenB, "openb_pods_default_first600.csv");
  ASSERT_EQ(rows.size(), 600u);
  const TraceRow& pod = rows[1];
  EXPECT_TRUE(pod.is_job);
  EXPECT_EQ(pod.name, "openb-pod-0001");
  EXPECT_EQ(pod.at, 427'061'000'000'000);
  EXPECT_EQ(pod.cpus, MilliCpus(6000));
  EXPECT_EQ(pod.memory, Bytes(std::int64_t{12'288} << 20));
  EXPECT_EQ(pod.devices, 1);
  EXPECT_DOUBLE_EQ(pod.fraction, 0.46);
  EXPECT_EQ(pod.duration, absl::Seconds(12'902'960 - 427'061));
}

TEST(TraceFiles, GavelClustersRunSideBySide) {
  TraceReport report;
  const auto rows = ReadAll(TraceFormat::kGavel, "gavel_msr_seed0_2vc.csv", &report);
  EXPECT_EQ(rows.size(), 1519u);
  EXPECT_TRUE(IsSorted(rows));
  const auto one = ReadAll(TraceFormat::kGavel, "gavel_msr_seed0_2vc.csv", &report, {"2869ce"});
  EXPECT_EQ(one.size(), 533u);
  EXPECT_EQ(report, (TraceReport{.rows = 533, .left_out = 986}));
  EXPECT_TRUE(one[0].is_job);
  EXPECT_EQ(one[0].tenant, "2869ce");
  EXPECT_GT(one[0].units, 0);
  EXPECT_EQ(one[0].name, one[0].work_class);
}

// ---- What formats say in their own words.

TEST(Traces, RawAzureTimesCountFromTheFirst) {
  TraceText trace(TraceFormat::kAzureLlmRaw,
                  "TIMESTAMP,ContextTokens,GeneratedTokens\n"
                  "2023-11-16 18:17:03.9799600,4808,10\n"
                  "2023-11-16 18:17:04.0319600,3180,8\n"
                  "2023-11-17 00:00:00,1,2\n"
                  "2024-05-10T00:00:00.009930+00:00,3,4\n");
  const auto rows = trace.Read();
  ASSERT_TRUE(rows.ok()) << rows.status();
  EXPECT_EQ((*rows)[0].at, 0);
  EXPECT_EQ((*rows)[1].at, 52'000'000);
  EXPECT_EQ((*rows)[2].at, 20'576'020'040'000);
  EXPECT_EQ((*rows)[3].at, (176LL * 86400 - 18 * 3600 - 17 * 60 - 4) * 1'000'000'000 +
                               (1'000'000'000 - 979'960'000) + 9'930'000);
  EXPECT_EQ((*rows)[0].prompt_tokens, 4808);
}

TEST(Traces, BurstGptOfTheSecondReleaseHasMoreColumns) {
  TraceText trace(TraceFormat::kBurstGpt,
                  "Timestamp,Session ID,Elapsed time,Model,Request tokens,Response tokens,Total "
                  "tokens,Log Type\n"
                  "12.5,,3.25,ChatGPT,5,6,11,API log\n");
  const auto rows = trace.Read();
  ASSERT_TRUE(rows.ok()) << rows.status();
  EXPECT_EQ((*rows)[0].at, 12'500'000'000);
  EXPECT_EQ((*rows)[0].output_tokens, 6);
}

constexpr char kOwn[] =
    "arrival_s,kind,model,prompt_tokens,output_tokens,max_tokens,tenant,blocks,class,units,seconds,"
    "cpus,memory,devices,fraction,nodes,name,items\n"
    "0,request,llama-2-7b,120,80,100,web,7 8 9,,,,,,,,,,\n"
    "0.5,job,,,,,batch,,train-resnet50,5000,,4,16GiB,1,0.5,2,nightly,\n"
    "1,job,,,,,,,,,90.25,0.5,,,,,,\n"
    "1,,ranker,,,,,,,,,,,,,,,200\n";
constexpr char kOwnAsJson[] =
    R"({"arrival_s": 0, "model": "llama-2-7b", "prompt_tokens": 120, "output_tokens": 80,)"
    R"( "max_tokens": 100, "tenant": "web", "blocks": [7, 8, 9]})"
    "\n\n"
    R"({"arrival_s": 0.5, "kind": "job", "tenant": "batch", "class": "train-resnet50",)"
    R"( "units": 5000, "cpus": 4, "memory": "16GiB", "devices": 1, "fraction": 0.5, "nodes": 2,)"
    R"( "name": "nightly"})"
    "\n"
    R"({"arrival_s": 1, "kind": "job", "seconds": 90.25, "cpus": "0.5"})"
    "\n"
    R"({"arrival_s": 1, "model": "ranker", "items": 200})"
    "\n";

TEST(Traces, OwnColumnsAndKeysSayTheSame) {
  TraceText csv(TraceFormat::kSpillwayCsv, kOwn), json(TraceFormat::kSpillwayJsonl, kOwnAsJson);
  for (TraceText* trace : {&csv, &json}) {
    const auto rows = trace->Read();
    ASSERT_TRUE(rows.ok()) << rows.status();
    ASSERT_EQ(rows->size(), 4u);
    const auto& [request, job, seconds, batch] =
        std::tie((*rows)[0], (*rows)[1], (*rows)[2], (*rows)[3]);
    EXPECT_FALSE(request.is_job);
    EXPECT_EQ(request.tenant, "web");
    EXPECT_EQ(request.max_tokens, 100);
    EXPECT_THAT(request.blocks, ElementsAre(7, 8, 9));
    EXPECT_TRUE(job.is_job);
    EXPECT_EQ(job.at, 500'000'000);
    EXPECT_EQ(job.name, "nightly");
    EXPECT_EQ(job.work_class, "train-resnet50");
    EXPECT_EQ(job.units, 5000);
    EXPECT_EQ(job.cpus, MilliCpus(4000));
    EXPECT_EQ(job.memory, Bytes(std::int64_t{16} << 30));
    EXPECT_EQ(job.devices, 1);
    EXPECT_EQ(job.fraction, 0.5);
    EXPECT_EQ(job.nodes, 2);
    EXPECT_EQ(seconds.duration, absl::Milliseconds(90'250));
    EXPECT_EQ(seconds.cpus, MilliCpus(500));
    EXPECT_TRUE(seconds.blocks.empty()) << "what another row said stayed behind";
    EXPECT_EQ(batch.model, "ranker");
    EXPECT_EQ(batch.items, 200);
  }
}

TEST(Traces, JobTypesBecomeNamesOfClasses) {
  EXPECT_EQ(ClassNameOf("ResNet-50 (batch size 64)"), "resnet-50-bs64");
  EXPECT_EQ(ClassNameOf("A3C"), "a3c");
  EXPECT_EQ(ClassNameOf("Two Words"), "two-words");
}

TEST(Traces, AMarkOfByteOrderIsNoPartOfTheHeading) {
  TraceText trace(TraceFormat::kAzureLlm,
                  "\xef\xbb\xbf"
                  "arrival_s,prompt_tokens,output_tokens\r\n1,2,3\r\n");
  const auto rows = trace.Read();
  ASSERT_TRUE(rows.ok()) << rows.status();
  EXPECT_EQ((*rows)[0].output_tokens, 3);
}

// Every batch keeps its rows, their order and its 3 s, whatever the times are.
TEST(Traces, SpreadingKeepsOrderAndMovesNothingPastTheGrid) {
  for (std::uint32_t seed = 1; seed <= 50; ++seed) {
    std::uint32_t state = seed * 2654435761u;
    const auto next = [&state](std::uint32_t below) {
      state = state * 1664525 + 1013904223;
      return (state >> 8) % below;
    };
    std::string text;
    std::vector<std::int64_t> times;
    std::int64_t now = 0;
    for (int i = 0; i < 200; ++i) {
      if (next(3) == 0) now += next(5000);
      times.push_back(now * 1'000'000);
      text += "{\"timestamp\": " + std::to_string(now) +
              ", \"input_length\": " + std::to_string(i) +
              ", \"output_length\": 1, \"hash_ids\": []}\n";
    }
    TraceText trace(TraceFormat::kMooncake, text);
    const auto rows = trace.Read();
    ASSERT_TRUE(rows.ok()) << rows.status();
    ASSERT_EQ(rows->size(), times.size());
    EXPECT_TRUE(IsSorted(*rows)) << "seed " << seed;
    for (std::size_t i = 0; i < times.size(); ++i) {
      EXPECT_EQ((*rows)[i].prompt_tokens, static_cast<std::int64_t>(i));
      EXPECT_GE((*rows)[i].at, times[i]) << "seed " << seed;
      EXPECT_LT((*rows)[i].at, times[i] + 3'000'000'000) << "seed " << seed;
    }
  }
}

}  // namespace
}  // namespace spillway
