// Instants and days of units.h.
#include <algorithm>
#include <cctype>

#include "absl/strings/str_cat.h"
#include "absl/time/civil_time.h"
#include "absl/time/time.h"
#include "core/text.h"
#include "formats/units.h"

namespace spillway {
namespace {

// `shape`: d stands for a digit, anything else for itself.
bool HasShape(std::string_view text, std::string_view shape) {
  return text.size() == shape.size() &&
         std::equal(text.begin(), text.end(), shape.begin(), [](char c, char s) {
           return s == 'd' ? std::isdigit(static_cast<unsigned char>(c)) != 0 : c == s;
         });
}

bool IsOffset(std::string_view text) {
  return text == "Z" || HasShape(text, "+dd:dd") || HasShape(text, "-dd:dd");
}

// absl::ParseTime also takes spaces in front, "infinite-future" and fractions without end.
bool IsRfc3339(std::string_view text) {
  constexpr std::string_view kShape = "dddd-dd-ddTdd:dd:dd";
  if (!HasShape(text.substr(0, kShape.size()), kShape)) return false;
  text.remove_prefix(kShape.size());
  if (!text.starts_with('.')) return IsOffset(text);
  const auto end = std::min(text.find_first_not_of("0123456789", 1), text.size());
  return end >= 2 && end <= 10 && IsOffset(text.substr(end));
}

}  // namespace

absl::StatusOr<absl::Time> ParseTime(std::string_view text) {
  static const absl::Time kLast = absl::FromCivil(absl::CivilSecond(2200), absl::UTCTimeZone());
  // The RFC lets `t` and `z` be small.
  std::string upper(text);
  std::transform(upper.begin(), upper.end(), upper.begin(),
                 [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  const auto refuse = [&](std::string_view why) {
    return absl::InvalidArgumentError(absl::StrCat("`", ToAbsl(text), "` ", ToAbsl(why),
                                                   ": write a time like `2026-08-01T00:00:00Z`"));
  };
  absl::Time time;
  std::string error;
  if (!IsRfc3339(upper) || !absl::ParseTime(absl::RFC3339_full, upper, &time, &error)) {
    return refuse("is no RFC 3339 time with an offset");
  }
  if (time < absl::UnixEpoch() || time >= kLast) return refuse("is not between 1970 and 2200");
  return time;
}

std::string Format(absl::Time time) {
  return absl::FormatTime("%Y-%m-%dT%H:%M:%E*SZ", time, absl::UTCTimeZone());
}

absl::StatusOr<std::string> ParseDay(std::string_view text) {
  absl::CivilDay day;
  if (!HasShape(text, "dddd-dd-dd") || !absl::ParseCivilTime(std::string(text), &day)) {
    return absl::InvalidArgumentError(
        absl::StrCat("`", ToAbsl(text), "` is no day: write one like `2026-07-20`"));
  }
  return std::string(text);
}

}  // namespace spillway
