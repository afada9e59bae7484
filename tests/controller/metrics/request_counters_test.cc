#include "controller/metrics/request_counters.h"

#include <gtest/gtest.h>

#include <set>

namespace spillway {
namespace {

double ValueOf(const prometheus::Registry& registry, const std::string& family) {
  double sum = 0;
  for (const auto& each : registry.Collect()) {
    if (each.name != family) continue;
    for (const auto& metric : each.metric) sum += metric.counter.value;
  }
  return sum;
}

Request Answered(std::optional<std::int64_t> prompt, std::optional<std::int64_t> output) {
  Request request;
  request.attempts = {{{PoolId{0}, 0}, ForwardFault::kNone}};
  request.answered_by = "chat";
  request.prompt_tokens = prompt;
  request.output_tokens = output;
  return request;
}

TEST(RequestCounters, CountAnswersWhoseTokensNobodyCounted) {
  prometheus::Registry registry;
  RequestCounters counters(registry, {});
  const auto uncounted = [&] { return ValueOf(registry, "spillway_request_uncounted_total"); };
  counters.Count(Answered(5, 7));
  Request embedding = Answered(5, std::nullopt);
  embedding.features.kind = ModelKind::kEmbedding;
  counters.Count(embedding);
  Request ranking = Answered(std::nullopt, std::nullopt);
  ranking.features.kind = ModelKind::kBatch;
  counters.Count(ranking);
  Request failed = Answered(std::nullopt, std::nullopt);
  failed.end = RequestEnd::kClientGone;
  counters.Count(failed);
  EXPECT_EQ(uncounted(), 0);
  counters.Count(Answered(5, std::nullopt));
  counters.Count(Answered(std::nullopt, 7));
  EXPECT_EQ(uncounted(), 2);
}

prometheus::ClientMetric::Histogram HistogramOf(const prometheus::Registry& registry,
                                                const std::string& family) {
  for (const auto& each : registry.Collect()) {
    if (each.name == family && !each.metric.empty()) return each.metric.front().histogram;
  }
  return {};
}

// However many come together, and of whatever tenants, the series are as if each had come alone.
TEST(RequestCounters, ABatchCountsLikeItsRequests) {
  for (const int n : {0, 1, 4, 5, 6, 300}) {
    prometheus::Registry alone, together;
    RequestCounters one_by_one(alone, {}), batch(together, {});
    event::RequestsEnded ended;
    for (int i = 0; i < n; ++i) {
      Request request = Answered(i, i % 3 == 0 ? std::nullopt : std::optional<std::int64_t>(2 * i));
      request.features.tenant = i % 2 == 0 ? "even" : "odd";
      request.ended = request.features.arrived + absl::Milliseconds(40 * i);  // bounds, too
      if (i % 5 == 0) request.ttft = absl::Milliseconds(i);
      if (i % 7 == 0) request.end = RequestEnd::kBrokenOff;
      request.cost = Usd(1000 + i);
      if (i % 4 != 0) request.baseline_cost = Usd(9'000 + i);
      one_by_one.Count(request);
      ended.requests.push_back(std::make_shared<const Request>(std::move(request)));
    }
    batch.Count(ended);
    batch.Count(event::RequestsEnded());
    for (const char* const family :
         {"spillway_requests_total", "spillway_request_cost_usd_total",
          "spillway_request_baseline_cost_usd_total", "spillway_request_compared_cost_usd_total"})
      EXPECT_DOUBLE_EQ(ValueOf(together, family), ValueOf(alone, family)) << family << ", " << n;
    EXPECT_EQ(ValueOf(together, "spillway_requests_total"), n);
    for (const char* const family :
         {"gen_ai_server_request_duration_seconds", "gen_ai_server_time_to_first_token_seconds",
          "gen_ai_client_token_usage"}) {
      const auto a = HistogramOf(together, family), b = HistogramOf(alone, family);
      EXPECT_EQ(a.sample_count, b.sample_count) << family << ", " << n;
      EXPECT_DOUBLE_EQ(a.sample_sum, b.sample_sum) << family << ", " << n;
      ASSERT_EQ(a.bucket.size(), b.bucket.size());
      for (std::size_t i = 0; i < a.bucket.size(); ++i) {
        EXPECT_EQ(a.bucket[i].cumulative_count, b.bucket[i].cumulative_count)
            << family << ", " << n << ", up to " << b.bucket[i].upper_bound;
      }
    }
  }
}

TEST(RequestCounters, WhatWasExpectedIsComparedWithWhatCame) {
  prometheus::Registry registry;
  RequestCounters counters(registry, {});
  Request whole = Answered(5, 7);
  whole.attempts = {{{PoolId{0}, 0}, ForwardFault::kNone}};
  whole.ended = whole.features.arrived + absl::Seconds(3);
  whole.queued = absl::Seconds(1);
  whole.expected.wait.p50 = absl::Milliseconds(200);
  whole.expected.duration.p50 = absl::Milliseconds(800);
  whole.expected.priced = whole.priced = true;
  whole.expected.cost = Usd(1000);
  whole.cost = Usd(1500);
  counters.Count(whole);
  const auto sum = [&](const char* family) { return HistogramOf(registry, family).sample_sum; };
  EXPECT_DOUBLE_EQ(sum("spillway_request_duration_ratio"), 2) << "without the wait for room";
  EXPECT_DOUBLE_EQ(sum("spillway_request_cost_ratio"), 1.5);
  EXPECT_EQ(HistogramOf(registry, "spillway_request_ttft_ratio").sample_count, 0u);
  Request cut = whole, again = whole;
  cut.end = RequestEnd::kClientGone;
  again.attempts.insert(again.attempts.begin(), {{PoolId{1}, 0}, ForwardFault::kConnect});
  counters.Count(cut);
  counters.Count(again);
  EXPECT_EQ(HistogramOf(registry, "spillway_request_duration_ratio").sample_count, 1u);
}

TEST(RequestCounters, NameTheOperationByTheKindOfModel) {
  prometheus::Registry registry;
  RequestCounters counters(registry, {});
  for (const ModelKind kind : {ModelKind::kChat, ModelKind::kEmbedding, ModelKind::kBatch}) {
    Request request = Answered(5, 7);
    request.features.kind = kind;
    counters.Count(request);
  }
  std::set<std::string> operations;
  for (const auto& family : registry.Collect()) {
    if (family.name != "gen_ai_server_request_duration_seconds") continue;
    for (const auto& metric : family.metric) {
      for (const auto& label : metric.label) {
        if (label.name == "gen_ai_operation_name") operations.insert(label.value);
      }
    }
  }
  EXPECT_EQ(operations, (std::set<std::string>{"chat", "embeddings", "inference"}));
}

}  // namespace
}  // namespace spillway
