#include "scheduler/router_state.h"

#include <gtest/gtest.h>

#include <random>

#include "core/check.h"
#include "performance/answer_lengths.h"
#include "tests/support/router_world.h"
#include "tests/support/world.h"

namespace spillway {
namespace {

using absl::Milliseconds;
using absl::Seconds;
using fixtures::EnginePool;
using fixtures::World;

const absl::Time kStart = absl::FromUnixSeconds(1'790'000'000);
constexpr absl::Duration kNoWay = absl::ZeroDuration();
EndpointKey At(int number, std::uint32_t pool = 0) { return {PoolId{pool}, number}; }

// An answer of `chat` from pool 0, as fast as estimated.
Request Answer(EndpointKey from = At(0)) {
  Request r;
  r.features = fixtures::ChatRequest();
  r.attempts = {{from, ForwardFault::kNone}};
  r.answered_by = "chat";
  r.ttft = r.raw_ttft = Milliseconds(500);
  r.tpot = r.raw_tpot = Milliseconds(40);
  r.prompt_tokens = 1000;
  r.output_tokens = 101;
  return r;
}
Request Failure(EndpointKey at, ForwardFault fault = ForwardFault::kConnect) {
  Request r;
  r.features = fixtures::ChatRequest();
  r.attempts = {{at, fault}};
  r.end = RequestEnd::kFailed;
  return r;
}

// A state and the time.
struct State : RouterState {
  explicit State(int endpoints = 4) {
    for (int i = 0; i < endpoints; ++i) See({At(i), true, {}});
  }
  bool Hear(const Request& request, int times = 1) {
    bool changed = false;
    for (int i = 0; i < times; ++i) changed = Learn(request, kNoWay, now, records);
    return changed;
  }
  EndpointState Of(int number) const {
    RouterPool pool;
    Fill(PoolId{0}, 8, pool);
    return pool.endpoints[static_cast<std::size_t>(number)];
  }
  std::vector<SpeedCorrection> Speeds(std::uint32_t of = 0) const {
    RouterPool pool;
    Fill(PoolId{of}, 0, pool);
    return pool.speeds;
  }
  absl::Time now = kStart;
  std::vector<Record> records;
};

// ---- Health

TEST(RouterState, WhatWasNotSeenIsDown) {
  RouterState state;
  RouterPool pool;
  state.Fill(PoolId{0}, 2, pool);
  EXPECT_EQ(pool.endpoints.size(), 2u);
  EXPECT_FALSE(pool.endpoints[1].up);
  EXPECT_TRUE(state.See({At(1), true, {"x"}}));
  EXPECT_FALSE(state.See({At(1), true, {"x"}})) << "nothing new";
  EXPECT_TRUE(state.See({At(1), true, {"x", "y"}}));
  EXPECT_TRUE(state.See({At(1), false, {"x", "y"}}));
  state.See({At(0, 1), true, {}});
  state.Fill(PoolId{0}, 2, pool);
  EXPECT_FALSE(pool.endpoints[0].up) << "another pool's";
  EXPECT_EQ(pool.endpoints[1].models, (std::vector<std::string>{"x", "y"}));
}

TEST(RouterState, FiveFaultsInARowEject) {
  State state;
  EXPECT_FALSE(state.Hear(Failure(At(0)), 4));
  EXPECT_FALSE(state.Of(0).ejected);
  EXPECT_TRUE(state.Hear(Failure(At(0))));
  EXPECT_TRUE(state.Of(0).ejected);
  EXPECT_TRUE(state.Of(0).up);
  EXPECT_FALSE(state.Of(1).ejected);
  EXPECT_EQ(state.NextTimer(), kStart + Seconds(10));
}

TEST(RouterState, OneGoodAnswerEndsTheRow) {
  State state;
  state.Hear(Failure(At(0)), 4);
  state.Hear(Answer());
  state.Hear(Failure(At(0)), 4);
  EXPECT_FALSE(state.Of(0).ejected);
  state.Hear(Failure(At(0)));
  EXPECT_TRUE(state.Of(0).ejected);
}

TEST(RouterState, BusyIsNotBrokenAndALeavingClientIsNobodysFault) {
  State state;
  state.Hear(Failure(At(0), ForwardFault::kOverloaded), 50);
  state.Hear(Failure(At(0), ForwardFault::kCannot), 50);
  Request left = Failure(At(0), ForwardFault::kBroken);
  left.end = RequestEnd::kClientGone;
  state.Hear(left, 50);
  EXPECT_FALSE(state.Of(0).ejected);
  // What failed before it, for another reason, counts.
  left.attempts = {{At(1), ForwardFault::kTimeout}, {At(0), ForwardFault::kBroken}};
  state.Hear(left, 5);
  EXPECT_FALSE(state.Of(0).ejected);
  EXPECT_TRUE(state.Of(1).ejected);
}

TEST(RouterState, AnswersThatBreakOffAreFaults) {
  State state;
  Request broken = Answer();
  broken.end = RequestEnd::kBrokenOff;
  state.Hear(broken, 5);
  EXPECT_TRUE(state.Of(0).ejected);
  EXPECT_TRUE(state.records.empty()) << "nothing is learned from half an answer";
}

TEST(RouterState, WhatOurOwnEndBreaksOffIsNobodysFault) {
  State state;
  Request r = Answer();
  r.end = RequestEnd::kCutOff;
  EXPECT_FALSE(state.Hear(r, 10));
  EXPECT_FALSE(state.Of(0).ejected);
}

TEST(RouterState, EnginesThatDoNotAnswerInTimeAreEjected) {
  State state;
  state.Hear(Failure(At(0), ForwardFault::kTimeout), RouterState::kFaultsToEject);
  EXPECT_TRUE(state.Of(0).ejected);
}

TEST(RouterState, EjectionsGrowWhileNothingGoodComes) {
  State state;
  for (int row = 1; row <= 40; ++row) {
    state.Hear(Failure(At(0)), 5);
    ASSERT_TRUE(state.Of(0).ejected);
    const absl::Duration expected = std::min(Seconds(10) * row, absl::Minutes(5));
    ASSERT_EQ(state.NextTimer() - state.now, expected) << row;
    EXPECT_FALSE(state.Expire(state.now + expected - absl::Nanoseconds(1)));
    state.now += expected;
    EXPECT_TRUE(state.Expire(state.now));
    EXPECT_FALSE(state.Of(0).ejected);
    EXPECT_EQ(state.NextTimer(), absl::InfiniteFuture());
  }
  state.Hear(Answer());
  state.Hear(Failure(At(0)), 5);
  EXPECT_EQ(state.NextTimer() - state.now, Seconds(10)) << "the row has ended";
}

TEST(RouterState, AtMostHalfAreEjected) {
  State state(5);
  for (int i = 0; i < 5; ++i) state.Hear(Failure(At(i)), 9);
  int out = 0;
  for (int i = 0; i < 5; ++i) out += state.Of(i).ejected;
  EXPECT_EQ(out, 2);
  // Once there is room again, one more fault does.
  state.now += Seconds(10);
  state.Expire(state.now);
  EXPECT_TRUE(state.Hear(Failure(At(4))));
  EXPECT_TRUE(state.Of(4).ejected);
  State alone(1);
  alone.Hear(Failure(At(0)), 5);
  EXPECT_TRUE(alone.Of(0).ejected) << "one in any case";
}

// Of each pool: what died elsewhere leaves no engine of another model in its way.
TEST(RouterState, ThePoolOfOneModelDoesNotFillTheBoundOfAnothers) {
  State state(2);
  for (int i = 0; i < 2; ++i) state.See({At(i, 1), true, {}});
  for (int i = 0; i < 2; ++i) state.Hear(Failure(At(i)), 9);
  EXPECT_EQ(state.Of(0).ejected + state.Of(1).ejected, 1);
  state.Hear(Failure(At(0, 1)), 5);
  RouterPool other;
  state.Fill(PoolId{1}, 2, other);
  EXPECT_TRUE(other.endpoints[0].ejected);
}

// Clients have less patience than our own bounds: who hangs is found out by those who left.
TEST(RouterState, AnEngineThatHangsIsFoundOutThoughAllItsClientsLeave) {
  Request left;
  left.features = fixtures::ChatRequest();
  left.attempts = {{At(0), ForwardFault::kNone}};
  left.end = RequestEnd::kClientGone;
  left.expected.ttft = Milliseconds(500);
  left.expected.duration = {Seconds(4), Seconds(5)};
  const auto ejects = [&](absl::Duration after, bool stream) {
    State state;
    Request r = left;
    r.features.stream = stream;
    r.ended = r.features.arrived + after;
    state.Hear(r, 5);
    return state.Of(0).ejected;
  };
  EXPECT_FALSE(ejects(Seconds(3), true));
  EXPECT_TRUE(ejects(Seconds(4), true)) << "its first token was due long ago";
  EXPECT_FALSE(ejects(Seconds(20), false)) << "a whole answer takes longer";
  EXPECT_TRUE(ejects(Seconds(26), false));
  left.ttft = Milliseconds(400);
  EXPECT_FALSE(ejects(Seconds(20), true)) << "it has begun to answer";
  left.ttft.reset();
  left.expected = {};
  EXPECT_FALSE(ejects(Seconds(100), true)) << "nobody knows how long it takes";
}

TEST(RouterState, FaultsOfWhatWasNeverSeenAreNobodys) {
  State state(1);
  EXPECT_FALSE(state.Hear(Failure(At(7)), 9));
  EXPECT_FALSE(state.Hear(Failure(kNoEndpoint), 9));
  Request none = Failure(At(0));
  none.attempts.clear();
  EXPECT_FALSE(state.Hear(none));
}

// ---- Buckets

TEST(RouterState, BucketsRiseAndHoldWhatTheySay) {
  int last = 0;
  for (std::int64_t tokens = 1; tokens < 600'000; tokens += 1 + tokens / 50) {
    const int bucket = RouterState::BucketOf(tokens);
    ASSERT_GE(bucket, last);
    ASSERT_LT(bucket, RouterState::kOutputBuckets);
    last = bucket;
    if (tokens >= 7 << 16) continue;  // the last one has no upper end
    // Within an eighth of the middle of its bucket.
    const std::int64_t middle = RouterState::TokensOf(bucket);
    ASSERT_LE(std::abs(tokens - middle) * 8, std::max<std::int64_t>(tokens, 8)) << tokens;
  }
  EXPECT_EQ(last, RouterState::kOutputBuckets - 1);
  for (int bucket = 1; bucket < RouterState::kOutputBuckets; ++bucket) {
    ASSERT_EQ(RouterState::BucketOf(RouterState::TokensOf(bucket)), bucket);
    ASSERT_GE(RouterState::TokensOf(bucket), RouterState::TokensOf(bucket - 1));
  }
  EXPECT_EQ(RouterState::BucketOf(-5), 0);
  EXPECT_EQ(RouterState::TokensOf(0), 1) << "an answer has a token at least";
  EXPECT_EQ(RouterState::BucketOf(std::numeric_limits<std::int64_t>::max()), 71);
}

// ---- Speed

TEST(RouterState, FiveAnswersMakeASpeed) {
  State state;
  Request slow = Answer();
  slow.ttft = Milliseconds(1000);
  slow.tpot = Milliseconds(60);
  state.Hear(slow, 4);
  EXPECT_TRUE(state.Speeds().empty());
  EXPECT_TRUE(state.Hear(slow));
  const SpeedCorrection expected{.model = "chat",
                                 .observed = true,
                                 .ttft_p50 = 2'000'000,
                                 .ttft_p90 = 2'000'000,
                                 .tpot_p50 = 1'500'000,
                                 .tpot_p90 = 1'500'000};
  ASSERT_EQ(state.Speeds().size(), 1u);
  EXPECT_EQ(state.Speeds()[0], expected);
  EXPECT_TRUE(state.Speeds(1).empty()) << "only there";
}

TEST(RouterState, SmallChangesDoNotMakeNewViews) {
  State state;
  state.Hear(Answer(), 50);
  Request slower = Answer();
  slower.ttft = Milliseconds(549);
  slower.tpot = Milliseconds(43);
  for (int i = 0; i < 50; ++i) EXPECT_FALSE(state.Hear(slower)) << i;
  EXPECT_EQ(state.Speeds()[0].ttft_p50, kMillion);
  slower.ttft = Milliseconds(560);  // more than a tenth off
  bool changed = false;
  for (int i = 0; i < 50; ++i) changed |= state.Hear(slower);
  EXPECT_TRUE(changed);
  EXPECT_GT(state.Speeds()[0].ttft_p90, kMillion);
}

TEST(RouterState, QuantilesAreOfTheLastFiftyAnswers) {
  State state;
  Request slow = Answer();
  slow.ttft = Seconds(5);
  state.Hear(slow, 50);
  state.Hear(Answer(), 46);  // 4 of 50 are slow
  EXPECT_EQ(state.Speeds()[0].ttft_p90, kMillion);
  state.Hear(slow, 4);
  const auto& row = std::get<record::SpeedRow>(
      *std::find_if(state.records.rbegin(), state.records.rend(),
                    [](const Record& r) { return std::holds_alternative<record::SpeedRow>(r); }));
  EXPECT_EQ(row.ttft.size(), 50u);
  EXPECT_EQ(row.ttft.back(), 10 * kMillion);
}

// Our own queue, the way there and other engines' failures are no part of an engine's speed.
TEST(RouterState, SpeedIsOfTheEngineAlone) {
  State state;
  Request far = Answer();
  far.queued = Seconds(2);
  far.ttft = Seconds(2) + Milliseconds(100) + Milliseconds(500);
  for (int i = 0; i < 5; ++i) state.Learn(far, Milliseconds(100), state.now, state.records);
  ASSERT_EQ(state.Speeds().size(), 1u);
  EXPECT_EQ(state.Speeds()[0].ttft_p50, kMillion);
  State second;
  Request retried = Answer();
  retried.ttft = Seconds(9);
  retried.attempts.insert(retried.attempts.begin(), {At(1), ForwardFault::kTimeout});
  second.Hear(retried, 9);
  EXPECT_TRUE(second.Speeds().empty());
}

TEST(RouterState, AbsurdRatiosAreBounded) {
  State state;
  Request odd = Answer();
  odd.ttft = absl::Hours(1);
  odd.tpot = absl::ZeroDuration();
  state.Hear(odd, 5);
  EXPECT_EQ(state.Speeds()[0].ttft_p50, 20 * kMillion);
  EXPECT_EQ(state.Speeds()[0].tpot_p50, kMillion / 20);
}

// ---- Models

TEST(RouterState, LearnsHowLongPromptsAndAnswersAre) {
  State state;
  Request r = Answer();
  r.features.prompt_bytes = 3000;
  r.prompt_tokens = 100;
  r.output_tokens = 200;
  EXPECT_FALSE(state.Hear(r)) << "not enough of them";
  EXPECT_TRUE(state.Hear(r)) << "200 tokens of prompts";
  EXPECT_EQ(state.models().at("chat").micro_bytes_per_token, 30 * kMillion);
  EXPECT_EQ(state.models().at("chat").output_p50, 0) << "ten answers";
  state.Hear(r, 8);
  const std::int64_t p50 = state.models().at("chat").output_p50;
  EXPECT_NEAR(static_cast<double>(p50), 200, 25);
  r.output_tokens = 2000;
  state.Hear(r, 5);
  EXPECT_EQ(state.models().at("chat").output_p50, p50);
  EXPECT_NEAR(static_cast<double>(state.models().at("chat").output_p90), 2000, 250);
}

// Nine short answers and a long one: of ten tokens that come, eight are of the long one, so what is
// met under way is mostly long, and half of it is over.
TEST(RouterState, AnswersUnderWayAreLongerThanAnswers) {
  State state;
  Request r = Answer();
  r.output_tokens = 2;
  state.Hear(r, 9);
  r.output_tokens = 72;
  state.Hear(r);
  const ModelLearned& learned = state.models().at("chat");
  EXPECT_EQ(learned.output_p50, 2);
  EXPECT_EQ(learned.output_mean, 9);
  ASSERT_EQ(learned.output_left.size(), AnswerLengths::kPoints);
  // 90 tokens in all: 20 of them have at most 2 to come, then one more for each token.
  const std::vector<std::int64_t> left = {1,  1,  2,  2,  5,  9,  14, 18, 23, 27,
                                          32, 36, 41, 45, 50, 54, 59, 63, 68, 72};
  EXPECT_EQ(learned.output_left, left);
}

// How long it had to wait for others is no speed.
TEST(RouterState, WhoWaitedForAPlaceTeachesTheTimeBetweenTokensOnly) {
  State state;
  Request r = Answer();
  r.raw_ttft = absl::ZeroDuration();
  r.ttft = Seconds(20);
  r.tpot = Milliseconds(80);
  state.Hear(r, 5);
  ASSERT_EQ(state.Speeds().size(), 1u);
  EXPECT_EQ(state.Speeds()[0].tpot_p90, 2 * kMillion);
  EXPECT_EQ(state.Speeds()[0].ttft_p90, 2 * kMillion) << "nothing better is known";
  state.Hear(Answer(), 5);
  EXPECT_EQ(state.Speeds()[0].ttft_p90, kMillion);
}

TEST(RouterState, LengthsAreOfEachAnswer) {
  State state;
  Request r = Answer();
  r.features.choices = 4;
  r.output_tokens = 400;
  state.Hear(r, 10);
  EXPECT_NEAR(static_cast<double>(state.models().at("chat").output_p50), 100, 13);
}

TEST(RouterState, OldAnswersFade) {
  State state;
  Request r = Answer();
  r.output_tokens = 10;
  state.Hear(r, 6000);
  r.output_tokens = 1000;
  state.Hear(r, 6000);
  EXPECT_NEAR(static_cast<double>(state.models().at("chat").output_p50), 1000, 125);
  const auto& row = std::get<record::ModelRow>(state.records.back());
  std::int64_t counted = 0;
  for (const std::int64_t n : row.outputs) counted += n;
  EXPECT_LE(counted, 4096);
  EXPECT_LE(row.prompt_tokens, 1 << 20);
}

TEST(RouterState, OnlyWholeAnswersTeach) {
  for (const RequestEnd end : {RequestEnd::kBrokenOff, RequestEnd::kClientGone,
                               RequestEnd::kRefused, RequestEnd::kFailed}) {
    State state;
    Request r = Answer();
    r.end = end;
    state.Hear(r, 20);
    EXPECT_TRUE(state.records.empty()) << NameOf(end);
  }
  State state;
  Request silent = Answer();  // neither times nor counts were said
  silent.ttft.reset();
  silent.tpot.reset();
  silent.prompt_tokens.reset();
  silent.output_tokens.reset();
  EXPECT_FALSE(state.Hear(silent, 20));
  EXPECT_TRUE(state.Speeds().empty());
}

TEST(RouterState, NamesThatPeopleMakeUpAreBounded) {
  State state;
  for (int i = 0; i < 1200; ++i) {
    Request r = Answer();
    r.answered_by = "m" + std::to_string(i);
    state.Hear(r, 1);
  }
  EXPECT_EQ(state.models().size(), RouterState::kMostModels);
}

// ---- Restarts

TEST(RouterState, ARestartKeepsWhatWasLearnedAndForgetsWhoIsThere) {
  State state;
  Request slow = Answer();
  slow.ttft = Milliseconds(540);  // within a tenth: not in force
  state.Hear(Answer(), 5);
  state.Hear(slow, 40);
  state.Hear(Failure(At(1)), 5);
  RouterState other;  // one that has the rows alone
  for (const Record& r : state.records) {
    if (const auto* row = std::get_if<record::SpeedRow>(&r)) other.Restore(*row);
    if (const auto* row = std::get_if<record::ModelRow>(&r)) other.Restore(*row);
  }
  EXPECT_EQ(state.Speeds()[0].ttft_p50, kMillion);
  state.Restart();
  other.Restart();
  EXPECT_EQ(state.Speeds()[0].ttft_p50, 1'080'000) << "what was learned is in force";
  EXPECT_EQ(state.models().at("chat").micro_bytes_per_token, 4 * kMillion);
  EXPECT_FALSE(state.Of(0).up);
  EXPECT_FALSE(state.Of(1).ejected);
  EXPECT_EQ(state.NextTimer(), absl::InfiniteFuture());
  RouterPool mine, theirs;
  state.Fill(PoolId{0}, 4, mine);
  other.Fill(PoolId{0}, 4, theirs);
  EXPECT_EQ(mine.speeds, theirs.speeds);
  EXPECT_EQ(mine.endpoints, theirs.endpoints);
  EXPECT_EQ(state.models(), other.models());
}

// ---- In the brain

bool Same(const record::RouterRow& a, const record::RouterRow& b) {
  const RouterInputs &x = *a.inputs, &y = *b.inputs;
  if (x.id != y.id || x.models != y.models || x.aliases != y.aliases ||
      x.policy_version != y.policy_version || !(*x.policy == *y.policy) ||
      x.pools.size() != y.pools.size())
    return false;
  for (std::size_t i = 0; i < x.pools.size(); ++i) {
    const RouterPool &p = x.pools[i], &q = y.pools[i];
    if (p.spec->name != q.spec->name || p.state != q.state || p.removed != q.removed ||
        p.price.node_hour != q.price.node_hour || p.endpoints != q.endpoints ||
        p.speeds != q.speeds)
      return false;
  }
  return true;
}
bool Same(const record::SpeedRow& a, const record::SpeedRow& b) { return a == b; }
bool Same(const record::ModelRow& a, const record::ModelRow& b) { return a == b; }
bool Same(const record::LedgerRow& a, const record::LedgerRow& b) { return a == b; }
bool Same(const record::PoolBooksRow& a, const record::PoolBooksRow& b) { return a == b; }
template <class Row>
bool Same(const Row&, const Row&) {
  return true;  // not about requests; the laws of jobs compare them
}

Config TwoPools() {
  return {.fleet = {{fixtures::Committed(EnginePool("a", 3)), fixtures::NvidiaPool("n", 2)}},
          .policy = fixtures::BackstopPolicy()};
}

TEST(BrainRequests, InputsAreRecordedWhenTheyChangeAndOnlyThen) {
  World world(TwoPools());
  const std::size_t at_start = world.routers.size();
  EXPECT_EQ(at_start, 1u);
  world.Give(event::EndpointSeen{At(0), true, {}});
  EXPECT_EQ(world.routers.size(), 2u);
  world.Give(event::EndpointSeen{At(0), true, {}});
  world.Give(event::EndpointSeen{At(3), true, {}});  // there is none
  world.Give(event::EndpointSeen{At(0, 9), true, {}});
  world.Give(event::TimerFired{});
  EXPECT_EQ(world.routers.size(), 2u);
  world.Give(event::PoolStateSet{PoolId{0}, PoolState::kCordoned});
  EXPECT_EQ(world.routers.size(), 3u);
  world.Give(event::PoolPriced{PoolId{1}, {.node_hour = UsdPerHour(5)}});
  EXPECT_EQ(world.routers.size(), 4u);
  const auto inputs = world.brain().router_inputs();
  EXPECT_EQ(inputs, world.routers.rbegin()->second);
  EXPECT_TRUE(inputs->pools[0].endpoints[0].up);
  EXPECT_EQ(inputs->pools[0].state, PoolState::kCordoned);
  EXPECT_EQ(inputs->pools[1].price.node_hour, UsdPerHour(5));
}

TEST(BrainRequests, AFleetWithoutEnginesHasNoRouter) {
  World world({.fleet = fixtures::DemoFleet(), .policy = fixtures::BackstopPolicy()});
  EXPECT_EQ(world.brain().router_inputs(), nullptr);
  EXPECT_TRUE(world.routers.empty());
}

TEST(BrainRequests, AnEjectionEndsByItself) {
  World world(TwoPools());
  for (int i = 0; i < 3; ++i) world.Give(event::EndpointSeen{At(i), true, {}});
  event::RequestsEnded ended;
  for (int i = 0; i < 5; ++i)
    ended.requests.push_back(std::make_shared<const Request>(Failure(At(0))));
  world.Give(ended);
  EXPECT_TRUE(world.brain().router_inputs()->pools[0].endpoints[0].ejected);
  world.RunFor(Seconds(9));
  EXPECT_TRUE(world.brain().router_inputs()->pools[0].endpoints[0].ejected);
  world.RunFor(Seconds(2));
  EXPECT_FALSE(world.brain().router_inputs()->pools[0].endpoints[0].ejected);
}

// A brain that ran through, restored from its tables on the way, and one that folds its log, record
// the same.
class RouterFold : public testing::TestWithParam<std::uint32_t> {};

TEST_P(RouterFold, TheLogFoldsToTheSameRecordsThroughRestarts) {
  SCOPED_TRACE(testing::Message() << "seed " << GetParam());
  std::mt19937 dice(GetParam());
  const auto roll = [&](int n) { return static_cast<int>(dice() % static_cast<unsigned>(n)); };
  World world(TwoPools());
  const auto request = [&] {
    Request r = roll(4) > 0 ? Answer(At(roll(3), static_cast<std::uint32_t>(roll(2))))
                            : Failure(At(roll(3), static_cast<std::uint32_t>(roll(2))),
                                      static_cast<ForwardFault>(1 + roll(5)));
    r.end = roll(8) > 0 ? r.end : static_cast<RequestEnd>(roll(5));
    if (r.ttft) r.ttft = Milliseconds(1 + roll(3000));
    if (r.tpot) r.tpot = Milliseconds(roll(200));
    if (r.output_tokens) r.output_tokens = roll(3000);
    r.answered_by = r.answered_by.empty() ? "" : roll(3) > 0 ? "chat" : "other";
    r.features.tenant = roll(2) > 0 ? "blue" : "red";
    r.held = Milliseconds(roll(4000));
    r.cost = Usd(roll(1'000'000));
    r.energy = Joules(roll(1'000'000));
    if (roll(2) > 0) r.baseline_cost = Usd(roll(2'000'000));
    return std::make_shared<const Request>(r);
  };
  for (int step = 0; step < 300; ++step) {
    if (roll(3) == 0)
      world.Give(event::EndpointSeen{
          At(roll(3), static_cast<std::uint32_t>(roll(2))), roll(5) > 0,
          roll(2) > 0 ? std::vector<std::string>{"chat"} : std::vector<std::string>{}});
    event::RequestsEnded ended;
    for (int n = roll(12); n > 0; --n) ended.requests.push_back(request());
    world.Give(ended);
    if (roll(40) == 0) world.Restart();
    world.RunFor(Seconds(roll(120)));
  }
  EXPECT_GT(world.routers.size(), 20u);
  EXPECT_FALSE(world.speeds.empty());
  Brain folded;
  std::vector<Record> records;
  for (const Event& e : world.log) {
    Effects effects;
    folded.Handle(e, effects);
    records.insert(records.end(), effects.records.begin(), effects.records.end());
  }
  ASSERT_EQ(records.size(), world.records.size());
  for (std::size_t i = 0; i < records.size(); ++i) {
    ASSERT_EQ(records[i].index(), world.records[i].index()) << "record " << i;
    const bool same = std::visit(
        [&](const auto& row) {
          return Same(row, std::get<std::decay_t<decltype(row)>>(world.records[i]));
        },
        records[i]);
    ASSERT_TRUE(same) << "record " << i << " of kind " << records[i].index();
  }
}

INSTANTIATE_TEST_SUITE_P(Seeds, RouterFold, testing::Range(1u, 21u));

}  // namespace
}  // namespace spillway
