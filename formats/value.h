#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "absl/status/statusor.h"

// A neutral tree of what stands in a YAML or JSON text, before anybody knows what it means. It
// remembers where everything stood, so that an error about meaning can still point at the text.
// Plain data: copy it, compare it, build it by hand to be written.
namespace spillway {

// A place in a text. Lines and columns count from 1, columns in bytes; line 0: made by a program.
struct Mark {
  std::uint32_t line = 0, column = 0;
  std::uint32_t offset = 0;  // in bytes, from 0; JSON only
};

struct Member;

class Value {
 public:
  enum class Kind : std::uint8_t { kNull, kBool, kInteger, kReal, kString, kList, kMap };
  using List = std::vector<Value>;
  using Map = std::vector<Member>;  // in the order of the text; no key stands twice

  Value();  // null
  Value(const Value&);
  Value(Value&&) noexcept;
  Value& operator=(const Value&);
  Value& operator=(Value&&) noexcept;
  ~Value();

  // What writers build with. `MakeReal` takes the number's text as it shall be written, since not
  // every decimal number is a double: MakeReal(0.1) writes the shortest text that reads back equal.
  static Value MakeBool(bool value);
  static Value MakeInteger(std::int64_t value);
  static Value MakeUnsigned(std::uint64_t value);
  static Value MakeReal(double value);
  static Value MakeReal(double value, std::string text);
  static Value MakeString(std::string_view value);
  static Value MakeList(List items = {});
  static Value MakeMap();

  Kind kind() const { return static_cast<Kind>(data_index()); }
  bool is_null() const { return kind() == Kind::kNull; }
  bool is_string() const { return kind() == Kind::kString; }
  bool is_list() const { return kind() == Kind::kList; }
  bool is_map() const { return kind() == Kind::kMap; }
  bool is_number() const { return kind() == Kind::kInteger || kind() == Kind::kReal; }
  // "a string", "a list", ...: for messages.
  std::string_view KindName() const;

  // Call only for the right kind.
  bool boolean() const;
  double real() const;  // integers too
  const std::string& string() const;
  const List& list() const;
  List& list();
  const Map& map() const;
  Map& map();

  // Nothing if this is no integer or does not fit. An integer past uint64 reads as kReal.
  std::optional<std::int64_t> AsInt64() const;
  std::optional<std::uint64_t> AsUint64() const;

  // Scalars as they were written: `0.10` stays `0.10`. Of strings: what they say.
  const std::string& text() const;

  // A YAML scalar without quotes that reads as a string here, but as a boolean in YAML 1.1: no, on.
  // People may mean either.
  bool is_doubtful() const { return doubtful_; }
  void set_doubtful() { doubtful_ = true; }

  const Mark& mark() const { return mark_; }
  void set_mark(Mark mark) { mark_ = mark; }

  // Maps only. Null if there is no such key.
  const Value* Find(std::string_view key) const;
  Value* Find(std::string_view key);
  // Maps only. Sets or replaces; gives the value in its place, for more to be added below.
  Value& Set(std::string_view key, Value value);
  // Maps only. True if there was one.
  bool Remove(std::string_view key);
  // Lists only.
  Value& Append(Value value);

  // What they say, not where they stood; maps are equal in any order of their keys, as in JSON.
  friend bool operator==(const Value& a, const Value& b);

 private:
  struct Real {
    double value;
    std::string text;
  };
  struct Boolean {
    bool value;
    std::string text;
  };
  struct Integer {
    bool is_unsigned;    // only past the range of int64
    std::uint64_t bits;  // of the int64 or uint64
    std::string text;
  };
  using Data = std::variant<std::monostate, Boolean, Integer, Real, std::string, List, Map>;
  std::size_t data_index() const;

  Data data_;
  Mark mark_;
  bool doubtful_ = false;
};

struct Member {
  std::string key;
  Mark mark;  // of the key
  Value value;
};

// RFC 7396: maps are merged key by key, null removes, anything else replaces.
Value MergePatch(Value target, const Value& patch);
// The patch that makes `to` out of `from`: MergePatch(from, DiffPatch(from, to)) == to, for maps
// that hold no null.
Value DiffPatch(const Value& from, const Value& to);

// What a text may at most hold, whoever sent it.
struct TextLimits {
  std::size_t bytes = 1 << 20;
  int depth = 64;               // of lists and maps in each other
  std::size_t nodes = 100'000;  // values in all; YAML: 10,000 once aliases are expanded
  std::size_t number_length = 128;
  std::size_t documents = 64;  // of one YAML text
};
inline constexpr std::size_t kMaxExpandedNodes = 10'000;

// One JSON text (RFC 8259), strictly: UTF-8, no duplicate keys, nothing after it, no comments.
// kInvalidArgument with position and findings (formats/findings.h) otherwise. `name`: the file's,
// if it was read from one.
absl::StatusOr<Value> ParseJson(std::string_view text, const TextLimits& limits = {},
                                std::string_view name = "");

// All documents of a YAML stream, at least one. Scalars follow YAML 1.2's core schema: `no` is a
// string, `0.10` a real. Anchors and aliases are expanded up to kMaxExpandedNodes, circles and
// merge keys (`<<`) refused, as are duplicate keys, keys that are not scalars, and tags other than
// !!str. `name` stands in messages as the file's name.
absl::StatusOr<std::vector<Value>> ParseYamlDocuments(std::string_view text, std::string_view name,
                                                      const TextLimits& limits = {});
// The same where exactly one document is meant.
absl::StatusOr<Value> ParseYaml(std::string_view text, std::string_view name,
                                const TextLimits& limits = {});

// JSON text of a tree, and with `pretty` two spaces of indentation and a line for each member. Keys
// keep their order. Strings are written as UTF-8; what is no valid UTF-8 becomes U+FFFD.
std::string WriteJson(const Value& value, bool pretty = false);

}  // namespace spillway
