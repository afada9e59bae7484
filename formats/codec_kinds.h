#pragma once

#include <bit>
#include <concepts>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <variant>
#include <vector>

#include "absl/time/time.h"
#include "core/code.h"
#include "core/ids.h"
#include "core/names.h"
#include "core/runtime.h"
#include "core/units.h"
#include "formats/codec_fields.h"

// What kinds of members the storage codec knows, and when two of a kind are exactly the same.
// Shared by both directions.
namespace spillway::codec {

template <class T>
concept Stored = requires {
  FieldsOf<T>::list;
};
template <class T>
concept NamedEnum = std::is_enum_v<T> && requires {
  NamesOf(T{});
};
template <class T>
concept NumberedEnum = std::is_enum_v<T> && !NamedEnum<T>;  // ids
template <class T>
concept Whole = std::integral<T> && !std::same_as<T, bool>;

template <class T, template <class...> class Template>
inline constexpr bool kIsA = false;
template <class... Args, template <class...> class Template>
inline constexpr bool kIsA<Template<Args...>, Template> = true;

template <class T>
concept Optional = kIsA<T, std::optional>;
template <class T>
concept Vector = kIsA<T, std::vector>;
template <class T>
concept Map = kIsA<T, std::map>;
template <class T>
concept Variant = kIsA<T, std::variant>;
template <class T>
concept Shared = kIsA<T, std::shared_ptr>;
template <class T>
concept Unit = kIsA<T, Quantity>;

// The name under which one alternative of a variant is stored.
template <class T>
inline constexpr std::string_view kAlternativeName = "";
template <>
inline constexpr std::string_view kAlternativeName<std::monostate> = "unknown";
template <>
inline constexpr std::string_view kAlternativeName<DeclaredSeconds> = "seconds";
template <>
inline constexpr std::string_view kAlternativeName<ClassUnits> = "class";
template <>
inline constexpr std::string_view kAlternativeName<TokenCounts> = "tokens";

// A struct as its constructor leaves it: what a field that is not written reads as.
template <class T>
const T& Default() {
  static const T value{};
  return value;
}

// Exactly the same, to the last bit and letter: 0.0 is not -0.0, version 12 is not 12.0.
template <class T>
bool Same(const T& a, const T& b);

template <class T>
bool SameFields(const T& a, const T& b) {
  bool same = true;
  ForEachField<T>(
      [&](const auto& field) { same = same && Same(a.*field.member, b.*field.member); });
  return same;
}

template <class Range>
bool SameEntries(const Range& a, const Range& b) {
  if (a.size() != b.size()) return false;
  for (auto x = a.begin(), y = b.begin(); x != a.end(); ++x, ++y) {
    if constexpr (Map<Range>) {
      if (x->first != y->first || !Same(x->second, y->second)) return false;
    } else {
      if (!Same(*x, *y)) return false;
    }
  }
  return true;
}

template <Variant T>
bool SameAlternative(const T& a, const T& b) {
  if (a.index() != b.index()) return false;
  return std::visit(
      [&]<class A>(const A& left) {
        if constexpr (std::same_as<A, std::monostate>) {
          return true;
        } else {
          return Same(left, std::get<A>(b));
        }
      },
      a);
}

template <class T>
bool Same(const T& a, const T& b) {
  if constexpr (Stored<T>) {
    return SameFields(a, b);
  } else if constexpr (std::same_as<T, double>) {
    return std::bit_cast<std::uint64_t>(a) == std::bit_cast<std::uint64_t>(b);
  } else if constexpr (Unit<T>) {
    return Same(a.value(), b.value());
  } else if constexpr (std::same_as<T, Version>) {
    return a.text() == b.text();
  } else if constexpr (std::same_as<T, RuntimeNeed>) {
    return a.name == b.name && a.op == b.op && Same(a.version, b.version);
  } else if constexpr (Optional<T>) {
    return a.has_value() == b.has_value() && (!a || Same(*a, *b));
  } else if constexpr (Shared<T>) {
    return a == b || (a && b && Same(*a, *b));
  } else if constexpr (Vector<T> || Map<T>) {
    return SameEntries(a, b);
  } else if constexpr (Variant<T>) {
    return SameAlternative(a, b);
  } else {
    return a == b;
  }
}

}  // namespace spillway::codec
