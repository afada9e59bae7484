// Runs are steps: whatever comes and leaves when, an engine that takes decodes together says what
// the plain one says that computes every token, at the same nanoseconds.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <ostream>
#include <random>
#include <tuple>

#include "performance/profile_time.h"
#include "performance/roofline.h"
#include "tests/performance/engine_world.h"
#include "tests/performance/plain_engine.h"

namespace spillway {

std::ostream& operator<<(std::ostream& out, const EngineGauges& g) {
  return out << "running " << g.running << " waiting " << g.waiting << " used " << g.kv_blocks_used
             << " prompt " << g.prompt_tokens << " prefix " << g.prefix_tokens << " generated "
             << g.generated_tokens << " preemptions " << g.preemptions << " steps " << g.steps;
}

std::ostream& operator<<(std::ostream& out, const EngineLoad& l) {
  return out << "running " << l.running << " waiting " << l.waiting << " (" << l.waiting_tokens
             << " tokens) context " << l.context_tokens;
}
std::ostream& operator<<(std::ostream& out, const StepBatch& b) {
  return out << b.prefills << " prompts of " << b.prefill_tokens << " (" << b.prefill_context
             << "), " << b.decodes << " decodes behind " << b.decode_context;
}
std::ostream& operator<<(std::ostream& out, const StepOutput& o) {
  return out << o.id << (o.first ? " first" : "") << (o.last ? " last" : "") << " after "
             << o.queued << ", tokens " << o.tokens;
}

namespace {

const absl::Time kStart = absl::UnixEpoch();

// Two lines of which the second takes over, in parts of nanoseconds; or whole milliseconds, so that
// arrivals and ends of steps fall on the same instant.
class BentTimes final : public StepTimes {
 public:
  explicit BentTimes(bool whole) : whole_(whole) {}
  absl::Duration Of(const StepBatch& b) const override {
    if (whole_) return absl::Milliseconds(1 + b.prefill_tokens / 50);
    return absl::Microseconds(700 + 3 * b.prefill_tokens + 11 * b.decodes) +
           absl::Nanoseconds(b.decode_context);
  }
  std::optional<DecodeCurve> Decodes(int n) const override {
    const std::int64_t nano = 1 << kTickBits;
    if (whole_) return DecodeCurve{{1'000'000 * nano, 0}, {0, 0}};
    return DecodeCurve{{(700'000 + 11'000 * n) * nano + 77'777, 333'331},
                       {500'000 * nano - 12'345, 1500 * nano + 7}};
  }
  Basis basis() const override { return Basis::kAssumed; }

 private:
  bool whole_;
};

std::shared_ptr<const StepTimes> TimesBy(int number) {
  static const Catalog world = World();
  switch (number % 5) {
    case 0:
      return std::make_shared<BentTimes>(false);
    case 1:
      return std::make_shared<BentTimes>(true);
    case 2:
      return StepTimesFor(world, PoolOf(Gpu("big")), Serving("mixture"));
    case 3:
      return std::make_shared<AffineTimes>(absl::Milliseconds(1), absl::Microseconds(10),
                                           absl::Microseconds(50));  // without a closed form
    default:
      break;
  }
  const auto replica = ReplicaOf(world, PoolOf(Gpu()), Serving("llama"));
  EngineProfile profile;
  profile.decode = {{1, absl::Milliseconds(1)}, {8, absl::Milliseconds(2)}};
  profile.decode_context = 60;
  return std::make_shared<ProfileTimes>(profile, *Roofline::Of(*replica));
}

struct Action {
  enum Kind { kAdd, kCancel, kLook } kind = kLook;
  absl::Time at;
  std::uint64_t id = 0;
  std::int64_t prompt = 1, output = 1;
  std::vector<std::uint64_t> prefix;
};

struct Traffic {
  EngineLimits limits;
  std::shared_ptr<const StepTimes> times;
  std::vector<Action> actions;
};

class Draw {
 public:
  explicit Draw(int seed) : draw_(static_cast<unsigned>(seed)) {}
  int UpTo(int n) { return static_cast<int>(draw_() % static_cast<unsigned>(n)) + 1; }

