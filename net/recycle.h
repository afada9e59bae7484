#pragma once

#include <array>
#include <cstddef>
#include <memory>
#include <new>
#include <utility>

// Memory of what comes and goes with every request: frames of coroutines, the objects of a relay. A
// thread keeps the blocks that it freed, by size, and hands them out again: no lock, no search.
// What one thread took another may give. Blocks of more than 4 KiB, and all of them in builds with
// sanitizers, come from the heap as ever.
namespace spillway {

namespace recycle {

inline constexpr std::size_t kStep = 64;         // bytes between two sizes
inline constexpr std::size_t kLargest = 4096;    // bytes
inline constexpr std::size_t kKeptOfASize = 64;  // so a thread keeps 8 MiB at most

#if defined(__has_feature)
#define SPILLWAY_SANITIZED __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#elif defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SPILLWAY_SANITIZED 1
#else
#define SPILLWAY_SANITIZED 0
#endif
#if SPILLWAY_SANITIZED
inline constexpr bool kOn = false;
#else
inline constexpr bool kOn = true;
#endif
#undef SPILLWAY_SANITIZED

struct Block {
  Block* next;
};
struct Shelf {
  Block* first;
  std::size_t count;
};
struct Shelves {
  std::array<Shelf, kLargest / kStep> of_size;
  bool open;  // between the first block that was kept and the end of the thread
};
// Plain data: may be touched at any moment of a thread's life.
inline constinit thread_local Shelves shelves{};

// Keeps a block on `shelf` if the thread is not about to end. False: free it.
bool KeepFirst(Block* block, Shelf& shelf) noexcept;

}  // namespace recycle

// Aligned for any type that needs no more than operator new gives.
inline void* TakeBlock(std::size_t size) {
  const std::size_t place = (size + recycle::kStep - 1) / recycle::kStep;  // from 1
  if (!recycle::kOn || place == 0 || place > recycle::shelves.of_size.size())
    return ::operator new(size);
  recycle::Shelf& shelf = recycle::shelves.of_size[place - 1];
  if (shelf.first == nullptr) return ::operator new(place* recycle::kStep);
  recycle::Block* const block = shelf.first;
  shelf.first = block->next;
  --shelf.count;
  return block;
}

// `size`: what it was taken with.
inline void GiveBlock(void* memory, std::size_t size) noexcept {
  const std::size_t place = (size + recycle::kStep - 1) / recycle::kStep;
  if (recycle::kOn && place > 0 && place <= recycle::shelves.of_size.size()) {
    recycle::Shelf& shelf = recycle::shelves.of_size[place - 1];
    auto* const block = static_cast<recycle::Block*>(memory);
    if (recycle::shelves.open && shelf.count < recycle::kKeptOfASize) {
      block->next = shelf.first;
      shelf.first = block;
      ++shelf.count;
      return;
    }
    if (recycle::KeepFirst(block, shelf)) return;
  }
  ::operator delete(memory);
}

// For std::allocate_shared and containers.
template <class T>
struct Recycled {
  using value_type = T;
  Recycled() = default;
  template <class U>
  Recycled(const Recycled<U>&) {}  // NOLINT: allocators convert
  T* allocate(std::size_t n) { return static_cast<T*>(TakeBlock(n * sizeof(T))); }
  void deallocate(T* memory, std::size_t n) noexcept { GiveBlock(memory, n * sizeof(T)); }
  friend bool operator==(const Recycled&, const Recycled&) { return true; }
};

template <class T, class... Arguments>
std::shared_ptr<T> MakeRecycled(Arguments&&... arguments) {
  return std::allocate_shared<T>(Recycled<T>(), std::forward<Arguments>(arguments)...);
}

// A base of types that are made with `new`.
struct RecycledObject {
  static void* operator new(std::size_t size) { return TakeBlock(size); }
  static void operator delete(void* memory, std::size_t size) noexcept { GiveBlock(memory, size); }
};

}  // namespace spillway
