#pragma once

#include <cmath>
#include <string>
#include <string_view>
#include <variant>

#include "core/check.h"
#include "formats/codec_kinds.h"
#include "formats/json_writer.h"

// The writing direction of the storage codec: values of every kind as JSON text. Only the sources
// of the codec include this.
namespace spillway::codec {

inline constexpr std::string_view kForever = "inf";
inline constexpr std::string_view kForeverAgo = "-inf";

// Text as it is; bytes that are no UTF-8 as {"hex":"00ff"}, since JSON has no other place for them.
void WriteText(JsonWriter& w, std::string_view text);

// Nanoseconds; "inf" and "-inf"; and for what no int64 of nanoseconds can say: [seconds, quarters
// of a nanosecond], which is all that Abseil's times can.
void WriteTime(JsonWriter& w, absl::Time time);
void WriteDuration(JsonWriter& w, absl::Duration duration);

// A number; "inf", "-inf" or "nan" where JSON has none.
inline void WriteReal(JsonWriter& w, double number) {
  if (std::isfinite(number)) {
    w.Value(number);
  } else {
    w.Value(std::isnan(number) ? "nan" : number > 0 ? kForever : kForeverAgo);
  }
}

template <class T>
void Write(JsonWriter& w, const T& x);

// Fields of `x` that differ from those of `otherwise`, which the reader starts from.
template <Stored T>
void WriteFields(JsonWriter& w, const T& x, const T& otherwise) {
  ForEachField<T>([&]<class Entry>(const Entry& field) {
    const auto& value = x.*field.member;
    const auto& unless = otherwise.*field.member;
    if constexpr (Shared<std::remove_cvref_t<decltype(value)>>) SPILLWAY_CHECK(value != nullptr);
    if (Same(value, unless)) return;
    w.PlainKey(field.key);
    if constexpr (Stored<std::remove_cvref_t<decltype(value)>>) {
      w.BeginObject();
      WriteFields(w, value, unless);
      w.EndObject();
    } else {
      Write(w, value);
    }
  });
}

template <class K>
std::string_view KeyText(const K& key) {
  if constexpr (NamedEnum<K>) {
    return NameOf(key);
  } else {
    return key;
  }
}

// An object; as a list of pairs where a key is no UTF-8.
template <Map T>
void WriteMap(JsonWriter& w, const T& map) {
  bool plain = true;
  for (const auto& [key, value] : map) plain = plain && IsUtf8(KeyText(key));
  plain ? w.BeginObject() : w.BeginArray();
  for (const auto& [key, value] : map) {
    if (plain) {
      w.Key(KeyText(key));
      Write(w, value);
    } else {
      w.BeginArray();
      WriteText(w, KeyText(key));
      Write(w, value);
      w.EndArray();
    }
  }
  plain ? w.EndObject() : w.EndArray();
}

// ["seconds", {...}]
template <Variant T>
void WriteVariant(JsonWriter& w, const T& variant) {
  w.BeginArray();
  std::visit(
      [&]<class A>(const A& alternative) {
        static_assert(!kAlternativeName<A>.empty(), "this alternative has no name yet");
        w.Value(kAlternativeName<A>);
        if constexpr (!std::same_as<A, std::monostate>) Write(w, alternative);
      },
      variant);
  w.EndArray();
}

template <class T>
void Write(JsonWriter& w, const T& x) {
  if constexpr (Stored<T>) {
    w.BeginObject();
    WriteFields(w, x, Default<T>());
    w.EndObject();
  } else if constexpr (std::same_as<T, bool> || Whole<T>) {
    w.Value(x);
  } else if constexpr (std::same_as<T, double>) {
    WriteReal(w, x);
  } else if constexpr (std::same_as<T, std::string>) {
    WriteText(w, x);
  } else if constexpr (NamedEnum<T>) {
    w.PlainText(NameOf(x));
  } else if constexpr (NumberedEnum<T>) {
    w.Value(static_cast<std::underlying_type_t<T>>(x));
  } else if constexpr (Unit<T>) {
    Write(w, x.value());
  } else if constexpr (std::same_as<T, absl::Time>) {
    WriteTime(w, x);
  } else if constexpr (std::same_as<T, absl::Duration>) {
    WriteDuration(w, x);
  } else if constexpr (std::same_as<T, CodeSet>) {
    w.Value(x.bits());
  } else if constexpr (std::same_as<T, Version>) {
    w.Value(std::string_view(x.text()));
  } else if constexpr (std::same_as<T, RuntimeNeed>) {
    w.Value(std::string_view(x.ToString()));
  } else if constexpr (Optional<T>) {
    x ? Write(w, *x) : void(w.Null());
  } else if constexpr (Shared<T>) {
    Write(w, *x);
  } else if constexpr (Vector<T>) {
    w.BeginArray();
    for (const auto& entry : x) Write(w, entry);
    w.EndArray();
  } else if constexpr (Map<T>) {
    WriteMap(w, x);
  } else {
    static_assert(Variant<T>, "the codec knows no such kind of member");
    WriteVariant(w, x);
  }
}

// One text: the version of the format, then the fields.
inline constexpr int kFormatVersion = 1;

template <Stored T>
void WriteDocument(std::string& out, const T& x) {
  JsonWriter w(out);
  w.BeginObject().PlainKey("v").Value(kFormatVersion);
  WriteFields(w, x, Default<T>());
  w.EndObject();
}

}  // namespace spillway::codec