 private:
  std::mt19937 draw_;
};

// A few conversations: equal numbers, equal beginnings.
std::vector<std::uint64_t> PrefixOf(int conversation, std::int64_t pieces) {
  std::vector<std::uint64_t> out;
  for (std::int64_t i = 0; i < pieces; ++i) {
    out.push_back(static_cast<std::uint64_t>((i < 2 ? 0 : conversation) * 1000 + i + 1));
  }
  return out;
}

Traffic TrafficOf(int seed) {
  Draw draw(seed);
  Traffic out;
  const bool big = seed % 4 == 0;
  out.limits = {.max_sequences = draw.UpTo(big ? 40 : 12),
                .step_tokens = draw.UpTo(300),
                .kv_blocks = draw.UpTo(seed % 3 == 0 ? 2000 : 60) + 5,
                .block_tokens = draw.UpTo(20),
                .max_waiting = draw.UpTo(60)};
  const bool kept = seed % 2 == 0;
  if (kept) out.limits.prefix_tokens = out.limits.block_tokens * draw.UpTo(3);
  out.times = TimesBy(draw.UpTo(5));
  absl::Time now = kStart;
  const int pause = draw.UpTo(60);
  for (std::uint64_t id = 1; id <= 400; ++id) {
    if (draw.UpTo(4) > 1) {
      now += seed % 5 == 1 ? absl::Milliseconds(draw.UpTo(pause))
                           : absl::Nanoseconds(draw.UpTo(pause) * 1'000'003ll / 2);
    }
    Action action{.at = now, .id = id};
    const int what = draw.UpTo(10);
    action.kind = what <= 6 ? Action::kAdd : what == 7 ? Action::kCancel : Action::kLook;
    if (action.kind == Action::kCancel) action.id = static_cast<std::uint64_t>(draw.UpTo(id));
    action.prompt = draw.UpTo(draw.UpTo(8) == 1 ? 400 : 60);
    action.output = draw.UpTo(draw.UpTo(4) == 1 ? 300 : 40) - 1;
    if (kept && draw.UpTo(5) > 1) {
      // Now and then more than the prompt: the answer too comes again.
      action.prefix = PrefixOf(
          draw.UpTo(3), (action.prompt + draw.UpTo(2) * action.output) / out.limits.prefix_tokens);
    }
    out.actions.push_back(action);
  }
  return out;
}

// What came out, and when.
struct Seen {
  std::vector<std::tuple<absl::Time, std::uint64_t, bool, bool, absl::Duration>> ends;
  std::vector<std::pair<absl::Time, StepOutput>> all;
  std::map<std::uint64_t, std::int64_t> tokens;
  std::vector<EngineAdmission> admissions;
  std::vector<EngineGauges> gauges;
  std::vector<EngineLoad> loads;
  std::vector<StepBatch> batches;
  std::int64_t events = 0;
};

template <class E>
class Host {
 public:
  explicit Host(E engine) : engine_(std::move(engine)) {}

  // `meddle`: asks in between for what changes nothing.
  Seen Run(const std::vector<Action>& actions, bool meddle = false) {
    for (const Action& action : actions) {
      StepUntil(action.at);
      now_ = action.at;
      if (meddle) engine_.CatchUp(now_ - absl::Microseconds(1));
      if (action.kind == Action::kAdd) {
        seen_.admissions.push_back(engine_.Add(
            {action.id, action.prompt, action.output, absl::MakeConstSpan(action.prefix)}, now_));
      } else if (action.kind == Action::kCancel) {
        engine_.Cancel(action.id, now_);
      } else {
        engine_.CatchUp(now_);
        Look();
      }
      engine_.NextStepEnd(now_);
    }
    StepUntil(absl::InfiniteFuture());
    Look();
    return std::move(seen_);
  }

 private:
  // At the same instant who comes or leaves is before the end of a step.
  void StepUntil(absl::Time until) {
    for (absl::Time end; (end = engine_.NextStepEnd(now_)) < until;) {
      ASSERT_LT(++seen_.events, 1'000'000) << "it never ends";
      now_ = end;
      outputs_.clear();
      engine_.EndStep(now_, outputs_);
      for (const StepOutput& o : outputs_) {
        seen_.all.emplace_back(now_, o);
        seen_.tokens[o.id] += o.tokens;
        if (o.first || o.last) seen_.ends.emplace_back(now_, o.id, o.first, o.last, o.queued);
      }
    }
  }
  void Look() {
    seen_.gauges.push_back(engine_.gauges());
    seen_.loads.push_back(engine_.load());
    seen_.batches.push_back(engine_.batch());
  }

