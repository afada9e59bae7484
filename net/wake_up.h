#pragma once

#include <utility>

#include "absl/functional/any_invocable.h"
#include "net/asio.h"

#include <boost/asio/post.hpp>

namespace spillway {

// Lets one coroutine sleep until something on the same thread wakes it. Remembers nothing: who
// fires while nobody waits fires into the void. Not thread-safe.
class WakeUp {
 public:
  Awaitable<void> Wait() {
    return net::async_initiate<const net::use_awaitable_t<Executor>&, void()>(
        [this](auto handler) { waiter_ = std::move(handler); }, use_awaitable);
  }
  // Resumes the waiter, if there is one, from the executor's queue: never inside this call.
  void Fire(Executor executor) {
    if (waiter_) net::post(executor, std::exchange(waiter_, nullptr));
  }

 private:
  absl::AnyInvocable<void()> waiter_;
};

}  // namespace spillway
