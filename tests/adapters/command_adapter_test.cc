#include "adapters/command_adapter.h"

#include <signal.h>

#include "adapters/process/process_adapter.h"
#include "gmock/gmock.h"
#include "tests/adapters/fake_host.h"

namespace spillway {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

const AttemptKey kKey{JobId(45), 1};

class ACommandAdapter : public testing::Test {
 protected:
  ACommandAdapter() {
    PoolSpec pool;
    pool.name = "here";
    pool.device = "xeon";
    adapter_.AddPool(PoolId(3), pool);
  }
  command::Launch Launch(AttemptKey key = kKey) {
    auto work = std::make_shared<Work>();
    work->run = {.command = {"train", "--fast"}, .env = {{"A", "1"}}, .cwd = "/srv"};
    work->needs.cpus = MilliCpus(2500);
    work->needs.memory = Bytes(77);
    return {.key = key,
            .epoch = 9,
            .pool = PoolId(3),
            .work = work,
            .nodes = {{.node = 4, .devices = {1, 2}}}};
  }
  static RunReport Report(RunPhase phase, RunOutcome outcome = RunOutcome::kNone, int code = 0) {
    return {.key = kKey, .owner = "process", .phase = phase, .outcome = outcome, .code = code};
  }
  const event::AttemptEnded* Ended(std::size_t at) {
    return std::get_if<event::AttemptEnded>(&sink_.said.at(at));
  }

