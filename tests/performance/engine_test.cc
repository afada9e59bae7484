#include "performance/engine.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <random>
#include <utility>

#include "tests/performance/engine_world.h"

namespace spillway {
namespace {

using absl::Milliseconds;
const absl::Time kStart = absl::UnixEpoch();

// 10 ms a step, 10 us a prompt token, 1 ms a sequence.
std::shared_ptr<const StepTimes> Times() {
  return std::make_shared<AffineTimes>(Milliseconds(10), absl::Microseconds(10), Milliseconds(1));
}
EngineLimits Limits(std::int64_t blocks = 1000) {
  return {.max_sequences = 8, .step_tokens = 100, .kv_blocks = blocks, .max_waiting = 50};
}

// Runs an engine in virtual time.
class Bench {
 public:
  explicit Bench(EngineLimits limits, std::shared_ptr<const StepTimes> times = Times())
      : engine(std::move(times), limits) {}

  EngineAdmission Add(std::uint64_t id, std::int64_t prompt, std::int64_t output) {
    return engine.Add({id, prompt, output}, now);
  }
  // One step; what it gave.
  std::vector<StepOutput> Step() {
    std::vector<StepOutput> out;
    const absl::Time end = engine.NextStepEnd(now);
    if (end == absl::InfiniteFuture()) return out;
    EXPECT_GT(end, now);
    now = end;
    engine.EndStep(now, out);
    return out;
  }
  std::vector<std::uint64_t> StepIds() {
    std::vector<std::uint64_t> ids;
    for (const StepOutput& o : Step()) ids.push_back(o.id);
    return ids;
  }
  void Drain(int most = 1'000'000) {
    while (engine.NextStepEnd(now) != absl::InfiniteFuture()) {
      ASSERT_GT(--most, 0) << "it never ends";
      for (const StepOutput& o : Step()) outputs.push_back(o);
    }
  }

