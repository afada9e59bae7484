#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>

#include "absl/container/inlined_vector.h"

namespace spillway {

// An ordered list of header fields; names compare without regard to case, values are kept byte for
// byte. All text lies in one string, so a head of 20 fields costs one allocation and a copy one
// more. Nothing is validated here: what came in was checked by head_check.h, what goes out is
// checked as it is written (SafeField). Not thread-safe; views are valid until the next change.
class Headers {
 public:
  struct Field {
    std::string_view name;
    std::string_view value;
  };

  Headers() = default;
  Headers(std::initializer_list<Field> fields);

  void Add(std::string_view name, std::string_view value);
  void Set(std::string_view name, std::string_view value);  // Replaces every field of that name.
  void Remove(std::string_view name);

  // The first field of that name.
  std::optional<std::string_view> Find(std::string_view name) const;
  // The same, "" where there is none.
  std::string_view Get(std::string_view name) const;
  std::size_t Count(std::string_view name) const;

  std::size_t size() const { return spans_.size(); }
  bool empty() const { return spans_.empty(); }
  Field operator[](std::size_t i) const;

  // Where a field lies in `text` that is already laid out.
  struct Span {
    std::uint32_t name_at = 0, name_size = 0, value_at = 0, value_size = 0;
  };
  using Spans = absl::InlinedVector<Span, 16>;
  // Takes a whole checked head and the places of its fields, copying neither.
  Headers(std::string text, Spans spans) : text_(std::move(text)), spans_(std::move(spans)) {}

 private:
  std::string text_;
  Spans spans_;
};

// May this field be written to the wire? The name is a token, the value holds no control character
// (CR, LF and NUL above all) and has no blank at either end.
bool SafeField(std::string_view name, std::string_view value);

}  // namespace spillway
