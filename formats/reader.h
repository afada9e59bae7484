#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "core/names.h"
#include "core/runtime.h"
#include "core/units.h"
#include "formats/findings.h"
#include "formats/value.h"

// From a tree to structs, strictly: every key must be known, every value of the right kind and
// within its range. All that is wrong is noted (InputError), and reading goes on.
//
//   void Read(const Place& at, NodeShape& node) {
//     ObjectReader r(at, "node");
//     r.Required("cpus", node.cpus);
//     r.Optional("devices", node.devices, Between(0, 64));
//     r.Finish();                                     // notes keys that nobody asked for
//   }
//
// A field's type says how it is read, through an overload of `Read(const Place&, T&)`; those for
// text, numbers, units, enumerations, lists and maps stand below. A third argument, any callable
// with that signature, reads it otherwise. What cannot be read leaves the field as it was.
namespace spillway {

class Reading;

// A value and the way to it. Lives on the stack of whoever reads; children refer to their parents.
class Place {
 public:
  Place(const Value& root, Reading& reading) : value_(&root), reading_(&reading) {}
  Place Child(const Member& member) const { return Place(member.value, *this, &member, 0); }
  Place Item(std::size_t index) const {
    return Place(value_->list()[index], *this, nullptr, index);
  }
  // The same way to another value, which was made from the one that stands here.
  Place Holding(const Value& other) const {
    Place place = *this;
    place.value_ = &other;
    return place;
  }

  const Value& value() const { return *value_; }
  Reading& reading() const { return *reading_; }
  std::string Pointer() const;  // "/pools/0/node"
  // "pools[].node": the same for all of its kind.
  std::string Pattern() const;

  // Notes what is wrong, or only odd, here.
  void Fail(std::string detail) const;
  void Fail(const absl::Status& why) const { Fail(std::string(why.message())); }
  void Warn(std::string detail) const;

 private:
  Place(const Value& value, const Place& parent, const Member* member, std::size_t index)
      : value_(&value),
        reading_(parent.reading_),
        parent_(&parent),
        member_(member),
        index_(index) {}

  const Value* value_;
  Reading* reading_;
  const Place* parent_ = nullptr;
  const Member* member_ = nullptr;
  std::size_t index_ = 0;
};

// What one reading of one document has brought to light.
class Reading {
 public:
  explicit Reading(std::string name = "") : error_(name), warnings_(std::move(name)) {}
  InputError& error() { return error_; }
  InputError& warnings() { return warnings_; }
  bool ok() const { return error_.empty(); }
  absl::Status ToStatus() const { return error_.ToStatus(); }

  // Every key that was asked for, by pattern: "pools[].node.cpus". For the test that holds the
  // documentation to the code; kept only if asked for.
  void KeepKnownKeys() { known_keys_.emplace(); }
  void KnowKey(const Place& object, std::string_view key);
  const std::set<std::string>& known_keys() const { return *known_keys_; }

