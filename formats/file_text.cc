#include "formats/file_text.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <memory>
#include <system_error>

#include "absl/strings/str_cat.h"
#include "core/text.h"

namespace spillway {
namespace {

absl::StatusOr<std::string> ReadAll(std::FILE* file, const std::string& path, std::size_t most) {
  std::string text(most + 1, '\0');
  const std::size_t size = std::fread(text.data(), 1, text.size(), file);
  if (std::ferror(file)) {
    return absl::UnavailableError(absl::StrCat("reading ", path, ": ", std::strerror(errno)));
  }
  if (size > most) {
    return absl::InvalidArgumentError(
        absl::StrCat(path, ": the file is longer than ", most, " bytes"));
  }
  text.resize(size);
  return text;
}

absl::Status Fault(std::string_view doing, const std::string& path) {
  return absl::UnavailableError(absl::StrCat(ToAbsl(doing), " ", path, ": ", std::strerror(errno)));
}

absl::Status WriteAll(int file, std::string_view text, const std::string& path) {
  while (!text.empty()) {
    const ssize_t written = ::write(file, text.data(), text.size());
    if (written >= 0) {
      text.remove_prefix(static_cast<std::size_t>(written));
    } else if (errno != EINTR) {
      return Fault("writing", path);
    }
  }
  return ::fsync(file) == 0 ? absl::OkStatus() : Fault("writing", path);
}

// A file that was renamed is on the disk when its folder is.
absl::Status SyncFolder(const std::string& folder) {
  const int file = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (file < 0) return Fault("opening", folder);
  absl::Status status = ::fsync(file) == 0 ? absl::OkStatus() : Fault("syncing", folder);
  ::close(file);
  return status;
}

}  // namespace

absl::StatusOr<std::string> ReadTextFile(const std::string& path, std::size_t most) {
  if (path == "-") return ReadAll(stdin, "standard input", most);
  std::error_code error;
  const auto status = std::filesystem::status(path, error);
  if (!std::filesystem::exists(status)) {
    return absl::NotFoundError(absl::StrCat("reading ", path, ": there is no such file"));
  }
  if (std::filesystem::is_directory(status)) {
    return absl::InvalidArgumentError(absl::StrCat("reading ", path, ": it is a folder"));
  }
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(path.c_str(), "rb"),
                                                             std::fclose);
  if (!file)
    return absl::UnavailableError(absl::StrCat("reading ", path, ": ", std::strerror(errno)));
  return ReadAll(file.get(), path, most);
}

absl::Status WriteTextFile(const std::string& path, std::string_view text) {
  const int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  if (file < 0) return Fault("writing", path);
  absl::Status status = WriteAll(file, text, path);
  if (::close(file) != 0 && status.ok()) status = Fault("writing", path);
  return status;
}

absl::Status ReplaceTextFile(const std::string& path, std::string_view text) {
  const std::filesystem::path place(path);
  const std::filesystem::path folder = place.has_parent_path() ? place.parent_path() : ".";
  const std::string beside = folder / absl::StrCat(".", place.filename().string(), ".part");
  absl::Status status = WriteTextFile(beside, text);
  if (status.ok() && ::rename(beside.c_str(), path.c_str()) != 0) status = Fault("writing", path);
  if (!status.ok()) {
    ::unlink(beside.c_str());
    return status;
  }
  return SyncFolder(folder);
}

}  // namespace spillway
