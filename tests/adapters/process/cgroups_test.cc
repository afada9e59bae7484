#include "adapters/process/cgroups.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>

#include "gmock/gmock.h"
#include "tests/adapters/temporary_folder.h"

namespace spillway {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST(FindCgroups, VersionTwoAlone) {
  const auto found = FindCgroups(
      "30 23 0:26 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate\n",
      "0::/system.slice/spillway.service\n");
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0].folder, "/sys/fs/cgroup/system.slice/spillway.service");
  EXPECT_EQ(found[0].root, "/sys/fs/cgroup");
  EXPECT_EQ(found[0].version, 2);
}

TEST(FindCgroups, VersionOneWithAnEmptyVersionTwo) {
  const auto found = FindCgroups(
      "32 31 0:29 / /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct\n"
      "35 31 0:32 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n"
      "36 31 0:33 / /sys/fs/cgroup/devices rw - cgroup cgroup rw,devices\n"
      "39 31 0:36 / /sys/fs/cgroup/pids rw - cgroup cgroup rw,pids\n"
      "40 31 0:37 / /sys/fs/cgroup/systemd rw - cgroup cgroup rw,name=systemd\n",
      "8:pids:/\n4:memory:/box/1\n3:cpuset:/\n1:cpu,cpuacct:/a:b\n9:name=systemd:/\n");
  ASSERT_EQ(found.size(), 3u);
  EXPECT_EQ(found[0].folder, "/sys/fs/cgroup/cpu,cpuacct/a:b");
  EXPECT_TRUE(found[0].cpu && !found[0].memory && !found[0].pids);
  EXPECT_EQ(found[1].folder, "/sys/fs/cgroup/memory/box/1");
  EXPECT_EQ(found[2].folder, "/sys/fs/cgroup/pids");
}

TEST(FindCgroups, InAContainerPathsCountFromTheMountsRoot) {
  const auto found =
      FindCgroups("35 31 0:32 /docker/abc /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n",
                  "4:memory:/docker/abc/sub\n");
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0].folder, "/sys/fs/cgroup/memory/sub");
}

TEST(FindCgroups, GarbageIsNoCgroup) {
  EXPECT_THAT(FindCgroups("", ""), IsEmpty());
  EXPECT_THAT(FindCgroups("a - b\n - cgroup2\n1 2 3 4 - cgroup2 x y\n", ":::\n0::/\n"), IsEmpty());
}

// A folder in place of the kernel's: what is written where, and what is held where nothing can be
// set.
class FakeCgroups : public testing::Test {
 protected:
  void Touch(const std::string& name) { std::ofstream(folder_ / name) << ""; }
  std::string Read(const std::string& name) {
    const auto text = ReadWholeFile(AT_FDCWD, folder_ / name, 1000);
    return text.ok() ? *text : "missing";
  }
  // The kernel fills a new cgroup with files; here they stand in advance.
  void Prepare(const std::string& group, const std::vector<std::string>& files) {
    mkdir((folder_ / "spillway-x").c_str(), 0755);
    mkdir((folder_ / ("spillway-x/" + group)).c_str(), 0755);
    for (const std::string& file : files) Touch("spillway-x/" + group + "/" + file);
  }
  TemporaryFolder folder_;
};

TEST_F(FakeCgroups, VersionTwoLimitsAreWritten) {
  const std::vector<std::string> files{"memory.max", "memory.swap.max", "memory.oom.group",
                                       "cpu.max",    "pids.max",        "cgroup.procs"};
  Prepare("trial", files);
  Prepare("job-000001.1", files);
  CgroupHierarchy at{
      .folder = folder_.path(), .version = 2, .memory = true, .cpu = true, .pids = true};
  const Cgroups cgroups = Cgroups::Open({at}, "spillway-x");
  EXPECT_THAT(cgroups.Words(), ElementsAre("cpu-quota", "memory-cgroup", "pids-cgroup"));
  const auto entrances = cgroups.Create(
      "job-000001.1", {.cpus = MilliCpus(1500), .memory = Bytes(4096), .processes = 9});
  ASSERT_TRUE(entrances.ok()) << entrances.status();
  EXPECT_EQ(entrances->size(), 1u);
  EXPECT_EQ(Read("spillway-x/job-000001.1/cpu.max"), "150000 100000");
  EXPECT_EQ(Read("spillway-x/job-000001.1/memory.max"), "4096");
  EXPECT_EQ(Read("spillway-x/job-000001.1/memory.swap.max"), "0");
  EXPECT_EQ(Read("spillway-x/job-000001.1/pids.max"), "9");
  EXPECT_FALSE(cgroups.RanOutOfMemory("job-000001.1"));
  std::ofstream(folder_ / "spillway-x/job-000001.1/memory.events") << "oom 1\noom_kill 2\n";
  EXPECT_TRUE(cgroups.RanOutOfMemory("job-000001.1"));
}

TEST_F(FakeCgroups, VersionOneLimitsAreWritten) {
  const std::vector<std::string> files{"memory.limit_in_bytes", "cgroup.procs"};
  Prepare("trial", files);
  Prepare("r", files);
  const Cgroups cgroups =
      Cgroups::Open({{.folder = folder_.path(), .version = 1, .memory = true}}, "spillway-x");
  EXPECT_THAT(cgroups.Words(), ElementsAre("memory-cgroup"));
  ASSERT_TRUE(cgroups.Create("r", {.cpus = MilliCpus(1), .memory = Bytes(12345)}).ok());
  EXPECT_EQ(Read("spillway-x/r/memory.limit_in_bytes"), "12345");
}

TEST_F(FakeCgroups, WhatCannotBeSetIsNotPromised) {
  const Cgroups cgroups = Cgroups::Open(
      {{.folder = folder_.path(), .version = 2, .memory = true, .cpu = true, .pids = true},
       {.folder = "/no/such/folder", .version = 1, .memory = true}},
      "spillway-x");
  EXPECT_THAT(cgroups.Words(), IsEmpty());
  EXPECT_TRUE(cgroups.Create("r", {.memory = Bytes(1)}).ok());  // runs, unlimited
  EXPECT_NE(access((folder_ / "spillway-x").c_str(), F_OK), 0);
}

}  // namespace
}  // namespace spillway
