#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <memory>
#include <random>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

#include "formats/codec_kinds.h"

// Random values of everything that is stored, made from the same lists of fields as the codec: odd
// texts, ends of ranges, infinities, empty and full containers. The same seed gives the same values
// everywhere, since only the engine of the standard library is used, not its distributions.
namespace spillway::testing_support {

class RandomValues {
 public:
  explicit RandomValues(std::uint64_t seed) : bits_(seed) {}

  std::uint64_t Bits() { return bits_(); }
  std::uint64_t Below(std::uint64_t n) { return bits_() % n; }
  bool OneIn(std::uint64_t n) { return Below(n) == 0; }

  template <class T>
  T Make() {
    T value{};
    Fill(value);
    return value;
  }

  // Every field anew; about a third keep their default, so that leaving out is tried as well.
  template <class T>
  void Fill(T& x);

  std::string Text() {
    static constexpr std::array<std::string_view, 10> kTexts{
        "",
        "plain",
        "with \"quotes\" and \\ back",
        "line\nfeed\ttab\r\b\f",
        "gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x98\x80",
        std::string_view("nul\0inside", 10),
        "\x01\x1f\x7f",
        "not utf-8 \xff\xfe",
        "cut short \xe2\x82",
        "\xed\xa0\x80 a surrogate"};
    std::string text(kTexts[Below(kTexts.size())]);
    if (OneIn(2)) text += std::to_string(Below(1000));
    return text;
  }

 private:
  template <class E>
  E MakeName() {
    const auto& names = NamesOf(E{});
    return names[Below(names.size())].first;
  }
  template <class I>
  I Whole() {
    static constexpr std::array<I, 5> kEnds{0, 1, std::numeric_limits<I>::max(),
                                            std::numeric_limits<I>::min(), I(-1)};
    return OneIn(3) ? kEnds[Below(kEnds.size())] : static_cast<I>(Bits() >> Below(64));
  }
  double Real() {
    static constexpr std::array<double, 9> kReals{0,
                                                  -0.0,
                                                  1,
                                                  0.1,
                                                  1.0 / 3,
                                                  1e300,
                                                  std::numeric_limits<double>::denorm_min(),
                                                  9007199254740992.0,
                                                  std::numeric_limits<double>::infinity()};
    if (OneIn(2)) return kReals[Below(kReals.size())];
    const double any = std::bit_cast<double>(Bits());
    return std::isnan(any) ? 0.5 : any;
  }
  absl::Duration Span() {
    switch (Below(6)) {
      case 0:
        return absl::InfiniteDuration();
      case 1:
        return -absl::InfiniteDuration();
      case 2:  // more than int64 nanoseconds
        return absl::Hours(24 * 365 * 1000) + absl::Nanoseconds(static_cast<std::int64_t>(Bits()));
      case 3:  // parts of a nanosecond
        return absl::Nanoseconds(static_cast<std::int64_t>(Below(1'000'000))) / 4;
      case 4:
        return -absl::Nanoseconds(static_cast<std::int64_t>(Bits() >> 2)) / 4;
      default:
        return absl::Nanoseconds(static_cast<std::int64_t>(Bits()));
    }
  }
  std::string VersionText() {
    static constexpr std::array<std::string_view, 5> kVersions{"12", "12.0", "2024.4.1", "0",
                                                               "6.3"};
    return std::string(kVersions[Below(kVersions.size())]);
  }
  RuntimeNeed Runtime() {
    static constexpr std::array<std::string_view, 6> kSigns{"=", ">=", "<=", ">", "<", ""};
    const std::string_view sign = kSigns[Below(kSigns.size())];
    std::string text = "cuda" + std::string(sign);
    if (!sign.empty()) text += VersionText();
    return *RuntimeNeed::Parse(text);
  }
  template <class K>
  K MakeKey() {
    if constexpr (codec::NamedEnum<K>) {
      return MakeName<K>();
    } else {
      return Text();
    }
  }
  template <class... A>
  void FillVariant(std::variant<A...>& x) {
    std::size_t left = Below(sizeof...(A));
    ((left-- == 0 ? void(x = Make<A>()) : void()), ...);
  }

  std::mt19937_64 bits_;
};

template <class T>
void RandomValues::Fill(T& x) {
  if constexpr (codec::Stored<T>) {
    codec::ForEachField<T>([&](const auto& field) {
      if (!OneIn(3)) Fill(x.*field.member);
    });
  } else if constexpr (std::same_as<T, std::monostate>) {
  } else if constexpr (std::same_as<T, bool>) {
    x = OneIn(2);
  } else if constexpr (codec::Whole<T>) {
    x = Whole<T>();
  } else if constexpr (std::same_as<T, double>) {
    x = Real();
  } else if constexpr (std::same_as<T, std::string>) {
    x = Text();
  } else if constexpr (codec::NamedEnum<T>) {
    x = MakeName<T>();
  } else if constexpr (codec::NumberedEnum<T>) {
    x = T{Whole<std::underlying_type_t<T>>()};
  } else if constexpr (codec::Unit<T>) {
    x = T(Make<typename T::rep>());
  } else if constexpr (std::same_as<T, absl::Time>) {
    x = absl::UnixEpoch() + Span();
  } else if constexpr (std::same_as<T, absl::Duration>) {
    x = Span();
  } else if constexpr (std::same_as<T, CodeSet>) {
    x = CodeSet(static_cast<std::uint32_t>(Below(1u << kCodeNames.size())));
  } else if constexpr (std::same_as<T, Version>) {
    x = *Version::Parse(VersionText());
  } else if constexpr (std::same_as<T, RuntimeNeed>) {
    x = Runtime();
  } else if constexpr (codec::Optional<T>) {
    OneIn(3) ? x.reset() : Fill(x.emplace());
  } else if constexpr (codec::Shared<T>) {
    auto value = std::make_shared<std::remove_const_t<typename T::element_type>>();
    Fill(*value);
    x = std::move(value);
  } else if constexpr (codec::Vector<T>) {
    x.resize(Below(4));
    for (auto& entry : x) Fill(entry);
  } else if constexpr (codec::Map<T>) {
    x.clear();
    for (std::uint64_t n = Below(4); n > 0; --n) {
      x[MakeKey<typename T::key_type>()] = Make<typename T::mapped_type>();
    }
  } else {
    FillVariant(x);
  }
}

}  // namespace spillway::testing_support
