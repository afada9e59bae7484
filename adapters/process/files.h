#pragma once

#include <sys/types.h>

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

// Files as the supervisor needs them: opened relative to a folder, never through a link, written
// whole or not at all.
namespace spillway {

// Owns a file descriptor; closes it.
class UniqueFd {
 public:
  UniqueFd() = default;
  explicit UniqueFd(int fd) : fd_(fd) {}
  UniqueFd(UniqueFd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  UniqueFd& operator=(UniqueFd&& other) noexcept {
    if (this != &other) Reset(std::exchange(other.fd_, -1));
    return *this;
  }
  ~UniqueFd() { Reset(); }
  int get() const { return fd_; }
  explicit operator bool() const { return fd_ >= 0; }
  int Release() { return std::exchange(fd_, -1); }
  void Reset(int fd = -1);

 private:
  int fd_ = -1;
};

// "cannot WHAT: words of errno", with the code that fits.
absl::Status ErrnoStatus(int error, std::string_view what);

// Opens folder `name` below `dir` (AT_FDCWD and any path for the first), making it with mode 0700
// if it is missing. A link in the last place is refused.
absl::StatusOr<UniqueFd> OpenFolder(int dir, const std::string& name);
absl::StatusOr<std::string> ReadWholeFile(int dir, const std::string& name, std::size_t limit);
enum class Durability { kSurvivesKill, kSurvivesPowerLoss };
// Appears with all of `bytes` or not at all (temporary file, rename), mode 0600.
absl::Status WriteWholeFile(int dir, const std::string& name, std::string_view bytes,
                            Durability durability);
absl::StatusOr<std::vector<std::string>> ListFolder(int dir);
// Writes all of it, going on after EINTR and short writes.
absl::Status WriteAll(int fd, std::string_view bytes);
// Of the machine's present boot: process ids mean nothing across two of them.
std::string BootId();
// Removes the folder or file `name` below `dir` with all that is in it; follows no link. Errors are
// left.
void RemoveTree(int dir, const std::string& name);

}  // namespace spillway
