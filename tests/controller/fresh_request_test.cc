#include "controller/fresh_request.h"

#include <gtest/gtest.h>

#include <random>
#include <thread>
#include <vector>

namespace spillway {
namespace {

void Fill(Request& request) {
  request.id = RequestId{7};
  request.features.tenant = "other";
  request.features.models = {"a", "b"};
  request.readings.assign(5, {.endpoint = 3});
  request.order = {3, 1};
  request.attempts.push_back({.endpoint = {PoolId{1}, 2}, .fault = ForwardFault::kConnect});
  request.answered_by = "a model with a name that does not fit into the string itself";
  request.baseline_cost = Usd(5);
  request.cascade.emplace();
}

// What one request said must never be read by another.
TEST(FreshRequest, IsAsNewWhateverItServedBefore) {
  for (int i = 0; i < 1000; ++i) {
    const std::shared_ptr<Request> request = FreshRequest();
    ASSERT_EQ(*request, Request());
    Fill(*request);
  }
}

TEST(FreshRequest, IsNobodyElsesWhileItIsHeld) {
  std::vector<std::shared_ptr<const Request>> held;
  for (std::uint64_t i = 0; i < 500; ++i) {
    const std::shared_ptr<Request> request = FreshRequest();
    request->draw = i;
    held.push_back(request);
  }
  for (std::uint64_t i = 0; i < held.size(); ++i) EXPECT_EQ(held[i]->draw, i);
}

// Made on some threads, given up on others, some of which end before the records do.
TEST(FreshRequest, ChangesThreads) {
  std::mt19937 random(20260101);
  std::vector<std::shared_ptr<Request>> all;
  for (int round = 0; round < 20; ++round) {
    std::vector<std::vector<std::shared_ptr<Request>>> made(4);
    std::vector<std::thread> threads;
    for (auto& list : made) {
      threads.emplace_back([&list] {
        for (int i = 0; i < 200; ++i) {
          list.push_back(FreshRequest());
          EXPECT_EQ(*list.back(), Request());
          Fill(*list.back());
        }
      });
    }
    for (std::thread& thread : threads) thread.join();
    for (auto& list : made) all.insert(all.end(), list.begin(), list.end());
    made.clear();
    std::shuffle(all.begin(), all.end(), random);
    std::thread([&all] { all.resize(all.size() / 3); }).join();
  }
  for (const auto& request : all) EXPECT_EQ(request->id, RequestId{7});
}

TEST(FreshRequest, LongListsAreNotKept) {
  for (int i = 0; i < 300; ++i) {
    const std::shared_ptr<Request> request = FreshRequest();
    EXPECT_LE(request->readings.capacity(), 64u);
    request->readings.resize(100'000);
  }
}

}  // namespace
}  // namespace spillway
