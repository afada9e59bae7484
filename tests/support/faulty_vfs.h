#pragma once

#include <sqlite3.h>

#include <cstdint>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <vector>

namespace spillway::testing_support {

// An sqlite3_vfs in front of the system's that lets file operations fail, and knows what a power
// loss would leave: of each file what was flushed, and of what was written since any part, in any
// order, whole or torn. Registered under `name` for as long as it lives; use one at a time per
// name, and close all databases before it goes.
//
// Operations counted: write, truncate, flush (xSync) and delete.
class FaultyVfs {
 public:
  explicit FaultyVfs(std::string name);
  FaultyVfs(const FaultyVfs&) = delete;
  FaultyVfs& operator=(const FaultyVfs&) = delete;
  ~FaultyVfs();

  const std::string& name() const { return name_; }

  enum class Fault : std::uint8_t { kIoError, kDiskFull };
  // The `n`-th operation from now (1: the next) fails; with `for_good` all that follow fail too.
  void FailAt(std::int64_t n, Fault fault, bool for_good);
  void StopFailing() { fail_at_ = 0; }
  std::int64_t operations() const { return operations_; }
  bool failed() const { return failed_; }  // since FailAt
  bool failed_in_flush() const { return failed_in_flush_; }

  // Writes into `folder` the files that a power loss now would leave, as chosen by `seed`. Seed 0:
  // everything that was not flushed is gone.
  void LosePower(const std::string& folder, std::uint64_t seed) const;

 private:
  friend struct FaultyFile;
  struct Write {
    std::int64_t offset = 0;
    std::string bytes;
    bool truncate = false;  // to `offset`
  };
  struct Disk {  // what one path holds
    std::string flushed;
    std::vector<Write> since;
  };
  static void Apply(std::string& image, const Write& write);
  // SQLITE_OK, or the error to give.
  int Count(bool flush);

  std::string name_;
  sqlite3_vfs vfs_{};
  sqlite3_vfs* system_;
  std::map<std::string, Disk> disks_;
  std::int64_t operations_ = 0;
  std::int64_t fail_at_ = 0;  // 0: never
  bool for_good_ = false, failed_ = false, failed_in_flush_ = false;
  Fault fault_ = Fault::kIoError;
};

}  // namespace spillway::testing_support
