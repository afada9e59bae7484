#include "policies/words.h"

#include <algorithm>

#include "absl/strings/str_cat.h"

namespace spillway {

std::string RulePath(std::size_t rule) { return absl::StrCat("rules[", rule, "]"); }

std::string EntryPath(std::size_t rule, std::size_t entry) {
  return absl::StrCat(RulePath(rule), ".claim[", entry, "]");
}

std::string RuleInWords(const PolicySpec& policy, std::size_t rule) {
  const std::string& name = policy.rules[rule].name;
  return name.empty() ? RulePath(rule) : absl::StrCat(RulePath(rule), " ", Quoted(name));
}

std::string Quoted(const std::string& name) { return absl::StrCat("`", name, "`"); }

std::string Enumerated(const std::vector<std::string>& names) {
  constexpr std::size_t kMost = 8;
  std::string words;
  for (std::size_t i = 0; i < std::min(names.size(), kMost); ++i) {
    const char* before = i == 0 ? "" : i + 1 == names.size() ? " and " : ", ";
    absl::StrAppend(&words, before, Quoted(names[i]));
  }
  if (names.size() > kMost) absl::StrAppend(&words, " and ", names.size() - kMost, " more");
  return words;
}

}  // namespace spillway
