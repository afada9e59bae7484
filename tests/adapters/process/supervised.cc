#include "tests/adapters/process/supervised.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <fstream>
#include <future>
#include <sstream>
#include <thread>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "adapters/process/files.h"
#include "adapters/process/process_tree.h"
#include "adapters/process/supervisor.h"

namespace spillway {

void RecordingSink::Post(event::Body happened) {
  const std::lock_guard lock(mutex_);
  if (const auto* started = std::get_if<event::AttemptStarted>(&happened)) ++starts_[started->key];
  if (const auto* ended = std::get_if<event::AttemptEnded>(&happened)) {
    ends_[ended->key].push_back(*ended);
    order_.push_back(ended->key);
  }
  changed_.notify_all();
}

template <class Found>
bool RecordingSink::Wait(Found found) {
  std::unique_lock lock(mutex_);
  return changed_.wait_for(lock, absl::ToChronoNanoseconds(kTestPatience), found);
}

std::optional<event::AttemptEnded> RecordingSink::WaitForEnd(AttemptKey key) {
  if (!Wait([&] { return !ends_[key].empty(); })) return std::nullopt;
  const std::lock_guard lock(mutex_);
  return ends_[key].front();
}

bool RecordingSink::WaitForStart(AttemptKey key) {
  return Wait([&] { return starts_[key] > 0 || !ends_[key].empty(); }) && Starts(key) > 0;
}

int RecordingSink::Starts(AttemptKey key) {
  const std::lock_guard lock(mutex_);
  return starts_[key];
}

int RecordingSink::Ends(AttemptKey key) {
  const std::lock_guard lock(mutex_);
  return static_cast<int>(ends_[key].size());
}

std::vector<AttemptKey> RecordingSink::EndsInOrder() {
  const std::lock_guard lock(mutex_);
  return order_;
}

std::string ReadFile(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

bool Exists(const std::string& path) { return access(path.c_str(), F_OK) == 0; }

std::vector<std::string> LinesOf(const std::string& path) {
  return absl::StrSplit(ReadFile(path), '\n', absl::SkipEmpty());
}

bool Lives(pid_t pid) {
  const auto stat = ReadProcess(pid);
  return stat && stat->state != 'Z';
}

bool Eventually(const std::function<bool()>& holds) {
  const absl::Time until = absl::Now() + kTestPatience;
  while (!holds()) {
    if (absl::Now() > until) return false;
    absl::SleepFor(absl::Milliseconds(2));
  }
  return true;
}

void Supervised::SetUp() {
  std::string name = testing::TempDir() + "spillway-XXXXXX";
  ASSERT_NE(mkdtemp(name.data()), nullptr);
  dir_ = name;
}

void Supervised::TearDown() {
  StopController();
  LeaveNothingBehind(dir_);
}

void LeaveNothingBehind(const std::string& dir) {
  const pid_t supervisor = SupervisorOf(dir);
  if (supervisor > 0) kill(supervisor, SIGTERM);
  EXPECT_TRUE(Eventually([&] { return supervisor == 0 || !Lives(supervisor); }));
  // Whatever a test did, nothing of it is left on the machine.
  const std::string id = ReadFile(dir + "/supervisor.id");
  if (!id.empty()) {
    EXPECT_TRUE(Eventually([&] {
      for (const ProcessStat& left : ProcessesWithEnvironment("SPILLWAY_RUN=" + id)) {
        if (left.state != 'Z') return false;
      }
      return true;
    }));
  }
  // A supervisor that leaves closes its door first and takes its cgroups away last.
  for (const char* controller : {"cpu", "memory", "pids"}) {
    const std::string folder = absl::StrCat("/sys/fs/cgroup/", controller, "/spillway-", id);
    EXPECT_TRUE(Eventually([&] { return !Exists(folder); })) << folder;
  }
  RemoveTree(AT_FDCWD, dir);
}

void Supervised::StartController(std::vector<AttemptKey> known, std::vector<std::string> flags) {
  SupervisorClientOptions options{.dir = dir_, .program = {TEST_SUPERVISOR, "--dir", dir_}};
  options.program.insert(options.program.end(), flags.begin(), flags.end());
  ++epoch_;
  sink_ = std::make_unique<RecordingSink>();
  client_ = std::make_unique<SupervisorClient>(options);
  adapter_ = std::make_unique<ProcessAdapter>(*client_, *sink_);
  modelled_ = std::make_unique<ModelledAdapter>(*client_, *sink_);
  PoolSpec pool;
  pool.name = "here";
  adapter_->AddPool(pool_, pool);
  const absl::Status started = adapter_->Start(epoch_, known);
  ASSERT_TRUE(started.ok()) << started << ReadFile(Path("supervisor.log"));
}

void Supervised::StopController() {
  if (adapter_) adapter_->Stop();
  if (modelled_) modelled_->Stop();
  adapter_.reset();
  modelled_.reset();
  client_.reset();
}

command::Launch Supervised::LaunchOf(AttemptKey key, spillway::Run run, Needs needs) const {
  auto work = std::make_shared<Work>();
  work->run = std::move(run);
  work->needs = std::move(needs);
  return {.key = key,
          .epoch = epoch_,
          .pool = pool_,
          .work = work,
          .nodes = {{.node = 0, .devices = {}}}};
}

AttemptKey Supervised::Launch(std::vector<std::string> command, spillway::Run more, Needs needs) {
  const AttemptKey key = NextKey();
  more.command = std::move(command);
  adapter_->Launch(LaunchOf(key, std::move(more), std::move(needs)));
  return key;
}

void Supervised::LaunchAgain(AttemptKey key, const std::string& script, std::uint64_t epoch) {
  command::Launch launch =
      LaunchOf(key, {.command = {"/bin/sh", "-c", script}, .env = {}, .cwd = {}});
  launch.epoch = epoch;
  adapter_->Launch(launch);
}

void Supervised::Cancel(AttemptKey key) {
  adapter_->Cancel({.key = key, .epoch = epoch_, .pool = pool_});
}

event::AttemptEnded Supervised::End(AttemptKey key) {
  const auto ended = sink_->WaitForEnd(key);
  EXPECT_TRUE(ended) << "the attempt did not end; " << ReadFile(Path("supervisor.log"));
  return ended.value_or(event::AttemptEnded{});
}

absl::StatusOr<LogChunk> Supervised::ReadLogOnce(AttemptKey key, std::uint64_t offset, bool follow,
                                                 std::size_t limit) {
  std::promise<absl::StatusOr<LogChunk>> answer;
  adapter_->Logs(key, LogStream::kStdout, offset, limit, follow,
                 [&](absl::StatusOr<LogChunk> chunk) { answer.set_value(std::move(chunk)); });
  return answer.get_future().get();
}

std::string Supervised::Output(AttemptKey key, LogStream stream, std::uint64_t* dropped) {
  std::string all;
  std::uint64_t offset = 0;
  for (;;) {
    std::promise<absl::StatusOr<LogChunk>> answer;
    adapter_->Logs(key, stream, offset, 100'000, true,
                   [&](absl::StatusOr<LogChunk> chunk) { answer.set_value(std::move(chunk)); });
    const auto chunk = answer.get_future().get();
    EXPECT_TRUE(chunk.ok()) << chunk.status();
    if (!chunk.ok()) return all;
    all += chunk->bytes;
    if (dropped != nullptr) *dropped += chunk->dropped;
    offset = chunk->next;
    if (chunk->end) return all;
  }
}

pid_t Supervised::SupervisorPid() { return SupervisorOf(dir_); }

pid_t SupervisorOf(const std::string& folder) {
  const UniqueFd dir(open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  const UniqueFd socket(ConnectToSupervisor(dir.get()));
  if (!socket) return 0;
  ucred peer{};
  socklen_t size = sizeof peer;
  getsockopt(socket.get(), SOL_SOCKET, SO_PEERCRED, &peer, &size);
  return peer.pid;
}

void Supervised::KillSupervisor(int signal) {
  // One that was started a moment ago may not listen yet.
  pid_t pid = 0;
  ASSERT_TRUE(Eventually([&] { return (pid = SupervisorPid()) > 0; }));
  kill(pid, signal);
}

void Supervised::CrashAt(const std::string& step, const std::string& who) {
  std::ofstream(Path("crash-at")) << step << " " << who;
}

}  // namespace spillway
