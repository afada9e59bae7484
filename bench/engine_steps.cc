// Requests simulated per second and core: a fleet of 20 engines, driven by a bare loop over their
// next ends. Once every iteration is stepped, with each token, and once decodes are taken in runs;
// both must come to the same first and last tokens at the same nanoseconds.
//
// Lengths: means of the twentieths of Azure's LLM inference trace of 2023, conversation, first
// 2,400 s (Microsoft, CC-BY-4.0; cite Patel et al., "Splitwise", ISCA 2024): 1,195 tokens in, 201
// out.
#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <boost/random/mersenne_twister.hpp>
#include <boost/random/uniform_01.hpp>
#include <cmath>
#include <ctime>
#include <limits>
#include <memory>
#include <vector>

#include "performance/engine.h"
#include "performance/roofline.h"
#include "tests/support/allocations.h"

namespace spillway::bench {
namespace {

constexpr int kReplicas = 20;
constexpr std::array<int, 20> kPrompts = {118,  202,  328,  382,  392,  399,  406,
                                          420,  776,  998,  1028, 1054, 1082, 1113,
                                          1163, 1288, 1692, 2800, 4079, 4180};
constexpr std::array<int, 20> kAnswers = {26,  45,  55,  66,  76,  84,  90,  95,  101, 109,
                                          125, 147, 174, 263, 385, 395, 403, 415, 431, 545};

// Llama 2 7B in 16 bits on an A100 of 80 GB, by the roofline.
Catalog Hardware() {
  Catalog catalog;
  Device& device = catalog.devices["a100"];
  device.name = "a100";
  device.kind = DeviceKind::kGpu;
  device.memory = Bytes(std::int64_t{80} << 30);
  device.bandwidth = BytesPerSecond(2.039e12);
  device.peak = {{Precision::kBf16, OpsPerSecond(312e12)}};
  Model& model = catalog.models["llama"];
  model.name = "llama";
  model.parameters = model.active_parameters = 6738415616;
  model.layers = model.heads = model.kv_heads = 32;
  model.hidden = 4096;
  model.head_size = 128;
  model.ffn = 11008;
  model.vocabulary = 32000;
  model.context = 32768;
  return catalog;
}

struct Arrival {
  absl::Time at;
  EngineRequest request;
};

std::vector<Arrival> ArrivalsOf(int requests, double per_second) {
  boost::random::mt19937_64 draw(4);
  boost::random::uniform_01<double> part;
  std::vector<Arrival> out;
  double at = 0;
  for (int id = 0; id < requests; ++id) {
    at -= std::log1p(-part(draw)) / per_second;
    const auto prompt = kPrompts[draw() % kPrompts.size()];
    const auto answer = kAnswers[draw() % kAnswers.size()];
    out.push_back({absl::UnixEpoch() + absl::Nanoseconds(std::llround(at * 1e9)),
                   {static_cast<std::uint64_t>(id), prompt, answer}});
  }
  return out;
}

struct Outcome {
  double requests_per_second = 0;
  std::int64_t allocated = 0;
  std::uint64_t events = 0, checksum = 0;
  std::int64_t steps = 0, preemptions = 0;
};

// Each request goes to the next engine. At the same instant arrivals come before ends of steps.
class Fleet {
 public:
  Fleet(const std::shared_ptr<const StepTimes>& times, const EngineLimits& limits, EnginePace pace)
      : ends_(kReplicas, kNever) {
    for (int i = 0; i < kReplicas; ++i) engines_.emplace_back(times, limits, pace);
    out_.reserve(1024);
  }

  Outcome Run(const std::vector<Arrival>& arrivals) {
    const std::int64_t before = fixtures::Allocations();
    const std::clock_t start = std::clock();  // of this core, whoever else is at work
    std::size_t next = 0;
    for (const Arrival& arrival : arrivals) {
      StepUntil(NanosOf(arrival.at));
      engines_[next].Add(arrival.request, arrival.at);
      ends_[next] = NanosOf(engines_[next].NextStepEnd(arrival.at));
      next = (next + 1) % kReplicas;
    }
    StepUntil(kNever);
    Outcome out = seen_;
    const auto seconds = static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC;
    out.requests_per_second = static_cast<double>(arrivals.size()) / seconds;
    out.allocated = fixtures::Allocations() - before;
    for (const Engine& engine : engines_) {
      out.steps += engine.gauges().steps;
      out.preemptions += engine.gauges().preemptions;
    }
    return out;
  }

