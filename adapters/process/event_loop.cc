#include "adapters/process/event_loop.h"

#include <sys/epoll.h>
#include <time.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "core/check.h"

namespace spillway {

EventLoop::EventLoop() : epoll_(epoll_create1(EPOLL_CLOEXEC)) { SPILLWAY_CHECK(epoll_); }

absl::Duration EventLoop::SinceBoot() {
  timespec now{};
  clock_gettime(CLOCK_BOOTTIME, &now);
  return absl::DurationFromTimespec(now);
}

void EventLoop::Register(int fd) {
  const auto watch = watches_.find(fd);
  epoll_event event{};
  event.data.fd = fd;
  if (watch->second->readable) event.events |= EPOLLIN;
  if (watch->second->writable) event.events |= EPOLLOUT;
  if (epoll_ctl(epoll_.get(), EPOLL_CTL_MOD, fd, &event) != 0) {
    SPILLWAY_CHECK(epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event) == 0);
  }
}

void EventLoop::WhenReadable(int fd, Callback callback) {
  auto& watch = watches_[fd];
  if (!watch) watch = std::make_shared<Watch>();
  watch->readable = std::move(callback);
  Register(fd);
}

void EventLoop::WhenWritable(int fd, Callback callback) {
  auto& watch = watches_[fd];
  if (!watch) watch = std::make_shared<Watch>();
  watch->writable = std::move(callback);
  Register(fd);
}

void EventLoop::Forget(int fd) {
  if (watches_.erase(fd) > 0) epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, fd, nullptr);
}

EventLoop::TimerId EventLoop::After(absl::Duration delay, Callback callback) {
  const absl::Duration at = SinceBoot() + std::max(delay, absl::ZeroDuration());
  const TimerId id = ++last_timer_;
  timers_.emplace(std::pair(at, id), std::move(callback));
  due_.emplace(id, at);
  return id;
}

void EventLoop::Drop(TimerId timer) {
  const auto due = due_.find(timer);
  if (due == due_.end()) return;
  timers_.erase({due->second, timer});
  due_.erase(due);
}

void EventLoop::RunTimers() {
  const absl::Duration now = SinceBoot();
  while (!timers_.empty() && timers_.begin()->first.first <= now && !stopped_) {
    auto node = timers_.extract(timers_.begin());
    due_.erase(node.key().second);
    node.mapped()();
  }
}

int EventLoop::MillisToNextTimer() const {
  if (timers_.empty()) return -1;
  const absl::Duration wait = timers_.begin()->first.first - SinceBoot();
  const auto millis = absl::ToInt64Milliseconds(absl::Ceil(wait, absl::Milliseconds(1)));
  return static_cast<int>(std::clamp<std::int64_t>(millis, 0, 60'000));
}

void EventLoop::Run() {
  std::array<epoll_event, 64> events;
  while (!stopped_) {
    const int count = epoll_wait(epoll_.get(), events.data(), static_cast<int>(events.size()),
                                 MillisToNextTimer());
    SPILLWAY_CHECK(count >= 0 || errno == EINTR);
    for (int i = 0; i < count && !stopped_; ++i) {
      const int fd = events[static_cast<std::size_t>(i)].data.fd;
      const std::uint32_t what = events[static_cast<std::size_t>(i)].events;
      // Held here, for a callback may forget its own descriptor; looked up again, for an earlier
      // one of this round may have. A descriptor reused within a round is called once for nothing,
      // which is why callbacks read without blocking.
      const auto run = [&](Callback Watch::*which) {
        const auto found = watches_.find(fd);
        if (found == watches_.end()) return;
        const std::shared_ptr<Watch> watch = found->second;
        const Callback callback = (*watch).*which;
        if (callback) callback();
      };
      if (what & (EPOLLIN | EPOLLHUP | EPOLLERR)) run(&Watch::readable);
      if (what & (EPOLLOUT | EPOLLERR)) run(&Watch::writable);
    }
    RunTimers();
  }
}

}  // namespace spillway
