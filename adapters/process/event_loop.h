#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <vector>

#include "absl/time/time.h"
#include "adapters/process/files.h"

// One thread, file descriptors and timers: all that the supervisor is made of. Small on purpose: it
// forks, so it has no threads, and it outlives the program that started it, so it should have no
// surprises.
namespace spillway {

class EventLoop {
 public:
  EventLoop();
  using Callback = std::function<void()>;
  using TimerId = std::uint64_t;

  // Calls back as long as `fd` can be read (or has ended), until Forget(fd).
  void WhenReadable(int fd, Callback callback);
  // Asks in addition to be called when `fd` can be written; an empty callback ends that.
  void WhenWritable(int fd, Callback callback);
  void Forget(int fd);

  TimerId After(absl::Duration delay, Callback callback);
  void Drop(TimerId timer);

  // Runs until Stop(). Callbacks run one at a time and may use every call of the loop.
  void Run();
  void Stop() { stopped_ = true; }
  // Since boot, sleep included; never set back.
  static absl::Duration SinceBoot();

 private:
  struct Watch {
    Callback readable, writable;
  };
  void Register(int fd);
  void RunTimers();
  int MillisToNextTimer() const;

  UniqueFd epoll_;
  std::map<int, std::shared_ptr<Watch>> watches_;
  std::map<std::pair<absl::Duration, TimerId>, Callback> timers_;
  std::map<TimerId, absl::Duration> due_;
  TimerId last_timer_ = 0;
  bool stopped_ = false;
};

}  // namespace spillway
