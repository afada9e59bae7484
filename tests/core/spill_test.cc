#include "core/spill.h"

#include <gtest/gtest.h>

namespace spillway {
namespace {

Candidate Asked(std::uint32_t pool, Verdict verdict, Code code, int position) {
  Candidate candidate{.pool = PoolId{pool}, .verdict = verdict};
  candidate.codes.Add(code);
  candidate.position = static_cast<std::int16_t>(position);
  return candidate;
}

Decision Placed(std::uint32_t chosen, std::vector<Candidate> candidates) {
  return {
      .outcome = Outcome::kPlaced, .chosen = PoolId{chosen}, .candidates = std::move(candidates)};
}

const Candidate kChosen = Asked(9, Verdict::kChosen, Code::kChosen, 5);

TEST(SpilledFrom, IsTheFirstInTheClaimOrderThatWasAbleAndTooLate) {
  const Decision decision = Placed(9, {Asked(0, Verdict::kRefused, Code::kTooLate, 3), kChosen,
                                       Asked(1, Verdict::kRefused, Code::kDown, 1),
                                       Asked(2, Verdict::kRefused, Code::kTooLate, 2)});
  ASSERT_NE(SpilledFrom(decision), nullptr);
  EXPECT_EQ(SpilledFrom(decision)->pool, PoolId{1});
  EXPECT_EQ(SpilledFrom(decision)->code(), Code::kDown);
}

TEST(SpilledFrom, IsNobodyWhoCouldNotDoItOrStandsBehindOrClaimsNothing) {
  EXPECT_EQ(SpilledFrom(Placed(9, {Asked(0, Verdict::kRefused, Code::kMemory, 1),
                                   Asked(1, Verdict::kRefused, Code::kTooLate, 5),
                                   Asked(2, Verdict::kRefused, Code::kTooLate, 6),
                                   Asked(3, Verdict::kRefused, Code::kTooLate, -1),
                                   Asked(4, Verdict::kOutranked, Code::kOutranked, 1), kChosen})),
            nullptr);
}

TEST(SpilledFrom, IsNobodyWhereNothingWasPlaced) {
  Decision decision = Placed(9, {Asked(0, Verdict::kRefused, Code::kTooLate, 1), kChosen});
  EXPECT_NE(SpilledFrom(decision), nullptr);
  decision.outcome = Outcome::kRefused;
  EXPECT_EQ(SpilledFrom(decision), nullptr);
  EXPECT_EQ(SpilledFrom(Placed(8, {Asked(0, Verdict::kRefused, Code::kTooLate, 1)})), nullptr);
}

}  // namespace
}  // namespace spillway