  FakeHost host_;
  ListSink sink_;
  ProcessAdapter adapter_{host_, sink_};
};

TEST_F(ACommandAdapter, LaunchCarriesWhatTheJobAskedFor) {
  adapter_.Launch(Launch());
  ASSERT_THAT(host_.launched, SizeIs(1));
  const LaunchOrder& order = host_.launched[0];
  EXPECT_EQ(order.key, kKey);
  EXPECT_EQ(order.epoch, 9u);
  EXPECT_EQ(order.owner, "process");
  EXPECT_THAT(order.command, ElementsAre("train", "--fast"));
  EXPECT_THAT(order.env, ElementsAre(testing::Pair("A", "1")));
  EXPECT_EQ(order.cwd, "/srv");
  EXPECT_EQ(order.cpus, MilliCpus(2500));
  EXPECT_EQ(order.memory, Bytes(77));
  EXPECT_EQ(order.hold, absl::ZeroDuration());
  EXPECT_EQ(order.turn_limit, 0);
  EXPECT_THAT(order.told, ElementsAre(testing::Pair("SPILLWAY_POOL", "here"),
                                      testing::Pair("SPILLWAY_DEVICE", "xeon"),
                                      testing::Pair("SPILLWAY_DEVICES", "1,2")));
}

TEST_F(ACommandAdapter, LaunchUsesTheAlternativeThatWasChosen) {
  command::Launch launch = Launch();
  auto work = std::make_shared<Work>(*launch.work);
  work->alternatives.push_back({.run = {.command = {"train-hpu"}}, .needs = work->needs});
  work->alternatives[0].needs.cpus = MilliCpus(100);
  launch.work = work;
  launch.alternative = 0;
  adapter_.Launch(launch);
  EXPECT_THAT(host_.launched[0].command, ElementsAre("train-hpu"));
  EXPECT_EQ(host_.launched[0].cpus, MilliCpus(100));
}

TEST_F(ACommandAdapter, TellsStartOnceAndEndOnceHoweverOftenItIsReported) {
  adapter_.Start(9, {}).IgnoreError();
  adapter_.Launch(Launch());
  host_.report(Report(RunPhase::kWaiting));
  EXPECT_THAT(sink_.said, IsEmpty());
  host_.report(Report(RunPhase::kRunning));
  host_.report(Report(RunPhase::kRunning));
  host_.report(Report(RunPhase::kEnded, RunOutcome::kExited, 0));
  host_.report(Report(RunPhase::kEnded, RunOutcome::kExited, 0));
  ASSERT_THAT(sink_.said, SizeIs(2));
  EXPECT_TRUE(std::holds_alternative<event::AttemptStarted>(sink_.said[0]));
  EXPECT_EQ(Ended(1)->fault, Fault::kNone);
  EXPECT_THAT(host_.acknowledged, ElementsAre(kKey, kKey));
}

TEST_F(ACommandAdapter, SecondLaunchOfALiveAttemptAsksForNothing) {
  adapter_.Launch(Launch());
  adapter_.Launch(Launch());
  EXPECT_THAT(host_.launched, SizeIs(1));
}

TEST_F(ACommandAdapter, KnownAttemptIsAskedForAndItsEndIsTold) {
  EXPECT_TRUE(adapter_.Start(10, {kKey}).ok());
  EXPECT_EQ(host_.taken[0].epoch, 10u);
  EXPECT_THAT(host_.taken[0].known, ElementsAre(kKey));
  host_.report(Report(RunPhase::kEnded, RunOutcome::kLost));
  EXPECT_EQ(Ended(0)->fault, Fault::kInfrastructure);
}

TEST_F(ACommandAdapter, StrangersAreAcknowledgedAndNotTold) {
  adapter_.Start(10, {}).IgnoreError();
  host_.report(Report(RunPhase::kRunning));
  host_.report(Report(RunPhase::kEnded, RunOutcome::kExited, 0));
  EXPECT_THAT(sink_.said, IsEmpty());
  EXPECT_THAT(host_.acknowledged, ElementsAre(kKey));
}

TEST_F(ACommandAdapter, RefusalForAnOldEpochIsNotTold) {
  adapter_.Launch(Launch());
  host_.dones[0](absl::AbortedError("epoch 9 is over"));
  EXPECT_THAT(sink_.said, IsEmpty());
}

TEST_F(ACommandAdapter, LaunchThatTheHostCannotTakeEndsTheAttempt) {
  adapter_.Launch(Launch());
  host_.dones[0](absl::UnavailableError("disk full"));
  ASSERT_THAT(sink_.said, SizeIs(1));
  EXPECT_EQ(Ended(0)->fault, Fault::kInfrastructure);
  EXPECT_EQ(Ended(0)->message, "disk full");
}

TEST_F(ACommandAdapter, CommandThatIsTooLongIsTheJobsFault) {
  adapter_.Launch(Launch());
  host_.dones[0](absl::InvalidArgumentError("too long"));
  EXPECT_EQ(Ended(0)->fault, Fault::kOwn);
}

TEST_F(ACommandAdapter, UnknownPoolEndsTheAttempt) {
  command::Launch launch = Launch();
  launch.pool = PoolId(99);
  adapter_.Launch(launch);
  EXPECT_THAT(host_.launched, IsEmpty());
  EXPECT_EQ(Ended(0)->fault, Fault::kInfrastructure);
}

TEST_F(ACommandAdapter, CancelAndStopAreHandedOn) {
  adapter_.Cancel({.key = kKey, .epoch = 9, .pool = PoolId(3)});
  EXPECT_THAT(host_.cancelled, ElementsAre(testing::Pair(kKey, 9u)));
  adapter_.Stop();
  EXPECT_THAT(host_.left, ElementsAre("process"));
}

TEST(EndOf, EveryOutcomeHasItsFault) {
  const auto of = [](RunOutcome outcome, int code) {
    return EndOf(
        {.key = kKey, .phase = RunPhase::kEnded, .outcome = outcome, .code = code, .message = "m"});
  };
  EXPECT_EQ(of(RunOutcome::kExited, 0).fault, Fault::kNone);
  EXPECT_EQ(of(RunOutcome::kExited, 3).fault, Fault::kOwn);
  EXPECT_EQ(of(RunOutcome::kExited, 3).exit_code, 3);
  EXPECT_EQ(of(RunOutcome::kSignalled, SIGKILL).signal, SIGKILL);
  EXPECT_EQ(of(RunOutcome::kSignalled, SIGKILL).exit_code, std::nullopt);
  EXPECT_EQ(of(RunOutcome::kCannotStart, ENOENT).fault, Fault::kOwn);
  EXPECT_EQ(of(RunOutcome::kCannotStart, ENOENT).exit_code, std::nullopt);
  EXPECT_EQ(of(RunOutcome::kCancelled, 0).fault, Fault::kCancelled);
  EXPECT_EQ(of(RunOutcome::kLost, 0).fault, Fault::kInfrastructure);
  EXPECT_EQ(of(RunOutcome::kLost, 0).message, "m");
}

TEST(EndOf, MemoryLimitIsNamed) {
  EXPECT_THAT(EndOf({.outcome = RunOutcome::kSignalled, .code = 9, .out_of_memory = true}).message,
              HasSubstr("memory limit"));
  EXPECT_EQ(EndOf({.outcome = RunOutcome::kExited, .code = 0, .out_of_memory = true}).message, "");
}

TEST(DevicesText, NamesDevicesAndNodes) {
  EXPECT_EQ(DevicesText({{.node = 7, .devices = {0, 1}}}), "0,1");
  EXPECT_EQ(DevicesText({{.node = 7, .devices = {}}}), "");
  EXPECT_EQ(DevicesText({{.node = 0, .devices = {0, 1}}, {.node = 3, .devices = {0}}}),
            "0:0,1;3:0");
  EXPECT_EQ(DevicesText({}), "");
}

}  // namespace
}  // namespace spillway
