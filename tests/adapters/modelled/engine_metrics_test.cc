#include "adapters/modelled/engine_tally.h"

#include <sys/wait.h>

#include <cstdio>
#include <fstream>
#include <map>
#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/adapters/modelled/engine_rig.h"
#include "tests/net/test_server.h"
#include "tests/support/temporary_folder.h"

namespace spillway {
namespace {

using testing::HasSubstr;

// Samples by name and labels.
std::map<std::string, double> SamplesOf(const std::string& page) {
  std::map<std::string, double> samples;
  std::istringstream in(page);
  for (std::string line; std::getline(in, line);) {
    if (line.empty() || line[0] == '#') continue;
    const std::size_t blank = line.rfind(' ');
    samples[line.substr(0, blank)] = std::stod(line.substr(blank + 1));
  }
  return samples;
}

TEST(EngineMetrics, AddUpToWhatClientsSaw) {
  EngineRig rig;
  std::int64_t generated = 0;
  for (int i = 0; i < 5; ++i) {
    const HttpResponse got = rig.Chat(absl::StrCat("\"max_tokens\":50,\"seed\":", i));
    generated += NumberAt(got.body, {"usage", "completion_tokens"});
  }
  const HttpResponse page = rig.Get("/metrics");
  EXPECT_EQ(page.headers.Get("content-type"), "text/plain; version=0.0.4; charset=utf-8");
  auto samples = SamplesOf(page.body);
  const auto at = [&](const std::string& name, const std::string& more = "") {
    const std::string key =
        absl::StrCat("vllm:", name, "{engine=\"0\",model_name=\"m\"", more, "}");
    return samples.contains(key) ? samples[key] : -1;
  };
  EXPECT_EQ(at("prompt_tokens_total"), 55);
  EXPECT_EQ(at("generation_tokens_total"), static_cast<double>(generated));
  EXPECT_EQ(at("time_to_first_token_seconds_count"), 5);
  EXPECT_EQ(at("inter_token_latency_seconds_count"), static_cast<double>(generated - 5));
  EXPECT_EQ(at("e2e_request_latency_seconds_count"), 5);
  EXPECT_EQ(at("request_success_total", ",finished_reason=\"stop\"") +
                at("request_success_total", ",finished_reason=\"length\""),
            5);
  EXPECT_EQ(at("num_requests_running"), 0);
  EXPECT_EQ(at("num_requests_waiting"), 0);
  EXPECT_EQ(at("kv_cache_usage_perc"), 0);
  EXPECT_THAT(page.body, HasSubstr("block_size=\"16\""));
  EXPECT_THAT(page.body, HasSubstr("num_gpu_blocks=\"1000\""));
}

TEST(EngineMetrics, BeginningsThatComeAgainAreFoundInTheCache) {
  EngineModel model = TestModel();
  model.limits.prefix_tokens = 256;  // of 1024 bytes, at four bytes a token
  EngineRig rig(std::move(model));
  const auto hits = [&] {
    const auto samples = SamplesOf(rig.Get("/metrics").body);
    return samples.at("vllm:prefix_cache_hits_total{engine=\"0\",model_name=\"m\"}");
  };
  const auto chat = [&](const std::string& text) {
    return rig
        .Post("/v1/chat/completions",
              absl::StrCat(R"({"max_tokens":3,"messages":[{"role":"user","content":")", text,
                           R"("}]})"))
        .status;
  };
  const std::string long_one(2100, 'a');
  EXPECT_EQ(chat(long_one + "first"), 200);
  EXPECT_EQ(hits(), 0);
  EXPECT_EQ(chat(long_one + "second"), 200);
  EXPECT_EQ(hits(), 512) << "two whole pieces of 1 kB";
  EXPECT_EQ(chat("b" + long_one), 200);
  EXPECT_EQ(hits(), 512) << "another beginning";
}

TEST(EngineMetrics, EmbeddingsSayNothing) {
  EngineRig rig(TestModel(kAtOnce, ModelKind::kEmbedding));
  ASSERT_EQ(rig.Post("/v1/embeddings", R"({"input":["one","two"]})").status, 200);
  auto samples = SamplesOf(rig.Get("/metrics").body);
  EXPECT_EQ(samples["vllm:generation_tokens_total{engine=\"0\",model_name=\"m\"}"], 0);
  EXPECT_EQ(samples["vllm:prompt_tokens_total{engine=\"0\",model_name=\"m\"}"], 2);
}

TEST(EngineMetrics, HistogramsCountBelowEachBound) {
  static constexpr double kBounds[] = {0.5, 1};
  modelled::EngineHistogram histogram(kBounds);
  for (const int ms : {100, 500, 501, 2000}) histogram.Add(absl::Milliseconds(ms));
  std::string out;
  histogram.Write("h", "Help.", "a=\"b\"", out);
  EXPECT_EQ(out,
            "# HELP h Help.\n# TYPE h histogram\n"
            "h_bucket{le=\"0.5\",a=\"b\"} 2\nh_bucket{le=\"1\",a=\"b\"} 3\n"
            "h_bucket{le=\"+Inf\",a=\"b\"} 4\nh_sum{a=\"b\"} 3.101\nh_count{a=\"b\"} 4\n");
}

// vLLM's names have colons, which promtool finds odd; it must find nothing else.
TEST(EngineMetrics, PromtoolReadsThePage) {
  if (std::system("command -v promtool >/dev/null") != 0) GTEST_SKIP() << "no promtool here";
  EngineRig rig;
  rig.Chat("");
  const testing_support::TemporaryFolder folder;
  const std::string page = folder.Of("page"), found = folder.Of("found");
  std::ofstream(page) << rig.Get("/metrics").body;
  const int code =
      std::system(absl::StrCat("promtool check metrics <", page, " >", found, " 2>&1").c_str());
  EXPECT_EQ(WEXITSTATUS(code), 3);
  std::ifstream in(found);
  int lines = 0;
  for (std::string line; std::getline(in, line); ++lines)
    EXPECT_THAT(line, testing::EndsWith("metric names should not contain ':'"));
  EXPECT_GT(lines, 0);
}

}  // namespace
}  // namespace spillway
