#pragma once

#include <array>
#include <cstddef>
#include <memory>
#include <new>
#include <string>
#include <utility>
#include <vector>

// Memory of what comes and goes with every request: frames of coroutines, the objects of a relay. A
// thread keeps the blocks that it freed, by size, and hands them out again: no lock, no search.
// What one thread took another may give. Blocks of more than 4 KiB, and all of them in builds with
// sanitizers, come from the heap as ever.
namespace spillway {

namespace recycle {

inline constexpr std::size_t kStep = 64;                 // bytes between two sizes
inline constexpr std::size_t kLargest = 4096;            // bytes
inline constexpr std::size_t kKeptOfASize = 256 * 1024;  // bytes: a thread keeps 16 MiB at most

// GCC's macros first: some headers define __has_feature for a GCC that has none, as 0, and then
// files would differ in what is a block.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SPILLWAY_SANITIZED 1
#elif defined(__has_feature)
#define SPILLWAY_SANITIZED (__has_feature(address_sanitizer) || __has_feature(thread_sanitizer))
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
    if (recycle::shelves.open && shelf.count * place < recycle::kKeptOfASize / recycle::kStep) {
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

// Things that a thread keeps for the next who needs one, with all the memory that they hold; at
// most `kMost` of a type. In builds with sanitizers nothing is kept.
template <class T, std::size_t kMost>
class Spares {
 public:
  // One that was given, or a new one.
  static T Take() {
    if (closed_ || !recycle::kOn) return T();
    List& list = OfThread();
    if (list.kept.empty()) return T();
    T one = std::move(list.kept.back());
    list.kept.pop_back();
    return one;
  }
  static void Give(T one) {
    if (closed_ || !recycle::kOn) return;
    List& list = OfThread();
    if (list.kept.size() < kMost) list.kept.push_back(std::move(one));
  }

 private:
  struct List {
    List() { kept.reserve(kMost); }
    List(const List&) = delete;
    List& operator=(const List&) = delete;
    ~List() { closed_ = true; }
    std::vector<T> kept;
  };
  static List& OfThread() {
    static thread_local List list;
    return list;
  }
  static inline constinit thread_local bool closed_ = false;
};

// Memory of bodies: they are longer than what the heap keeps at hand, and gone a moment later. A
// thread keeps 256 of up to 8 KiB and 16 of up to 256 KiB.
using ShortTexts = Spares<std::string, 256>;
using LongTexts = Spares<std::string, 16>;
inline std::string TakeText(std::size_t expected) {
  std::string text = expected <= 8 * 1024 ? ShortTexts::Take() : LongTexts::Take();
  text.clear();
  return text;
}
inline void GiveText(std::string&& text) {
  const std::size_t size = text.capacity();
  if (size <= 512 || size > 256 * 1024) return;
  size <= 8 * 1024 ? ShortTexts::Give(std::move(text)) : LongTexts::Give(std::move(text));
}

// A base of types that are made with `new`.
struct RecycledObject {
  static void* operator new(std::size_t size) { return TakeBlock(size); }
  static void operator delete(void* memory, std::size_t size) noexcept { GiveBlock(memory, size); }
};

}  // namespace spillway
