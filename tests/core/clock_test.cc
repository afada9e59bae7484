#include "core/clock.h"

#include <gtest/gtest.h>

namespace spillway {
namespace {

TEST(ManualClock, MovesWhenToldAndNeverBack) {
  ManualClock clock(absl::UnixEpoch());
  clock.Advance(absl::Seconds(5));
  clock.AdvanceTo(absl::UnixEpoch() + absl::Seconds(3));
  EXPECT_EQ(clock.Now(), absl::UnixEpoch() + absl::Seconds(5));
}

}  // namespace
}  // namespace spillway
