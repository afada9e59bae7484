#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

// Decimal numbers as text, without rounding on the way: for the units of this room.
namespace spillway {

// "12.5GiB" as "12.5" and "GiB": the digits (and points) in front, and what follows them, one space
// between left out. Either may be empty.
struct NumberAndUnit {
  std::string_view number, unit;
};
NumberAndUnit SplitNumber(std::string_view text);

// Digits, with at most one point between them: "12", "0.5". No sign, no exponent, at most 64
// characters.
bool IsDecimal(std::string_view number);

// number x factor, where that is a whole number of int64. Nothing if it is not whole or too large.
std::optional<std::int64_t> ExactProduct(std::string_view number, std::int64_t factor);

// number x 10^exponent, correctly rounded; nothing past 1e30.
std::optional<double> RealProduct(std::string_view number, int exponent);

// The whole number amount / 10^places as text, with no more zeros behind the point than it takes to
// show `least` places: (450000000, 9, 2) is "0.45".
std::string FixedText(std::int64_t amount, int places, int least);

// value x 10^exponent as plain digits, as few as it takes for RealProduct(text, -exponent) to give
// `value` again. Finite, not negative.
std::string ShortestText(double value, int exponent);

}  // namespace spillway
