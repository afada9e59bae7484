#pragma once

#include <bit>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "core/check.h"
#include "core/prefetch.h"
#include "core/text.h"
#include "formats/codec_kinds.h"

// The second form of the storage codec, for what ends thousands of times a second: the same lists
// of fields, as bytes. A request takes about a quarter of the room and of the time that its JSON
// text does. Only the sources of the codec include this.
//
//   struct           which fields are not at their default, as bits by their place in the list;
//                    then these fields. So lists of structs that are packed only grow at their end.
//   whole numbers    7 bits to a byte, the lowest first; signed ones zigzag (0, -1, 1, -2, ...)
//   texts, names     0 and the bytes, or 1 + the place among the texts of this document so far
//   enumerations     their names, as texts: they may be reordered
//   instants         the difference to the one before, in nanoseconds, doubled; or an odd span
//   odd spans        1, 3: forever, forever ago; 5, seconds, quarters of a nanosecond
//   optional         1 and the value; 0
//   lists            how many, then each
namespace spillway::codec {

class Packer {
 public:
  void Byte(std::uint8_t byte) {
    Reserve(1);
    *end_++ = static_cast<char>(byte);
  }
  void Whole(std::uint64_t number) {
    Reserve(10);
    for (; number >= 0x80; number >>= 7) *end_++ = static_cast<char>(number | 0x80);
    *end_++ = static_cast<char>(number);
  }
  void Signed(std::int64_t number) {
    Whole(static_cast<std::uint64_t>(number) << 1 ^ static_cast<std::uint64_t>(number >> 63));
  }
  // `text` is borrowed until the end of the document.
  void Text(std::string_view text);
  void Time(absl::Time time);
  void Span(absl::Duration span);
  // Room for so many more.
  void Reserve(std::size_t bytes) {
    if (static_cast<std::size_t>(limit_ - end_) < bytes) Grow(bytes);
  }
  std::string_view bytes() const {
    return {memory_.get(), static_cast<std::size_t>(end_ - memory_.get())};
  }

 private:
  void EvenOrOdd(std::optional<std::int64_t> nanos, absl::Duration span);
  void Grow(std::size_t bytes);
  // Not a string, which would look at its end and write a zero behind it for each byte.
  std::unique_ptr<char[]> memory_;
  char* end_ = nullptr;    // of what was written
  char* limit_ = nullptr;  // of the memory
  std::vector<std::string_view> texts_;
  std::int64_t last_time_ = 0;
};

class Unpacker {
 public:
  explicit Unpacker(std::string_view bytes) : bytes_(bytes) {}

  // Each returns false once something was wrong.
  bool Byte(std::uint8_t& out);
  bool Whole(std::uint64_t& out);
  bool Signed(std::int64_t& out);
  bool Text(std::string& out);
  bool Time(absl::Time& out);
  bool Span(absl::Duration& out);
  bool Count(std::size_t& out);  // of things that take a byte at least

  bool Say(std::string_view what) {
    if (trouble_.empty()) trouble_ = what;
    return false;
  }
  bool at_end() const { return at_ == bytes_.size(); }
  absl::Status ToStatus() const {
    return absl::DataLossError(absl::StrCat("byte ", at_, ": ", trouble_));
  }

