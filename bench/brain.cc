// How many placements a second the whole brain makes, records and commands included: 100,000 queued
// jobs on 10,000 nodes of 8 kinds. Every node is busy; an attempt ends, its place is given to the
// job that the queue and the claim order say.
//
// Usage: brain [QUEUED [NODES]]
#include <fmt/core.h>

#include <boost/random/mersenne_twister.hpp>
#include <cstdlib>

#include "bench/measure.h"
#include "scheduler/brain.h"

namespace spillway::bench {
namespace {

constexpr int kKinds = 8;
constexpr int kShapes = 50;

PoolSpec KindOf(int i, int nodes) {
  PoolSpec pool;
  pool.name = fmt::format("kind-{}", i);
  pool.vendor = i == kKinds - 1 ? "nvidia" : "intel";
  pool.node = {MilliCpus(4'000 * (1 + i % 4)), Bytes(std::int64_t{16 << (i % 4)} << 30), 0};
  pool.nodes = nodes / kKinds;
  pool.runtimes.emplace("none", *Version::Parse("1"));
  pool.billing = i % 2 == 0 ? Billing::kCommitted : Billing::kMetered;
  pool.price.node_hour = UsdPerHour(std::int64_t{200'000'000} * (1 + i));
  pool.weights.cpus = 1;
  pool.power = {Watts(20), Watts(100), 1.2, UsdPerKwh(120'000'000)};
  pool.peak_ops = 1e12 * (1 + i);
  return pool;
}

std::shared_ptr<const Work> WorkOf(int i) {
  auto work = std::make_shared<Work>();
  work->name = fmt::format("shape-{}", i);
  work->run.command = {"true"};
  work->needs.cpus = MilliCpus(1000 * (1 + i % 8));
  work->needs.memory = Bytes(std::int64_t{1 + i % 5} << 30);
  work->demand = DeclaredSeconds{absl::Seconds(30 + 3 * i), ""};
  work->objective.start_within = absl::Seconds(60);
  work->priority = i % 3;
  return work;
}

class Host {
 public:
  explicit Host(int nodes) {
    auto config = std::make_shared<Config>();
    for (int i = 0; i < kKinds; ++i) config->fleet.pools.push_back(KindOf(i, nodes));
    config->policy.claim.backstop = PoolSelector{.vendor = {"nvidia"}};
    Give(event::Started{1, config});
  }
  Reply Give(event::Body body) {
    effects_.Clear();
    const Reply reply = brain_.Handle({EventNumber{++last_}, now_, std::move(body)}, effects_);
    records_ += effects_.records.size();
    for (const Command& command : effects_.commands) {
      if (const auto* launch = std::get_if<command::Launch>(&command))
        running_.push_back(launch->key);
    }
    return reply;
  }
  Brain& brain() { return brain_; }
  std::size_t running() const { return running_.size(); }
  std::uint64_t records() const { return records_; }
  // Ends a running attempt, by chance; answers how many were launched in its place.
  std::size_t EndOne(std::uint32_t draw) {
    now_ += absl::Milliseconds(1);
    std::swap(running_[draw % running_.size()], running_.back());
    const AttemptKey key = running_.back();
    running_.pop_back();
    const std::size_t before = running_.size();
    Give(event::AttemptStarted{key});
    Give(event::AttemptEnded{.key = key, .fault = Fault::kNone, .exit_code = 0});
    return running_.size() - before;
  }

 private:
  Brain brain_;
  Effects effects_;
  absl::Time now_ = absl::FromUnixSeconds(1'790'000'000);
  std::uint64_t last_ = 0, records_ = 0;
  std::vector<AttemptKey> running_;
};

int Main(int queued, int nodes) {
  Host host(nodes);
  std::vector<std::shared_ptr<const Work>> shapes;
  for (int i = 0; i < kShapes; ++i) shapes.push_back(WorkOf(i));
  boost::random::mt19937 dice(1);
  auto start = Clock::now();
  int submitted = 0;
  while (host.brain().Queue().depth < queued) {
    host.Give(event::Submitted{shapes[dice() % kShapes]});
    ++submitted;
  }
  const double arrivals = submitted / MicrosSince(start) * 1e6;
  fmt::print("{} jobs queued, {} running on {} nodes of {} kinds\n", host.brain().Queue().depth,
             host.running(), nodes, kKinds);
  fmt::print("arrivals decided     {:>10.0f} /s\n", arrivals);
  const std::uint64_t before = host.records();
  std::size_t placed = 0, ended = 0;
  start = Clock::now();
  while (placed < static_cast<std::size_t>(queued) / 2) {
    placed += host.EndOne(dice());
    ++ended;
  }
  const double seconds = MicrosSince(start) / 1e6;
  fmt::print("placements           {:>10.0f} /s   ({} placements, {} ends, {:.1f} records each)\n",
             static_cast<double>(placed) / seconds, placed, ended,
             static_cast<double>(host.records() - before) / static_cast<double>(placed));
  return 0;
}

}  // namespace
}  // namespace spillway::bench

int main(int argc, char** argv) {
  const bool smoke = std::getenv("SPILLWAY_BENCH_SMOKE") != nullptr;
  const int queued = argc > 1 && argv[1][0] != '-' ? std::atoi(argv[1]) : smoke ? 2'000 : 100'000;
  const int nodes = argc > 2 ? std::atoi(argv[2]) : smoke ? 400 : 10'000;
  return spillway::bench::Main(queued, nodes);
}
