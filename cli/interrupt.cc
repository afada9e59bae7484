#include "cli/interrupt.h"

#include <signal.h>
#include <time.h>

#include <atomic>

namespace spillway::cli {
namespace {

std::atomic<bool> interrupted{false};
static_assert(std::atomic<bool>::is_always_lock_free);  // the handler may touch nothing else

void Note(int) { interrupted.store(true); }

}  // namespace

void CatchInterrupt() {
  struct sigaction action {};
  action.sa_handler = Note;
  action.sa_flags = SA_RESETHAND;  // no SA_RESTART: a sleep ends at once
  sigaction(SIGINT, &action, nullptr);
}

bool Interrupted() { return interrupted.load(); }

void Pause(absl::Duration span) {
  const timespec time = absl::ToTimespec(span);
  if (!Interrupted()) nanosleep(&time, nullptr);
}

}  // namespace spillway::cli
