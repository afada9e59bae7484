// The supervisor and its controllers: who takes over what, who is refused, who ends when.
#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>
#include <future>
#include <thread>

#include "absl/strings/str_cat.h"
#include "adapters/process/files.h"
#include "adapters/process/process_tree.h"
#include "adapters/process/protocol.h"
#include "adapters/process/supervisor.h"
#include "gmock/gmock.h"
#include "tests/adapters/process/supervised.h"

namespace spillway {
namespace {

using testing::HasSubstr;

class Takeover : public Supervised {
 protected:
  std::string WaitForGo(const std::string& then) {
    return absl::StrCat("echo ran >>", Path("runs.txt"), "; while [ ! -e ", Path("go"),
                        " ]; do sleep 0.01; done; ", then);
  }
  void Go() { std::ofstream(Path("go")) << ""; }
  std::size_t Runs() { return LinesOf(Path("runs.txt")).size(); }
};

TEST_F(Takeover, RunningCommandOutlivesItsController) {
  StartController();
  const AttemptKey key = Shell(WaitForGo("exit 5"));
  ASSERT_TRUE(sink_->WaitForStart(key));
  StopController();
  StartController({key});
  EXPECT_TRUE(sink_->WaitForStart(key));  // it runs on
  Go();
  EXPECT_EQ(End(key).exit_code, 5);
  EXPECT_EQ(Runs(), 1u);
}

TEST_F(Takeover, EndThatNobodyHeardIsToldToTheNextController) {
  StartController();
  const AttemptKey key = Shell(WaitForGo("exit 6"));
  ASSERT_TRUE(sink_->WaitForStart(key));
  StopController();
  Go();
  ASSERT_TRUE(Eventually([&] { return Exists(Path("runs/job-000001.1.end")); }));
  StartController({key});
  EXPECT_EQ(End(key).exit_code, 6);
  EXPECT_EQ(sink_->Starts(key), 0);  // exactly one thing is told of a run that was known
}

TEST_F(Takeover, KnownAttemptWithoutTraceIsLostAndNeverStarts) {
  const AttemptKey key{JobId(77), 2};
  StartController({key});
  const event::AttemptEnded end = End(key);
  EXPECT_EQ(end.fault, Fault::kInfrastructure);
  EXPECT_THAT(end.message, HasSubstr("no trace"));
  LaunchAgain(key, "touch " + Path("started"), epoch_);
  EXPECT_EQ(End(key).fault, Fault::kInfrastructure);
  EXPECT_EQ(End(Shell("exit 0")).exit_code, 0);  // by now the other would have run
  EXPECT_FALSE(Exists(Path("started")));
}

TEST_F(Takeover, AttemptThatTheRecordsDoNotKnowIsEnded) {
  StartController({}, {"--grace-ms", "10"});
  const AttemptKey key = Shell("echo $$ >" + Path("pid") + ".t; mv " + Path("pid") + ".t " +
                               Path("pid") + "; trap '' TERM; while :; do sleep 0.05; done");
  ASSERT_TRUE(Eventually([&] { return Exists(Path("pid")); }));
  const pid_t pid = std::stoi(ReadFile(Path("pid")));
  StopController();
  StartController({});
  EXPECT_TRUE(Eventually([&] { return !Lives(pid); }));
  EXPECT_EQ(End(Shell("exit 0")).exit_code, 0);
  EXPECT_EQ(sink_->Ends(key), 0);  // nothing is said of strangers
}

TEST_F(Takeover, SeenAttemptStartsNothing) {
  StartController();
  const AttemptKey key = Shell(WaitForGo("exit 0"));
  ASSERT_TRUE(sink_->WaitForStart(key));
  LaunchAgain(key, WaitForGo("exit 9"), epoch_);
  StopController();
  StartController({key});
  LaunchAgain(key, WaitForGo("exit 9"), epoch_);
  Go();
  EXPECT_EQ(End(key).exit_code, 0);
  LaunchAgain(key, WaitForGo("exit 9"), epoch_);
  EXPECT_EQ(End(Shell("exit 0")).exit_code, 0);
  EXPECT_EQ(Runs(), 1u);
}

TEST_F(Takeover, OlderEpochIsRefusedWithoutAWord) {
  StartController();
  StopController();
  StartController();
  const AttemptKey stale{JobId(50), 1};
  LaunchAgain(stale, "touch " + Path("stale"), epoch_ - 1);
  EXPECT_EQ(End(Shell("exit 0")).exit_code, 0);
  EXPECT_EQ(sink_->Ends(stale), 0);
  EXPECT_EQ(sink_->Starts(stale), 0);
  EXPECT_FALSE(Exists(Path("stale")));
}

TEST_F(Takeover, OldControllerThatStillLivesIsFencedOff) {
  StartController();
  auto old_sink = std::move(sink_);
  auto old_client = std::move(client_);
  auto old_adapter = std::move(adapter_);
  modelled_.reset();
  StartController();
  const AttemptKey running = Shell(WaitForGo("exit 0"));
  ASSERT_TRUE(sink_->WaitForStart(running));
  command::Launch stale =
      LaunchOf({JobId(60), 1}, {.command = {"/bin/touch", Path("stale")}, .env = {}, .cwd = {}});
  stale.epoch = epoch_ - 1;
  old_adapter->Launch(stale);
  old_adapter->Cancel({.key = running, .epoch = epoch_ - 1, .pool = pool_});
  // Answered in order: by now both have been looked at.
  std::promise<void> answered;
  old_adapter->Logs(running, LogStream::kStdout, 0, 1, false,
                    [&](const auto&) { answered.set_value(); });
  answered.get_future().wait();
  Go();
  EXPECT_EQ(End(running).exit_code, 0);  // the old one's cancel had no effect
  EXPECT_FALSE(Exists(Path("stale")));
  EXPECT_EQ(old_sink->Ends(running), 0);
  old_adapter->Stop();
}

TEST_F(Takeover, EpochSurvivesTheSupervisor) {
  StartController();
  StopController();
  StartController();
  KillSupervisor(SIGKILL);
  const AttemptKey stale{JobId(51), 1};
  LaunchAgain(stale, "touch " + Path("stale"), epoch_ - 1);
  EXPECT_EQ(End(Shell("exit 0")).exit_code, 0);
  EXPECT_FALSE(Exists(Path("stale")));
}

TEST_F(Takeover, SupervisorEndsItselfWhenNobodyNeedsIt) {
  StartController({}, {"--idle-ms", "30"});
  const AttemptKey key = Shell("exit 0");
  End(key);
  const pid_t pid = SupervisorPid();
  ASSERT_GT(pid, 0);
  StopController();
  EXPECT_TRUE(Eventually([&] { return !Lives(pid); }));
  EXPECT_FALSE(Exists(Path(kSupervisorSocket)));
  StartController({key});  // and comes back when somebody does, with what it knew
  EXPECT_NE(SupervisorPid(), pid);
  EXPECT_EQ(End(key).exit_code, 0);
}

TEST_F(Takeover, SupervisorStaysWhileACommandRuns) {
  StartController({}, {"--idle-ms", "20"});
  const AttemptKey key = Shell(WaitForGo("exit 0"));
  ASSERT_TRUE(sink_->WaitForStart(key));
  StopController();
  EXPECT_EQ(system("sleep 0.2"), 0);  // ten times its idle limit
  Go();
  StartController({key}, {"--idle-ms", "20"});
  EXPECT_EQ(End(key).exit_code, 0);
}

TEST_F(Takeover, TwoControllersThatStartTogetherFindOneSupervisor) {
  std::vector<std::unique_ptr<SupervisorClient>> clients;
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    clients.push_back(std::make_unique<SupervisorClient>(
        SupervisorClientOptions{.dir = dir_, .program = {TEST_SUPERVISOR, "--dir", dir_}}));
  }
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([client = clients[i].get(), i] {
      EXPECT_TRUE(client->Take(absl::StrCat("owner", i), 1, {}, [](const RunReport&) {}).ok());
    });
  }
  for (std::thread& thread : threads) thread.join();
  int supervisors = 0;
  for (const ProcessStat& stat : ListProcesses()) {
    const std::string command = ReadFile(absl::StrCat("/proc/", stat.pid, "/cmdline"));
    supervisors += stat.state != 'Z' && command.find(dir_) != std::string::npos ? 1 : 0;
  }
  EXPECT_EQ(supervisors, 1);
}

