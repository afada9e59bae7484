#include "controller/signal_queue.h"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "core/check.h"

namespace spillway {
namespace {

std::atomic<int> g_write_end{-1};  // all that a handler may reach

void OnSignal(int number) {
  const int saved = errno;
  const auto byte = static_cast<unsigned char>(number);
  if (number != SIGPIPE) {
    // A full pipe means that enough are waiting.
    [[maybe_unused]] const auto written = ::write(g_write_end.load(), &byte, 1);
  }
  errno = saved;
}

}  // namespace

absl::StatusOr<std::unique_ptr<SignalQueue>> SignalQueue::Open() {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0)
    return absl::InternalError(absl::StrCat("pipe: ", std::strerror(errno)));
  ::fcntl(ends[1], F_SETFL, O_NONBLOCK);
  int nobody = -1;
  if (!g_write_end.compare_exchange_strong(nobody, ends[1])) {
    ::close(ends[0]);
    ::close(ends[1]);
    return absl::FailedPreconditionError("signals of this process are taken already");
  }
  return std::unique_ptr<SignalQueue>(new SignalQueue(ends[0], ends[1]));
}

SignalQueue::SignalQueue(int read_end, int write_end) : read_end_(read_end), write_end_(write_end) {
  struct sigaction action {};
  action.sa_handler = OnSignal;
  action.sa_flags = SA_RESTART;
  sigemptyset(&action.sa_mask);
  for (int i = 0; i < 4; ++i) SPILLWAY_CHECK(::sigaction(kSignals[i], &action, &before_[i]) == 0);
}

SignalQueue::~SignalQueue() {
  for (int i = 0; i < 4; ++i) ::sigaction(kSignals[i], &before_[i], nullptr);
  g_write_end = -1;
  ::close(read_end_);
  ::close(write_end_);
}

int SignalQueue::Next() {
  unsigned char byte = 0;
  while (::read(read_end_, &byte, 1) != 1) SPILLWAY_CHECK(errno == EINTR);
  return byte;
}

std::optional<int> SignalQueue::NextWithin(absl::Duration patience) {
  pollfd readable{.fd = read_end_, .events = POLLIN, .revents = 0};
  const int millis = static_cast<int>(absl::ToInt64Milliseconds(patience));
  // A signal that interrupts the wait has written its byte: the next look finds it.
  if (::poll(&readable, 1, millis) < 0) return std::nullopt;
  return (readable.revents & POLLIN) != 0 ? std::optional<int>(Next()) : std::nullopt;
}

}  // namespace spillway
