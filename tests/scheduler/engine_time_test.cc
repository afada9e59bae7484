#include "scheduler/engine_time.h"

#include <gtest/gtest.h>

namespace spillway {
namespace {

using absl::Minutes;
using absl::Seconds;

RequestFeatures Asking(bool stream, std::optional<std::int64_t> max_tokens = std::nullopt) {
  RequestFeatures features;
  features.stream = stream;
  features.max_tokens = max_tokens;
  return features;
}
const RequestLimits kLimits{.ttft = Seconds(3), .tpot = absl::Milliseconds(200)};
Estimate Expecting(absl::Duration ttft, absl::Duration wait_p90 = {}) {
  Estimate expected;
  expected.ttft = ttft;
  expected.wait.p90 = wait_p90;
  return expected;
}
EngineTime TimeOf(const RequestFeatures& features, const Estimate& expected, bool observed = true,
                  const RequestLimits& limits = kLimits) {
  return EngineTimeFor({}, observed, features, limits, expected);
}

TEST(EngineTime, AStreamBeginsWithinFiveTimesTheObjective) {
  EXPECT_EQ(TimeOf(Asking(true), Expecting(absl::Milliseconds(400))).first, Seconds(15));
  // What is expected to be slow is given its time, within bounds.
  EXPECT_EQ(TimeOf(Asking(true), Expecting(Seconds(4))).first, Seconds(40));
  EXPECT_EQ(TimeOf(Asking(true), Expecting(Seconds(1), Seconds(6))).first, Seconds(40));
  EXPECT_EQ(TimeOf(Asking(true), Expecting(Minutes(5))).first, Minutes(2));
  const RequestLimits hasty{.ttft = absl::Milliseconds(50), .tpot = absl::Milliseconds(10)};
  EXPECT_EQ(TimeOf(Asking(true), Expecting({}), true, hasty).first, Seconds(10));
}

TEST(EngineTime, AnAssumedSpeedIsNoReasonToGiveUp) {
  EXPECT_EQ(TimeOf(Asking(true), Expecting(absl::Milliseconds(400)), false).first, Minutes(2));
  EXPECT_EQ(TimeOf(Asking(false, 10), Expecting(absl::Milliseconds(400)), false).first,
            Minutes(10));
}

TEST(EngineTime, AWholeAnswerHasTimeForAllItsTokens) {
  // 5 x (3 s + 100 x 0.2 s)
  EXPECT_EQ(TimeOf(Asking(false, 100), Expecting(Seconds(1))).first, Seconds(115));
  EXPECT_EQ(TimeOf(Asking(false, 1), Expecting(Seconds(1))).first, Seconds(30));
  EXPECT_EQ(TimeOf(Asking(false, 100'000), Expecting(Seconds(1))).first, Minutes(10));
  EXPECT_EQ(TimeOf(Asking(false), Expecting(Seconds(1))).first, Minutes(10)) << "of any length";
  RequestFeatures embedding = Asking(false);
  embedding.kind = ModelKind::kEmbedding;
  EXPECT_EQ(TimeOf(embedding, Expecting(Seconds(1))).first, Seconds(30));
}

TEST(EngineTime, WhatThePoolSaysCounts) {
  const EngineTimeouts says{.first_byte = Seconds(1), .whole = Seconds(2), .idle = Seconds(4)};
  const Estimate expected = Expecting(Minutes(1));
  EXPECT_EQ(EngineTimeFor(says, true, Asking(true), kLimits, expected).first, Seconds(1));
  EXPECT_EQ(EngineTimeFor(says, false, Asking(false), kLimits, expected).first, Seconds(2));
  EXPECT_EQ(EngineTimeFor(says, true, Asking(true), kLimits, expected).idle, Seconds(4));
  EXPECT_EQ(TimeOf(Asking(true), expected).idle, Minutes(1));
}

}  // namespace
}  // namespace spillway
