#include "adapters/openai/key_source.h"

#include <algorithm>
#include <cstdlib>
#include <fstream>

#include "absl/strings/str_cat.h"
#include "core/text.h"

namespace spillway {
namespace {

constexpr std::size_t kLongestKey = 4096;

absl::StatusOr<std::string> Checked(std::string key, const std::string& where) {
  while (!key.empty() && (key.back() == '\r' || key.back() == ' ')) key.pop_back();
  bool plain = !key.empty() && key.size() <= kLongestKey;
  for (const char c : key) plain = plain && c > 0x20 && c < 0x7f;
  if (plain) return key;
  return absl::FailedPreconditionError(
      absl::StrCat("API key of ", where, ": expected 1 to 4096 visible ASCII characters"));
}

}  // namespace

absl::StatusOr<std::string> ReadKey(const KeySource& source) {
  if (!source.file.empty() && !source.env.empty()) {
    return absl::InvalidArgumentError("API key: both a file and a variable are named");
  }
  if (!source.env.empty()) {
    const char* const value = std::getenv(source.env.c_str());
    const std::string where = absl::StrCat("variable `", source.env, "`");
    if (!value) return absl::NotFoundError(absl::StrCat("API key of ", where, ": not set"));
    return Checked(value, where);
  }
  if (source.file.empty()) return std::string();
  const std::string where = absl::StrCat("file `", source.file, "`");
  std::ifstream file(source.file);
  if (!file) return absl::NotFoundError(absl::StrCat("API key of ", where, ": cannot be read"));
  std::string key(kLongestKey + 1, '\0');
  file.read(key.data(), static_cast<std::streamsize>(key.size()));
  key.resize(static_cast<std::size_t>(file.gcount()));
  key.resize(std::min(key.find('\n'), key.size()));
  return Checked(std::move(key), where);
}

}  // namespace spillway
