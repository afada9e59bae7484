#include <algorithm>
#include <charconv>
#include <cmath>

#include "absl/strings/str_cat.h"
#include "formats/traces/columns.h"

namespace spillway {

std::optional<double> DecimalOf(std::string_view text) {
  if (text.empty() || text[0] < '0' || text[0] > '9') return std::nullopt;  // no sign, inf, nan
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::optional<std::int64_t> WholeOf(std::string_view text, std::int64_t low, std::int64_t high) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  const bool is_number = error == std::errc() && end == text.data() + text.size();
  if (text.empty() || text[0] == '-' || !is_number) return std::nullopt;
  if (value < low || value > high) return std::nullopt;
  return value;
}

void ReadWhole(TraceField& field, std::int64_t low, std::int64_t high, std::int64_t& out) {
  if (const auto value = WholeOf(field.text, low, high)) {
    out = *value;
  } else {
    field.Fail(absl::StrCat("a whole number from ", low, " to ", high));
  }
}

void ReadSeconds(TraceField& field, std::int64_t& ns) {
  constexpr double kMost = 100.0 * 366 * 86400;
  const auto seconds = DecimalOf(field.text);
  if (!seconds || *seconds > kMost) {
    return field.Fail("seconds from 0 to 3162240000, like 12.5");
  }
  ns = std::llround(*seconds * 1e9);
}

void ReadTraceText(TraceField& field, std::string& out) {
  constexpr std::size_t kMost = 128;
  const bool is_printable = std::none_of(field.text.begin(), field.text.end(), [](char c) {
    return static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
  });
  if (field.text.empty() || field.text.size() > kMost || !is_printable) {
    return field.Fail("1 to 128 printable bytes");
  }
  out = field.text;
}

std::string ClassNameOf(std::string_view job_type) {
  constexpr std::string_view kBatch = " (batch size ";
  std::string batch;
  const auto found = job_type.find(kBatch);
  if (found != job_type.npos && job_type.ends_with(')')) {
    const std::string_view size = job_type.substr(found + kBatch.size());
    batch = absl::StrCat("-bs", std::string(size.substr(0, size.size() - 1)));
    job_type = job_type.substr(0, found);
  }
  std::string name;
  for (const char c : absl::StrCat(std::string(job_type), batch)) {
    const bool is_upper = c >= 'A' && c <= 'Z';
    const bool is_plain =
        (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '-';
    name += is_upper ? static_cast<char>(c - 'A' + 'a') : is_plain ? c : '-';
  }
  return name;
}

}  // namespace spillway
