#pragma once

#include <atomic>
#include <cstddef>
#include <thread>
#include <vector>

namespace spillway {

// Calls work(i) for every i below `count`, on `threads` threads, until one call returns false. Each
// writes to a place of its own, so that the outcome does not depend on their number.
template <class Work>
void ForEachIndex(std::size_t count, int threads, Work work) {
  std::atomic<std::size_t> next{0};
  std::atomic<bool> stop{false};
  const auto run = [&] {
    for (std::size_t i = next++; i < count && !stop; i = next++) {
      if (!work(i)) stop = true;
    }
  };
  std::vector<std::thread> others;
  for (int i = 1; i < threads; ++i) others.emplace_back(run);
  run();
  for (std::thread& thread : others) thread.join();
}

}  // namespace spillway
