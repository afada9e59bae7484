#include "formats/mark_at.h"

#include <algorithm>
#include <string>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "core/text.h"

namespace spillway {
namespace {

std::vector<std::string> Steps(std::string_view path) {
  if (!path.starts_with('/'))
    return absl::StrSplit(ToAbsl(path), absl::ByAnyChar(".[]"), absl::SkipEmpty());
  std::vector<std::string> steps = absl::StrSplit(ToAbsl(path.substr(1)), '/');
  for (std::string& step : steps) step = absl::StrReplaceAll(step, {{"~1", "/"}, {"~0", "~"}});
  return steps;
}

}  // namespace

std::optional<Mark> MarkAt(const Value& tree, std::string_view path) {
  const Value* at = &tree;
  Mark mark = tree.mark();
  for (const std::string& step : Steps(path)) {
    std::size_t index = 0;
    if (at->is_map()) {
      const auto member = std::find_if(at->map().begin(), at->map().end(),
                                       [&](const Member& m) { return m.key == step; });
      if (member == at->map().end()) break;
      mark = member->mark;
      at = &member->value;
    } else if (at->is_list() && absl::SimpleAtoi(step, &index) && index < at->list().size()) {
      at = &at->list()[index];
      mark = at->mark();
    } else {
      break;
    }
  }
  return mark.line > 0 ? std::optional(mark) : std::nullopt;
}

}  // namespace spillway
