#include "net/target.h"

#include "net/chars.h"

namespace spillway {
namespace {

constexpr std::size_t kMaxSegments = 64;
constexpr std::size_t kMaxParams = 100;

// The head check made sure that each '%' is followed by two digits.
std::string Decode(std::string_view text, bool plus_is_blank) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%' && i + 2 < text.size()) {
      out.push_back(
          static_cast<char>(chars::HexValue(text[i + 1]) * 16 + chars::HexValue(text[i + 2])));
      i += 2;
    } else {
      out.push_back(plus_is_blank && text[i] == '+' ? ' ' : text[i]);
    }
  }
  return out;
}

// Valid UTF-8 (RFC 3629: shortest form, no surrogates) without C0 controls and DEL. Table 3-7 of
// the Unicode Standard, 15.0.
bool IsCleanText(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  for (std::size_t i = 0; i < text.size();) {
    const unsigned char lead = byte(i++);
    if (lead < 0x80) {
      if (lead < 0x20 || lead == 0x7f) return false;
      continue;
    }
    const int more = lead >= 0xc2 && lead <= 0xdf   ? 1
                     : (lead & 0xf0) == 0xe0        ? 2
                     : lead >= 0xf0 && lead <= 0xf4 ? 3
                                                    : 0;
    if (more == 0 || i + static_cast<std::size_t>(more) > text.size()) return false;
    const unsigned char low = lead == 0xe0 ? 0xa0 : lead == 0xf0 ? 0x90 : 0x80;
    const unsigned char high = lead == 0xed ? 0x9f : lead == 0xf4 ? 0x8f : 0xbf;
    if (byte(i) < low || byte(i) > high) return false;
    for (int k = 1; k < more; ++k) {
      if ((byte(i + static_cast<std::size_t>(k)) & 0xc0) != 0x80) return false;
    }
    i += static_cast<std::size_t>(more);
  }
  return true;
}

std::string_view ParsePath(std::string_view text, std::vector<std::string>* path) {
  if (text == "/" || text == "*") return "";
  constexpr std::size_t kUsual = 4;
  path->reserve(kUsual);
  while (!text.empty()) {
    text.remove_prefix(1);  // The '/' before each segment.
    const std::string_view raw = text.substr(0, text.find('/'));
    text.remove_prefix(raw.size());
    if (path->size() == kMaxSegments) return "the path has more than 64 segments";
    path->push_back(Decode(raw, false));
    const std::string& segment = path->back();
    if (segment == "." || segment == "..") return "the path holds a `.` or `..`";
    if (!IsCleanText(segment)) return "the path is not UTF-8 without control characters";
  }
  return "";
}

std::string_view ParseQuery(std::string_view text, std::vector<QueryParam>* query) {
  while (!text.empty()) {
    const std::string_view pair = text.substr(0, text.find('&'));
    text.remove_prefix(std::min(pair.size() + 1, text.size()));
    if (pair.empty()) continue;
    if (query->size() == kMaxParams) return "the query has more than 100 parameters";
    const std::size_t equals = std::min(pair.find('='), pair.size());
    query->push_back({Decode(pair.substr(0, equals), true),
                      Decode(pair.substr(std::min(equals + 1, pair.size())), true)});
    if (!IsCleanText(query->back().name) || !IsCleanText(query->back().value)) {
      return "the query is not UTF-8 without control characters";
    }
  }
  return "";
}

}  // namespace

std::string_view ParseTarget(std::string_view target, std::vector<std::string>* path,
                             std::vector<QueryParam>* query) {
  const std::size_t mark = std::min(target.find('?'), target.size());
  const std::string_view why = ParsePath(target.substr(0, mark), path);
  if (!why.empty() || mark == target.size()) return why;
  return ParseQuery(target.substr(mark + 1), query);
}

std::string PercentEncode(std::string_view text) {
  static constexpr std::string_view kHex = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    if (chars::Is(c, chars::kHostByte) || c == '~') {
      out.push_back(c);
      continue;
    }
    const auto byte = static_cast<unsigned char>(c);
    out.append({'%', kHex[byte >> 4], kHex[byte & 15]});
  }
  return out;
}

}  // namespace spillway