TEST_F(Takeover, LongPathOfTheStateFolderIsNoObstacle) {
  const std::string plain = dir_;
  dir_ = absl::StrCat(dir_, "/", std::string(200, 'd'));
  StartController();
  EXPECT_EQ(End(Shell("exit 0")).exit_code, 0);
  StopController();
  KillSupervisor(SIGTERM);
  EXPECT_TRUE(Eventually([&] { return SupervisorPid() == 0; }));
  dir_ = plain;
}

TEST_F(Takeover, SupervisorThatCannotStartIsAnErrorInWords) {
  SupervisorClient client(
      {.dir = dir_, .program = {"/no/such/program"}, .patience = absl::Milliseconds(100)});
  const absl::Status status = client.Take("process", 1, {}, [](const RunReport&) {});
  EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(std::string(status.message()), HasSubstr("cannot start /no/such/program"));
}

TEST_F(Takeover, FolderThatOthersMayWriteToIsRefused) {
  ASSERT_EQ(chmod(dir_.c_str(), 0777), 0);
  SupervisorClient client({.dir = dir_,
                           .program = {TEST_SUPERVISOR, "--dir", dir_},
                           .patience = absl::Milliseconds(200)});
  EXPECT_FALSE(client.Take("process", 1, {}, [](const RunReport&) {}).ok());
  EXPECT_THAT(ReadFile(Path(kSupervisorLog)), HasSubstr("nobody else may write to it"));
  chmod(dir_.c_str(), 0700);
}

