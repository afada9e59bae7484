#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>

#include "absl/strings/string_view.h"

// Debian's Abseil has its own string_view, with no implicit conversion to or from the standard one.
// The project uses std::string_view everywhere and crosses over here, where an Abseil call needs
// it.
namespace spillway {

inline absl::string_view ToAbsl(std::string_view s) { return {s.data(), s.size()}; }
inline std::string_view ToStd(absl::string_view s) { return {s.data(), s.size()}; }

// Lets containers keyed by std::string be searched with a std::string_view:
//   absl::flat_hash_map<std::string, T, TextHash, std::equal_to<>>.
struct TextHash {
  using is_transparent = void;
  std::size_t operator()(std::string_view s) const { return std::hash<std::string_view>{}(s); }
};

// The entry of `known` that differs least from `word`, if it is close enough to be what was meant;
// empty otherwise. For messages: "unknown key `nodez` (did you mean `nodes`?)".
template <class Range>
std::string NearestWord(std::string_view word, const Range& known);

// Edits (insert, delete, replace, swap of neighbours) that turn one word into the other.
std::size_t EditDistance(std::string_view a, std::string_view b);

template <class Range>
std::string NearestWord(std::string_view word, const Range& known) {
  std::string best;
  std::size_t best_distance = word.size() / 3 + 2;  // farther than this is another word
  for (const auto& candidate : known) {
    const std::size_t distance = EditDistance(word, candidate);
    if (distance >= best_distance) continue;
    best_distance = distance;
    best = std::string(candidate);
  }
  return best;
}

}  // namespace spillway
