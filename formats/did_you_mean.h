#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace spillway {

// " (did you mean `nodes`?)", to stand behind a word that is not among those known; "" where none
// of them is close, or the word is longer than anybody types.
std::string DidYouMean(std::string_view word, const std::vector<std::string>& known);

// The same for names of the catalogue, of which people know the middle: `h100` for
// `nvidia-h100-80g`. Where no name is close as a whole, up to three with a part that is this word,
// or begins with it.
std::string DidYouMeanName(std::string_view word, const std::vector<std::string>& known);

// The keys of a map, as they are wanted above.
template <class Map>
std::vector<std::string> KeysOf(const Map& map) {
  std::vector<std::string> names;
  for (const auto& [name, unused] : map) names.push_back(name);
  return names;
}

}  // namespace spillway