 private:
  static constexpr std::int64_t kNever = std::numeric_limits<std::int64_t>::max();
  static std::int64_t NanosOf(absl::Time at) { return ToNanos(at - absl::UnixEpoch()); }

  void StepUntil(std::int64_t until) {
    for (;;) {
      const auto first = std::min_element(ends_.begin(), ends_.end());
      if (*first >= until) return;
      const absl::Time now = absl::UnixEpoch() + absl::Nanoseconds(*first);
      Engine& engine = engines_[static_cast<std::size_t>(first - ends_.begin())];
      out_.clear();
      engine.EndStep(now, out_);
      for (const StepOutput& o : out_) {
        if (o.first || o.last) Note(o, *first);
      }
      *first = NanosOf(engine.NextStepEnd(now));
      ++seen_.events;
    }
  }
  // Which token of whom came when; in whatever order, where engines end at the same instant.
  void Note(const StepOutput& o, std::int64_t now) {
    const auto nanos = static_cast<std::uint64_t>(now);
    std::uint64_t mixed =
        nanos * 0x9E3779B97F4A7C15u + o.id * 4 + (o.first ? 1 : 0) + (o.last ? 2 : 0);
    mixed ^= mixed >> 29;
    seen_.checksum += mixed * 0xBF58476D1CE4E5B9u;
  }

  std::vector<Engine> engines_;
  std::vector<std::int64_t> ends_;
  std::vector<StepOutput> out_;
  Outcome seen_;
};

// The median of three runs.
Outcome Measure(const std::shared_ptr<const StepTimes>& times, const EngineLimits& limits,
                EnginePace pace, const std::vector<Arrival>& arrivals) {
  std::vector<Outcome> runs;
  runs.reserve(3);
  for (int i = 0; i < 3; ++i) runs.push_back(Fleet(times, limits, pace).Run(arrivals));
  std::sort(runs.begin(), runs.end(), [](const Outcome& a, const Outcome& b) {
    return a.requests_per_second < b.requests_per_second;
  });
  return runs[1];
}

int Main() {
  const bool smoke = std::getenv("SPILLWAY_BENCH_SMOKE") != nullptr;
  const Catalog catalog = Hardware();
  PoolSpec pool;
  pool.name = pool.device = "a100";
  pool.kind = DeviceKind::kGpu;
  pool.node.devices = 1;
  const ServeSpec serve{.model = "llama"};
  const auto times = StepTimesFor(catalog, pool, serve);
  auto limits = LimitsFor(catalog, pool, serve);
  if (times == nullptr || !limits.ok()) std::abort();
  limits->max_waiting = 1'000'000;  // the last row is more than they can do: nobody is turned away
  fmt::print("{} engines, requests simulated per second on one core; {} blocks each\n", kReplicas,
             limits->kv_blocks);
  fmt::print("{:>10} {:>10} {:>10} {:>10} {:>7} {:>12} {:>12} {:>12} {:>8}\n", "arrivals/s",
             "stepping", "runs", "ratio", "equal", "steps/req", "events/req", "preemptions",
             "allocs");
  bool equal = true;
  for (const double rate : {5.0, 20.0, 40.0, 60.0, 80.0}) {
    const std::vector<Arrival> arrivals = ArrivalsOf(smoke ? 2'000 : 50'000, rate);
    const auto requests = static_cast<double>(arrivals.size());
    const Outcome steps = Measure(times, *limits, EnginePace::kSteps, arrivals);
    const Outcome runs = Measure(times, *limits, EnginePace::kRuns, arrivals);
    const bool same = steps.checksum == runs.checksum && steps.steps == runs.steps;
    equal = equal && same;
    fmt::print("{:>10} {:>10.0f} {:>10.0f} {:>10.1f} {:>7} {:>12.1f} {:>12.2f} {:>12} {:>8}\n",
               rate, steps.requests_per_second, runs.requests_per_second,
               runs.requests_per_second / steps.requests_per_second, same ? "yes" : "NO",
               static_cast<double>(steps.steps) / requests,
               static_cast<double>(runs.events) / requests, runs.preemptions, runs.allocated);
  }
  return equal ? 0 : 1;
}

}  // namespace
}  // namespace spillway::bench

int main() { return spillway::bench::Main(); }
