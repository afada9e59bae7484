#include "controller/store/state_lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <system_error>

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"

namespace spillway {
namespace {

// A folder that cannot be is a wrong argument; a disk that is full or broken may come back.
absl::Status SystemError(absl::string_view what, const std::string& path, int error = errno) {
  const std::string words = absl::StrCat("cannot ", what, " ", path, ": ", strerror(error));
  constexpr std::array kWrongPlace{ENOENT, ENOTDIR,      EISDIR, EACCES, EPERM,
                                   EROFS,  ENAMETOOLONG, ELOOP,  EINVAL};
  const bool wrong = std::find(kWrongPlace.begin(), kWrongPlace.end(), error) != kWrongPlace.end();
  return wrong ? absl::InvalidArgumentError(
                     absl::StrCat(words, ": name a folder that can be made and written"))
               : absl::UnavailableError(words);
}

absl::Status MakeFolder(const std::string& folder) {
  std::error_code error;
  const auto parent = std::filesystem::path(folder).lexically_normal().parent_path();
  if (!parent.empty()) std::filesystem::create_directories(parent, error);
  if (error) return SystemError("make", parent.string(), error.value());
  if (::mkdir(folder.c_str(), S_IRWXU) != 0 && errno != EEXIST)
    return SystemError("make state folder", folder);
  return absl::OkStatus();
}

std::string Holder(int fd) {
  std::array<char, 32> text{};
  const ssize_t length = ::pread(fd, text.data(), text.size(), 0);
  const std::string pid(text.data(), length > 0 ? static_cast<std::size_t>(length) : 0);
  return std::string(absl::StripSuffix(pid, "\n"));
}

absl::Status Lock(int fd, const std::string& folder) {
  if (::flock(fd, LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK) return SystemError("lock state folder", folder);
    return absl::FailedPreconditionError(absl::StrCat(
        "state folder ", folder, " is in use by another controller, process ", Holder(fd)));
  }
  const std::string pid = absl::StrCat(::getpid(), "\n");
  const bool written = ::ftruncate(fd, 0) == 0 &&
                       ::pwrite(fd, pid.data(), pid.size(), 0) == static_cast<ssize_t>(pid.size());
  return written ? absl::OkStatus() : SystemError("write the lock of state folder", folder);
}

}  // namespace

absl::StatusOr<std::unique_ptr<StateLock>> StateLock::Take(const std::string& folder) {
  if (absl::Status made = MakeFolder(folder); !made.ok()) return made;
  const std::string path = absl::StrCat(folder, "/lock");
  const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, S_IRUSR | S_IWUSR);
  if (fd < 0) return SystemError("open", path);
  std::unique_ptr<StateLock> lock(new StateLock(fd));  // closes it if it cannot be had
  if (absl::Status locked = Lock(fd, folder); !locked.ok()) return locked;
  return lock;
}

// The file stays: taking it away could take it from under somebody who just opened it.
StateLock::~StateLock() { ::close(fd_); }

}  // namespace spillway
