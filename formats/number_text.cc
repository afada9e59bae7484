#include "formats/number_text.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <string>
#include <system_error>

namespace spillway {
namespace {

template <class T>
std::optional<T> Whole(std::string_view digits) {
  T value{};
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (error != std::errc() || end != digits.data() + digits.size()) return std::nullopt;
  return value;
}

}  // namespace

std::optional<Value> NumberFromText(std::string_view text) {
  std::string_view digits = text;
  if (digits.starts_with('+')) digits.remove_prefix(1);
  if (const auto value = Whole<std::int64_t>(digits)) return Value::MakeInteger(*value);
  if (const auto value = Whole<std::uint64_t>(digits)) return Value::MakeUnsigned(*value);
  double value = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (end != digits.data() + digits.size()) return std::nullopt;
  // Out of range with a small exponent is an underflow, which is zero to everybody.
  if (error == std::errc::result_out_of_range) {
    const bool is_tiny = digits.find("e-") != std::string_view::npos ||
                         digits.find("E-") != std::string_view::npos || digits.starts_with("0.") ||
                         digits.starts_with("-0.");
    if (!is_tiny) return std::nullopt;
    value = 0;
  } else if (error != std::errc() || !std::isfinite(value)) {
    return std::nullopt;
  }
  // Readers of JSON give up on exponents of many digits, even where the value is zero.
  const auto exponent = digits.find_first_of("eE");
  const bool is_odd = exponent != std::string_view::npos && digits.size() - exponent > 5;
  return is_odd ? Value::MakeReal(value) : Value::MakeReal(value, std::string(text));
}

bool IsJsonNumber(std::string_view text) {
  if (text.starts_with('-')) text.remove_prefix(1);
  const auto take_digits = [&] {
    const std::size_t n = std::min(text.find_first_not_of("0123456789"), text.size());
    text.remove_prefix(n);
    return n;
  };
  const bool starts_with_zero = text.starts_with('0');
  const std::size_t whole = take_digits();
  if (whole == 0 || (starts_with_zero && whole > 1)) return false;
  if (text.starts_with('.')) {
    text.remove_prefix(1);
    if (take_digits() == 0) return false;
  }
  if (text.starts_with('e') || text.starts_with('E')) {
    text.remove_prefix(1);
    if (text.starts_with('-') || text.starts_with('+')) text.remove_prefix(1);
    if (take_digits() == 0) return false;
  }
  return text.empty();
}

std::string JsonNumber(const Value& real) {
  if (!std::isfinite(real.real())) return "null";
  return IsJsonNumber(real.text()) ? real.text() : Value::MakeReal(real.real()).text();
}

const Member* FindDuplicateKey(const Value::Map& members) {
  std::vector<const Member*> sorted;
  sorted.reserve(members.size());
  for (const Member& member : members) sorted.push_back(&member);
  std::stable_sort(sorted.begin(), sorted.end(),
                   [](const Member* a, const Member* b) { return a->key < b->key; });
  const auto twice =
      std::adjacent_find(sorted.begin(), sorted.end(),
                         [](const Member* a, const Member* b) { return a->key == b->key; });
  return twice == sorted.end() ? nullptr : *(twice + 1);
}

}  // namespace spillway
