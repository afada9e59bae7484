#include "formats/file_text.h"

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <memory>
#include <system_error>

#include "absl/strings/str_cat.h"

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

}  // namespace spillway
