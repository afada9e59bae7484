#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <map>

#include "tests/simulator/workloads/pulled.h"

namespace spillway {
namespace {

using namespace testing_support;  // NOLINT(google-build-using-namespace): its own

PartSpec Sessions(SessionsSpec sessions, absl::Duration lasts) {
  PartSpec part = RequestPart(sessions, lasts);
  part.request.shared_prefix = 512;
  return part;
}

// Plays the world: every request is answered after `latency` of it. Arrivals by time.
std::vector<Arrival> Play(const Workload& workload, std::uint64_t seed,
                          const std::function<std::int64_t(const Arrival&)>& latency,
                          const std::function<bool(const Arrival&)>& is_answered = nullptr) {
  const auto stream = workload.Open(kStart, seed);
  std::vector<Arrival> all;
  Arrival arrival;
  while (stream->Next(arrival)) all.push_back(arrival);
  // A closed loop answers in any order of time as well as in one.
  for (std::size_t i = 0; i < all.size(); ++i) {
    const Arrival asked = all[i];
    if (asked.session == 0) continue;
    const bool answered = !is_answered || is_answered(asked);
    const TurnEnd end{asked.part, asked.session, asked.turn, asked.at + latency(asked), answered};
    if (!stream->Ended(end, arrival)) continue;
    EXPECT_GE(arrival.at, end.at);
    EXPECT_EQ(arrival.session, asked.session);
    all.push_back(arrival);
  }
  std::stable_sort(all.begin(), all.end(),
                   [](const Arrival& a, const Arrival& b) { return a.at < b.at; });
  return all;
}
std::int64_t OneSecond(const Arrival&) { return kSecond; }

TEST(Sessions, PromptsGrowByWhatWasSaid) {
  const Workload workload =
      LoadOrDie({Sessions({5, absl::Seconds(10), 4, 32'768}, absl::Hours(2))});
  std::map<std::uint32_t, Arrival> last;
  int turns = 0;
  for (const Arrival& now : Play(workload, 1, OneSecond)) {
    if (now.turn == 1) {
      EXPECT_EQ(now.prompt_tokens, 612);  // 512 that all share, and 100
    } else {
      const Arrival& before = last[now.session];
      EXPECT_EQ(now.turn, before.turn + 1);
      EXPECT_EQ(now.prompt_tokens, before.prompt_tokens + before.truth.output_tokens + 100);
      for (std::size_t i = 0; i < before.blocks.size(); ++i)
        EXPECT_EQ(now.blocks[i], before.blocks[i]) << "what was said is still there";
      ++turns;
    }
    EXPECT_EQ(now.blocks.size(), static_cast<std::size_t>(now.prompt_tokens / now.block_tokens));
    last[now.session] = now;
  }
  EXPECT_GT(turns, 500);
  EXPECT_EQ(last.size(), 5u);
}

TEST(Sessions, ShareTheirPrefixAndNothingElse) {
  PartSpec part = Sessions({2, absl::Seconds(1), 1, 32'768}, absl::Minutes(10));
  part.request.prompt_tokens = LengthSpec{.constant = 600};
  const auto all = Play(LoadOrDie({part}), 1, OneSecond);
  ASSERT_GT(all.size(), 100u);
  for (std::size_t i = 1; i < all.size(); ++i) {
    ASSERT_EQ(all[i].blocks.size(), 4u);
    EXPECT_EQ(all[i].blocks[0], all[0].blocks[0]);
    EXPECT_EQ(all[i].blocks[1], all[0].blocks[1]);
    EXPECT_NE(all[i].blocks[2], all[i - 1].blocks[2]);
  }
}

TEST(Sessions, HaveTheirMeanOfTurnsAndThought) {
  const Workload workload =
      LoadOrDie({Sessions({50, absl::Seconds(10), 4, 10'000'000}, absl::Hours(10))});
  double sessions = 0, turns = 0;
  for (const Arrival& arrival : Play(workload, 1, OneSecond)) {
    sessions += arrival.turn == 1;
    ++turns;
  }
  EXPECT_NEAR(turns / sessions, 4, 4 * std::sqrt(12 / sessions));
  // Little: 50 users in a cycle of 10 s thought and 1 s answer.
  EXPECT_NEAR(turns, 50 * 36'000 / 11.0, 4 * std::sqrt(50 * 36'000 * 100 / (11.0 * 11 * 11)));
}

TEST(Sessions, SlowAnswersBringFewerQuestions) {
  const Workload workload =
      LoadOrDie({Sessions({50, absl::Seconds(10), 4, 32'768}, absl::Hours(1))});
  const auto fast = Play(workload, 1, OneSecond).size();
  const auto slow = Play(workload, 1, [](const Arrival&) { return 90 * kSecond; }).size();
  EXPECT_NEAR(static_cast<double>(fast) / static_cast<double>(slow), 100.0 / 11, 0.5);
}

// What a user asks does not depend on when others are answered.
TEST(Sessions, AskTheSameWhateverThePolicy) {
  PartSpec part = Sessions({20, absl::Seconds(10), 4, 32'768}, absl::Hours(1));
  part.request.prompt_tokens = LengthSpec{.shape = LengthShape::kLognormal, .p50 = 50, .p99 = 900};
  part.request.models = {{"a", 0.5}, {"b", 0.5}};
  const Workload workload = LoadOrDie({part});
  std::map<std::uint32_t, std::vector<std::tuple<std::int64_t, std::int64_t, std::string_view>>>
      fast, slow;
  for (const Arrival& a : Play(workload, 1, OneSecond))
    fast[a.session].emplace_back(a.prompt_tokens, a.truth.output_tokens, a.model);
  for (const Arrival& a : Play(workload, 1, [](const Arrival& asked) {
         return asked.session % 2 == 0 ? kSecond : 30 * kSecond;
       }))
    slow[a.session].emplace_back(a.prompt_tokens, a.truth.output_tokens, a.model);
  for (auto& [user, questions] : fast) {
    const std::size_t both = std::min(questions.size(), slow[user].size());
    ASSERT_GT(both, 10u);
    questions.resize(both);
    slow[user].resize(both);
    EXPECT_EQ(questions, slow[user]) << "user " << user;
  }
}

TEST(Sessions, BeginAnewWhenUnansweredOrFull) {
  const Workload unanswered =
      LoadOrDie({Sessions({5, absl::Seconds(10), 100, 32'768}, absl::Hours(1))});
  for (const Arrival& arrival :
       Play(unanswered, 1, OneSecond, [](const Arrival&) { return false; }))
    EXPECT_EQ(arrival.turn, 1u);
  const Workload full = LoadOrDie({Sessions({5, absl::Seconds(10), 1000, 900}, absl::Hours(1))});
  std::uint32_t longest = 0;
  for (const Arrival& arrival : Play(full, 1, OneSecond)) {
    EXPECT_LE(arrival.prompt_tokens, 900);
    longest = std::max(longest, arrival.turn);
  }
  EXPECT_EQ(longest, 3u);  // 612, 722, 832
}

TEST(Sessions, EndWithTheirPart) {
  PartSpec part = Sessions({5, absl::Seconds(10), 4, 32'768}, absl::Minutes(10));
  part.after = absl::Minutes(5);
  for (const Arrival& arrival : Play(LoadOrDie({part}), 1, OneSecond)) {
    EXPECT_GE(arrival.at, 300 * kSecond);
    EXPECT_LT(arrival.at, 900 * kSecond);
  }
}

// Turns find their part again in a mix.
TEST(Sessions, GoOnInTheirPartOfAMix) {
  PartSpec first = Sessions({2, absl::Seconds(10), 4, 32'768}, absl::Minutes(30));
  PartSpec second = first;
  second.name = "q";
  second.request.models = {{"other", 1.0}};
  const Workload workload = LoadOrDie({first, second});
  std::map<std::uint32_t, int> parts;
  for (const Arrival& arrival : Play(workload, 1, OneSecond)) {
    EXPECT_EQ(arrival.model, arrival.part == 0 ? "m" : "other");
    ++parts[arrival.part];
  }
  EXPECT_GT(parts[0], 50);
  EXPECT_GT(parts[1], 50);
}

}  // namespace
}  // namespace spillway
