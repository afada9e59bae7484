#pragma once

#include <set>
#include <string>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"

namespace spillway {

// Idempotency keys whose first request is still being worked on. A key is held from before the
// archive is asked for it until its answer is committed there, so that of any number of requests
// with one key, at any moment, exactly one goes on. Thread-safe; bounded by the number of requests
// that are served at once.
class KeysInFlight {
 public:
  using Key = std::pair<std::string, std::string>;  // tenant, key

  // False: somebody holds it.
  bool Take(const Key& key) {
    absl::MutexLock lock(&mutex_);
    return held_.insert(key).second;
  }
  void Release(const Key& key) {
    absl::MutexLock lock(&mutex_);
    held_.erase(key);
  }
  std::size_t size() const {
    absl::MutexLock lock(&mutex_);
    return held_.size();
  }

 private:
  mutable absl::Mutex mutex_;
  std::set<Key> held_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace spillway
