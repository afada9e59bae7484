#include "adapters/process/this_machine.h"

#include <sched.h>
#include <sys/stat.h>

#include <algorithm>
#include <fstream>

#include "gmock/gmock.h"
#include "tests/adapters/temporary_folder.h"

namespace spillway {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST(ParseCpuInfo, XeonWithAmx) {
  const CpuWords words = ParseCpuInfo(
      "processor\t: 0\nvendor_id\t: GenuineIntel\nmodel name\t: Intel(R) Xeon(R) Platinum 8488C\n"
      "flags\t\t: fpu avx avx2 avx512f avx512_bf16 amx_bf16 amx_tile amx_int8 avx512_vnni\n\n"
      "processor\t: 1\nvendor_id\t: GenuineIntel\nflags\t\t: fpu\n");
  EXPECT_EQ(words.vendor, "intel");
  EXPECT_EQ(words.model, "Intel(R) Xeon(R) Platinum 8488C");
  EXPECT_THAT(words.features, ElementsAre("amx", "amx_bf16", "amx_int8", "avx", "avx2",
                                          "avx512_bf16", "avx512_vnni", "avx512f"));
}

TEST(ParseCpuInfo, ArmServer) {
  const CpuWords words = ParseCpuInfo(
      "processor\t: 0\nFeatures\t: fp asimd asimddp sve sve2 i8mm bf16\nCPU implementer\t: 0x41\n");
  EXPECT_EQ(words.vendor, "arm");
  EXPECT_THAT(words.features, ElementsAre("bf16", "dotprod", "i8mm", "neon", "sve", "sve2"));
}

TEST(ParseCpuInfo, RiscvWithVectors) {
  EXPECT_THAT(ParseCpuInfo("isa\t: rv64imafdcv_zba_zbb\n").features, ElementsAre("rvv"));
  EXPECT_THAT(ParseCpuInfo("isa\t: rv64imafdc_zve32x\n").features, IsEmpty());
}

TEST(ParseCpuInfo, UnknownIsEmptyNotGuessed) {
  const CpuWords words = ParseCpuInfo("nonsense\n:\n: :\n");
  EXPECT_EQ(words.vendor, "");
  EXPECT_THAT(words.features, IsEmpty());
}

TEST(ParseMemTotal, ReadsKibibytes) {
  EXPECT_EQ(ParseMemTotal("MemTotal:       16384 kB\nMemFree:  1 kB\n"), Bytes(16384 * 1024));
  EXPECT_EQ(ParseMemTotal("MemFree: 1 kB\n"), Bytes(0));
}

class Allowance : public testing::Test {
 protected:
  void Write(const std::string& name, const std::string& text) {
    std::ofstream(root_ / name) << text;
  }
  void SetUp() override {
    mkdir((root_ / "outer").c_str(), 0755);
    mkdir((root_ / "outer/inner").c_str(), 0755);
  }
  CgroupAllowance Read() { return ReadAllowance(root_ / "outer/inner", root_.path()); }
  TemporaryFolder root_;
};

TEST_F(Allowance, TightestOfAllLevelsHolds) {
  Write("outer/inner/cpu.max", "max 100000\n");
  Write("outer/cpu.max", "150000 100000\n");
  Write("outer/inner/memory.max", "max\n");
  Write("outer/memory.max", "1000000\n");
  Write("memory.max", "2000000\n");
  EXPECT_EQ(Read().milli_cpus, 1500);
  EXPECT_EQ(Read().memory, 1000000);
}

TEST_F(Allowance, VersionOneFiles) {
  Write("outer/inner/cpu.cfs_quota_us", "50000\n");
  Write("outer/inner/cpu.cfs_period_us", "100000\n");
  Write("outer/cpu.cfs_quota_us", "-1\n");
  Write("outer/inner/memory.limit_in_bytes", "4096\n");
  EXPECT_EQ(Read().milli_cpus, 500);
  EXPECT_EQ(Read().memory, 4096);
}

TEST_F(Allowance, NoFilesNoLimit) {
  EXPECT_EQ(Read().milli_cpus, -1);
  EXPECT_EQ(Read().memory, -1);
}

TEST(ThisMachine, IsSomethingThatJobsCanRunOn) {
  const Machine machine = ThisMachine();
  cpu_set_t set;
  CPU_ZERO(&set);
  sched_getaffinity(0, sizeof set, &set);
  EXPECT_GT(machine.cpus, MilliCpus(0));
  EXPECT_LE(machine.cpus, MilliCpus(1000 * CPU_COUNT(&set)));
  EXPECT_GT(machine.memory, Bytes(64 << 20));
  EXPECT_TRUE(std::is_sorted(machine.features.begin(), machine.features.end()));
}

TEST(Less, LeavesNothingNegative) {
  const Machine machine{.cpus = MilliCpus(2000), .memory = Bytes(100)};
  EXPECT_EQ(Less(machine, MilliCpus(250), Bytes(40)).cpus, MilliCpus(1750));
  EXPECT_EQ(Less(machine, MilliCpus(250), Bytes(40)).memory, Bytes(60));
  EXPECT_EQ(Less(machine, MilliCpus(5000), Bytes(5000)).cpus, MilliCpus(0));
  EXPECT_EQ(Less(machine, MilliCpus(5000), Bytes(5000)).memory, Bytes(0));
}

}  // namespace
}  // namespace spillway
