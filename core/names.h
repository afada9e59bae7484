#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <string_view>
#include <utility>

// Enumerations and their one spelling in YAML, JSON, metrics and messages. Each enum E that users
// can see has a table `constexpr auto NamesOf(E) -> const EnumNames<E, N>&`, found by argument.
namespace spillway {

template <class E, std::size_t N>
using EnumNames = std::array<std::pair<E, std::string_view>, N>;

template <class E>
constexpr std::string_view NameOf(E value) {
  for (const auto& [entry, name] : NamesOf(E{})) {
    if (entry == value) return name;
  }
  return "?";
}

template <class E>
constexpr std::optional<E> ParseName(std::string_view text) {
  for (const auto& [entry, name] : NamesOf(E{})) {
    if (name == text) return entry;
  }
  return std::nullopt;
}

}  // namespace spillway