 private:
  bool OddSpan(std::uint64_t kind, absl::Duration& out);
  std::string_view bytes_;
  std::size_t at_ = 0;
  std::vector<std::string> texts_;
  std::int64_t last_time_ = 0;
  std::string trouble_;
};

template <class T>
void Pack(Packer& p, const T& x);
template <class T>
bool Unpack(Unpacker& u, T& out);

// Fields of `x` that differ from those of `otherwise`, which the reader starts from.
template <Stored T>
void PackFields(Packer& p, const T& x, const T& otherwise) {
  static_assert(std::tuple_size_v<decltype(FieldsOf<T>::list)> <= 64);
  std::uint64_t given = 0, bit = 1;
  ForEachField<T>([&](const auto& field) {
    if (!Same(x.*field.member, otherwise.*field.member)) given |= bit;
    bit <<= 1;
  });
  p.Whole(given);
  bit = 1;
  ForEachField<T>([&]<class Entry>(const Entry& field) {
    const auto& value = x.*field.member;
    if ((given & bit) != 0) {
      if constexpr (Stored<std::remove_cvref_t<decltype(value)>>) {
        PackFields(p, value, otherwise.*field.member);
      } else {
        Pack(p, value);
      }
    }
    bit <<= 1;
  });
}

template <Stored T>
bool UnpackFields(Unpacker& u, T& out) {
  std::uint64_t given = 0;
  if (!u.Whole(given)) return false;
  constexpr std::size_t kFields = std::tuple_size_v<decltype(FieldsOf<T>::list)>;
  if (kFields < 64 && given >> kFields != 0) return u.Say("a field that this program lacks");
  bool good = true;
  std::uint64_t bit = 1;
  ForEachField<T>([&](const auto& field) {
    auto& value = out.*field.member;
    if (good && (given & bit) != 0) {
      if constexpr (Stored<std::remove_cvref_t<decltype(value)>>) {
        good = UnpackFields(u, value);
      } else {
        good = Unpack(u, value);
      }
    }
    bit <<= 1;
  });
  return good;
}

template <class T>
void Pack(Packer& p, const T& x) {
  if constexpr (Stored<T>) {
    PackFields(p, x, Default<T>());
  } else if constexpr (std::same_as<T, bool>) {
    p.Byte(x ? 1 : 0);
  } else if constexpr (Whole<T>) {
    std::is_signed_v<T> ? p.Signed(static_cast<std::int64_t>(x))
                        : p.Whole(static_cast<std::uint64_t>(x));
  } else if constexpr (std::same_as<T, double>) {
    p.Whole(std::bit_cast<std::uint64_t>(x));
  } else if constexpr (std::same_as<T, std::string>) {
    p.Text(x);
  } else if constexpr (NamedEnum<T>) {
    p.Text(NameOf(x));
  } else if constexpr (NumberedEnum<T>) {
    Pack(p, static_cast<std::underlying_type_t<T>>(x));
  } else if constexpr (Unit<T>) {
    Pack(p, x.value());
  } else if constexpr (std::same_as<T, absl::Time>) {
    p.Time(x);
  } else if constexpr (std::same_as<T, absl::Duration>) {
    p.Span(x);
  } else if constexpr (Optional<T>) {
    p.Byte(x ? 1 : 0);
    if (x) Pack(p, *x);
  } else if constexpr (Shared<T>) {
    SPILLWAY_CHECK(x != nullptr);
    Pack(p, *x);
  } else {
    static_assert(Vector<T>, "nothing that is packed has such a member yet");
    p.Whole(x.size());
    for (std::size_t i = 0; i < x.size(); ++i) {
      if constexpr (Shared<typename T::value_type>) {
        if (i + 1 < x.size()) Prefetch(x[i + 1].get());
      }
      Pack(p, x[i]);
    }
  }
}

template <class T>
bool UnpackWhole(Unpacker& u, T& out) {
  if constexpr (std::is_signed_v<T>) {
    std::int64_t number = 0;
    if (!u.Signed(number)) return false;
    out = static_cast<T>(number);
    return out == number || u.Say("a number out of range");
  } else {
    std::uint64_t number = 0;
    if (!u.Whole(number)) return false;
    out = static_cast<T>(number);
    return out == number || u.Say("a number out of range");
  }
}

template <class T>
bool Unpack(Unpacker& u, T& out) {
  if constexpr (Stored<T>) {
    return UnpackFields(u, out);
  } else if constexpr (std::same_as<T, bool>) {
    std::uint8_t byte = 0;
    if (!u.Byte(byte)) return false;
    out = byte == 1;
    return byte <= 1 || u.Say("neither true nor false");
  } else if constexpr (Whole<T>) {
    return UnpackWhole(u, out);
  } else if constexpr (std::same_as<T, double>) {
    std::uint64_t bits = 0;
    if (!u.Whole(bits)) return false;
    out = std::bit_cast<double>(bits);
    return true;
  } else if constexpr (std::same_as<T, std::string>) {
    return u.Text(out);
  } else if constexpr (NamedEnum<T>) {
    std::string name;
    if (!u.Text(name)) return false;
    const auto value = ParseName<T>(name);
    if (!value) return u.Say("an unknown name");
    out = *value;
    return true;
  } else if constexpr (NumberedEnum<T>) {
    std::underlying_type_t<T> number{};
    if (!UnpackWhole(u, number)) return false;
    out = T{number};
    return true;
  } else if constexpr (Unit<T>) {
    typename T::rep number{};
    if (!Unpack(u, number)) return false;
    out = T(number);
    return true;
  } else if constexpr (std::same_as<T, absl::Time>) {
    return u.Time(out);
  } else if constexpr (std::same_as<T, absl::Duration>) {
    return u.Span(out);
  } else if constexpr (Optional<T>) {
    bool there = false;
    if (!Unpack(u, there)) return false;
    out.reset();
    return !there || Unpack(u, out.emplace());
  } else if constexpr (Shared<T>) {
    auto value = std::make_shared<std::remove_const_t<typename T::element_type>>();
    if (!Unpack(u, *value)) return false;
    out = std::move(value);
    return true;
  } else {
    std::size_t count = 0;
    if (!u.Count(count)) return false;
    out.clear();
    for (; count > 0; --count) {
      if (!Unpack(u, out.emplace_back())) return false;
    }
    return true;
  }
}

// A JSON text again, so that it stands beside all others: {"v":3,"packed":"BASE64"}.
std::string PackedText(const Packer& packed);
// What packed text is made of. 2: one struct, packed as above; 3: as codec_packed_changes.h has it.
// 0: this is no packed text.
int FormOfPackedText(std::string_view text);
absl::StatusOr<std::string> BytesOfPackedText(std::string_view text);

}  // namespace spillway::codec
