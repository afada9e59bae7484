#include "net/recycle.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <random>
#include <thread>
#include <vector>

namespace spillway {
namespace {

struct Piece {
  unsigned char* at = nullptr;
  std::size_t size = 0;
  unsigned char mark = 0;
};

Piece Take(std::size_t size, unsigned char mark) {
  Piece piece{static_cast<unsigned char*>(TakeBlock(size)), size, mark};
  std::memset(piece.at, mark, size);
  return piece;
}
bool Whole(const Piece& piece) {
  return std::all_of(piece.at, piece.at + piece.size,
                     [&](unsigned char byte) { return byte == piece.mark; });
}

// Nobody else's bytes change, whatever comes and goes.
TEST(Recycle, BlocksNeverOverlap) {
  std::mt19937 random(7);
  std::vector<Piece> held;
  for (int i = 0; i < 20'000; ++i) {
    if (held.size() < 300 && random() % 2 == 0) {
      held.push_back(Take(random() % 5000, static_cast<unsigned char>(random())));
      EXPECT_EQ(reinterpret_cast<std::uintptr_t>(held.back().at) % alignof(std::max_align_t), 0U);
    } else if (!held.empty()) {
      std::swap(held[random() % held.size()], held.back());
      ASSERT_TRUE(Whole(held.back()));
      GiveBlock(held.back().at, held.back().size);
      held.pop_back();
    }
  }
  for (const Piece& piece : held) {
    EXPECT_TRUE(Whole(piece));
    GiveBlock(piece.at, piece.size);
  }
}

TEST(Recycle, HandsOutAgainWhatCameBack) {
  if (!recycle::kOn) GTEST_SKIP() << "sanitizers see each block come and go";
  void* const first = TakeBlock(700);
  GiveBlock(first, 700);
  void* const again = TakeBlock(699);  // of the same size, rounded
  EXPECT_EQ(again, first);
  GiveBlock(again, 699);
}

TEST(Recycle, KeepsNoMoreThanItsBound) {
  if (!recycle::kOn) GTEST_SKIP() << "sanitizers see each block come and go";
  constexpr std::size_t kSize = 1024;
  std::vector<void*> blocks;
  constexpr std::size_t kMost = recycle::kKeptOfASize / kSize;
  for (std::size_t i = 0; i < 5 * kMost; ++i) blocks.push_back(TakeBlock(kSize));
  for (void* block : blocks) GiveBlock(block, kSize);
  EXPECT_EQ(recycle::shelves.of_size[kSize / recycle::kStep - 1].count, kMost);
}

TEST(Recycle, TextsComeBackEmptyWithTheirMemory) {
  if (!recycle::kOn) GTEST_SKIP() << "sanitizers see each block come and go";
  std::thread([] {  // its own spares
    std::string text(3000, 'x');
    const char* const memory = text.data();
    GiveText(std::move(text));
    GiveText(std::string("short"));                    // not worth keeping
    GiveText(std::string(std::size_t{1} << 20, 'y'));  // too large to be kept
    const std::string again = TakeText(3000);
    EXPECT_EQ(again, "");
    EXPECT_EQ(again.data(), memory);
    EXPECT_LT(TakeText(3000).capacity(), 3000u) << "there was one";
    EXPECT_LT(TakeText(std::size_t{1} << 20).capacity(), 3000u) << "the long one was freed";
  })
      .join();
}

TEST(Recycle, SparesAreBounded) {
  if (!recycle::kOn) GTEST_SKIP() << "sanitizers see each block come and go";
  using Three = Spares<std::unique_ptr<int>, 3>;
  std::thread([] {
    for (int i = 0; i < 5; ++i) Three::Give(std::make_unique<int>(i));
    for (int i = 2; i >= 0; --i) {
      const std::unique_ptr<int> one = Three::Take();
      ASSERT_NE(one, nullptr);
      EXPECT_EQ(*one, i) << "the last one is the warmest";
    }
    EXPECT_EQ(Three::Take(), nullptr);
  }).join();
}

// Given back by another thread, and by one that ends.
TEST(Recycle, BlocksMayChangeThreads) {
  std::vector<Piece> pieces;
  std::thread([&] {
    for (int i = 0; i < 200; ++i) pieces.push_back(Take(100, 9));
  }).join();
  std::thread([&] {
    for (const Piece& piece : pieces) {
      EXPECT_TRUE(Whole(piece));
      GiveBlock(piece.at, piece.size);
    }
    pieces.clear();
    for (int i = 0; i < 200; ++i) pieces.push_back(Take(100, 3));
  }).join();
  for (const Piece& piece : pieces) {
    EXPECT_TRUE(Whole(piece));
    GiveBlock(piece.at, piece.size);
  }
}

struct Counted {
  explicit Counted(int& alive) : alive_(alive) { ++alive_; }
  ~Counted() { --alive_; }
  int& alive_;
};

TEST(Recycle, SharedObjectsAreMadeAndEnded) {
  int alive = 0;
  for (int i = 0; i < 1000; ++i) {
    const auto one = MakeRecycled<Counted>(alive);
    const auto two = one;
    EXPECT_EQ(alive, 1);
  }
  EXPECT_EQ(alive, 0);
}

}  // namespace
}  // namespace spillway
