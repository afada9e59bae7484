// Pretended hardware, real commands.
#include <signal.h>

#include <fstream>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "gmock/gmock.h"
#include "tests/adapters/process/supervised.h"

namespace spillway {
namespace {

class ModelledRun : public Supervised {
 protected:
  void Start(std::vector<AttemptKey> known = {}, int max_commands = 8) {
    StartController();
    PoolSpec pool;
    pool.name = "a10";
    pool.device = "nvidia-a10g-24g";
    pool.adapter.max_commands = max_commands;
    modelled_->AddPool(PoolId(1), pool);
    ASSERT_TRUE(modelled_->Start(epoch_, known).ok());
  }
  AttemptKey Model(const std::string& script, absl::Duration duration = {},
                   std::vector<NodeShare> nodes = {{0, {0}}}) {
    const AttemptKey key = NextKey();
    Needs needs;
    needs.cpus = MilliCpus(16'000);  // of a node that is not here
    command::Launch order =
        LaunchOf(key, {.command = {"/bin/sh", "-c", script}, .env = {}, .cwd = {}}, needs);
    order.pool = PoolId(1);
    order.nodes = std::move(nodes);
    order.modelled_duration = duration;
    modelled_->Launch(order);
    return key;
  }
  std::string Printed(AttemptKey key) {
    return ReadFile(absl::StrCat(Path("logs/"), ToString(key.job), ".1.out"));
  }
};

TEST_F(ModelledRun, CommandIsToldWhatItHolds) {
  Start();
  const AttemptKey key =
      Model("echo $SPILLWAY_POOL $SPILLWAY_DEVICE $SPILLWAY_DEVICES; nice", {}, {{2, {0, 1}}});
  EXPECT_EQ(End(key).exit_code, 0);
  EXPECT_EQ(Printed(key), "a10 nvidia-a10g-24g 0,1\n10\n");
}

TEST_F(ModelledRun, DevicesAreHeldAfterTheCommandIsOver) {
  Start();
  const absl::Time before = absl::Now();
  const AttemptKey key = Model("touch " + Path("over"), absl::Milliseconds(300));
  ASSERT_TRUE(Eventually([&] { return Exists(Path("over")); }));
  const AttemptKey quick = Model("exit 0");
  EXPECT_EQ(End(quick).exit_code, 0);
  EXPECT_EQ(End(key).exit_code, 0);
  EXPECT_GE(absl::Now() - before, absl::Milliseconds(300));
  EXPECT_EQ(sink_->EndsInOrder(), (std::vector<AttemptKey>{quick, key}));
}

TEST_F(ModelledRun, CommandThatRunsLongerThanItsModelCounts) {
  Start();
  const AttemptKey key =
      Model("while [ ! -e " + Path("go") + " ]; do sleep 0.01; done", absl::Milliseconds(1));
  ASSERT_TRUE(sink_->WaitForStart(key));
  EXPECT_EQ(End(Model("exit 0", absl::Milliseconds(20))).exit_code, 0);
  EXPECT_EQ(sink_->Ends(key), 0);
  std::ofstream(Path("go")) << "";
  EXPECT_EQ(End(key).exit_code, 0);
}

TEST_F(ModelledRun, WhatCannotStartHoldsNothing) {
  Start();
  const AttemptKey key = NextKey();
  command::Launch order = LaunchOf(key, {.command = {"no-such-command"}, .env = {}, .cwd = {}});
  order.pool = PoolId(1);
  order.modelled_duration = absl::Hours(1);
  modelled_->Launch(order);
  EXPECT_EQ(End(key).fault, Fault::kOwn);
}

TEST_F(ModelledRun, HoldSurvivesControllerAndSupervisor) {
  Start();
  const absl::Time before = absl::Now();
  const AttemptKey key = Model("touch " + Path("over") + "; exit 2", absl::Milliseconds(700));
  ASSERT_TRUE(Eventually([&] { return Exists(Path("runs/job-000001.1.status")); }));
  StopController();
  KillSupervisor(SIGKILL);
  ASSERT_TRUE(Eventually([&] { return SupervisorPid() == 0; }));
  Start({key});
  EXPECT_TRUE(sink_->WaitForStart(key));  // it still holds
  EXPECT_EQ(End(key).exit_code, 2);
  EXPECT_GE(absl::Now() - before, absl::Milliseconds(700));
}

TEST_F(ModelledRun, CancelReleasesWhatIsHeld) {
  Start();
  const AttemptKey key = Model("exit 0", absl::Hours(1));
  ASSERT_TRUE(Eventually([&] { return Exists(Path("runs/job-000001.1.status")); }));
  modelled_->Cancel({.key = key, .epoch = epoch_, .pool = PoolId(1)});
  EXPECT_EQ(End(key).fault, Fault::kCancelled);
}

TEST_F(ModelledRun, AtMostMaxCommandsRunAndTheRestStartInOrder) {
  Start({}, 2);
  const std::string wait = "while [ ! -e " + Path("go") + " ]; do sleep 0.01; done";
  const AttemptKey a = Model(wait), b = Model(wait);
  ASSERT_TRUE(sink_->WaitForStart(a) && sink_->WaitForStart(b));
  std::vector<AttemptKey> rest;
  for (int i = 0; i < 4; ++i)
    rest.push_back(Model(absl::StrCat("echo ", i, " >>", Path("order.txt"))));
  const AttemptKey cancelled = Model("touch " + Path("never"));
  modelled_->Cancel({.key = cancelled, .epoch = epoch_, .pool = PoolId(1)});
  EXPECT_EQ(End(cancelled).fault, Fault::kCancelled);
  for (const AttemptKey key : rest) EXPECT_EQ(sink_->Starts(key), 0);
  modelled_->Cancel(
      {.key = a, .epoch = epoch_, .pool = PoolId(1)});  // one turn is free: one after the other
  for (const AttemptKey key : rest) EXPECT_EQ(End(key).exit_code, 0);
  EXPECT_THAT(LinesOf(Path("order.txt")), testing::ElementsAre("0", "1", "2", "3"));
  EXPECT_FALSE(Exists(Path("never")));
  EXPECT_EQ(sink_->Ends(b), 0);
  std::ofstream(Path("go")) << "";
  EXPECT_EQ(End(b).exit_code, 0);
}

TEST_F(ModelledRun, HeldDevicesTakeNoTurn) {
  Start({}, 1);
  const AttemptKey held = Model("exit 0", absl::Hours(1));
  EXPECT_EQ(End(Model("exit 0")).exit_code, 0);  // though `held` is not over
  EXPECT_EQ(sink_->Ends(held), 0);
  modelled_->Cancel({.key = held, .epoch = epoch_, .pool = PoolId(1)});
  EXPECT_EQ(End(held).fault, Fault::kCancelled);
}

}  // namespace
}  // namespace spillway