  E engine_;
  absl::Time now_ = kStart;
  std::vector<StepOutput> outputs_;
  Seen seen_;
};

// Lists are long: only where they part is shown.
template <class T>
testing::AssertionResult Same(const std::vector<T>& got, const std::vector<T>& wanted) {
  for (std::size_t i = 0; i < std::max(got.size(), wanted.size()); ++i) {
    if (i < got.size() && i < wanted.size() && got[i] == wanted[i]) continue;
    auto failure = testing::AssertionFailure() << "at " << i << " of " << wanted.size();
    if (i < got.size()) failure << ", got " << testing::PrintToString(got[i]);
    if (i < wanted.size()) failure << ", wanted " << testing::PrintToString(wanted[i]);
    return failure;
  }
  return testing::AssertionSuccess();
}

class EngineRunLaw : public testing::TestWithParam<int> {};
INSTANTIATE_TEST_SUITE_P(Seeds, EngineRunLaw, testing::Range(0, 300));

TEST_P(EngineRunLaw, SayWhatTheStepsOfThePlainEngineSay) {
  SCOPED_TRACE(testing::Message() << "seed " << GetParam());
  const Traffic world = TrafficOf(GetParam());
  const Seen plain = Host(PlainEngine(world.times, world.limits)).Run(world.actions);
  const Seen steps = Host(Engine(world.times, world.limits, EnginePace::kSteps)).Run(world.actions);
  EXPECT_TRUE(Same(steps.all, plain.all));
  EXPECT_EQ(steps.events, plain.events);
  for (const bool meddle : {false, true}) {
    const Seen runs =
        Host(Engine(world.times, world.limits, EnginePace::kRuns)).Run(world.actions, meddle);
    EXPECT_TRUE(Same(runs.ends, plain.ends));
    EXPECT_TRUE(Same(runs.admissions, plain.admissions));
    EXPECT_TRUE(Same(runs.gauges, plain.gauges));
    EXPECT_TRUE(Same(runs.loads, plain.loads));
    EXPECT_TRUE(Same(runs.batches, plain.batches));
    EXPECT_LE(runs.events, plain.events);
    // Whoever was cancelled in the middle of its answer has had tokens that runs do not give.
    for (const auto& [time, id, first, last, queued] : plain.ends) {
      if (last) {
        EXPECT_EQ(runs.tokens.at(id), plain.tokens.at(id)) << id;
      }
    }
  }
  EXPECT_TRUE(Same(steps.gauges, plain.gauges));
  EXPECT_TRUE(Same(steps.loads, plain.loads));
  EXPECT_TRUE(Same(steps.batches, plain.batches));
  EXPECT_EQ(plain.gauges.back().kv_blocks_used, 0);
}

// The worlds above are worth comparing: they come to every corner, and runs are long.
TEST(EngineRuns, AreComparedWhereThingsHappen) {
  std::int64_t preemptions = 0, found = 0, steps = 0, steps_with_form = 0, events = 0, refused = 0;
  for (int seed = 0; seed < 300; ++seed) {
    const Traffic world = TrafficOf(seed);
    const Seen seen = Host(Engine(world.times, world.limits, EnginePace::kRuns)).Run(world.actions);
    const EngineGauges& end = seen.gauges.back();
    preemptions += end.preemptions;
    found += end.prefix_tokens;
    steps += end.steps;
    if (world.times->Decodes(1)) {
      steps_with_form += end.steps;
      events += seen.events;
    }
    for (const EngineAdmission a : seen.admissions) refused += a != EngineAdmission::kAdmitted;
  }
  EXPECT_GT(preemptions, 1000);
  EXPECT_GT(found, 50'000);
  EXPECT_GT(steps, 200'000);
  EXPECT_LT(events * 3, steps_with_form);
  EXPECT_GT(refused, 1000);
}

}  // namespace
}  // namespace spillway
