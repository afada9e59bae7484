#pragma once

#include <atomic>
#include <chrono>
#include <memory>
#include <optional>
#include <utility>

#include "absl/functional/any_invocable.h"
#include "absl/time/time.h"
#include "controller/host.h"
#include "net/server.h"

namespace spillway {

// How long a handler waits for the host. The host answers within a commit or two; this bound is for
// a disk that hangs.
inline constexpr absl::Duration kHostPatience = absl::Seconds(30);

// Starts a call to the host and sleeps until it is answered. Nothing: the client is gone, or the
// host did not answer in time; a later answer finds nobody and is dropped.
//   auto start = [&host, job](Host::Done<absl::Status> done) { host.Cancel(job, std::move(done));
//   }; auto status = co_await Ask<absl::Status>(exchange, std::move(start));
// `exchange` is kept alive by the server until the handler returns.
template <class T>
Awaitable<std::optional<T>> Ask(Exchange& exchange, absl::AnyInvocable<void(Host::Done<T>)> start,
                                absl::Duration patience = kHostPatience) {
  struct Slot {
    std::optional<T> answer;
    std::atomic<bool> ready{false};
  };
  auto slot = std::make_shared<Slot>();
  start([slot, waker = exchange.waker()](T answer) {
    slot->answer.emplace(std::move(answer));
    slot->ready.store(true, std::memory_order_release);
    waker->Wake();
  });
  const auto begun = std::chrono::steady_clock::now();
  while (!slot->ready.load(std::memory_order_acquire)) {
    const absl::Duration left =
        patience - absl::FromChrono(std::chrono::steady_clock::now() - begun);
    if (left <= absl::ZeroDuration()) co_return std::nullopt;
    const Woken why = co_await exchange.Wait(left);
    if (why == Woken::kGone) co_return std::nullopt;
  }
  co_return std::move(slot->answer);
}

}  // namespace spillway
