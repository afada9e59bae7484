#pragma once

#include <cstddef>

namespace spillway {

// Asks for the memory of what is looked at next, while something else is done. A list of pointers
// to what other threads wrote is otherwise walked at the pace of the slowest cache: one miss after
// the other, since no hardware guesses where the next one points. Null is fine.
inline void PrefetchBytes(const void* at, std::size_t size) {
  constexpr std::size_t kLine = 64;
  const char* const first = static_cast<const char*>(at);
  if (first == nullptr) return;
  for (std::size_t offset = 0; offset < size; offset += kLine) __builtin_prefetch(first + offset);
}
template <class T>
void Prefetch(const T* object) {
  PrefetchBytes(object, sizeof(T));
}

}  // namespace spillway
