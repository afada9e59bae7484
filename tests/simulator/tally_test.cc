#include "simulator/tally.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace spillway {
namespace {

const absl::Time kStart = absl::FromUnixSeconds(1'790'000'000);

Candidate Asked(std::uint32_t pool, Verdict verdict, Code code, int position) {
  Candidate candidate{.pool = PoolId{pool}, .verdict = verdict};
  candidate.codes.Add(code);
  candidate.position = static_cast<std::int16_t>(position);
  return candidate;
}

Decision Placed(std::uint32_t chosen, std::vector<Candidate> candidates) {
  return {.work = JobId{1},
          .outcome = Outcome::kPlaced,
          .chosen = PoolId{chosen},
          .candidates = std::move(candidates)};
}

FleetSpec ThreePools() {
  FleetSpec fleet;
  for (const char* name : {"npu", "xeon", "a10g"}) {
    PoolSpec pool;
    pool.name = name;
    fleet.pools.push_back(pool);
  }
  return fleet;
}

// A tally with what it looks at.
struct Counted {
  DefaultObjectives defaults;
  Tally tally{{}, defaults, kStart, 3};

  CellOutcome Outcome(const std::vector<record::LedgerRow>& ledger = {}) const {
    CellOutcome out;
    out.pools.resize(3);
    tally.Write(ThreePools(), kStart, ledger, out);
    return out;
  }
};

Decision SpilledToNvidia(Code why) {
  return Placed(
      2, {Asked(0, Verdict::kRefused, Code::kMemory, -1), Asked(1, Verdict::kRefused, why, 0),
          Asked(2, Verdict::kChosen, Code::kChosen, 1)});
}

TEST(Tally, CountsJobsAndRequestsThatSpilledAlike) {
  Counted counted;
  counted.tally.Decided(SpilledToNvidia(Code::kTooLate));
  counted.tally.Decided(SpilledToNvidia(Code::kTooLate));
  counted.tally.Decided(SpilledToNvidia(Code::kDown));
  Request request;
  request.end = RequestEnd::kRefused;
  request.spilled_from = PoolId{1};
  request.spilled_code = Code::kTooLate;
  counted.tally.Ended(request, kNoPool);
  const CellOutcome out = counted.Outcome();
  EXPECT_EQ(out.spilled, 4);
  ASSERT_EQ(out.spills.size(), 2u);
  EXPECT_EQ(out.spills[0].from, "xeon");
  EXPECT_EQ(out.spills[0].code, "too_late");
  EXPECT_EQ(out.spills[0].count, 3);
  EXPECT_EQ(out.spills[1].code, "down");
}

TEST(Tally, WhatTheFirstAblePoolTookDidNotSpill) {
  Counted counted;
  counted.tally.Decided(Placed(1, {Asked(0, Verdict::kRefused, Code::kMemory, -1),
                                   Asked(1, Verdict::kChosen, Code::kChosen, 0),
                                   Asked(2, Verdict::kRefused, Code::kTooLate, 1)}));
  Decision waiting = SpilledToNvidia(Code::kTooLate);
  waiting.outcome = Outcome::kWaiting;
  counted.tally.Decided(waiting);
  EXPECT_EQ(counted.Outcome().spilled, 0);
  EXPECT_TRUE(counted.Outcome().spills.empty());
}

record::LedgerRow Row(std::uint32_t pool, record::Category category, std::int64_t nanos) {
  record::LedgerRow row;
  row.pool = PoolId{pool};
  row.category = category;
  row.cost = Usd(nanos);
  return row;
}

// Rounding: the pieces of a busy hour may come to more than the hour.
TEST(Tally, NothingIsIdleForLessThanNothingAndTheBillStands) {
  using record::Category;
  const CellOutcome out =
      Counted().Outcome({Row(0, Category::kWork, 1'000'000'010), Row(0, Category::kIdle, -10),
                         Row(1, Category::kWork, 400), Row(1, Category::kIdle, 600)});
  EXPECT_EQ(out.pools[0].idle_cost, Usd(0));
  EXPECT_EQ(out.pools[0].work_cost, Usd(1'000'000'000));
  EXPECT_EQ(out.pools[0].bill(), Usd(1'000'000'000));
  EXPECT_EQ(out.pools[1].idle_cost, Usd(600));
  EXPECT_EQ(out.pools[1].work_cost, Usd(400));
  EXPECT_EQ(out.cost, Usd(1'000'001'000));
}

// Hours with rest and hours of rounding are of one pool: only what is left counts.
TEST(Tally, IdleIsOfAllHoursTogether) {
  using record::Category;
  const CellOutcome out = Counted().Outcome(
      {Row(2, Category::kIdle, -3), Row(2, Category::kIdle, 50), Row(2, Category::kWork, 10)});
  EXPECT_EQ(out.pools[2].idle_cost, Usd(47));
  EXPECT_EQ(out.pools[2].work_cost, Usd(10));
}

}  // namespace
}  // namespace spillway
