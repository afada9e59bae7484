#pragma once

#include <cstddef>
#include <deque>
#include <memory>
#include <mutex>
#include <string>

#include "absl/status/statusor.h"
#include "controller/archive.h"
#include "scheduler/router_view.h"

namespace spillway {

// Views of the past, made ready again to explain requests that were routed by them. Thread-safe;
// keeps the last few.
class PastViews {
 public:
  explicit PastViews(Archive& archive) : archive_(archive) {}
  absl::StatusOr<std::shared_ptr<const RouterView>> Find(EventNumber id);

 private:
  static constexpr std::size_t kKept = 16;
  Archive& archive_;
  std::mutex mutex_;
  std::deque<std::shared_ptr<const RouterView>> kept_;  // guarded by mutex_; the newest first
};

// The decision about a request, made again from what it was routed by, and what came of it. Without
// `view`, which may be kept no longer than the log: no candidates.
std::string RequestBody(const Request& request, const RouterView* view);

}  // namespace spillway
