#include "core/runtime.h"

#include <algorithm>
#include <array>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "core/text.h"

namespace spillway {
namespace {

using Op = RuntimeNeed::Op;
// Longer operators first: ">=" must not be read as ">".
constexpr std::array<std::pair<std::string_view, Op>, 5> kOps{{{">=", Op::kAtLeast},
                                                               {"<=", Op::kAtMost},
                                                               {">", Op::kAbove},
                                                               {"<", Op::kBelow},
                                                               {"=", Op::kEqual}}};

bool IsName(std::string_view text) {
  constexpr std::string_view kAllowed = "abcdefghijklmnopqrstuvwxyz0123456789-_.";
  return !text.empty() && text.size() <= 64 &&
         text.find_first_not_of(kAllowed) == std::string_view::npos;
}

}  // namespace

absl::StatusOr<Version> Version::Parse(std::string_view text) {
  Version version;
  version.text_ = std::string(text);
  for (absl::string_view part : absl::StrSplit(ToAbsl(text), '.')) {
    std::uint32_t number = 0;
    const bool digits =
        !part.empty() && part.find_first_not_of("0123456789") == absl::string_view::npos;
    if (!digits || version.parts_.size() == 6 || !absl::SimpleAtoi(part, &number)) {
      return absl::InvalidArgumentError(
          absl::StrCat("version `", ToAbsl(text), "` is not numbers between dots, like 12.4"));
    }
    version.parts_.push_back(number);
  }
  return version;
}

std::strong_ordering operator<=>(const Version& a, const Version& b) {
  for (std::size_t i = 0; i < std::max(a.parts_.size(), b.parts_.size()); ++i) {
    const std::uint32_t left = i < a.parts_.size() ? a.parts_[i] : 0;
    const std::uint32_t right = i < b.parts_.size() ? b.parts_[i] : 0;
    if (left != right) return left <=> right;
  }
  return std::strong_ordering::equal;
}

absl::StatusOr<RuntimeNeed> RuntimeNeed::Parse(std::string_view text) {
  RuntimeNeed need;
  std::string_view name = text;
  for (const auto& [sign, op] : kOps) {
    const auto at = text.find(sign);
    if (at == std::string_view::npos) continue;
    name = text.substr(0, at);
    need.op = op;
    auto version = Version::Parse(text.substr(at + sign.size()));
    if (!version.ok()) return version.status();
    need.version = *std::move(version);
    break;
  }
  if (!IsName(name)) {
    return absl::InvalidArgumentError(absl::StrCat(
        "runtime `", ToAbsl(text), "` is not a name, alone or with a version, like cuda>=12"));
  }
  need.name = std::string(name);
  return need;
}

std::string RuntimeNeed::ToString() const {
  for (const auto& [sign, known] : kOps) {
    if (known == op) return absl::StrCat(name, ToAbsl(sign), version.text());
  }
  return name;
}

bool RuntimeNeed::MetBy(const Version& offered) const {
  const auto order = offered <=> version;
  switch (op) {
    case Op::kAny:
      return true;
    case Op::kEqual:
      return order == 0;
    case Op::kAtLeast:
      return order >= 0;
    case Op::kAbove:
      return order > 0;
    case Op::kAtMost:
      return order <= 0;
    case Op::kBelow:
      return order < 0;
  }
  return false;
}

}  // namespace spillway
