#include "adapters/process/process_tree.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "gmock/gmock.h"

namespace spillway {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

TEST(ParseProcessStat, NameMayHoldSpacesAndParentheses) {
  const auto stat = ParseProcessStat(
      "12 (a) b) (c) S 7 8 9 0 -1 4194304 1 0 0 0 1 2 3 4 20 0 1 0 98765 5000 100 "
      "18446744073709551615\n");
  ASSERT_TRUE(stat);
  EXPECT_EQ(stat->pid, 12);
  EXPECT_EQ(stat->state, 'S');
  EXPECT_EQ(stat->parent, 7);
  EXPECT_EQ(stat->group, 8);
  EXPECT_EQ(stat->session, 9);
  EXPECT_EQ(stat->start_ticks, 98765u);
}

TEST(ParseProcessStat, WhatIsNoStatIsNothing) {
  for (const char* text : {"", "12", "12 (a", "12 (a) S 1 2", ")(",
                           "x (a) S 7 8 9 0 -1 0 1 0 0 0 1 2 3 4 20 0 1 0 98765"}) {
    EXPECT_FALSE(ParseProcessStat(text)) << text;
  }
}

std::vector<pid_t> Pids(const std::vector<ProcessStat>& stats) {
  std::vector<pid_t> pids;
  for (const ProcessStat& stat : stats) pids.push_back(stat.pid);
  return pids;
}

TEST(DescendantsOf, FindsTheWholeTreeAndNobodyElse) {
  const std::vector<ProcessStat> all{{.pid = 1, .parent = 0},   {.pid = 10, .parent = 1},
                                     {.pid = 11, .parent = 10}, {.pid = 12, .parent = 11},
                                     {.pid = 20, .parent = 1},  {.pid = 5, .parent = 12}};
  EXPECT_THAT(Pids(DescendantsOf(10, all)), UnorderedElementsAre(11, 12, 5));
  EXPECT_THAT(Pids(DescendantsOf(20, all)), IsEmpty());
}

TEST(DescendantsOf, DeadOnesAreLeftOutButTheirChildrenAreNot) {
  const std::vector<ProcessStat> all{{.pid = 11, .parent = 10, .state = 'Z'},
                                     {.pid = 12, .parent = 11}};
  EXPECT_THAT(Pids(DescendantsOf(10, all)), ElementsAre(12));
}

TEST(DescendantsOf, CircleInATornSnapshotEnds) {
  const std::vector<ProcessStat> all{
      {.pid = 11, .parent = 12}, {.pid = 12, .parent = 11}, {.pid = 10, .parent = 10}};
  EXPECT_THAT(Pids(DescendantsOf(11, all)), ElementsAre(12));
  EXPECT_THAT(Pids(DescendantsOf(10, all)), IsEmpty());
}

TEST(Processes, OwnChildIsFoundByParentAndByMarkAndOnlyTheSameOneIsKilled) {
  const pid_t child = fork();
  if (child == 0) {
    execle("/bin/sleep", "sleep", "30", nullptr,
           std::vector<const char*>{"SPILLWAY_RUN=test-mark/x", nullptr}.data());
    _exit(1);
  }
  while (Pids(ProcessesWithEnvironment("SPILLWAY_RUN=test-mark/")).empty()) {
  }
  EXPECT_THAT(Pids(ProcessesWithEnvironment("SPILLWAY_RUN=test-mark/")), ElementsAre(child));
  EXPECT_THAT(Pids(ProcessesWithEnvironment("SPILLWAY_RUN=test-mar/")), IsEmpty());
  const auto stat = ReadProcess(child);
  ASSERT_TRUE(stat);
  EXPECT_EQ(stat->parent, getpid());
  KillIfSame(child, stat->start_ticks + 1);  // another process that had this number once
  EXPECT_EQ(waitpid(child, nullptr, WNOHANG), 0);
  KillIfSame(child, stat->start_ticks);
  int status = 0;
  EXPECT_EQ(waitpid(child, &status, 0), child);
  EXPECT_EQ(WTERMSIG(status), SIGKILL);
  EXPECT_FALSE(ReadProcess(child));
}

}  // namespace
}  // namespace spillway
