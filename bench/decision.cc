// How long one decision takes: N pools of which a fifth are able, 50 shapes of work, loads that
// change between decisions. Figures per decision; allocations are counted over all of them.
//
// The floor in the same run is the least that any such decision must do: look at each able pool
// once, compare its cost and whether it fits, write one line about it.
#include <fmt/core.h>

#include <boost/random/mersenne_twister.hpp>

#include "bench/measure.h"
#include "scheduler/decider.h"
#include "scheduler/survey.h"
#include "tests/support/allocations.h"

namespace spillway::bench {
namespace {

constexpr int kShapes = 50;
constexpr int kGroups = 5;  // a pool is able for the work of its group: a fifth

PoolSpec PoolOf(int i) {
  PoolSpec pool;
  pool.name = fmt::format("pool-{}", i);
  pool.vendor = i % 7 == 0 ? "nvidia" : "intel";
  pool.node = {MilliCpus(16'000), Bytes(std::int64_t{64} << 30), 0};
  pool.nodes = 4;
  pool.runtimes.emplace("none", *Version::Parse("1"));
  pool.billing = i % 3 == 0 ? Billing::kCommitted : Billing::kMetered;
  pool.price.node_hour = UsdPerHour(100'000'000 + (i * 7919) % 3'000'000'000);
  pool.weights.cpus = 1;
  pool.power = {Watts(20), Watts(100), 1.2, UsdPerKwh(120'000'000)};
  pool.peak_ops = 1e12 * (1 + i % 40);
  pool.labels = {{"group", std::to_string(i % kGroups)}};
  return pool;
}

std::shared_ptr<const Work> WorkOf(int i) {
  auto work = std::make_shared<Work>();
  work->name = fmt::format("shape-{}", i);
  work->needs.cpus = MilliCpus(1000 + 250 * (i % 12));
  work->needs.labels = {{"group", std::to_string(i % kGroups)}};
  work->demand = DeclaredSeconds{absl::Seconds(5 + i), ""};
  work->objective.start_within = absl::Seconds(60);
  return work;
}

struct Fleet {
  World world;
  std::vector<std::unique_ptr<Shape>> shapes;
  std::vector<std::vector<AttemptKey>> running;
  std::uint64_t next = 1;

  explicit Fleet(int pools) {
    auto config = std::make_shared<Config>();
    for (int i = 0; i < pools; ++i) config->fleet.pools.push_back(PoolOf(i));
    config->policy.claim.backstop = PoolSelector{.vendor = {"nvidia"}};
    world.policy = *Policy::Compile(config->policy, config->fleet, {});
    std::vector<std::shared_ptr<const PoolSpec>> specs;
    for (int i = 0; i < pools; ++i) {
      specs.push_back(
          std::make_shared<const PoolSpec>(config->fleet.pools[static_cast<std::size_t>(i)]));
      world.pools.push_back(std::make_unique<PoolRun>(PoolId{static_cast<std::uint32_t>(i)},
                                                      specs.back(), TenantsSpec()));
      world.pools.back()->price = specs.back()->price;
    }
    world.config = config;
    world.estimator.Configure(config->catalog, specs);
    for (int i = 0; i < kShapes; ++i) {
      shapes.push_back(MakeShape(WorkOf(i), false, std::to_string(i)));
      Survey(*shapes.back(), world);
    }
    running.resize(world.pools.size());
  }

  // Fills a pool to the brim or empties it.
  void Flip(std::size_t pool, absl::Time now) {
    PoolRun& run = *world.pools[pool];
    if (!running[pool].empty()) {
      for (const AttemptKey key : running[pool]) run.Release(key);
      running[pool].clear();
      return;
    }
    const Slot slot{MilliCpus(16'000), Bytes(1 << 30)};
    while (auto nodes = run.nodes().Find(slot, 1, NodeSet::kCommon, NodeRule::kPack)) {
      const AttemptKey key{JobId{next++}, 1};
      run.Hold({key, slot, *std::move(nodes), kMicroNode, now + absl::Seconds(next % 90),
                now + absl::Seconds(next % 90 + 20)});
      running[pool].push_back(key);
    }
  }
};

// The cheapest able pool that has room, and a line about each.
struct Line {
  PoolId pool;
  Usd cost;
  bool fits;
};
std::size_t Floor(const Shape& shape, const World& world, std::vector<Line>& lines) {
  lines.clear();
  std::size_t best = 0;
  for (std::size_t i = 0; i < shape.pools.size(); ++i) {
    const ShapeOnPool& on_pool = shape.pools[i];
    if (!on_pool.able) continue;
    const bool fits = world.pools[i]->nodes().cpus_free() >= on_pool.slot.cpus;
    lines.push_back({PoolId{static_cast<std::uint32_t>(i)}, on_pool.marginal, fits});
    if (fits && lines.back().cost < lines[best].cost) best = lines.size() - 1;
  }
  return best;
}

void Run(int pools) {
  Fleet fleet(pools);
  boost::random::mt19937 dice(1);
  const absl::Time now = absl::FromUnixSeconds(1'790'000'000);
  for (std::size_t i = 0; i < fleet.world.pools.size(); i += 2) fleet.Flip(i, now);
  const int rounds = pools >= 10'000 ? 5'000 : 50'000;
  Decider decider;
  std::vector<Line> lines;
  std::size_t sink = 0;
  const auto round = [&](int i, Samples* decided, Samples* floor, std::int64_t* allocated) {
    const Shape& shape = *fleet.shapes[dice() % kShapes];
    fleet.Flip(dice() % fleet.world.pools.size(), now);
    const QueueRank rank{0, JobId{static_cast<std::uint64_t>(i) + 1}};
    const std::int64_t before = fixtures::Allocations();
    auto start = Clock::now();
    const Draft& draft =
        decider.Decide({*shape.sample, now, rank}, shape, *fleet.world.policy, fleet.world.pools,
                       now, static_cast<std::uint64_t>(i), static_cast<std::uint64_t>(i));
    const double took = MicrosSince(start);
    const std::int64_t during = fixtures::Allocations() - before;
    sink += draft.judged.size();
    start = Clock::now();
    sink += Floor(shape, fleet.world, lines);
    if (decided == nullptr) return;
    decided->Add(took);
    floor->Add(MicrosSince(start));
    *allocated += during;
  };
  for (int i = 0; i < rounds / 10; ++i) round(i, nullptr, nullptr, nullptr);
  Samples decided(static_cast<std::size_t>(rounds)), floor(static_cast<std::size_t>(rounds));
  std::int64_t allocated = 0;
  for (int i = 0; i < rounds; ++i) round(i, &decided, &floor, &allocated);
  fmt::print("{:>7} {:>7} {:>9.2f} {:>9.2f} {:>9.2f} {:>12.2f} {:>8.1f} {:>12}\n", pools,
             pools / kGroups, decided.Percentile(50), decided.Percentile(99),
             decided.Percentile(99.9), floor.Percentile(50),
             decided.Percentile(50) / floor.Percentile(50), allocated);
  if (sink == 0) std::abort();
}

}  // namespace
}  // namespace spillway::bench

int main() {
  fmt::print("One decision, us; 50 shapes of work, loads changing between decisions.\n");
  fmt::print("{:>7} {:>7} {:>9} {:>9} {:>9} {:>12} {:>8} {:>12}\n", "pools", "able", "p50", "p99",
             "p99.9", "floor p50", "ratio", "allocations");
  const bool smoke = std::getenv("SPILLWAY_BENCH_SMOKE") != nullptr;
  for (const int pools : {10, 100, 1'000, 10'000}) {
    if (pools <= 1'000 || !smoke) spillway::bench::Run(pools);
  }
}
