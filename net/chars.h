#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <utility>

// Which bytes may stand where in HTTP/1.1 (RFC 9110 section 5.6.2, RFC 9112, RFC 3986), as one
// table.
namespace spillway::chars {

enum Class : std::uint8_t {
  kToken = 1,       // tchar: names of fields and methods
  kFieldByte = 2,   // HTAB, printable ASCII, and bytes over 127 (obs-text)
  kTargetByte = 4,  // of a request target, see below
  kHostByte = 8,    // letters, digits, '.', '-', '_'
  kRequestId = 16,  // letters, digits, '.', '-', '_'
};

// Targets: printable ASCII without blank, '"', '#', '<', '>', '\'. Wider than RFC 3986 by ^`{|},
// which browsers leave as they are in a query.
constexpr std::array<std::uint8_t, 256> MakeTable() {
  std::array<std::uint8_t, 256> table{};
  const auto mark = [&](std::string_view bytes, std::uint8_t with) {
    for (const char c : bytes) table[static_cast<unsigned char>(c)] |= with;
  };
  const auto range = [&](int first, int last, std::uint8_t with) {
    for (int c = first; c <= last; ++c) table[static_cast<std::size_t>(c)] |= with;
  };
  for (const auto& [first, last] :
       {std::pair{'0', '9'}, std::pair{'A', 'Z'}, std::pair{'a', 'z'}}) {
    range(first, last, kToken | kHostByte | kRequestId);
  }
  mark("!#$%&'*+-.^_`|~", kToken);
  mark(".-_", kHostByte | kRequestId);
  mark("\t", kFieldByte);
  range(0x20, 0x7e, kFieldByte);
  range(0x80, 0xff, kFieldByte);
  range(0x21, 0x7e, kTargetByte);
  for (const char c : std::string_view("\"#<>\\")) {
    table[static_cast<unsigned char>(c)] &= static_cast<std::uint8_t>(~kTargetByte);
  }
  return table;
}
inline constexpr std::array<std::uint8_t, 256> kTable = MakeTable();

inline bool Is(char c, Class wanted) {
  return (kTable[static_cast<unsigned char>(c)] & wanted) != 0;
}
inline bool AllAre(std::string_view text, Class wanted) {
  std::uint8_t all = 0xff;
  for (const char c : text) all &= kTable[static_cast<unsigned char>(c)];
  return (all & wanted) != 0;
}

inline char Lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }
inline bool SameWord(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) return false;
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (Lower(a[i]) != Lower(b[i])) return false;
  }
  return true;
}

// Value of a hexadecimal digit, -1 for anything else.
inline int HexValue(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  const char lower = Lower(c);
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

// Without blanks and tabs at either end.
inline std::string_view Trim(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

}  // namespace spillway::chars
