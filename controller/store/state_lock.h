#pragma once

#include <memory>
#include <string>

#include "absl/status/statusor.h"

namespace spillway {

// Holds a state folder for one controller: as long as this lives, nobody else gets it. The lock is
// the kernel's (flock on DIR/lock), so it goes with the process, however that ends; programs that
// the process starts do not inherit it. The file holds the process id, for people and messages.
// (On a network file system without flock it guards nothing: keep the folder on a local disk.)
class StateLock {
 public:
  // Makes `folder` (0700), and the folders above it, if missing. kFailedPrecondition: another
  // process holds it; the message names it.
  static absl::StatusOr<std::unique_ptr<StateLock>> Take(const std::string& folder);
  ~StateLock();
  StateLock(const StateLock&) = delete;
  StateLock& operator=(const StateLock&) = delete;

 private:
  explicit StateLock(int fd) : fd_(fd) {}
  int fd_;
};

}  // namespace spillway
