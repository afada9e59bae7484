#pragma once

#include <array>
#include <charconv>
#include <concepts>
#include <cstdint>
#include <string>
#include <string_view>

namespace spillway {

// Appends JSON text to a string, without a tree in between: what is said is written at once.
//
//   std::string out;
//   JsonWriter w(out);
//   w.BeginObject().Member("id", "job-000001").Key("nodes").BeginArray();
//   w.Value(1).Value(2).EndArray().EndObject();        // {"id":"job-000001","nodes":[1,2]}
//
// The writer puts the commas; that objects get keys and that what was begun is ended is up to the
// caller. Every text comes out as valid JSON in UTF-8: quotes, backslashes and control characters
// are escaped, each byte that is not part of valid UTF-8 becomes U+FFFD. Integers are exact up to
// 64 bits; doubles are the shortest text that reads back as the same double ("-0.0" keeps its
// sign), and null where JSON has no word for them (infinities, NaN).
//
// `out` is borrowed and may hold something already, which stays in front. Not thread-safe; a writer
// is two words and costs nothing to make. No call fails, but for lack of memory.
class JsonWriter {
 public:
  explicit JsonWriter(std::string& out) : out_(out) {}

  JsonWriter& BeginObject() { return Open('{'); }
  JsonWriter& EndObject() { return Close('}'); }
  JsonWriter& BeginArray() { return Open('['); }
  JsonWriter& EndArray() { return Close(']'); }

  // The next value belongs to `key`. Keys are escaped like any text.
  JsonWriter& Key(std::string_view key);

  JsonWriter& Value(std::string_view text);
  JsonWriter& Value(const char* text) { return Value(std::string_view(text)); }
  JsonWriter& Value(std::same_as<bool> auto flag) { return Put(flag ? "true" : "false"); }
  JsonWriter& Value(double number);
  template <std::integral I>
  requires(!std::same_as<I, bool> && !std::same_as<I, char>) JsonWriter& Value(I number);
  JsonWriter& Null() { return Put("null"); }
  // `json` is one whole JSON value, and the caller vouches for it.
  JsonWriter& Raw(std::string_view json) { return Put(json); }

  // Keys and texts that are known to need no escaping (names in the program: printable ASCII
  // without quotes and backslashes); they are not looked at.
  JsonWriter& PlainKey(std::string_view key) {
    Separate();
    Quote(key);
    out_.push_back(':');
    follows_ = false;
    return *this;
  }
  JsonWriter& PlainText(std::string_view text) {
    Separate();
    Quote(text);
    follows_ = true;
    return *this;
  }

  // Key and value in one.
  template <class T>
  JsonWriter& Member(std::string_view key, const T& value) {
    return Key(key).Value(value);
  }
  JsonWriter& NullMember(std::string_view key) { return Key(key).Null(); }
  JsonWriter& RawMember(std::string_view key, std::string_view json) { return Key(key).Raw(json); }

  // The text so far, what stood in `out` before included.
  std::string& out() { return out_; }

 private:
  JsonWriter& Open(char bracket) {
    Separate();
    out_.push_back(bracket);
    follows_ = false;
    return *this;
  }
  JsonWriter& Close(char bracket) {
    out_.push_back(bracket);
    follows_ = true;
    return *this;
  }
  JsonWriter& Put(std::string_view text) {
    Separate();
    out_.append(text);
    follows_ = true;
    return *this;
  }
  void Separate() {
    if (follows_) out_.push_back(',');
  }
  void Quote(std::string_view text) {
    out_.push_back('"');
    out_.append(text);
    out_.push_back('"');
  }

  std::string& out_;
  bool follows_ = false;  // something stands before the next entry of this array or object
};

// Whether `text` is valid UTF-8 (no overlong forms, no surrogates, at most U+10FFFF).
bool IsUtf8(std::string_view text);

// `text` between quotes, escaped, appended to `out`.
void AppendJsonString(std::string& out, std::string_view text);

template <std::integral I>
requires(!std::same_as<I, bool> && !std::same_as<I, char>) JsonWriter& JsonWriter::Value(I number) {
  static_assert(sizeof(I) <= 8);
  std::array<char, 24> digits;
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), number).ptr;
  return Put({digits.data(), static_cast<std::size_t>(end - digits.data())});
}

}  // namespace spillway
