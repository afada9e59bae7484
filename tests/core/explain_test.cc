#include "core/explain.h"

#include <gtest/gtest.h>

#include "tests/support/fleets.h"

namespace spillway {
namespace {

using fixtures::Cpus;
using fixtures::GiB;

std::string Why(Code code, Figures figures = {}, Work work = fixtures::SmallJob(),
                const PoolSpec& pool = fixtures::EdgeNpuPool()) {
  Candidate c;
  c.codes.Add(code);
  c.figures = figures;
  return Explain(c, code, work, pool);
}

TEST(Explain, SaysWhatWasFoundAndWhatWasWanted) {
  EXPECT_EQ(Why(Code::kMemory, {}, fixtures::JobNeeding(Cpus(1), GiB(12))),
            "needs 12 GiB, a node has 8 GiB");
  EXPECT_EQ(Why(Code::kCpus, {}, fixtures::JobNeeding(Cpus(6.5), GiB(1))),
            "needs 6.5 CPUs, a node has 4 CPUs");
  EXPECT_EQ(Why(Code::kRuntime, {}, fixtures::JobNeedingDevices(1, "cuda>=12")),
            "needs runtime cuda>=12, it has none, openvino");
  EXPECT_EQ(Why(Code::kRuntime, {}, fixtures::JobNeedingDevices(1, "openvino>=2025")),
            "needs openvino>=2025, it has openvino 2024.4");
}
TEST(Explain, LatenessNamesTheObjective) {
  const Figures late{ToNanos(absl::Seconds(95)), ToNanos(absl::Seconds(60))};
  EXPECT_EQ(Why(Code::kTooLate, late), "would start in 95 s (p90), the objective is 60 s");
  Work deadline = fixtures::SmallJob();
  deadline.objective = {.deadline = absl::UnixEpoch()};
  EXPECT_EQ(Why(Code::kTooLate, late, deadline),
            "would finish in 95 s (p90), the objective is 60 s");
  EXPECT_EQ(Why(Code::kTooLate, {ToNanos(absl::Seconds(95)), -1}, deadline),
            "would finish in 95 s (p90), the objective is past");
  EXPECT_EQ(Why(Code::kTooLate, {ToNanos(absl::Seconds(50)), ToNanos(absl::Seconds(45))}),
            "would start in 50 s (p90), the policy waits 45 s before it spills");
}
TEST(Explain, MoneyHasItsUnit) {
  EXPECT_EQ(Why(Code::kTooDear, {12'000'000, 5'000'000}),
            "would cost 0.012 USD, at most 0.0050 USD is allowed");
}
// The same codes say other things of requests, which run on engines.
TEST(Explain, SpeaksOfRequestsAsOfRequests) {
  Work request;
  request.kind = WorkKind::kRequest;
  request.needs.model = "m2";
  PoolSpec engines = fixtures::EdgeNpuPool();
  engines.adapter.type = "openai";
  EXPECT_EQ(Why(Code::kQuota, {}, request, engines),
            "its engines have as many requests under way as they take");
  EXPECT_EQ(Why(Code::kQuota), "the tenant's quota there is used up");
  EXPECT_EQ(Why(Code::kTooDear, {12'000'000, 5'000'000}, request, engines),
            "with the longest answer that it may get would cost 0.012 USD, at most 0.0050 USD is "
            "allowed");
  EXPECT_EQ(Why(Code::kModel, {}, request, engines), "does not serve model m2");
  engines.serves = {{.model = "m1"}, {.model = "m2"}};
  EXPECT_EQ(Why(Code::kModel, {}, request, engines),
            "is to serve model m2, but its engines do not list `m2`");
  engines.serves[1].upstream = "org/m2";
  EXPECT_EQ(Why(Code::kModel, {}, request, engines),
            "is to serve model m2, but its engines do not list `org/m2`");
  EXPECT_EQ(Why(Code::kRuntime, {}, fixtures::SmallJob(), engines),
            "runs no jobs: its engines answer requests");
}
TEST(Describe, RoundsForPeople) {
  EXPECT_EQ(Describe(Usd(1'190'000)), "0.0012 USD");
  EXPECT_EQ(Describe(Usd(6'147'778)), "0.0061 USD");
  EXPECT_EQ(Describe(Usd(12'500'000'000)), "12.50 USD");
  EXPECT_EQ(Describe(Usd(1)), "0.000000001 USD");
  EXPECT_EQ(Describe(Usd(0)), "0 USD");
  EXPECT_EQ(Describe(Bytes(1536)), "1.5 KiB");
  EXPECT_EQ(Describe(Cpus(1)), "1 CPU");
  EXPECT_EQ(Describe(absl::Seconds(95)), "95 s");
  EXPECT_EQ(Describe(absl::Minutes(90)), "90 min");
  EXPECT_EQ(Describe(absl::Milliseconds(250)), "250 ms");
}
TEST(Decimal, IsExactToTheNanoDollar) {
  EXPECT_EQ(Decimal(Usd(1'190'000)), "0.001190000");
  EXPECT_EQ(Decimal(Usd(-1)), "-0.000000001");
  EXPECT_EQ(Decimal(Usd(std::numeric_limits<std::int64_t>::min())), "-9223372036.854775808");
}

}  // namespace
}  // namespace spillway
