#pragma once

#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "adapters/modelled/modelled_adapter.h"
#include "adapters/process/process_adapter.h"
#include "adapters/process/supervisor_client.h"
#include "gtest/gtest.h"

// Real supervisors and real commands, for tests. Nothing here sleeps: waits end when what they wait
// for has happened, or after 20 s with a failure.
namespace spillway {

inline constexpr absl::Duration kTestPatience = absl::Seconds(20);

// Remembers what an adapter said.
class RecordingSink final : public AdapterSink {
 public:
  void Post(event::Body happened) override;
  // Nothing: it did not happen in time.
  std::optional<event::AttemptEnded> WaitForEnd(AttemptKey key);
  bool WaitForStart(AttemptKey key);
  int Starts(AttemptKey key);
  int Ends(AttemptKey key);
  std::vector<AttemptKey> EndsInOrder();

 private:
  template <class Found>
  bool Wait(Found found);
  std::mutex mutex_;
  std::condition_variable changed_;
  std::map<AttemptKey, int> starts_;
  std::map<AttemptKey, std::vector<event::AttemptEnded>> ends_;
  std::vector<AttemptKey> order_;
};

std::string ReadFile(const std::string& path);
bool Exists(const std::string& path);
std::vector<std::string> LinesOf(const std::string& path);
bool Lives(pid_t pid);  // there, and not only waiting to be waited for
// True once `holds` is; looks every 2 ms, for what cannot be waited for (processes and files of
// others).
bool Eventually(const std::function<bool()>& holds);

// The process that supervises a state folder; 0: none answers.
pid_t SupervisorOf(const std::string& dir);
// Ends it and all that it ran, and removes the folder.
void LeaveNothingBehind(const std::string& dir);

// A state folder, and what a controller does with it.
class Supervised : public testing::Test {
 protected:
  void SetUp() override;
  void TearDown() override;

  // A new controller: the next epoch, taking over `known`.
  void StartController(std::vector<AttemptKey> known = {}, std::vector<std::string> flags = {});
  void StopController();
  AttemptKey Launch(std::vector<std::string> command, spillway::Run more = {}, Needs needs = {});
  AttemptKey Shell(const std::string& script) { return Launch({"/bin/sh", "-c", script}); }
  void LaunchAgain(AttemptKey key, const std::string& script, std::uint64_t epoch);
  void Cancel(AttemptKey key);
  event::AttemptEnded End(AttemptKey key);
  // All that was printed; reads until the end of the log.
  std::string Output(AttemptKey key, LogStream stream = LogStream::kStdout,
                     std::uint64_t* dropped = nullptr);
  absl::StatusOr<LogChunk> ReadLogOnce(AttemptKey key, std::uint64_t offset, bool follow,
                                       std::size_t limit = 1 << 20);
  pid_t SupervisorPid();  // 0: none answers
  void KillSupervisor(int signal);
  void CrashAt(const std::string& step, const std::string& who = "self");
  std::string Path(const std::string& name) const { return dir_ + "/" + name; }
  command::Launch LaunchOf(AttemptKey key, spillway::Run run, Needs needs = {}) const;
  AttemptKey NextKey() { return {JobId(++last_job_), 1}; }

  std::string dir_;
  std::uint64_t epoch_ = 0, last_job_ = 0;
  PoolId pool_{0};
  std::unique_ptr<RecordingSink> sink_;
  std::unique_ptr<SupervisorClient> client_;
  std::unique_ptr<ProcessAdapter> adapter_;
  std::unique_ptr<ModelledAdapter> modelled_;
};

}  // namespace spillway
