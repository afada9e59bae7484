#include "formats/json_writer.h"

#include <cmath>

namespace spillway {
namespace {

// What a byte means inside a JSON string: 0 stands for itself, 1 begins a sequence of UTF-8, 'u' is
// a control character without a short form, anything else is the letter of its short escape.
constexpr std::array<char, 256> kMeaning = [] {
  std::array<char, 256> table{};
  for (std::size_t c = 0; c < 0x20; ++c) table[c] = 'u';
  for (std::size_t c = 0x80; c < 0x100; ++c) table[c] = 1;
  table['"'] = '"';
  table['\\'] = '\\';
  table['\b'] = 'b';
  table['\f'] = 'f';
  table['\n'] = 'n';
  table['\r'] = 'r';
  table['\t'] = 't';
  return table;
}();

// Bytes of the valid UTF-8 sequence at the start of `s`, which begins with a byte of 0x80 or more;
// 0 if there is none. The table of Unicode 15.0, section 3.9, "Well-Formed UTF-8 Byte Sequences".
std::size_t SequenceLength(std::string_view s) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(s[i]); };
  const auto within = [&](std::size_t i, unsigned low, unsigned high) {
    return i < s.size() && byte(i) >= low && byte(i) <= high;
  };
  const auto tail = [&](std::size_t i) { return within(i, 0x80, 0xbf); };
  const unsigned lead = byte(0);
  if (lead >= 0xc2 && lead <= 0xdf) return tail(1) ? 2 : 0;
  if (lead >= 0xe0 && lead <= 0xef) {
    const unsigned low = lead == 0xe0 ? 0xa0 : 0x80;   // no overlong forms
    const unsigned high = lead == 0xed ? 0x9f : 0xbf;  // no surrogates
    return within(1, low, high) && tail(2) ? 3 : 0;
  }
  if (lead >= 0xf0 && lead <= 0xf4) {
    const unsigned low = lead == 0xf0 ? 0x90 : 0x80;
    const unsigned high = lead == 0xf4 ? 0x8f : 0xbf;  // at most U+10FFFF
    return within(1, low, high) && tail(2) && tail(3) ? 4 : 0;
  }
  return 0;
}

void AppendEscape(std::string& out, char c, char meaning) {
  constexpr std::string_view kHex = "0123456789abcdef";
  out.push_back('\\');
  out.push_back(meaning);
  if (meaning != 'u') return;
  out.append("00");
  out.push_back(kHex[static_cast<unsigned char>(c) >> 4]);
  out.push_back(kHex[static_cast<unsigned char>(c) & 15]);
}

// Bytes at the start of `s` that stand for themselves, whole sequences of UTF-8 included.
std::size_t PlainLength(std::string_view s) {
  std::size_t i = 0;
  while (i < s.size()) {
    const char meaning = kMeaning[static_cast<unsigned char>(s[i])];
    if (meaning == 0) {
      ++i;
      continue;
    }
    const std::size_t length = meaning == 1 ? SequenceLength(s.substr(i)) : 0;
    if (length == 0) break;
    i += length;
  }
  return i;
}

}  // namespace

bool IsUtf8(std::string_view text) {
  for (std::size_t i = 0; i < text.size();) {
    const bool ascii = static_cast<unsigned char>(text[i]) < 0x80;
    const std::size_t length = ascii ? 1 : SequenceLength(text.substr(i));
    if (length == 0) return false;
    i += length;
  }
  return true;
}

void AppendJsonString(std::string& out, std::string_view text) {
  out.push_back('"');
  while (true) {
    const std::size_t plain = PlainLength(text);
    out.append(text.substr(0, plain));
    if (plain == text.size()) break;
    const char odd = text[plain];
    const char meaning = kMeaning[static_cast<unsigned char>(odd)];
    if (meaning == 1) {
      out.append("\xef\xbf\xbd");  // U+FFFD
    } else {
      AppendEscape(out, odd, meaning);
    }
    text.remove_prefix(plain + 1);
  }
  out.push_back('"');
}

JsonWriter& JsonWriter::Key(std::string_view key) {
  Separate();
  AppendJsonString(out_, key);
  out_.push_back(':');
  follows_ = false;
  return *this;
}

JsonWriter& JsonWriter::Value(std::string_view text) {
  Separate();
  AppendJsonString(out_, text);
  follows_ = true;
  return *this;
}

JsonWriter& JsonWriter::Value(double number) {
  if (!std::isfinite(number)) return Null();
  if (number == 0) return Put(std::signbit(number) ? "-0.0" : "0");
  std::array<char, 32> digits;  // the longest shortest form has 24 characters
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), number).ptr;
  return Put({digits.data(), static_cast<std::size_t>(end - digits.data())});
}

}  // namespace spillway