 private:
  InputError error_, warnings_;
  std::optional<std::set<std::string>> known_keys_;
};

// ---- Readers of one value. Each notes what is wrong and leaves `out` alone then.

// Notes that something else was wanted: "wants a list, found a number".
void FailKind(const Place& at, std::string_view wanted);

void Read(const Place& at, bool& out);
void Read(const Place& at,
          std::string& out);           // not empty, at most 4096 bytes, no control characters
void Read(const Place& at, int& out);  // not negative, unless read with Between
void Read(const Place& at, std::uint64_t& out);
void Read(const Place& at, double& out);  // finite, not negative

void Read(const Place& at, Bytes& out);
void Read(const Place& at, absl::Duration& out);
void Read(const Place& at, MilliCpus& out);  // a number, in quotes or without; > 0
void Read(const Place& at, UsdPerHour& out);
void Read(const Place& at, UsdPerMtoken& out);
void Read(const Place& at, UsdPerGib& out);
void Read(const Place& at, UsdPerKwh& out);
void Read(const Place& at, Usd& out);  // decimal text, "0.05"
void Read(const Place& at, Watts& out);
void Read(const Place& at, GramsCo2e& out);
void Read(const Place& at, GramsCo2ePerKwh& out);
void Read(const Place& at, BytesPerSecond& out);
void Read(const Place& at, OpsPerSecond& out);
void Read(const Place& at, absl::Time& out);
void Read(const Place& at, Version& out);
void Read(const Place& at, RuntimeNeed& out);

// Text that `parse` understands; its error becomes the finding. A bare number is given to `parse`
// too, for the sake of the error: what stands in text must be text.
std::string TextOf(const Place& at);  // empty, and noted, if there is none
template <class T, class Parse>
void ReadText(const Place& at, T& out, Parse parse) {
  const bool is_number = at.value().is_number();
  const std::string text = is_number ? at.value().text() : TextOf(at);
  if (text.empty()) return;
  auto parsed = parse(text);
  if (!parsed.ok()) return at.Fail(parsed.status());
  if (is_number) return at.Fail("wants text: write \"" + text + "\" in quotes");
  out = *std::move(parsed);
}

// Names of pools, tenants, sites, rules, devices, keys of labels: [a-z0-9][a-z0-9._-]{0,62}.
bool IsName(std::string_view text);
void ReadName(const Place& at, std::string& out);
void ReadDay(const Place& at, std::string& out);      // "2026-07-20"
void ReadSpan(const Place& at, absl::Duration& out);  // longer than nothing
void ReadPositive(const Place& at, double& out);      // more than zero, at most 1e15
void ReadPercent(const Place& at, double& out);       // "2%"

// A whole number from `low` to `high`.
std::optional<std::int64_t> ReadInteger(const Place& at, std::int64_t low, std::int64_t high);
inline auto Between(std::int64_t low, std::int64_t high) {
  return [low, high](const Place& at, auto& out) {
    if (const auto value = ReadInteger(at, low, high)) {
      out = static_cast<std::remove_reference_t<decltype(out)>>(*value);
    }
  };
}

// Enumerations, by their one spelling (core/names.h).
void FailWord(const Place& at, const std::string& word, const std::vector<std::string>& known);
template <class E>
requires std::is_enum_v<E>
void Read(const Place& at, E& out) {
  const std::string word = TextOf(at);
  if (word.empty()) return;
  if (const auto value = ParseName<E>(word)) {
    out = *value;
    return;
  }
  std::vector<std::string> known;
  for (const auto& [value, name] : NamesOf(E{})) known.emplace_back(name);
  FailWord(at, word, known);
}

inline constexpr auto kDefaultRead = [](const Place& at, auto& out) { Read(at, out); };

template <class T>
void Read(const Place& at, std::optional<T>& out) {
  T value{};
  const std::size_t before = at.reading().error().size();
  Read(at, value);
  if (at.reading().error().size() == before) out = std::move(value);
}

inline constexpr std::size_t kMaxItems = 1000;   // of a list, where nothing else is said
bool IsList(const Place& at, std::size_t most);  // notes if it is none, or too long
bool IsMapOfNames(const Place& at, std::size_t most);

// A list, each item read by `read`:  r.Optional("sites", needs.sites, Listed(ReadName)).
template <class F = decltype(kDefaultRead)>
auto Listed(F read = kDefaultRead, std::size_t most = kMaxItems) {
  return [read, most](const Place& at, auto& out) {
    if (!IsList(at, most)) return;
    std::remove_reference_t<decltype(out)> items(at.value().list().size());
    for (std::size_t i = 0; i < items.size(); ++i) read(at.Item(i), items[i]);
    out = std::move(items);
  };
}
// A list, or one item alone.
template <class F = decltype(kDefaultRead)>
auto OneOrMore(F read = kDefaultRead, std::size_t most = kMaxItems) {
  return [read, most](const Place& at, auto& out) {
    if (at.value().is_list()) return Listed(read, most)(at, out);
    std::remove_reference_t<decltype(out)> items(1);
    read(at, items[0]);
    out = std::move(items);
  };
}
// A map of any keys, which must be names (IsName).
template <class F = decltype(kDefaultRead)>
auto MapOf(F read = kDefaultRead, std::size_t most = kMaxItems) {
  return [read, most](const Place& at, auto& out) {
    if (!IsMapOfNames(at, most)) return;
    std::remove_reference_t<decltype(out)> entries;
    for (const Member& member : at.value().map()) read(at.Child(member), entries[member.key]);
    out = std::move(entries);
  };
}
// Labels: at most 32; values are 1 to 128 printable characters.
void ReadLabels(const Place& at, std::map<std::string, std::string>& out);

// ---- Maps with known keys.

class ObjectReader {
 public:
  // `what` is for messages: "a pool needs the key `name`". Not a map: noted here, nothing is read.
  ObjectReader(const Place& at, std::string_view what);
  ObjectReader(const ObjectReader&) = delete;
  ObjectReader& operator=(const ObjectReader&) = delete;

  // Each tells whether the key stands there and could be read.
  template <class T, class F = decltype(kDefaultRead)>
  bool Required(std::string_view key, T& out, F read = kDefaultRead) {
    if (!Has(key)) Miss(key);
    return Optional(key, out, read);
  }
  template <class T, class F = decltype(kDefaultRead)>
  bool Optional(std::string_view key, T& out, F read = kDefaultRead) {
    const Member* member = Take(key);
    if (!member) return false;
    const std::size_t before = at_.reading().error().size();
    read(at_.Child(*member), out);
    return at_.reading().error().size() == before;
  }

  // A key that somebody reads by other means; null if it does not stand there.
  const Member* Take(std::string_view key);
  bool Has(std::string_view key) const;
  // A key that people may try and that cannot be given here: refused with these words.
  void Refuse(std::string_view key, std::string_view why);

  // Notes keys that stand there and were not asked for, with the nearest that was.
  void Finish();

  const Place& at() const { return at_; }
  bool is_map() const { return is_map_; }

 private:
  void Miss(std::string_view key);

  const Place& at_;
  std::string what_;
  bool is_map_;
  std::vector<std::string> known_, refused_;
};

}  // namespace spillway
