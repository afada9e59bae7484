// The engine against queueing theory: where a closed form exists, it lies inside the 99 %
// confidence interval of the simulated mean (independent replications, warm-up cut off).
#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <unordered_map>
#include <vector>

#include "performance/batch_server.h"
#include "performance/engine.h"
#include "simulator/agenda.h"
#include "simulator/nodes_world.h"
#include "simulator/workloads/draw.h"
#include "tests/simulator/confidence.h"

namespace spillway {
namespace {

constexpr double kTick = 1e6;  // tokens of prompt in one unit of service time

// A prompt token takes a microsecond; a step of n decodes takes `base` + n x `each`.
class PlainSteps : public StepTimes {
 public:
  PlainSteps(absl::Duration base, absl::Duration each) : base_(base), each_(each) {}
  absl::Duration Of(const StepBatch& batch) const override {
    absl::Duration time = absl::Microseconds(1) * batch.prefill_tokens;
    if (batch.decodes > 0) time += base_ + each_ * batch.decodes;
    return time;
  }
  Basis basis() const override { return Basis::kAssumed; }

 private:
  absl::Duration base_, each_;
};

struct Sample {
  double wait = 0, in_system = 0, lost = 0;  // means: s before service, requests, fraction
};

struct QueueModel {
  // Of a request that finds the engine empty: tokens that wake it. None: nothing.
  std::function<double(RandomStream&)> set_up;
  EngineLimits limits;
  std::shared_ptr<const StepTimes> steps;
  double rate = 1;
  std::function<EngineRequest(RandomStream&)> draw;  // lengths
  int arrivals = 60'000, warm_up = 6'000;
};

Sample RunOnce(const QueueModel& setup, std::uint64_t seed) {
  RandomStream random = MakeRandomStream(seed, "closed form");
  const absl::Time start = absl::UnixEpoch();
  Agenda agenda(start);
  Engine engine(setup.steps, setup.limits, EnginePace::kRuns);
  absl::Time due = absl::InfiniteFuture(), now = start, measured = start;
  absl::Time arrives = start;
  Sample sample;
  std::int64_t waits = 0, offered = 0, in_system = 0;
  double area = 0;
  std::vector<StepOutput> out;
  const auto next_gap = [&] {
    return RoundToNanos(absl::Seconds(DrawExponential(random) / setup.rate));
  };
  arrives += next_gap();
  for (int n = 0; n < setup.arrivals;) {
    const absl::Time at = std::min(arrives, due);
    if (n >= setup.warm_up)
      area += static_cast<double>(in_system) * absl::ToDoubleSeconds(at - now);
    now = at;
    if (arrives <= due) {
      if (n == setup.warm_up) measured = now;
      EngineRequest request = setup.draw(random);
      if (setup.set_up && in_system == 0)
        request.prompt_tokens += static_cast<std::int64_t>(setup.set_up(random) * kTick);
      request.id = static_cast<std::uint64_t>(n) + 1;
      const bool let_in = engine.Add(request, now) == EngineAdmission::kAdmitted;
      if (let_in) ++in_system;
      if (n >= setup.warm_up) {
        ++offered;
        if (!let_in) ++sample.lost;
      }
      ++n;
      arrives = now + next_gap();
    } else {
      out.clear();
      engine.EndStep(now, out);
      for (const StepOutput& output : out) {
        if (output.first && output.id > static_cast<std::uint64_t>(setup.warm_up)) {
          sample.wait += absl::ToDoubleSeconds(output.queued);
          ++waits;
        }
        if (output.last) --in_system;
      }
    }
    due = engine.NextStepEnd(now);
  }
  sample.wait /= static_cast<double>(std::max<std::int64_t>(waits, 1));
  sample.in_system = area / absl::ToDoubleSeconds(now - measured);
  sample.lost /= static_cast<double>(offered);
  return sample;
}

void ExpectInside(const std::function<double(std::uint64_t seed)>& run, double theory) {
  Replications replications;
  for (std::uint64_t seed = 1; seed <= kReplications; ++seed) replications.Add(run(seed));
  replications.ExpectInside("figure", theory);
}

void ExpectInside(const QueueModel& setup, double Sample::*figure, double expected) {
  ExpectInside([&](std::uint64_t seed) { return RunOnce(setup, seed).*figure; }, expected);
}

// One server: a prompt is the whole service, one token at a time through the batch.
QueueModel OneServer(double rate, std::function<double(RandomStream&)> service) {
  QueueModel setup;
  setup.limits = {.max_sequences = 1,
                  .step_tokens = std::int64_t{1} << 40,
                  .kv_blocks = std::int64_t{1} << 40,
                  .max_waiting = 1'000'000};
  setup.steps = std::make_shared<PlainSteps>(absl::ZeroDuration(), absl::ZeroDuration());
  setup.rate = rate;
  setup.draw = [service = std::move(service)](RandomStream& random) {
    const double tokens = service(random) * kTick;
    return EngineRequest{
        .prompt_tokens = std::max<std::int64_t>(static_cast<std::int64_t>(std::llround(tokens)), 1),
        .output_tokens = 1};
  };
  return setup;
}

// Pollaczek-Khinchine: Wq = rate E[S^2] / (2 (1 - load)), load 0.8, E[S] = 1.
TEST(ClosedForms, ExponentialServiceWaitsFour) {
  ExpectInside(OneServer(0.8, DrawExponential), &Sample::wait, 4.0);
}
TEST(ClosedForms, ConstantServiceWaitsTwo) {
  ExpectInside(OneServer(0.8, [](RandomStream&) { return 1.0; }), &Sample::wait, 2.0);
}
TEST(ClosedForms, GeneralServiceWaitsByItsSecondMoment) {
  // Gamma of shape 1/2: the squared coefficient of variation is 2.
  ExpectInside(OneServer(0.8, [](RandomStream& random) { return DrawGamma(random, 0.5) * 2; }),
               &Sample::wait, 4.0 * (1 + 2.0) / 2);
}
TEST(ClosedForms, LittlesLawHoldsOnTheSamplePath) {
  // M/M/1: L = load / (1 - load).
  ExpectInside(OneServer(0.8, DrawExponential), &Sample::in_system, 4.0);
}
// M/M/1/K with K = 5 in the system: P(loss) = (1 - r) r^K / (1 - r^(K + 1)).
TEST(ClosedForms, ABoundedQueueLosesWhatTheoryLoses) {
  QueueModel setup = OneServer(0.8, DrawExponential);
  setup.limits.max_waiting = 4;
  const double r = 0.8;
  ExpectInside(setup, &Sample::lost, (1 - r) * std::pow(r, 5) / (1 - std::pow(r, 6)));
}

// An engine that sleeps when it is empty and takes 1/theta on average to wake, exponential:
// E[T] = 1 / (mu - lambda) + 1 / theta, so that in the system are lambda E[T].
TEST(ClosedForms, AnEngineThatMustBeWokenKeepsEverybodyWaitingForIt) {
  QueueModel setup = OneServer(0.7, DrawExponential);
  setup.set_up = [](RandomStream& random) { return DrawExponential(random) * 2; };
  ExpectInside(setup, &Sample::in_system, 0.7 * (1 / (1 - 0.7) + 2));
}

// Erlang B holds for every distribution of service: B_c = a B_(c-1) / (c + a B_(c-1)).
TEST(ClosedForms, WhoFindsAllInstancesBusyIsAsErlangSays) {
  constexpr int kInstances = 8;
  constexpr double kLoad = 6;  // erlangs
  double blocked = 1;
  for (int c = 1; c <= kInstances; ++c) blocked = kLoad * blocked / (c + kLoad * blocked);
  const auto run = [](std::uint64_t seed) {
    RandomStream random = MakeRandomStream(seed, "erlang b");
    const std::vector<BatchProfile::Point> second = {{.items = 1, .time = absl::Seconds(1)}};
    BatchServer server(
        BatchTimes(second, 1),
        {.max_items = 1, .max_delay = absl::ZeroDuration(), .instances = kInstances});
    std::vector<BatchOutput> out;
    absl::Time now = absl::UnixEpoch();
    int offered = 0, lost = 0;
    for (int n = 0; n < 40'000; ++n) {
      now += RoundToNanos(absl::Seconds(DrawExponential(random) / kLoad));
      server.NextEvent(now);
      server.Advance(now, out);
      const bool measured = n >= 2000;
      offered += measured;
      if (server.gauges().busy == kInstances) {
        lost += measured;
        continue;
      }
      server.Add({.id = static_cast<std::uint64_t>(n) + 1}, now);
      server.NextEvent(now);
    }
    return static_cast<double>(lost) / offered;
  };
  ExpectInside(run, blocked);
}

// Nodes that fail and are repaired, each by itself: up for MTTF / (MTTF + MTTR) of the time.
TEST(ClosedForms, NodesAreUpForAsLongAsTheoryOfRepairSays) {
  FleetSpec fleet;
  fleet.pools.resize(1);
  fleet.pools[0].name = "nodes";
  fleet.pools[0].nodes = 20;
  WorldSpec world;
  world.failures = {.mtbf = absl::Hours(30), .repair = absl::Hours(6)};
  const auto run = [&](std::uint64_t seed) {
    const absl::Time start = absl::UnixEpoch(), end = start + absl::Hours(5000);
    Agenda agenda(start);
    NodesWorld nodes(fleet, world, seed, agenda);
    int up = 20;
    absl::Time now = start;
    double area = 0;
    while (agenda.NextTime() < end) {
      const absl::Time at = agenda.NextTime();
      area += up * absl::ToDoubleHours(at - now);
      now = at;
      up += nodes.Change(agenda.Pop().payload, now).up ? 1 : -1;
    }
    return area / absl::ToDoubleHours(now - start) / 20;
  };
  ExpectInside(run, 30.0 / 36);
}

// Continuous batching is a birth-death process: with n in the batch a step takes a + b n, and an
// answer ends after each step with chance 1/m, so that answers end at rate n / (m (a + b n)).
TEST(ClosedForms, ContinuousBatchingIsABirthAndDeathProcess) {
  constexpr double kBase = 0.002, kEach = 0.0005, kMean = 400, kRate = 3.0;
  constexpr int kMost = 64;
  QueueModel setup;
  setup.limits = {.max_sequences = kMost,
                  .step_tokens = std::int64_t{1} << 40,
                  .kv_blocks = std::int64_t{1} << 40,
                  .max_waiting = 1'000'000};
  setup.steps = std::make_shared<PlainSteps>(absl::Seconds(kBase), absl::Seconds(kEach));
  setup.rate = kRate;
  setup.arrivals = 20'000;
  setup.warm_up = 2'000;
  setup.draw = [](RandomStream& random) {
    const double length = DrawExponential(random) * kMean;
    return EngineRequest{.prompt_tokens = 1,
                         .output_tokens = 1 + static_cast<std::int64_t>(std::llround(length))};
  };
  std::vector<double> p{1};
  double sum = 1, mean = 0;
  for (int n = 1; n <= 2000; ++n) {
    const int batch = std::min(n, kMost);
    const double ends = batch / (kMean * (kBase + kEach * batch));
    p.push_back(p.back() * kRate / ends);
    sum += p.back();
    mean += n * p.back();
  }
  ExpectInside(setup, &Sample::in_system, mean / sum);
}

}  // namespace
}  // namespace spillway
