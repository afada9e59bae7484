#include "adapters/openai/metrics_scan.h"

#include <string>

#include <gtest/gtest.h>

namespace spillway {
namespace {

ScrapedLoad Scan(std::string_view kind, std::string_view page, std::string model = {},
                 std::size_t step = 1 << 20) {
  MetricsScan scan(*FindEngineKind(kind), std::move(model));
  for (std::size_t at = 0; at < page.size(); at += step) scan.Feed(page.substr(at, step));
  return scan.Finish();
}

const std::string kVllm =
    R"(# HELP vllm:num_requests_running Number of requests in execution batches.
# TYPE vllm:num_requests_running gauge
vllm:num_requests_running{engine="0",model_name="a"} 3.0
vllm:num_requests_running{engine="1",model_name="a"} 4.0
vllm:num_requests_running{engine="0",model_name="b"} 10.0
vllm:num_requests_waiting{engine="0",model_name="a"} 2.0
vllm:num_requests_waiting_by_reason{reason="x"} 99.0
vllm:kv_cache_usage_perc{engine="0",model_name="a"} 0.25
vllm:kv_cache_usage_perc{engine="1",model_name="a"} 0.5
vllm:e2e_request_latency_seconds_bucket{le="0.3",model_name="a"} 0.0
process_resident_memory_bytes 1.2e+09
)";

TEST(MetricsScan, SumsSeriesAndTakesTheFullestCache) {
  EXPECT_EQ(Scan("vllm", kVllm), (ScrapedLoad{2, 17, 0.5}));
  EXPECT_EQ(Scan("spillway", kVllm), (ScrapedLoad{2, 17, 0.5}));
}

TEST(MetricsScan, TakesOneModelWhereAsked) {
  EXPECT_EQ(Scan("vllm", kVllm, "a"), (ScrapedLoad{2, 7, 0.5}));
  EXPECT_EQ(Scan("vllm", kVllm, "b"), (ScrapedLoad{{}, 10, {}}));
  EXPECT_EQ(Scan("vllm", "vllm:num_requests_running 5\n", "b").running, 5);
}

TEST(MetricsScan, DoesNotDependOnHowThePageIsCut) {
  for (const std::size_t step : {1u, 2u, 7u, 64u, 100u}) {
    EXPECT_EQ(Scan("vllm", kVllm, "", step), (ScrapedLoad{2, 17, 0.5})) << step;
  }
}

TEST(MetricsScan, MissingIsUnknownNeverZero) {
  EXPECT_EQ(Scan("vllm", ""), ScrapedLoad());
  EXPECT_EQ(Scan("vllm", "<html>404</html>"), ScrapedLoad());
  EXPECT_EQ(Scan("ollama", kVllm), ScrapedLoad());
  EXPECT_EQ(Scan("vllm", "vllm:num_requests_running 0\n"), (ScrapedLoad{{}, 0, {}}));
  for (const char* value : {"NaN", "+Inf", "-1", "", "x", "1x"}) {
    EXPECT_EQ(Scan("vllm", std::string("vllm:num_requests_running ") + value + "\n"), ScrapedLoad())
        << value;
  }
  EXPECT_EQ(Scan("vllm", "vllm:kv_cache_usage_perc 37\n"), ScrapedLoad());
}

TEST(MetricsScan, KnowsOldNamesAndPrefersNewOnes) {
  EXPECT_EQ(Scan("vllm", "vllm:gpu_cache_usage_perc 0.5\n").kv_usage, 0.5);
  EXPECT_EQ(Scan("vllm", "vllm:gpu_cache_usage_perc 0.5\nvllm:kv_cache_usage_perc 0.25\n").kv_usage,
            0.25);
}

TEST(MetricsScan, ReadsTheSmallPrintOfTheFormat) {
  EXPECT_EQ(Scan("vllm", "vllm:num_requests_running 5 1395066363000\r\n").running, 5);
  EXPECT_EQ(Scan("vllm", "vllm:num_requests_running{} 5").running, 5);
  EXPECT_EQ(Scan("vllm",
                 R"(vllm:num_requests_running{a="}\" ",model_name="a"} 6)"
                 "\n",
                 "a")
                .running,
            6);
  EXPECT_EQ(Scan("vllm",
                 R"(vllm:num_requests_running{a="model_name=",model_name="b"} 6)"
                 "\n",
                 "a")
                .running,
            std::nullopt);
  EXPECT_EQ(Scan("vllm", "vllm:num_requests_running{a=\"b 6\n").running, std::nullopt);
}

TEST(MetricsScan, TakesOnlySamplesWithTheRightLabel) {
  const std::string page =
      R"(nv_trt_llm_request_metrics{model="m",request_type="waiting",version="1"} 4
nv_trt_llm_request_metrics{model="m",request_type="scheduled",version="1"} 7
nv_trt_llm_request_metrics{model="m",request_type="max",version="1"} 512
nv_trt_llm_kv_cache_block_metrics{kv_cache_block_type="fraction",model="m"} 0.125
nv_trt_llm_kv_cache_block_metrics{kv_cache_block_type="max",model="m"} 6239
)";
  EXPECT_EQ(Scan("triton-trtllm", page), (ScrapedLoad{4, 7, 0.125}));
}

TEST(MetricsScan, EveryKindReadsItsOwnNames) {
  EXPECT_EQ(Scan("sglang",
                 "sglang:num_queue_reqs 1\nsglang:num_running_reqs 2\nsglang:token_usage 0.5\n"),
            (ScrapedLoad{1, 2, 0.5}));
  EXPECT_EQ(Scan("llama.cpp", "llamacpp:requests_deferred 1\nllamacpp:requests_processing 2\n"),
            (ScrapedLoad{1, 2, {}}));
  EXPECT_EQ(Scan("tgi", "tgi_queue_size 1\ntgi_batch_current_size 2\n"), (ScrapedLoad{1, 2, {}}));
  EXPECT_EQ(Scan("trtllm",
                 "trtllm_num_requests_waiting 1\ntrtllm_num_requests_running 2\n"
                 "trtllm_kv_cache_utilization 0.5\n"),
            (ScrapedLoad{1, 2, 0.5}));
}

TEST(MetricsScan, SkipsLinesThatAreTooLong) {
  const std::string page = "vllm:num_requests_running{a=\"" + std::string(10'000, 'x') +
                           "\"} 9\nvllm:num_requests_running 1\n";
  for (const std::size_t step : {1u, 1000u, 5000u, 20'000u}) {
    EXPECT_EQ(Scan("vllm", page, "", step).running, 1) << step;
  }
}

TEST(EngineKinds, AreFoundByName) {
  EXPECT_EQ(FindEngineKind("vLLM"), nullptr);
  for (const EngineKind& kind : EngineKinds()) {
    EXPECT_EQ(FindEngineKind(kind.name), &kind);
    EXPECT_FALSE(kind.health.empty() && kind.models.empty()) << kind.name;  // one tells of life
    EXPECT_GT(kind.keeps, absl::Seconds(1)) << kind.name;
  }
}

TEST(EngineKinds, PathsAreBehindTheRoot) {
  EXPECT_EQ(EngineRoot(*ParseBaseUrl("http://h:8000/v1")).path, "");
  EXPECT_EQ(EngineRoot(*ParseBaseUrl("http://h:8000/a/v1/")).path, "/a");
  EXPECT_EQ(EngineRoot(*ParseBaseUrl("http://h:8000")).path, "");
}

}  // namespace
}  // namespace spillway
