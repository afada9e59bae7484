#include "net/recycle.h"

#include <utility>

namespace spillway::recycle {
namespace {

// Opens the shelves of its thread, and clears them away when the thread ends.
struct Keeper {
  Keeper() { shelves.open = true; }
  Keeper(const Keeper&) = delete;
  Keeper& operator=(const Keeper&) = delete;
  ~Keeper() {
    shelves.open = false;
    closed = true;
    for (Shelf& shelf : shelves.of_size) {
      for (Block* block = shelf.first; block != nullptr;)
        ::operator delete(std::exchange(block, block->next));
      shelf = {};
    }
  }
  static inline constinit thread_local bool closed = false;
};

}  // namespace

bool KeepFirst(Block* block, Shelf& shelf) noexcept {
  if (shelves.open || Keeper::closed) return false;
  static thread_local Keeper keeper;
  block->next = std::exchange(shelf.first, block);
  ++shelf.count;
  return true;
}

}  // namespace spillway::recycle
