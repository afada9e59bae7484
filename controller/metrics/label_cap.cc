#include "controller/metrics/label_cap.h"

#include <algorithm>

namespace spillway {
namespace {

// Bytes of the UTF-8 character that `text` begins with; 0: it begins with none (Unicode 15, table
// 3-7: no overlong forms, no surrogates, nothing above U+10FFFF).
std::size_t CharacterAt(std::string_view text) {
  const auto at = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char lead = at(0);
  if (lead < 0x80) return lead < 0x20 || lead == 0x7f ? 0 : 1;
  const std::size_t size = lead >= 0xc2 && lead <= 0xdf   ? 2
                           : lead >= 0xe0 && lead <= 0xef ? 3
                           : lead >= 0xf0 && lead <= 0xf4 ? 4
                                                          : 0;
  if (size == 0 || text.size() < size) return 0;
  for (std::size_t i = 1; i < size; ++i) {
    if (at(i) < 0x80 || at(i) > 0xbf) return 0;
  }
  const unsigned char second = at(1);
  const bool wrong = (lead == 0xe0 && second < 0xa0) || (lead == 0xed && second > 0x9f) ||
                     (lead == 0xf0 && second < 0x90) || (lead == 0xf4 && second > 0x8f);
  return wrong ? 0 : size;
}

}  // namespace

std::string HarmlessLabel(std::string_view value) {
  std::string shown;
  shown.reserve(std::min(value.size(), kLongestLabel));
  while (!value.empty()) {
    const std::size_t size = CharacterAt(value);
    if (shown.size() + std::max<std::size_t>(size, 1) > kLongestLabel) break;
    if (size == 0) {
      shown += '?';
    } else {
      shown += value.substr(0, size);
    }
    value.remove_prefix(std::max<std::size_t>(size, 1));
  }
  return shown;
}

}  // namespace spillway
