#include "formats/decimal_text.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>

#include "absl/numeric/int128.h"

namespace spillway {
namespace {

std::string Repeat(char c, std::size_t n) { return std::string(n, c); }

}  // namespace

NumberAndUnit SplitNumber(std::string_view text) {
  const auto end = std::min(text.find_first_not_of("0123456789."), text.size());
  std::string_view unit = text.substr(end);
  if (end > 0 && unit.size() > 1 && unit.starts_with(' ')) unit.remove_prefix(1);
  return {text.substr(0, end), unit};
}

bool IsDecimal(std::string_view number) {
  if (number.empty() || number.size() > 64) return false;
  if (number.find_first_not_of("0123456789.") != std::string_view::npos) return false;
  const auto point = number.find('.');
  if (point == std::string_view::npos) return true;
  return point > 0 && point + 1 < number.size() && number.find('.', point + 1) == number.npos;
}

std::optional<std::int64_t> ExactProduct(std::string_view number, std::int64_t factor) {
  constexpr auto kMax = std::numeric_limits<std::int64_t>::max();
  const auto point = std::min(number.find('.'), number.size());
  std::string_view fraction = number.substr(std::min(point + 1, number.size()));
  while (fraction.ends_with('0')) fraction.remove_suffix(1);
  if (fraction.size() > 18) return std::nullopt;  // finer than any factor here divides
  absl::int128 product = 0;
  for (char digit : number.substr(0, point)) {
    product = product * 10 + (digit - '0');
    if (product > kMax) return std::nullopt;
  }
  absl::int128 part = 0, scale = 1;
  for (char digit : fraction) {
    part = part * 10 + (digit - '0');
    scale *= 10;
  }
  part *= factor;  // below 10^18 x 2^63
  if (part % scale != 0) return std::nullopt;
  product = product * factor + part / scale;
  if (product > kMax) return std::nullopt;
  return static_cast<std::int64_t>(product);
}

std::optional<double> RealProduct(std::string_view number, int exponent) {
  const std::string text = std::string(number) + "e" + std::to_string(exponent);
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value > 1e30) return std::nullopt;
  return value;
}

std::string FixedText(std::int64_t amount, int places, int least) {
  std::string digits = std::to_string(amount < 0 ? -amount : amount);
  const auto wide = static_cast<std::size_t>(places);
  if (digits.size() <= wide) digits.insert(0, wide + 1 - digits.size(), '0');
  digits.insert(digits.size() - wide, ".");
  const std::size_t shortest = digits.size() - wide + static_cast<std::size_t>(least);
  while (digits.size() > shortest && digits.ends_with('0')) digits.pop_back();
  if (digits.ends_with('.')) digits.pop_back();
  return amount < 0 ? "-" + digits : digits;
}

std::string ShortestText(double value, int exponent) {
  if (value == 0) return "0";
  std::array<char, 40> buffer{};
  const auto end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value,
                                 std::chars_format::scientific)
                       .ptr;
  // "d.ddde+XX": the digits, and where the point stands among them.
  const std::string_view text(buffer.data(), static_cast<std::size_t>(end - buffer.data()));
  const auto e = text.find('e');
  std::string digits(text.substr(0, e));
  std::erase(digits, '.');
  int power = 0;
  const char* power_text = text.data() + e + (text[e + 1] == '+' ? 2 : 1);
  std::from_chars(power_text, end, power);
  const int point = power + exponent + 1;
  if (point <= 0) return "0." + Repeat('0', static_cast<std::size_t>(-point)) + digits;
  const auto whole = static_cast<std::size_t>(point);
  if (whole >= digits.size()) return digits + Repeat('0', whole - digits.size());
  return digits.insert(whole, ".");
}

}  // namespace spillway
