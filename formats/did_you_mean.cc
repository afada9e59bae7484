#include "formats/did_you_mean.h"

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "core/text.h"

namespace spillway {
namespace {

// Looking for it costs the product of the lengths.
constexpr std::size_t kLongest = 64;
constexpr std::size_t kMostNamed = 3;

// Names with a part, between dashes, that begins with `word`; only those with one that is `word`,
// if there are any.
std::vector<std::string> WithPart(std::string_view word, const std::vector<std::string>& known) {
  const std::string begins = absl::StrCat("-", absl::AsciiStrToLower(ToAbsl(word)));
  const std::string is = begins + "-";
  std::vector<std::string> with, exact;
  for (const std::string& name : known) {
    const std::string parts = absl::StrCat("-", absl::AsciiStrToLower(name), "-");
    if (absl::StrContains(parts, is)) exact.push_back(name);
    if (absl::StrContains(parts, begins)) with.push_back(name);
  }
  return exact.empty() ? with : exact;
}

}  // namespace

std::string DidYouMean(std::string_view word, const std::vector<std::string>& known) {
  if (word.size() > kLongest) return "";
  const std::string nearest = NearestWord(word, known);
  return nearest.empty() ? "" : absl::StrCat(" (did you mean `", nearest, "`?)");
}

std::string DidYouMeanName(std::string_view word, const std::vector<std::string>& known) {
  if (word.empty() || word.size() > kLongest) return "";
  std::string close = DidYouMean(word, known);
  if (!close.empty()) return close;
  const std::vector<std::string> names = WithPart(word, known);
  if (names.empty() || names.size() > kMostNamed) return "";
  std::string out = absl::StrCat(" (did you mean `", names.front(), "`");
  for (std::size_t i = 1; i < names.size(); ++i)
    absl::StrAppend(&out, i + 1 == names.size() ? " or `" : ", `", names[i], "`");
  return out + "?)";
}

}  // namespace spillway
