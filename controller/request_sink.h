#pragma once

#include "core/event.h"

namespace spillway {

// Where requests go that are over: they are counted, made ready for the log, booked, learned from.
class RequestSink {
 public:
  virtual ~RequestSink() = default;
  // One thread at a time; may take milliseconds, and while the disk stands still as long as that
  // does: who hands over more than can be kept waits. In a `hurry`: they, and all that came before,
  // are to be on disk as soon as may be; else it is enough when they are there within a moment,
  // with others.
  virtual void Book(event::RequestsEnded ended, bool hurry) = 0;
};

}  // namespace spillway
