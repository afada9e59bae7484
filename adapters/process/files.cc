#include "adapters/process/files.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <memory>

#include "absl/strings/str_cat.h"
#include "core/status.h"
#include "core/text.h"

namespace spillway {

void UniqueFd::Reset(int fd) {
  if (fd_ >= 0) close(fd_);
  fd_ = fd;
}

absl::Status ErrnoStatus(int error, std::string_view what) {
  return absl::ErrnoToStatus(error, absl::StrCat("cannot ", ToAbsl(what)));
}

absl::StatusOr<UniqueFd> OpenFolder(int dir, const std::string& name) {
  if (mkdirat(dir, name.c_str(), 0700) != 0 && errno != EEXIST) {
    return ErrnoStatus(errno, absl::StrCat("make folder ", name));
  }
  const int fd = openat(dir, name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  if (fd < 0) return ErrnoStatus(errno, absl::StrCat("open folder ", name));
  return UniqueFd(fd);
}

absl::StatusOr<std::string> ReadWholeFile(int dir, const std::string& name, std::size_t limit) {
  const UniqueFd file(openat(dir, name.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC));
  if (!file) return ErrnoStatus(errno, absl::StrCat("open ", name));
  std::string bytes;
  char buffer[16384];
  for (;;) {
    const ssize_t n = read(file.get(), buffer, sizeof buffer);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return ErrnoStatus(errno, absl::StrCat("read ", name));
    if (n == 0) return bytes;
    bytes.append(buffer, static_cast<std::size_t>(n));
    if (bytes.size() > limit) {
      return absl::ResourceExhaustedError(
          absl::StrCat("cannot read ", name, ": it is longer than ", limit, " bytes"));
    }
  }
}

absl::Status WriteAll(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t n = write(fd, bytes.data(), bytes.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return ErrnoStatus(errno, "write");
    bytes.remove_prefix(static_cast<std::size_t>(n));
  }
  return absl::OkStatus();
}

absl::Status WriteWholeFile(int dir, const std::string& name, std::string_view bytes,
                            Durability durability) {
  const std::string temporary = absl::StrCat(name, ".tmp");
  const UniqueFd file(
      openat(dir, temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (!file) return ErrnoStatus(errno, absl::StrCat("create ", temporary));
  SPILLWAY_RETURN_IF_ERROR(Annotate(WriteAll(file.get(), bytes), temporary));
  const bool sync = durability == Durability::kSurvivesPowerLoss;
  if (sync && fsync(file.get()) != 0) return ErrnoStatus(errno, absl::StrCat("sync ", temporary));
  if (renameat(dir, temporary.c_str(), dir, name.c_str()) != 0) {
    return ErrnoStatus(errno, absl::StrCat("rename ", temporary, " to ", name));
  }
  if (sync && fsync(dir) != 0) return ErrnoStatus(errno, absl::StrCat("sync the folder of ", name));
  return absl::OkStatus();
}

absl::StatusOr<std::vector<std::string>> ListFolder(int dir) {
  const int again = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (again < 0) return ErrnoStatus(errno, "open folder");
  const std::unique_ptr<DIR, int (*)(DIR*)> stream(fdopendir(again), closedir);
  if (!stream) {
    close(again);
    return ErrnoStatus(errno, "list folder");
  }
  std::vector<std::string> names;
  while (const dirent* entry = readdir(stream.get())) {
    const std::string_view name = entry->d_name;
    if (name != "." && name != "..") names.emplace_back(name);
  }
  return names;
}

std::string BootId() {
  const auto id = ReadWholeFile(AT_FDCWD, "/proc/sys/kernel/random/boot_id", 256);
  return id.ok() ? *id : std::string();
}

void RemoveTree(int dir, const std::string& name) {
  if (unlinkat(dir, name.c_str(), 0) == 0) return;
  const UniqueFd folder(openat(dir, name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (!folder) return;
  if (const auto names = ListFolder(folder.get()); names.ok()) {
    for (const std::string& child : *names) RemoveTree(folder.get(), child);
  }
  unlinkat(dir, name.c_str(), AT_REMOVEDIR);
}

}  // namespace spillway
