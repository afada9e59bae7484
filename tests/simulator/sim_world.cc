#include "tests/simulator/sim_world.h"

#include <algorithm>
#include <cmath>

#include "simulator/workloads/draw.h"

namespace spillway {

const Catalog& TestCatalog() {
  static const Catalog catalog = *LoadCatalog(SPILLWAY_SOURCE_DIR "/configs/catalog");
  return catalog;
}

std::shared_ptr<Config> ConfigOf(const std::string& text) {
  auto loaded = ParseConfig(text, "fleet", TestCatalog(), Machine());
  EXPECT_TRUE(loaded.ok()) << loaded.status();
  auto config = std::make_shared<Config>(std::move(loaded->config));
  config->fleet = TakeAsModelled(std::move(config->fleet));
  return config;
}

std::shared_ptr<Config> A10sAlone() {
  auto config = ConfigOf(kTwoPools);
  config->fleet.pools.erase(config->fleet.pools.begin());
  return config;
}

std::vector<Arrival> PoissonChats(int count, double rate, double prompt, double output,
                                  std::uint64_t seed) {
  RandomStream random = MakeRandomStream(seed, "chats");
  std::vector<Arrival> arrivals;
  absl::Duration at;
  const auto length = [&](double mean) {
    return std::max<std::int64_t>(
        static_cast<std::int64_t>(std::llround(DrawExponential(random) * mean)), 1);
  };
  for (int i = 0; i < count; ++i) {
    at += RoundToNanos(absl::Seconds(DrawExponential(random) / rate));
    const std::int64_t tokens = length(prompt);
    arrivals.push_back(Chat(at, std::min<std::int64_t>(tokens, 8000),
                            std::min<std::int64_t>(length(output), 2000)));
  }
  return arrivals;
}

const PoolOutcome& PoolNamed(const CellOutcome& cell, const std::string& name) {
  for (const PoolOutcome& pool : cell.pools) {
    if (pool.name == name) return pool;
  }
  ADD_FAILURE() << "no pool " << name;
  return cell.pools.front();
}

}  // namespace spillway
