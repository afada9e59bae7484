#include "formats/scenario_inputs.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <iterator>
#include <memory>
#include <system_error>
#include <utility>

#include <xxhash.h>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "core/text.h"
#include "formats/file_text.h"

namespace spillway {

absl::StatusOr<ScenarioInput> HashFile(const std::string& path) {
  std::error_code error;
  const auto status = std::filesystem::status(path, error);
  if (!std::filesystem::exists(status))
    return absl::NotFoundError(absl::StrCat("reading ", path, ": there is no such file"));
  if (std::filesystem::is_directory(status))
    return absl::InvalidArgumentError(absl::StrCat("reading ", path, ": it is a folder"));
  // Pipes and devices may have no end, and it is read more than once.
  if (!std::filesystem::is_regular_file(status))
    return absl::InvalidArgumentError(absl::StrCat("reading ", path, ": it is no plain file"));
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(path.c_str(), "rb"),
                                                             std::fclose);
  const auto fail = [&] {
    return absl::UnavailableError(absl::StrCat("reading ", path, ": ", std::strerror(errno)));
  };
  if (!file) return fail();
  const std::unique_ptr<XXH64_state_t, XXH_errorcode (*)(XXH64_state_t*)> hash(XXH64_createState(),
                                                                               XXH64_freeState);
  XXH64_reset(hash.get(), 0);
  ScenarioInput input{.file = path, .what = "", .bytes = 0, .xxh64 = ""};
  std::array<char, 1 << 16> piece;
  while (const std::size_t size = std::fread(piece.data(), 1, piece.size(), file.get())) {
    XXH64_update(hash.get(), piece.data(), size);
    input.bytes += static_cast<std::int64_t>(size);
  }
  if (std::ferror(file.get())) return fail();
  input.xxh64 = absl::StrFormat("%016x", XXH64_digest(hash.get()));
  return input;
}

ScenarioInput HashText(std::string_view text) {
  return {.file = "",
          .what = "",
          .bytes = static_cast<std::int64_t>(text.size()),
          .xxh64 = absl::StrFormat("%016x", XXH64(text.data(), text.size(), 0))};
}

ScenarioInputs::ScenarioInputs(const std::string& scenario_path, std::string library)
    : library_(std::move(library)) {
  const std::size_t slash = scenario_path.rfind('/');
  if (slash != std::string::npos) folder_ = slash == 0 ? "/" : scenario_path.substr(0, slash);
  if (!library_.empty()) folder_ = library_ + "/scenarios";
  auto own = HashFile(scenario_path);
  if (!own.ok()) return;
  own->file = slash == std::string::npos ? scenario_path : scenario_path.substr(slash + 1);
  own->what = "scenario";
  inputs_.push_back(*std::move(own));
}

std::string ScenarioInputs::PathOf(std::string_view named) const {
  if (named.starts_with('/')) return std::string(named);
  return absl::StrCat(folder_, "/", ToAbsl(named));
}
std::string ScenarioInputs::NamedAs(std::string_view path) const {
  const auto folder = std::filesystem::path(folder_).lexically_normal();
  const auto file = std::filesystem::path(path).lexically_normal();
  return file.lexically_proximate(folder).generic_string();
}

// Where the file really lies decides, links and `..` followed.
bool ScenarioInputs::MayBeNamed(const std::string& path) const {
  if (library_.empty()) return true;
  std::error_code error;
  const auto root = std::filesystem::canonical(library_, error);
  if (error) return false;
  const auto real = std::filesystem::weakly_canonical(path, error);
  if (error) return false;
  const auto below = real.lexically_relative(root);
  if (std::distance(below.begin(), below.end()) < 2) return false;
  const std::string first = below.begin()->string();
  constexpr std::array kOpen = {"fleets", "policies", "scenarios", "traces"};
  return std::find(kOpen.begin(), kOpen.end(), first) != kOpen.end();
}

bool ScenarioInputs::Take(const Place& at, const std::string& named, std::string_view what) {
  // Before anything is asked of the file, even whether it is there.
  if (!MayBeNamed(PathOf(named))) {
    at.Fail(absl::StrCat("`", named,
                         "` may not be named here: only files of ../fleets, "
                         "../policies, ../traces and of the scenarios that came with the program"));
    return false;
  }
  const auto known = std::find_if(inputs_.begin(), inputs_.end(), [&](const ScenarioInput& input) {
    return input.file == named && input.what == what;
  });
  if (known != inputs_.end()) return true;
  auto input = HashFile(PathOf(named));
  if (!input.ok()) {
    at.Fail(input.status());
    return false;
  }
  input->file = named;
  input->what = std::string(what);
  inputs_.push_back(*std::move(input));
  return true;
}

bool ScenarioInputs::Read(const Place& at, const std::string& named, std::string_view what,
                          std::string& text) {
  if (!Take(at, named, what)) return false;
  auto read = ReadTextFile(PathOf(named));
  if (!read.ok()) {
    at.Fail(read.status());
    return false;
  }
  text = *std::move(read);
  return true;
}

void ScenarioInputs::AddFault(const absl::Status& fault) {
  const std::string words(fault.message());
  if (std::find(faults_.begin(), faults_.end(), words) == faults_.end()) faults_.push_back(words);
}

}  // namespace spillway
