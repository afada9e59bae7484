#pragma once

#include <compare>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"

// Software that work needs and pools offer: "cuda>=12" against cuda 12.4.
namespace spillway {

// Numbers between dots, compared one by one; a missing one is 0, so "12" equals "12.0".
class Version {
 public:
  static absl::StatusOr<Version> Parse(std::string_view text);  // "12.4", "2024.4"; at most 6 parts
  const std::string& text() const { return text_; }
  friend std::strong_ordering operator<=>(const Version& a, const Version& b);
  friend bool operator==(const Version& a, const Version& b) { return (a <=> b) == 0; }

 private:
  std::vector<std::uint32_t> parts_;
  std::string text_;
};

// A name, alone or with one comparison (= >= > <= <) and a version. The name "none" stands for
// plain programs that need no vendor software; it is what work needs if it says nothing.
struct RuntimeNeed {
  enum class Op : std::uint8_t { kAny, kEqual, kAtLeast, kAbove, kAtMost, kBelow };
  std::string name = "none";
  Op op = Op::kAny;
  Version version;

  static absl::StatusOr<RuntimeNeed> Parse(std::string_view text);
  std::string ToString() const;
  bool MetBy(const Version& offered) const;
  friend bool operator==(const RuntimeNeed&, const RuntimeNeed&) = default;
};

}  // namespace spillway
