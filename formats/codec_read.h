#pragma once

#include <charconv>
#include <limits>
#include <string>
#include <string_view>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "core/text.h"
#include "formats/codec_kinds.h"
#include "formats/codec_write.h"
#include "formats/value.h"

// The reading direction of the storage codec. It trusts nothing: rows may be damaged or made by
// hand. Only the sources of the codec include this.
namespace spillway::codec {

// What is wrong with a text, and where: the first thing found. Filled in from the inside outwards.
class Trouble {
 public:
  // False, so that a reader can `return trouble.Say(...)`.
  bool Say(std::string what) {
    what_ = std::move(what);
    return false;
  }
  bool Wanted(std::string_view wanted, const Value& found) {
    return Say(absl::StrCat("found ", ToAbsl(found.KindName()), ", wanted ", ToAbsl(wanted)));
  }
  bool Under(std::string_view key) {
    path_ = absl::StrCat("/", ToAbsl(key), path_);
    return false;
  }
  bool Under(std::size_t index) { return Under(absl::StrCat(index)); }
  absl::Status ToStatus() const {
    return absl::DataLossError(path_.empty() ? what_ : absl::StrCat(path_, ": ", what_));
  }

 private:
  std::string path_, what_;
};

bool ReadText(const Value& v, std::string& out, Trouble& trouble);
bool ReadReal(const Value& v, double& out, Trouble& trouble);
bool ReadTime(const Value& v, absl::Time& out, Trouble& trouble);
bool ReadDuration(const Value& v, absl::Duration& out, Trouble& trouble);
bool ReadVersion(const Value& v, Version& out, Trouble& trouble);
bool ReadRuntime(const Value& v, RuntimeNeed& out, Trouble& trouble);
bool ReadCodes(const Value& v, CodeSet& out, Trouble& trouble);

template <class T>
bool Read(const Value& v, T& out, Trouble& trouble);

// Integers of any width; nothing is cut off.
template <class I>
bool ReadWhole(const Value& v, I& out, Trouble& trouble) {
  if constexpr (std::is_unsigned_v<I>) {
    const auto number = v.AsUint64();
    if (!number || *number > std::numeric_limits<I>::max())
      return trouble.Wanted("an integer in range, not negative", v);
    out = static_cast<I>(*number);
  } else {
    const auto number = v.AsInt64();
    if (!number || *number < std::numeric_limits<I>::min() ||
        *number > std::numeric_limits<I>::max())
      return trouble.Wanted("an integer in range", v);
    out = static_cast<I>(*number);
  }
  return true;
}

template <NamedEnum E>
bool ReadName(std::string_view name, E& out, Trouble& trouble) {
  const auto value = ParseName<E>(name);
  if (!value) return trouble.Say(absl::StrCat("unknown name `", ToAbsl(name), "`"));
  out = *value;
  return true;
}

// One field. Keys stand in the order of the list, so the next member is this field or the field is
// left out; texts made by hand may have another order, which costs a search.
template <class T, class M>
bool ReadField(const Value& map, std::size_t& used, const Field<T, M>& field, T& out,
               Trouble& trouble) {
  const auto& members = map.map();
  const bool next = used < members.size() && members[used].key == field.key;
  const Value* value = next ? &members[used].value : map.Find(field.key);
  if (value == nullptr) {
    if constexpr (Shared<M>) {
      trouble.Say("missing");
      return trouble.Under(field.key);
    }
    return true;
  }
  ++used;
  return Read(*value, out.*field.member, trouble) || trouble.Under(field.key);
}

template <class T>
bool SayUnknownKey(const Value& map, bool versioned, Trouble& trouble) {
  for (const Member& member : map.map()) {
    bool known = versioned && member.key == "v";
    ForEachField<T>([&](const auto& field) { known = known || field.key == member.key; });
    if (!known) return trouble.Say(absl::StrCat("unknown key `", member.key, "`"));
  }
  return trouble.Say("unknown key");
}

// Over what `out` holds: fields that are not written stay as they are. With `versioned` the first
// member is the version.
template <Stored T>
bool ReadFields(const Value& v, T& out, Trouble& trouble, bool versioned = false) {
  if (!v.is_map()) return trouble.Wanted("a map", v);
  std::size_t used = versioned ? 1 : 0;
  bool good = true;
  ForEachField<T>(
      [&](const auto& field) { good = good && ReadField(v, used, field, out, trouble); });
  if (!good) return false;
  return used == v.map().size() || SayUnknownKey<T>(v, versioned, trouble);
}

template <Vector T>
bool ReadVector(const Value& v, T& out, Trouble& trouble) {
  if (!v.is_list()) return trouble.Wanted("a list", v);
  out.clear();
  out.reserve(v.list().size());
  for (const Value& item : v.list()) {
    typename T::value_type entry{};
    if (!Read(item, entry, trouble)) return trouble.Under(out.size());
    out.push_back(std::move(entry));
  }
  return true;
}

template <class K>
bool ReadKey(std::string_view text, K& out, Trouble& trouble) {
  if constexpr (NamedEnum<K>) {
    return ReadName(text, out, trouble);
  } else {
    out = std::string(text);
    return true;
  }
}

template <Map T>
bool ReadEntry(std::string_view key, const Value& value, T& out, Trouble& trouble) {
  typename T::key_type name{};
  typename T::mapped_type entry{};
  if (!ReadKey(key, name, trouble) || !Read(value, entry, trouble)) return trouble.Under(key);
  out.insert_or_assign(std::move(name), std::move(entry));
  return true;
}

template <Map T>
bool ReadPair(const Value& pair, T& out, Trouble& trouble) {
  if (!pair.is_list() || pair.list().size() != 2) return trouble.Wanted("a pair", pair);
  std::string key;
  return ReadText(pair.list()[0], key, trouble) && ReadEntry(key, pair.list()[1], out, trouble);
}

template <Map T>
bool ReadMap(const Value& v, T& out, Trouble& trouble) {
  out.clear();
  if (v.is_map()) {
    for (const Member& member : v.map()) {
      if (!ReadEntry(member.key, member.value, out, trouble)) return false;
    }
    return true;
  }
  if (!v.is_list()) return trouble.Wanted("a map or a list of pairs", v);
  for (const Value& pair : v.list()) {
    if (!ReadPair(pair, out, trouble)) return false;
  }
  return true;
}

template <class A, Variant T>
bool ReadAlternative(const Value::List& parts, T& out, bool& good, Trouble& trouble) {
  if (parts[0].string() != kAlternativeName<A>) return false;
  A alternative{};
  if constexpr (std::same_as<A, std::monostate>) {
    good = parts.size() == 1 || trouble.Say("something stands behind `unknown`");
  } else {
    good = parts.size() == 2 ? Read(parts[1], alternative, trouble) : trouble.Say("wanted a pair");
  }
  out = std::move(alternative);
  return true;
}

template <class... A>
bool ReadVariant(const Value& v, std::variant<A...>& out, Trouble& trouble) {
  if (!v.is_list() || v.list().empty() || !v.list()[0].is_string())
    return trouble.Wanted("a name and a value", v);
  bool good = false;
  const bool known = (ReadAlternative<A>(v.list(), out, good, trouble) || ...);
  return known ? good : trouble.Say(absl::StrCat("unknown name `", v.list()[0].string(), "`"));
}

template <class T>
bool Read(const Value& v, T& out, Trouble& trouble) {
  if constexpr (Stored<T>) {
    return ReadFields(v, out, trouble);
  } else if constexpr (std::same_as<T, bool>) {
    if (v.kind() != Value::Kind::kBool) return trouble.Wanted("true or false", v);
    out = v.boolean();
    return true;
  } else if constexpr (Whole<T>) {
    return ReadWhole(v, out, trouble);
  } else if constexpr (std::same_as<T, double>) {
    return ReadReal(v, out, trouble);
  } else if constexpr (std::same_as<T, std::string>) {
    return ReadText(v, out, trouble);
  } else if constexpr (NamedEnum<T>) {
    return v.is_string() ? ReadName(v.string(), out, trouble) : trouble.Wanted("a name", v);
  } else if constexpr (NumberedEnum<T>) {
    std::underlying_type_t<T> number{};
    if (!ReadWhole(v, number, trouble)) return false;
    out = T{number};
    return true;
  } else if constexpr (Unit<T>) {
    typename T::rep number{};
    if (!Read(v, number, trouble)) return false;
    out = T(number);
    return true;
  } else if constexpr (std::same_as<T, absl::Time>) {
    return ReadTime(v, out, trouble);
  } else if constexpr (std::same_as<T, absl::Duration>) {
    return ReadDuration(v, out, trouble);
  } else if constexpr (std::same_as<T, CodeSet>) {
    return ReadCodes(v, out, trouble);
  } else if constexpr (std::same_as<T, Version>) {
    return ReadVersion(v, out, trouble);
  } else if constexpr (std::same_as<T, RuntimeNeed>) {
    return ReadRuntime(v, out, trouble);
  } else if constexpr (Optional<T>) {
    out.reset();
    return v.is_null() || Read(v, out.emplace(), trouble);
  } else if constexpr (Shared<T>) {
    auto value = std::make_shared<std::remove_const_t<typename T::element_type>>();
    if (!Read(v, *value, trouble)) return false;
    out = std::move(value);
    return true;
  } else if constexpr (Vector<T>) {
    return ReadVector(v, out, trouble);
  } else if constexpr (Map<T>) {
    return ReadMap(v, out, trouble);
  } else {
    static_assert(Variant<T>, "the codec knows no such kind of member");
    return ReadVariant(v, out, trouble);
  }
}

// The tree of one text whose version this program can read.
absl::StatusOr<Value> ParseDocument(std::string_view text);

template <Stored T>
absl::StatusOr<T> ReadDocument(std::string_view text) {
  auto tree = ParseDocument(text);
  if (!tree.ok()) return tree.status();
  T value{};
  Trouble trouble;
  if (!ReadFields(*tree, value, trouble, /*versioned=*/true)) return trouble.ToStatus();
  return value;
}

}  // namespace spillway::codec