TEST_F(Takeover, ToldToStopItEndsItsCommandsAndSaysThatTheyAreLost) {
  StartController();
  const AttemptKey key = Shell("while :; do sleep 0.01; done");
  ASSERT_TRUE(sink_->WaitForStart(key));
  KillSupervisor(SIGTERM);
  const event::AttemptEnded end = End(key);
  EXPECT_EQ(end.fault, Fault::kInfrastructure);
  EXPECT_THAT(end.message, HasSubstr("told to stop"));
}

TEST_F(Takeover, TooManyCommandsAtOnceAreRefusedAndNothingIsLost) {
  StartController({}, {"--max-live", "2"});
  const AttemptKey first = Shell(WaitForGo("exit 0")), second = Shell(WaitForGo("exit 0"));
  ASSERT_TRUE(sink_->WaitForStart(first) && sink_->WaitForStart(second));
  const event::AttemptEnded end = End(Shell("exit 0"));
  EXPECT_EQ(end.fault, Fault::kInfrastructure);
  EXPECT_THAT(end.message, HasSubstr("no more are taken"));
  Go();
  EXPECT_EQ(End(first).exit_code, 0);
  EXPECT_EQ(End(second).exit_code, 0);
}

TEST_F(Takeover, GarbageOnTheSocketCutsOffItsSenderOnly) {
  StartController();
  const AttemptKey key = Shell(WaitForGo("exit 0"));
  ASSERT_TRUE(sink_->WaitForStart(key));
  const UniqueFd dir(open(dir_.c_str(), O_RDONLY | O_DIRECTORY));
  std::string wrong_version =
      EncodeFrame(static_cast<std::uint8_t>(MessageType::kCancel), Encode(CancelMessage{}));
  wrong_version[4] = 99;
  const std::string torn = FrameOf(MessageType::kTake, TakeMessage{.owner = "process", .epoch = 9});
  for (const std::string& garbage :
       {std::string("GET / HTTP/1.1\r\n\r\n"), std::string(8, '\xff'), EncodeFrame(200, ""),
        wrong_version,
        EncodeFrame(static_cast<std::uint8_t>(MessageType::kLaunch), std::string(64, '\xee'))}) {
    const UniqueFd socket(ConnectToSupervisor(dir.get()));
    ASSERT_TRUE(socket);
    ASSERT_TRUE(WriteAll(socket.get(), garbage).ok());
    char byte = 0;
    EXPECT_LE(recv(socket.get(), &byte, 1, 0), 0) << "not cut off after " << garbage;
  }
  {
    const UniqueFd socket(ConnectToSupervisor(dir.get()));  // half a message, and gone
    ASSERT_TRUE(WriteAll(socket.get(), std::string_view(torn).substr(0, torn.size() - 3)).ok());
  }
  Go();
  EXPECT_EQ(End(key).exit_code, 0);
}

TEST_F(Takeover, WorkLogsAndRecordsAreSweptAfterTheirTime) {
  StartController({}, {"--kept-ms", "0"});
  const AttemptKey key = Shell("touch file");
  ASSERT_EQ(End(key).exit_code, 0);
  StopController();
  KillSupervisor(SIGTERM);
  ASSERT_TRUE(Eventually([&] { return SupervisorPid() == 0; }));
  StartController({}, {"--kept-ms", "0"});  // sweeps when it starts
  EXPECT_TRUE(Eventually([&] {
    return !Exists(Path("work/job-000001")) && !Exists(Path("runs/job-000001.1.end")) &&
           !Exists(Path("logs/job-000001.1.out"));
  }));
}

}  // namespace
}  // namespace spillway
