#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "absl/time/time.h"

namespace spillway {

// The controller's log: a line for each thing that an operator wants to know of, on standard error.
// Nothing of a request is ever logged, and nothing on the way of one. One line stays one line, and
// is cut at 4 KiB. Thread-safe.
class ServeLog {
 public:
  explicit ServeLog(bool json);
  ~ServeLog();
  void Info(std::string_view words);
  void Warn(std::string_view words);
  void Error(std::string_view words);

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

// Of a stop that streams or requests outlasted by more than they were given: how many were told so,
// and of how many connections the rest was cut off.
std::string StoppedLate(std::uint64_t told, std::uint64_t cut, absl::Duration given);

}  // namespace spillway
