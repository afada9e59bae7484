#include "controller/store/read_pool.h"

namespace spillway::store {

absl::StatusOr<ReadPool::Lease> ReadPool::Borrow() {
  {
    absl::MutexLock lock(&mutex_);
    mutex_.Await(absl::Condition(this, &ReadPool::MayTake));
    if (!idle_.empty()) {
      auto connection = std::move(idle_.back());
      idle_.pop_back();
      return Lease(*this, std::move(connection));
    }
    ++open_;
  }
  auto opened = Connection::Open(path_, Connection::Use::kRead, vfs_);
  if (opened.ok()) return Lease(*this, *std::move(opened));
  absl::MutexLock lock(&mutex_);
  --open_;
  return opened.status();
}

void ReadPool::GiveBack(std::unique_ptr<Connection> connection) {
  absl::MutexLock lock(&mutex_);
  idle_.push_back(std::move(connection));
}

}  // namespace spillway::store
