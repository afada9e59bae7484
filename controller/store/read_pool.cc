#include "controller/store/read_pool.h"

namespace spillway::store {

absl::StatusOr<ReadPool::Lease> ReadPool::Borrow() {
  {
    std::unique_lock lock(mutex_);
    given_back_.wait(lock, [this] { return !idle_.empty() || open_ < limit_; });
    if (!idle_.empty()) {
      auto connection = std::move(idle_.back());
      idle_.pop_back();
      return Lease(*this, std::move(connection));
    }
    ++open_;
  }
  auto opened = Connection::Open(path_, Connection::Use::kRead, vfs_);
  if (opened.ok()) return Lease(*this, *std::move(opened));
  {
    const std::lock_guard lock(mutex_);
    --open_;
  }
  given_back_.notify_one();
  return opened.status();
}

void ReadPool::GiveBack(std::unique_ptr<Connection> connection) {
  {
    const std::lock_guard lock(mutex_);
    idle_.push_back(std::move(connection));
  }
  given_back_.notify_one();
}

}  // namespace spillway::store
