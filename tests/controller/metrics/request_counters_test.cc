#include "controller/metrics/request_counters.h"

#include <gtest/gtest.h>

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
  Request failed = Answered(std::nullopt, std::nullopt);
  failed.end = RequestEnd::kClientGone;
  counters.Count(failed);
  EXPECT_EQ(uncounted(), 0);
  counters.Count(Answered(5, std::nullopt));
  counters.Count(Answered(std::nullopt, 7));
  EXPECT_EQ(uncounted(), 2);
}

}  // namespace
}  // namespace spillway
