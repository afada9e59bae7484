#pragma once

#include <cstdint>

#include "absl/time/time.h"
#include "core/units.h"
#include "simulator/event_queue.h"

namespace spillway {

// What may happen in a cell beside arrivals from its trace.
enum class TickKind : std::uint32_t {
  kStep,        // of a server: its step may be over
  kJobEnd,      // of an attempt
  kBrain,       // the instant that the brain asked for
  kFlush,       // ended requests go to the brain
  kView,        // new router inputs are made ready
  kRoom,        // the one who has waited longest for room gives up
  kTurn,        // somebody in a session asks again
  kNodeNotice,  // `id`: number of a node in the world, which will soon be taken back
  kNodeDown,
  kNodeUp,
  kNodeBooted,  // the same node: work may start there
  kEngineUp,    // `id`: of a server, which has its model now
  kJobStart,    // of an attempt, whose node has booted
  kCarbon,      // `id`: the step of the grid's series that begins
};
struct Tick {
  TickKind kind = TickKind::kStep;
  std::uint32_t id = 0;
};

// The queue of one cell, in absolute times. Events that no longer count are not removed: whoever
// gets one looks whether it is due.
class Agenda {
 public:
  explicit Agenda(absl::Time start) : start_(start) {}
  void At(absl::Time time, EventClass event_class, Tick tick) {
    queue_.Push(ToNanos(time - start_), event_class, tick);
  }
  bool empty() const { return queue_.empty(); }
  absl::Time NextTime() {
    return queue_.empty() ? absl::InfiniteFuture() : start_ + absl::Nanoseconds(queue_.PeekTime());
  }
  TimedEvent<Tick> Pop() { return queue_.Pop(); }
  absl::Time start() const { return start_; }

 private:
  absl::Time start_;
  EventQueue<Tick> queue_;
};

}  // namespace spillway
