#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "controller/store/connection.h"

namespace spillway::store {

// Connections for readers, lent one at a time to whoever asks; opened when first needed, at most
// `limit`. Who finds all of them lent waits: reads are short. Thread-safe.
class ReadPool {
 public:
  class Lease {
   public:
    Lease(ReadPool& pool, std::unique_ptr<Connection> connection)
        : pool_(&pool), connection_(std::move(connection)) {}
    Lease(Lease&& other) noexcept = default;
    Lease& operator=(Lease&&) = delete;
    ~Lease() {
      if (connection_) pool_->GiveBack(std::move(connection_));
    }
    Connection& operator*() { return *connection_; }

   private:
    ReadPool* pool_;
    std::unique_ptr<Connection> connection_;
  };

  ReadPool(std::string path, std::string vfs, int limit)
      : path_(std::move(path)), vfs_(std::move(vfs)), limit_(limit) {}

  // Fails only if a connection has to be opened and cannot.
  absl::StatusOr<Lease> Borrow();

 private:
  void GiveBack(std::unique_ptr<Connection> connection);
  const std::string path_, vfs_;
  const int limit_;
  // Not absl::Mutex: ThreadSanitizer cannot look into Debian's build of it and would report every
  // hand-over as a race.
  std::mutex mutex_;  // guards what follows
  std::condition_variable given_back_;
  std::vector<std::unique_ptr<Connection>> idle_;
  int open_ = 0;  // lent or idle
};

}  // namespace spillway::store
