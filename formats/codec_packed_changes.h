#pragma once

#include <memory>
#include <utility>
#include <vector>

#include "formats/codec_packed.h"

// The third form of the storage codec, for long lists of structs that are much alike, such as
// requests that ended together: as codec_packed.h, but a struct says only what differs from the one
// before it in the list (the first one, from its default), and whole numbers say by how much.
// Requests take half of the room so. Only the sources of the codec include this.
//
//   list             how many, then each:
//   struct           which fields differ, as bits; then these fields
//   whole numbers,   the difference to what stood there before, zigzag; it wraps around at 2^64,
//   ids, units       so that any number can follow any other
//   the rest         as packed without a struct before it
namespace spillway::codec {

template <class T>
void PackChange(Packer& p, const T& x, const T& before) {
  if constexpr (Stored<T>) {
    static_assert(std::tuple_size_v<decltype(FieldsOf<T>::list)> <= 64);
    std::uint64_t changed = 0, bit = 1;
    ForEachField<T>([&](const auto& field) {
      if (!Same(x.*field.member, before.*field.member)) changed |= bit;
      bit <<= 1;
    });
    p.Whole(changed);
    bit = 1;
    ForEachField<T>([&](const auto& field) {
      if ((changed & bit) != 0) PackChange(p, x.*field.member, before.*field.member);
      bit <<= 1;
    });
  } else if constexpr (Whole<T>) {
    p.Signed(static_cast<std::int64_t>(static_cast<std::uint64_t>(x) -
                                       static_cast<std::uint64_t>(before)));
  } else if constexpr (NumberedEnum<T> && !NamedEnum<T>) {
    using Number = std::underlying_type_t<T>;
    PackChange(p, static_cast<Number>(x), static_cast<Number>(before));
  } else if constexpr (Unit<T>) {
    PackChange(p, x.value(), before.value());
  } else {
    Pack(p, x);
  }
}

// `out` is what stood there before.
template <class T>
bool UnpackChange(Unpacker& u, T& out) {
  if constexpr (Stored<T>) {
    std::uint64_t changed = 0;
    if (!u.Whole(changed)) return false;
    constexpr std::size_t kFields = std::tuple_size_v<decltype(FieldsOf<T>::list)>;
    if (kFields < 64 && changed >> kFields != 0) return u.Say("a field that this program lacks");
    bool good = true;
    std::uint64_t bit = 1;
    ForEachField<T>([&](const auto& field) {
      if (good && (changed & bit) != 0) good = UnpackChange(u, out.*field.member);
      bit <<= 1;
    });
    return good;
  } else if constexpr (Whole<T>) {
    std::int64_t by = 0;
    if (!u.Signed(by)) return false;
    const std::uint64_t sum = static_cast<std::uint64_t>(out) + static_cast<std::uint64_t>(by);
    out = static_cast<T>(sum);
    return static_cast<std::uint64_t>(out) == sum || u.Say("a number out of range");
  } else if constexpr (NumberedEnum<T> && !NamedEnum<T>) {
    auto number = static_cast<std::underlying_type_t<T>>(out);
    if (!UnpackChange(u, number)) return false;
    out = T{number};
    return true;
  } else if constexpr (Unit<T>) {
    auto number = out.value();
    if (!UnpackChange(u, number)) return false;
    out = T(number);
    return true;
  } else {
    return Unpack(u, out);
  }
}

template <Stored T>
void PackAlike(Packer& p, const std::vector<std::shared_ptr<const T>>& list) {
  p.Whole(list.size());
  const T* before = &Default<T>();
  for (std::size_t i = 0; i < list.size(); ++i) {
    if (i + 1 < list.size()) Prefetch(list[i + 1].get());
    PackChange(p, *list[i], *before);
    before = list[i].get();
  }
}

template <Stored T>
bool UnpackAlike(Unpacker& u, std::vector<std::shared_ptr<const T>>& list) {
  std::size_t count = 0;
  if (!u.Count(count)) return false;
  list.clear();
  for (; count > 0; --count) {
    auto next = std::make_shared<T>(list.empty() ? Default<T>() : *list.back());
    if (!UnpackChange(u, *next)) return false;
    list.push_back(std::move(next));
  }
  return true;
}

}  // namespace spillway::codec
