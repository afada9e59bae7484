#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "absl/container/inlined_vector.h"

namespace spillway {

// An ordered list of header fields; names compare without regard to case, values are kept byte for
// byte. All text lies in one string. It and the places of fields are memory that a thread uses
// again for its next list, and moving a list moves a pointer. Nothing is validated here: what came
// in was checked by head_check.h, what goes out is checked as it is written (SafeField). Not
// thread-safe; views are valid until the next change.
class Headers {
 public:
  struct Field {
    std::string_view name;
    std::string_view value;
  };

  Headers() = default;
  Headers(std::initializer_list<Field> fields);
  Headers(const Headers& other);
  Headers(Headers&& other) noexcept = default;
  Headers& operator=(const Headers& other);
  Headers& operator=(Headers&& other) noexcept;
  ~Headers();

  void Add(std::string_view name, std::string_view value);
  void Set(std::string_view name, std::string_view value);  // Replaces every field of that name.
  void Remove(std::string_view name);

  // The first field of that name.
  std::optional<std::string_view> Find(std::string_view name) const;
  // The same, "" where there is none.
  std::string_view Get(std::string_view name) const;
  std::size_t Count(std::string_view name) const;

  std::size_t size() const { return list_ ? list_->spans.size() : 0; }
  bool empty() const { return size() == 0; }
  Field operator[](std::size_t i) const;

  // Where a field lies in `text` that is already laid out.
  struct Span {
    std::uint32_t name_at = 0, name_size = 0, value_at = 0, value_size = 0;
  };
  using Spans = absl::InlinedVector<Span, 16>;
  // Of a whole checked head: its text and the places of its fields.
  Headers(std::string_view text, const Spans& spans);

 private:
  struct List {
    std::string text;
    Spans spans;
  };
  std::unique_ptr<List> list_;  // null: empty
  List& MutableList();
  void GiveBack();
};

// May this field be written to the wire? The name is a token, the value holds no control character
// (CR, LF and NUL above all) and has no blank at either end.
bool SafeField(std::string_view name, std::string_view value);

}  // namespace spillway
