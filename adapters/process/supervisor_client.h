#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "adapters/command_host.h"
#include "adapters/process/connection.h"
#include "adapters/process/protocol.h"

// The controller's end of the supervisor: starts one where none answers, finds it again when either
// has died, and asks again whatever was not answered (every call may be repeated without harm).
namespace spillway {

struct SupervisorClientOptions {
  std::string dir;  // the state folder, made if it is missing (0700)
  // What to run where no supervisor answers: program (a path) and arguments.
  std::vector<std::string> program;             // {"/proc/self/exe", "supervise", "--dir", DIR}
  absl::Duration patience = absl::Seconds(10);  // with a supervisor that cannot be reached
};

// All its state belongs to one thread of its own, which runs every callback.
class SupervisorClient final : public CommandHost {
 public:
  explicit SupervisorClient(SupervisorClientOptions options);
  ~SupervisorClient() override;  // callbacks that are still due are dropped

  absl::Status Take(const std::string& owner, std::uint64_t epoch,
                    absl::Span<const AttemptKey> known, ReportSink sink) override;
  void Launch(const LaunchOrder& order, Done done) override;
  void Cancel(const std::string& owner, AttemptKey key, std::uint64_t epoch) override;
  void Logs(const std::string& owner, AttemptKey key, LogStream stream, std::uint64_t offset,
            std::size_t limit, bool follow, JobAdapter::LogAnswer answer) override;
  void Acknowledge(const std::string& owner, AttemptKey key) override;
  void Leave(const std::string& owner) override;
  std::vector<std::string> Limits() const override;

 private:
  struct Owner {
    std::uint64_t epoch = 0;
    ReportSink sink;
    std::set<AttemptKey> confirmed;  // runs that the supervisor must know
    bool taken = false;
    std::uint64_t request = 0;  // of the kTake that is under way; 0: none
    Done done;
  };
  struct Pending {
    std::string owner, frame;
    bool sent = false;  // on any connection: it may have had its effect
    std::function<void(AnswerMessage)> on_answer;
    std::function<void(absl::StatusOr<LogChunk>)> on_log;
  };

  void Post(std::function<void()> task);
  void RunTasks();
  void Connect();
  void OnConnected(UniqueFd socket);
  void OnClosed();
  void OnFrame(const Frame& frame);
  void OnAnswer(AnswerMessage answer);
  void OnLogAnswer(LogAnswerMessage answer);
  void SendTake(Owner& owner, const std::string& name);
  void Ask(std::uint64_t request, Pending pending);
  void GiveUpUnsent(std::uint64_t request);
  absl::Status StartSupervisor();

  const SupervisorClientOptions options_;
  mutable std::mutex mutex_;  // guards tasks_ and limits_
  std::vector<std::function<void()>> tasks_;
  std::vector<std::string> limits_;
  UniqueFd wake_;

  // Of the thread alone.
  EventLoop loop_;
  UniqueFd dir_;
  std::unique_ptr<Connection> connection_;
  bool connecting_ = false;
  absl::Duration backoff_;
  std::string last_trouble_ = "it did not answer";
  std::uint64_t last_request_ = 0;
  std::map<std::string, Owner> owners_;
  std::map<std::uint64_t, Pending> pending_;
  std::thread thread_;  // last: it uses all of the above
};

}  // namespace spillway
