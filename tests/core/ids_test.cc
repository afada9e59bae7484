#include "core/ids.h"

#include <gtest/gtest.h>

namespace spillway {
namespace {

TEST(Ids, AreReadableAndSortAsText) {
  EXPECT_EQ(ToString(JobId{45}), "job-000045");
  EXPECT_EQ(ToString(DecisionId{1234567}), "dec-1234567");
  EXPECT_EQ(ParseJobId("job-000045"), JobId{45});
  EXPECT_EQ(ParseDecisionId("dec-1234567"), DecisionId{1234567});
}
TEST(Ids, RefuseWhatIsNone) {
  for (const char* text : {"", "job-", "job-12x", "dec-1", "job--1", "job-+1", "job- 1",
                           "job-99999999999999999999", "JOB-1"}) {
    EXPECT_EQ(ParseJobId(text), std::nullopt) << text;
  }
}

}  // namespace
}  // namespace spillway
