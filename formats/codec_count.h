#pragma once

#include <cstddef>
#include <utility>

// How many members an aggregate has, found out by the compiler: the largest number of initialisers
// that it takes. It is how the storage codec notices a member that somebody added to a struct.
//
// Good for plain structs of values, as those of core/ are: no base classes, no arrays as members,
// no references.
namespace spillway {
namespace count_internal {

// Converts to anything. Const, so that a constructor template that takes anything (optional,
// variant) is the better match and there is nothing to be ambiguous about.
struct Anything {
  template <class T>
  operator T() const;
};

template <class T, std::size_t... I>
constexpr bool TakesInitialisers(std::index_sequence<I...>) {
  return requires { T{(void(I), Anything{})...}; };
}

template <class T, std::size_t N = 0>
constexpr std::size_t Count() {
  if constexpr (TakesInitialisers<T>(std::make_index_sequence<N + 1>{})) {
    return Count<T, N + 1>();
  } else {
    return N;
  }
}

}  // namespace count_internal

template <class T>
inline constexpr std::size_t kMemberCount = count_internal::Count<T>();

}  // namespace spillway
