#include "policies/reach.h"

#include <algorithm>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/types/span.h"
#include "policies/words.h"

namespace spillway {
namespace {

constexpr std::size_t kMostShapes = 20'000;
// No name in a file holds a control character.
const char* const kUnheardOf = "\x01";

// One key of `when`: the ways to set it in a piece of work that are worth trying.
using Setter = std::function<void(Work&)>;
using Key = std::vector<Setter>;
using Words = std::vector<std::string>;

// Of the words that this rule lets through: each that an earlier rule names, and one that none
// does. `own` empty: it lets all through.
Words WordsToTry(const Words& own, const std::set<std::string>& named_earlier) {
  if (own.empty()) {
    Words words(named_earlier.begin(), named_earlier.end());
    words.push_back(kUnheardOf);
    return words;
  }
  Words words;
  std::optional<std::string> other;
  for (const std::string& word : own) {
    if (named_earlier.contains(word)) {
      words.push_back(word);
    } else if (!other) {
      other = word;
    }
  }
  if (other) words.push_back(*other);
  return words;
}

using ListOf = Words WorkSelector::*;
Key KeyFor(ListOf list, absl::Span<const RuleSpec> earlier, const WorkSelector& own,
           void (*set)(Work&, const std::string&)) {
  std::set<std::string> named;
  for (const RuleSpec& rule : earlier) {
    const Words& words = rule.when.*list;
    named.insert(words.begin(), words.end());
  }
  Key key;
  for (const std::string& word : WordsToTry(own.*list, named))
    key.push_back([=](Work& work) { set(work, word); });
  return key;
}

Key KindKey(const WorkSelector& own) {
  const std::vector<WorkKind> all{WorkKind::kJob, WorkKind::kRequest, WorkKind::kService};
  Key key;
  for (WorkKind kind : own.kind.empty() ? all : own.kind)
    key.push_back([=](Work& work) { work.kind = kind; });
  return key;
}

Key LabelKey(const std::string& label, absl::Span<const RuleSpec> earlier,
             const WorkSelector& own) {
  std::set<std::string> named;
  for (const RuleSpec& rule : earlier) {
    const auto found = rule.when.labels.find(label);
    if (found != rule.when.labels.end()) named.insert(found->second.begin(), found->second.end());
  }
  const auto found = own.labels.find(label);
  const bool wanted = found != own.labels.end();
  Key key;
  for (const std::string& value : WordsToTry(wanted ? found->second : Words(), named))
    key.push_back([=](Work& work) { work.labels[label] = value; });
  if (!wanted) key.push_back([=](Work& work) { work.labels.erase(label); });
  return key;
}

std::vector<Key> KeysOf(absl::Span<const RuleSpec> earlier, const WorkSelector& own) {
  std::vector<Key> keys{KindKey(own)};
  const auto add = [&](ListOf list, void (*set)(Work&, const std::string&)) {
    keys.push_back(KeyFor(list, earlier, own, set));
  };
  add(&WorkSelector::name, [](Work& w, const std::string& s) { w.name = s; });
  add(&WorkSelector::tenant, [](Work& w, const std::string& s) { w.tenant = s; });
  add(&WorkSelector::confidential, [](Work& w, const std::string& s) { w.needs.confidential = s; });
  add(&WorkSelector::work_class,
      [](Work& w, const std::string& s) { w.demand = ClassUnits{.work_class = s, .units = 1}; });
  add(&WorkSelector::model, [](Work& w, const std::string& s) { w.needs.model = s; });
  std::set<std::string> labels;
  for (const auto& [label, values] : own.labels) labels.insert(label);
  for (const RuleSpec& rule : earlier) {
    for (const auto& [label, values] : rule.when.labels) labels.insert(label);
  }
  for (const std::string& label : labels) keys.push_back(LabelKey(label, earlier, own));
  const int lowest = own.min_priority.value_or(-kMaxPriority);
  keys.push_back({[=](Work& work) { work.priority = lowest; }});
  return keys;
}

// The earlier rules that together take all of this one's work; empty if some work gets through.
std::set<std::size_t> Takers(absl::Span<const RuleSpec> earlier, const WorkSelector& own) {
  const std::vector<Key> keys = KeysOf(earlier, own);
  std::size_t shapes = 1;
  for (const Key& key : keys) {
    shapes *= key.size();
    if (shapes > kMostShapes) return {};
  }
  std::set<std::size_t> takers;
  for (std::size_t shape = 0; shape < shapes; ++shape) {
    Work work;
    std::size_t rest = shape;
    for (const Key& key : keys) {
      key[rest % key.size()](work);
      rest /= key.size();
    }
    const auto taker = std::find_if(earlier.begin(), earlier.end(),
                                    [&](const RuleSpec& rule) { return rule.when.Matches(work); });
    if (taker == earlier.end()) return {};
    takers.insert(static_cast<std::size_t>(taker - earlier.begin()));
  }
  return takers;
}

}  // namespace

void FindDeadRules(const PolicySpec& policy, std::vector<Finding>& findings) {
  for (std::size_t i = 1; i < policy.rules.size(); ++i) {
    const absl::Span<const RuleSpec> earlier(policy.rules.data(), i);
    const std::set<std::size_t> takers = Takers(earlier, policy.rules[i].when);
    if (takers.empty()) continue;
    std::vector<std::string> names;
    for (std::size_t taker : takers) names.push_back(RuleInWords(policy, taker));
    const std::string what =
        takers.size() == 1
            ? absl::StrCat(names[0], " takes all of its work; put this rule before it or narrow it")
            : absl::StrCat(absl::StrJoin(names, " and "),
                           " together take all of its work; put this rule before them or narrow "
                           "one of them");
    findings.push_back(
        {.error = true,
         .where = RulePath(i),
         .what = absl::StrCat(RuleInWords(policy, i), " can never be reached: ", what)});
  }
}

}  // namespace spillway