  Engine engine;
  absl::Time now = kStart;
  std::vector<StepOutput> outputs;
};

using testing::ElementsAre;
using testing::IsEmpty;

TEST(Engine, OneRequestTakesItsClosedForm) {
  Bench bench(Limits());
  ASSERT_EQ(bench.Add(1, 250, 20), EngineAdmission::kAdmitted);
  // Chunks of 100, 100 and 50 tokens, then 19 tokens one by one.
  EXPECT_THAT(bench.Step(), IsEmpty());
  EXPECT_THAT(bench.Step(), IsEmpty());
  EXPECT_THAT(bench.Step(), ElementsAre(StepOutput{1, true, false, absl::ZeroDuration()}));
  EXPECT_EQ(bench.now - kStart, Milliseconds(30) + absl::Microseconds(2500));
  bench.Drain();
  EXPECT_EQ(bench.now - kStart,
            Milliseconds(30) + absl::Microseconds(2500) + 19 * Milliseconds(11));
  ASSERT_EQ(bench.outputs.size(), 19u);
  EXPECT_TRUE(bench.outputs.back().last);
  const EngineGauges gauges = bench.engine.gauges();
  EXPECT_EQ(gauges.running + gauges.waiting, 0);
  EXPECT_EQ(gauges.kv_blocks_used, 0);
  EXPECT_EQ(gauges.prompt_tokens, 250);
  EXPECT_EQ(gauges.generated_tokens, 20);
  EXPECT_EQ(gauges.steps, 22);
}

TEST(Engine, AnIdleOneHasNoNextStep) {
  Bench bench(Limits());
  EXPECT_EQ(bench.engine.NextStepEnd(kStart), absl::InfiniteFuture());
  std::vector<StepOutput> out;
  bench.engine.EndStep(kStart, out);
  EXPECT_THAT(out, IsEmpty());
  bench.Add(1, 1, 1);
  EXPECT_EQ(bench.Step().size(), 1u);
  EXPECT_EQ(bench.engine.NextStepEnd(bench.now), absl::InfiniteFuture());
}

TEST(Engine, AStepUnderWayTakesNobodyInAndEndsOnlyAtItsEnd) {
  Bench bench(Limits());
  bench.Add(1, 10, 2);
  const absl::Time end = bench.engine.NextStepEnd(kStart);
  bench.now += Milliseconds(4);
  bench.Add(2, 10, 2);
  EXPECT_EQ(bench.engine.NextStepEnd(bench.now), end);
  std::vector<StepOutput> out;
  bench.engine.EndStep(end - absl::Nanoseconds(1), out);
  EXPECT_THAT(out, IsEmpty());
  bench.engine.EndStep(end, out);
  EXPECT_THAT(out, ElementsAre(StepOutput{1, true, false, absl::ZeroDuration()}));
  bench.now = end;
  // The next one decodes 1 and computes the prompt of 2, which had waited since 4 ms.
  EXPECT_THAT(bench.Step(),
              ElementsAre(StepOutput{1, false, true, absl::ZeroDuration()},
                          StepOutput{2, true, false, end - kStart - Milliseconds(4)}));
  EXPECT_THAT(bench.Step(), ElementsAre(StepOutput{2, false, true, absl::ZeroDuration()}));
}

TEST(Engine, DecodesComeFirstAndLeaveTheRestToChunks) {
  Bench bench(Limits());
  bench.Add(1, 10, 50);
  bench.Add(2, 10, 50);
  EXPECT_THAT(bench.StepIds(), ElementsAre(1, 2));
  bench.Add(3, 150, 5);
  bench.engine.NextStepEnd(bench.now);
  EXPECT_EQ(bench.engine.batch().decodes, 2);
  EXPECT_EQ(bench.engine.batch().decode_context, 20);
  EXPECT_EQ(bench.engine.batch().prefill_tokens, 98);
  EXPECT_EQ(bench.engine.batch().prefill_context, 98 * 97 / 2);
  EXPECT_THAT(bench.StepIds(), ElementsAre(1, 2));
  bench.engine.NextStepEnd(bench.now);
  EXPECT_EQ(bench.engine.batch().prefill_tokens, 52);
  EXPECT_EQ(bench.engine.batch().prefill_context, 52 * 98 + 52 * 51 / 2);
  EXPECT_THAT(bench.StepIds(), ElementsAre(1, 2, 3));
}

TEST(Engine, PlacesOfABatchAreFilledInTheOrderOfArrival) {
  EngineLimits limits = Limits();
  limits.max_sequences = 2;
  Bench bench(limits);
  for (int id = 1; id <= 4; ++id) bench.Add(id, 10, id == 1 ? 2 : 5);
  EXPECT_THAT(bench.StepIds(), ElementsAre(1, 2));
  EXPECT_EQ(bench.engine.gauges().waiting, 2);
  EXPECT_THAT(bench.StepIds(), ElementsAre(1, 2));  // 1 ends
  EXPECT_THAT(bench.StepIds(), ElementsAre(2, 3));
  EXPECT_EQ(bench.engine.gauges().running, 2);
}

TEST(Engine, WhoeverNeverFitsIsRefusedAtOnce) {
  EngineLimits limits = Limits(10);  // 160 tokens
  Bench bench(limits);
  EXPECT_EQ(bench.Add(1, 150, 11), EngineAdmission::kNeverFits);
  EXPECT_EQ(bench.Add(2, 150, 10), EngineAdmission::kAdmitted);
  EXPECT_EQ(bench.Add(3, 1, std::numeric_limits<std::int64_t>::max()), EngineAdmission::kNeverFits);
  limits.context = 64;
  EXPECT_EQ(Bench(limits).Add(1, 60, 5), EngineAdmission::kNeverFits);
  EXPECT_EQ(Bench(limits).Add(1, 60, 4), EngineAdmission::kAdmitted);
  bench.Drain();
  EXPECT_EQ(bench.outputs.size(), 10u);
}

TEST(Engine, TheQueueIsBounded) {
  EngineLimits limits = Limits();
  limits.max_waiting = 2;
  Bench bench(limits);
  EXPECT_EQ(bench.Add(1, 10, 1), EngineAdmission::kAdmitted);
  EXPECT_EQ(bench.Add(2, 10, 1), EngineAdmission::kAdmitted);
  EXPECT_EQ(bench.Add(3, 10, 1), EngineAdmission::kQueueFull);
  bench.engine.NextStepEnd(bench.now);  // takes both in
  EXPECT_EQ(bench.Add(3, 10, 1), EngineAdmission::kAdmitted);
}

TEST(Engine, AdmissionLeavesTheWatermarkFree) {
  EngineLimits limits = Limits(200);  // 2 blocks stay free
  limits.step_tokens = 4000;
  Bench bench(limits);
  bench.Add(1, 16 * 190, 1);
  bench.Add(2, 16 * 8, 1);
  bench.Add(3, 16 * 1, 1);
  bench.engine.NextStepEnd(bench.now);
  const EngineGauges gauges = bench.engine.gauges();
  EXPECT_EQ(gauges.kv_blocks_used, 198);  // 190 + 8: the third would break into the watermark
  EXPECT_EQ(gauges.running, 2);
  EXPECT_EQ(gauges.waiting, 1);
}

TEST(Engine, TheNewestGivesWayWhenBlocksRunOut) {
  Bench bench(Limits(4));  // 64 tokens, no watermark below 100 blocks
  bench.Add(1, 16, 40);
  bench.Add(2, 16, 40);
  int first_preempted_at = 0;
  for (int i = 0; i < 40 && bench.engine.gauges().preemptions == 0; ++i) {
    bench.Step();
    first_preempted_at = i;
  }
  // Each holds two blocks, 32 tokens; the 18th token of each would be the 33rd in the cache.
  EXPECT_EQ(first_preempted_at, 17);
  EXPECT_EQ(bench.engine.gauges().running, 1);
  EXPECT_EQ(bench.engine.gauges().waiting, 1);
  bench.Add(3, 1, 1);  // behind the preempted one
  bench.Drain();
  std::map<std::uint64_t, int> last_at;
  for (std::size_t i = 0; i < bench.outputs.size(); ++i) {
    if (bench.outputs[i].last) last_at[bench.outputs[i].id] = static_cast<int>(i);
  }
  EXPECT_LT(last_at.at(1), last_at.at(2));
  EXPECT_EQ(bench.engine.gauges().prompt_tokens, 33);  // computed again, counted once
  EXPECT_EQ(bench.engine.gauges().generated_tokens, 81);
}

TEST(Engine, CancelFreesAtOnceAndTheStepStillTakesItsTime) {
  Bench bench(Limits());
  bench.Add(1, 32, 10);
  bench.Add(2, 32, 10);
  const absl::Time end = bench.engine.NextStepEnd(kStart);
  bench.engine.Cancel(1);
  bench.engine.Cancel(99);
  EXPECT_EQ(bench.engine.gauges().running, 1);
  EXPECT_EQ(bench.engine.gauges().kv_blocks_used, 2);
  EXPECT_EQ(bench.engine.NextStepEnd(kStart), end);
  EXPECT_THAT(bench.StepIds(), ElementsAre(2));
  bench.engine.Cancel(2);
  EXPECT_EQ(bench.engine.NextStepEnd(bench.now), absl::InfiniteFuture());
  EXPECT_EQ(bench.engine.gauges().kv_blocks_used, 0);
}

TEST(Engine, AnEmbeddingHasOneOutputAndNoToken) {
  Bench bench(Limits());
  bench.Add(1, 120, 0);
  EXPECT_THAT(bench.Step(), IsEmpty());
  EXPECT_THAT(bench.Step(), ElementsAre(StepOutput{1, true, true, absl::ZeroDuration()}));
  EXPECT_EQ(bench.engine.gauges().generated_tokens, 0);
  EXPECT_EQ(bench.engine.gauges().prompt_tokens, 120);
}

TEST(Engine, LoadTellsWhatIsStillToBeComputed) {
  Bench bench(Limits());
  bench.Add(1, 10, 50);
  bench.Step();
  bench.Step();
  bench.Add(2, 250, 5);
  bench.Step();  // 99 of the 250
  bench.Add(3, 7, 5);
  EXPECT_EQ(bench.engine.load(),
            (EngineLoad{
                .running = 2, .waiting = 1, .waiting_tokens = 151 + 7, .context_tokens = 12 + 99}));
}

// Whatever comes and leaves when, on however few blocks: nothing is lost, nothing is invented.
class EngineLaw : public testing::TestWithParam<int> {};
INSTANTIATE_TEST_SUITE_P(Seeds, EngineLaw, testing::Range(0, 60));

TEST_P(EngineLaw, EveryRequestEndsWithExactlyItsTokens) {
  SCOPED_TRACE(testing::Message() << "seed " << GetParam());
  std::mt19937 draw(GetParam());
  const auto up_to = [&](int n) { return static_cast<int>(draw() % n) + 1; };
  EngineLimits limits{.max_sequences = up_to(12),
                      .step_tokens = up_to(200),
                      .kv_blocks = up_to(GetParam() % 3 == 0 ? 400 : 40) + 4,
                      .block_tokens = up_to(20),
                      .max_waiting = up_to(40)};
  Bench bench(limits);
  struct Seen {
    std::int64_t wanted = 0, got = 0;
    bool first = false, last = false, cancelled = false;
  };
  std::map<std::uint64_t, Seen> seen;
  std::uint64_t next = 1;
  std::int64_t prompt_tokens = 0;
  std::vector<std::uint64_t> order;  // of first tokens, among those never preempted
  const auto check = [&](const std::vector<StepOutput>& outputs) {
    for (const StepOutput& o : outputs) {
      Seen& s = seen.at(o.id);
      EXPECT_FALSE(s.cancelled);
      EXPECT_FALSE(s.last);
      EXPECT_EQ(o.first, !s.first);
      s.first = true;
      ++s.got;
      s.last = o.last;
      if (o.first) order.push_back(o.id);
    }
    const EngineGauges gauges = bench.engine.gauges();
    EXPECT_GE(gauges.prompt_tokens, prompt_tokens);  // counters never fall
    prompt_tokens = gauges.prompt_tokens;
    EXPECT_GE(gauges.kv_blocks_used, 0);
    EXPECT_LE(gauges.kv_blocks_used, limits.kv_blocks);
    EXPECT_LE(gauges.running, limits.max_sequences);
    EXPECT_LE(gauges.waiting, limits.max_waiting + limits.max_sequences);  // preempted ones return
    EXPECT_GE(gauges.kv_blocks_used * limits.block_tokens, bench.engine.load().context_tokens);
  };
  for (int i = 0; i < 600; ++i) {
    const int what = up_to(10);
    if (what <= 3) {
      const std::int64_t prompt = up_to(60), output = up_to(50) - 1;
      const bool fits = prompt + output <= limits.LongestSequence();
      const EngineAdmission admission = bench.Add(next, prompt, output);
      EXPECT_EQ(admission == EngineAdmission::kNeverFits, !fits);
      if (admission == EngineAdmission::kAdmitted) seen[next] = {.wanted = output};
      ++next;
    } else if (what == 4 && next > 1) {
      const std::uint64_t id = up_to(static_cast<int>(next) - 1);
      if (up_to(2) == 1) bench.engine.NextStepEnd(bench.now);  // in the middle of a step
      bench.engine.Cancel(id);
      if (const auto it = seen.find(id); it != seen.end() && !it->second.last) {
        it->second.cancelled = true;
      }
    } else {
      const EngineLoad load = bench.engine.load();
      bench.engine.NextStepEnd(bench.now);
      const StepBatch batch = bench.engine.batch();
      EXPECT_LE(batch.prefill_tokens + batch.decodes, limits.step_tokens);
      EXPECT_TRUE(!batch.empty() || load.running + load.waiting == 0);  // never idle over work
      check(bench.Step());
    }
  }
  bench.Drain();
  check({});
  for (const StepOutput& o : bench.outputs) check({o});
  std::int64_t tokens = 0;
  for (const auto& [id, s] : seen) {
    if (s.cancelled) {
      EXPECT_LE(s.got, s.wanted) << id;
      EXPECT_FALSE(s.last) << id;
    } else {
      EXPECT_EQ(s.got, std::max<std::int64_t>(1, s.wanted)) << id;
      EXPECT_TRUE(s.last) << id;
    }
    if (s.wanted > 0) tokens += s.got;
  }
  EXPECT_EQ(bench.engine.gauges().generated_tokens, tokens);
  EXPECT_EQ(bench.engine.gauges().kv_blocks_used, 0);
  if (bench.engine.gauges().preemptions == 0) {
    EXPECT_TRUE(std::is_sorted(order.begin(), order.end()));
  }
}

TEST(EngineLaw, TheSameRequestsGiveTheSameTokensAtTheSameTimes) {
  const auto run = [] {
    std::mt19937 draw(7);
    Bench bench(Limits(30));
    for (int i = 1; i < 200; ++i) {
      bench.Add(i, static_cast<int>(draw() % 90) + 1, static_cast<int>(draw() % 60) + 1);
      for (const StepOutput& o : bench.Step()) bench.outputs.push_back(o);
    }
    bench.Drain();
    return std::pair(bench.outputs, bench.now);
  };
  EXPECT_GT(run().first.size(), 100u);
  EXPECT_EQ(run(), run());
}

}  // namespace
}  // namespace spillway
