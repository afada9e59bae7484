#pragma once

#include <csignal>
#include <memory>
#include <optional>

#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace spillway {

// SIGTERM, SIGINT and SIGHUP as values, read one after the other. Nothing is blocked or ignored,
// since programs that we start would inherit that; SIGPIPE is caught and does nothing. One at a
// time in a process; what was there before is put back at the end.
class SignalQueue {
 public:
  static absl::StatusOr<std::unique_ptr<SignalQueue>> Open();
  ~SignalQueue();
  SignalQueue(const SignalQueue&) = delete;
  SignalQueue& operator=(const SignalQueue&) = delete;

  int Next();  // blocks
  // Blocks so long at most; none came: nothing.
  std::optional<int> NextWithin(absl::Duration patience);

 private:
  SignalQueue(int read_end, int write_end);
  static constexpr int kSignals[] = {SIGTERM, SIGINT, SIGHUP, SIGPIPE};
  int read_end_, write_end_;
  struct sigaction before_[4];
};

}  // namespace spillway
