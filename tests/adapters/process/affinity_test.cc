#include "adapters/process/affinity.h"

#include "gmock/gmock.h"

namespace spillway {
namespace {

using testing::ElementsAre;

cpu_set_t Cpus(std::initializer_list<int> cpus) {
  cpu_set_t set;
  CPU_ZERO(&set);
  for (const int cpu : cpus) CPU_SET(cpu, &set);
  return set;
}

TEST(CpuShares, TakesTheLeastLoadedAndGivesThemBack) {
  CpuShares shares(Cpus({2, 3, 7, 9}));
  const auto first = shares.Take(MilliCpus(1500));
  ASSERT_TRUE(first);
  EXPECT_THAT(first->cpus, ElementsAre(2, 3));
  EXPECT_THAT(shares.Take(MilliCpus(500))->cpus, ElementsAre(7));
  EXPECT_THAT(shares.Take(MilliCpus(1000))->cpus, ElementsAre(9));
  EXPECT_THAT(shares.Take(MilliCpus(100))->cpus,
              ElementsAre(7));  // 500 there, 750 on each of the first two
  shares.Return(*first);
  EXPECT_THAT(shares.Take(MilliCpus(2000))->cpus, ElementsAre(2, 3));
}

TEST(CpuShares, AllOrNoneAskedForMeansNoLimit) {
  CpuShares shares(Cpus({0, 1}));
  EXPECT_FALSE(shares.Take(MilliCpus(0)));
  EXPECT_FALSE(shares.Take(MilliCpus(1001)));  // touches both
  EXPECT_FALSE(shares.Take(MilliCpus(64'000)));
  EXPECT_TRUE(shares.Take(MilliCpus(1000)));
}

TEST(CpuShares, SetHoldsExactlyTheShare) {
  const cpu_set_t set = SetOf({.cpus = {1, 5}, .milli_each = 1});
  EXPECT_EQ(CPU_COUNT(&set), 2);
  EXPECT_TRUE(CPU_ISSET(1, &set) && CPU_ISSET(5, &set));
}

}  // namespace
}  // namespace spillway
