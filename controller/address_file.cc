#include "controller/address_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

#include "absl/strings/str_cat.h"

namespace spillway {
namespace {

absl::Status Failed(const std::string& what, const std::string& path) {
  return absl::InternalError(absl::StrCat(what, " ", path, ": ", std::strerror(errno)));
}

}  // namespace

absl::Status AddressFile::Write(const std::string& address) {
  const std::string fresh = path_ + ".new";
  const std::string line = address + "\n";
  const int fd = ::open(fresh.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0644);
  if (fd < 0) return Failed("open", fresh);
  const bool written = ::write(fd, line.data(), line.size()) == static_cast<ssize_t>(line.size());
  ::close(fd);
  if (!written) return Failed("write", fresh);
  if (std::rename(fresh.c_str(), path_.c_str()) != 0) return Failed("rename", path_);
  return absl::OkStatus();
}

void AddressFile::Remove() { ::unlink(path_.c_str()); }

}  // namespace spillway
