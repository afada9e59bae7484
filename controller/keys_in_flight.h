#pragma once

#include <mutex>
#include <set>
#include <string>
#include <utility>

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
    const std::lock_guard lock(mutex_);
    return held_.insert(key).second;
  }
  void Release(const Key& key) {
    const std::lock_guard lock(mutex_);
    held_.erase(key);
  }
  std::size_t size() const {
    const std::lock_guard lock(mutex_);
    return held_.size();
  }

 private:
  mutable std::mutex mutex_;
  std::set<Key> held_;  // guarded by mutex_
};

}  // namespace spillway
