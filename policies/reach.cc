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
constexpr std::int64_t kMostQuestions = 2'000'000;
// No name in a file holds a control character.
const char* const kUnheardOf = "\x01";

// One key of `when`: the ways to set it in a piece of work that are worth trying.
using Setter = std::function<void(Work&)>;
using Key = std::vector<Setter>;
using Words = std::vector<std::string>;

// What a key of `when` says in words, and how work is made to say it.
struct WordKey {
  Words WorkSelector::*list;
  void (*set)(Work&, const std::string&);
};
const WordKey kWordKeys[] = {
    {&WorkSelector::name, [](Work& w, const std::string& s) { w.name = s; }},
    {&WorkSelector::tenant, [](Work& w, const std::string& s) { w.tenant = s; }},
    {&WorkSelector::confidential, [](Work& w, const std::string& s) { w.needs.confidential = s; }},
    {&WorkSelector::model, [](Work& w, const std::string& s) { w.needs.model = s; }},
    {&WorkSelector::work_class,
     [](Work& w, const std::string& s) { w.demand = ClassUnits{.work_class = s, .units = 1}; }}};

// All words that earlier rules name.
struct NamedEarlier {
  std::set<std::string> words[std::size(kWordKeys)];
  std::map<std::string, std::set<std::string>> labels;
  void Add(const WorkSelector& when) {
    for (std::size_t i = 0; i < std::size(kWordKeys); ++i) {
      const Words& list = when.*kWordKeys[i].list;
      words[i].insert(list.begin(), list.end());
    }
    for (const auto& [label, values] : when.labels)
      labels[label].insert(values.begin(), values.end());
  }
};

// Of the words that this rule lets through: each that an earlier rule names, and one that none
// does. `own` empty: it lets all through. At most kMostShapes + 1 of them.
Words WordsToTry(const Words& own, const std::set<std::string>& named_earlier) {
  Words words;
  if (own.empty()) {
    for (const std::string& word : named_earlier) {
      if (words.size() >= kMostShapes) break;
      words.push_back(word);
    }
    words.push_back(kUnheardOf);
    return words;
  }
  std::optional<std::string> other;
  for (const std::string& word : own) {
    if (named_earlier.contains(word)) {
      words.push_back(word);
    } else {
      other = word;
    }
  }
  if (other) words.push_back(*other);
  return words;
}

Key KindKey(const WorkSelector& own) {
  const std::vector<WorkKind> all{WorkKind::kJob, WorkKind::kRequest, WorkKind::kService};
  Key key;
  for (WorkKind kind : own.kind.empty() ? all : own.kind)
    key.push_back([=](Work& work) { work.kind = kind; });
  return key;
}

Key LabelKey(const std::string& label, const std::set<std::string>& named_earlier,
             const WorkSelector& own) {
  const auto found = own.labels.find(label);
  const bool wanted = found != own.labels.end();
  Key key;
  for (const std::string& value : WordsToTry(wanted ? found->second : Words(), named_earlier))
    key.push_back([=](Work& work) { work.labels[label] = value; });
  if (!wanted) key.push_back([=](Work& work) { work.labels.erase(label); });
  return key;
}

std::vector<Key> KeysOf(const NamedEarlier& earlier, const WorkSelector& own) {
  std::vector<Key> keys{KindKey(own)};
  for (std::size_t i = 0; i < std::size(kWordKeys); ++i) {
    Key& key = keys.emplace_back();
    for (const std::string& word : WordsToTry(own.*kWordKeys[i].list, earlier.words[i]))
      key.push_back([set = kWordKeys[i].set, word](Work& work) { set(work, word); });
  }
  auto labels = earlier.labels;
  for (const auto& [label, values] : own.labels) labels[label];
  for (const auto& [label, values] : labels) keys.push_back(LabelKey(label, values, own));
  const int lowest = own.min_priority.value_or(-kMaxPriority);
  keys.push_back({[=](Work& work) { work.priority = lowest; }});
  return keys;
}

Work ShapeNumber(std::size_t number, const std::vector<Key>& keys) {
  Work work;
  for (const Key& key : keys) {
    key[number % key.size()](work);
    number /= key.size();
  }
  return work;
}

// The earlier rules that together take all of this one's work; empty if some work gets through.
std::set<std::size_t> Takers(absl::Span<const RuleSpec> earlier, const std::vector<Key>& keys,
                             std::int64_t& questions_left) {
  std::size_t shapes = 1;
  for (const Key& key : keys) {
    shapes *= key.size();
    if (shapes > kMostShapes) return {};
  }
  std::set<std::size_t> takers;
  for (std::size_t shape = 0; shape < shapes; ++shape) {
    questions_left -= static_cast<std::int64_t>(earlier.size());
    if (questions_left < 0) return {};
    const Work work = ShapeNumber(shape, keys);
    const auto taker = std::find_if(earlier.begin(), earlier.end(),
                                    [&](const RuleSpec& rule) { return rule.when.Matches(work); });
    if (taker == earlier.end()) return {};
    takers.insert(static_cast<std::size_t>(taker - earlier.begin()));
  }
  return takers;
}

std::string WhyDead(const PolicySpec& policy, const std::set<std::size_t>& takers) {
  std::vector<std::string> names;
  names.reserve(takers.size());
  for (std::size_t taker : takers) names.push_back(RuleInWords(policy, taker));
  if (names.size() == 1) {
    return absl::StrCat(names[0], " takes all of its work; put this rule before it or narrow it");
  }
  return absl::StrCat(absl::StrJoin(names, " and "),
                      " together take all of its work; put this rule before them or narrow one of "
                      "them");
}

}  // namespace

void FindDeadRules(const PolicySpec& policy, std::vector<Finding>& findings) {
  NamedEarlier named;
  std::int64_t questions_left = kMostQuestions;
  for (std::size_t i = 0; i < policy.rules.size(); ++i) {
    const WorkSelector& own = policy.rules[i].when;
    const absl::Span<const RuleSpec> earlier(policy.rules.data(), i);
    const auto takers = Takers(earlier, KeysOf(named, own), questions_left);
    named.Add(own);
    if (takers.empty()) continue;
    findings.push_back({.error = true,
                        .where = RulePath(i),
                        .what = absl::StrCat(RuleInWords(policy, i),
                                             " can never be reached: ", WhyDead(policy, takers))});
  }
}

}  // namespace spillway
