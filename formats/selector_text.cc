#include "formats/selector_text.h"

#include <type_traits>

namespace spillway {
namespace {

constexpr std::size_t kMostWords = 100;

const auto kWords = OneOrMore(kDefaultRead, kMostWords);
const auto kLabelSets = MapOf(OneOrMore(kDefaultRead, kMostWords), 32);

template <class T>
Value Word(const T& word) {
  if constexpr (std::is_enum_v<T>) {
    return Value::MakeString(NameOf(word));
  } else if constexpr (std::is_same_v<T, int>) {
    return Value::MakeInteger(word);
  } else {
    return Value::MakeString(word);
  }
}
template <class T>
Value OneOrList(const std::vector<T>& words) {
  if (words.size() == 1) return Word(words[0]);
  Value list = Value::MakeList();
  for (const T& word : words) list.Append(Word(word));
  return list;
}
template <class T>
void SetWords(Value& map, std::string_view key, const std::vector<T>& words) {
  if (!words.empty()) map.Set(key, OneOrList(words));
}
void SetLabels(Value& map, const std::map<std::string, std::vector<std::string>>& labels) {
  if (labels.empty()) return;
  Value& set = map.Set("labels", Value::MakeMap());
  for (const auto& [key, values] : labels) set.Set(key, OneOrList(values));
}

}  // namespace

void ReadPoolSelector(const Place& at, PoolSelector& out) {
  ObjectReader r(at, "a selector of pools");
  r.Optional("name", out.name, kWords);
  r.Optional("kind", out.kind, kWords);
  r.Optional("vendor", out.vendor, kWords);
  r.Optional("device", out.device, kWords);
  r.Optional("arch", out.arch, kWords);
  r.Optional("billing", out.billing, kWords);
  r.Optional("site", out.site, kWords);
  r.Optional("site_kind", out.site_kind, kWords);
  r.Optional("features", out.features, kWords);
  r.Optional("confidential", out.confidential, kWords);
  r.Optional("runtime", out.runtime, kWords);
  r.Optional("tier", out.tier, OneOrMore(Between(-1000, 1000), kMostWords));
  r.Optional("modelled", out.modelled);
  r.Optional("labels", out.labels, kLabelSets);
  r.Finish();
}

void ReadWorkSelector(const Place& at, WorkSelector& out) {
  ObjectReader r(at, "a selector of work");
  r.Optional("kind", out.kind, kWords);
  r.Optional("name", out.name, kWords);
  r.Optional("tenant", out.tenant, kWords);
  r.Optional("confidential", out.confidential, kWords);
  r.Optional("class", out.work_class, kWords);
  r.Optional("model", out.model, kWords);
  r.Optional("labels", out.labels, kLabelSets);
  r.Optional("min_priority", out.min_priority, Between(-kMaxPriority, kMaxPriority));
  r.Finish();
}

void ReadRequestSelector(const Place& at, RequestSelector& out) {
  ObjectReader r(at, "a selector of requests");
  r.Optional("model", out.model, kWords);
  r.Optional("tenant", out.tenant, kWords);
  r.Finish();
}

Value ToValue(const PoolSelector& selector) {
  Value map = Value::MakeMap();
  SetWords(map, "name", selector.name);
  SetWords(map, "kind", selector.kind);
  SetWords(map, "vendor", selector.vendor);
  SetWords(map, "device", selector.device);
  SetWords(map, "arch", selector.arch);
  SetWords(map, "billing", selector.billing);
  SetWords(map, "site", selector.site);
  SetWords(map, "site_kind", selector.site_kind);
  SetWords(map, "features", selector.features);
  SetWords(map, "confidential", selector.confidential);
  SetWords(map, "runtime", selector.runtime);
  SetWords(map, "tier", selector.tier);
  if (selector.modelled) map.Set("modelled", Value::MakeBool(*selector.modelled));
  SetLabels(map, selector.labels);
  return map;
}

Value ToValue(const WorkSelector& selector) {
  Value map = Value::MakeMap();
  SetWords(map, "kind", selector.kind);
  SetWords(map, "name", selector.name);
  SetWords(map, "tenant", selector.tenant);
  SetWords(map, "confidential", selector.confidential);
  SetWords(map, "class", selector.work_class);
  SetWords(map, "model", selector.model);
  SetLabels(map, selector.labels);
  if (selector.min_priority) map.Set("min_priority", Value::MakeInteger(*selector.min_priority));
  return map;
}

Value ToValue(const RequestSelector& selector) {
  Value map = Value::MakeMap();
  SetWords(map, "model", selector.model);
  SetWords(map, "tenant", selector.tenant);
  return map;
}

}  // namespace spillway
