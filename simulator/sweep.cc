#include "simulator/sweep.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <utility>

#include "performance/replica.h"
#include "performance/roofline.h"

namespace spillway {
namespace {

// Sizes of prompt chunks whose times are written into a profile.
constexpr int kChunks[] = {1,   8,   16,  32,  48,  64,   96,   128,  160,  192,  256,  320,
                           384, 448, 512, 640, 768, 1024, 1536, 2048, 3072, 4096, 6144, 8192};

double PromptSeconds(const Roofline& roofline, int tokens) {
  StepBatch batch;
  batch.AddChunk(tokens, 0);
  return roofline.Seconds(batch);
}

// By the roofline, computing prompts `factor` times as fast: reading the weights takes what it
// takes.
std::vector<EngineProfile::Point> VariedPrefill(const Roofline& roofline, double factor) {
  const double weights = PromptSeconds(roofline, 1);
  const double each = PromptSeconds(roofline, 512) / 512;
  std::vector<EngineProfile::Point> points;
  for (const int tokens : kChunks) {
    const double whole = PromptSeconds(roofline, tokens);
    const double computing = whole > weights * 1.02 ? whole : std::min(whole, each * tokens);
    points.push_back(
        {static_cast<double>(tokens), absl::Seconds(std::max(weights, computing / factor))});
  }
  return points;
}

std::vector<EngineProfile::Point> Faster(std::vector<EngineProfile::Point> points, double factor) {
  for (EngineProfile::Point& point : points)
    point.time = std::max(absl::Nanoseconds(1), point.time / factor);
  return points;
}

EngineProfile& ProfileIn(Catalog& catalog, const Replica& replica) {
  if (const EngineProfile* known = ProfileFor(catalog, replica))
    return catalog.profiles[static_cast<std::size_t>(known - catalog.profiles.data())];
  EngineProfile profile;
  profile.name = "varied";
  profile.device = replica.device->name;
  profile.model = replica.model->name;
  profile.precision = replica.precision;
  profile.devices = static_cast<int>(std::lround(replica.units * replica.nodes));
  catalog.profiles.push_back(std::move(profile));
  return catalog.profiles.back();
}

void VaryPrefill(const Config& config, const std::string& device, double factor, Catalog& catalog) {
  std::vector<std::pair<std::string, Precision>> done;
  for (const PoolSpec& pool : config.fleet.pools) {
    if (pool.device != device) continue;
    for (const ServeSpec& serve : pool.serves) {
      const std::pair key(serve.model, serve.precision);
      const auto replica = ReplicaOf(config.catalog, pool, serve);
      if (!replica.ok() || std::find(done.begin(), done.end(), key) != done.end()) continue;
      const auto roofline = Roofline::Of(*replica);
      if (!roofline) continue;
      done.push_back(key);
      EngineProfile& profile = ProfileIn(catalog, *replica);
      profile.prefill = profile.prefill.empty() ? VariedPrefill(*roofline, factor)
                                                : Faster(profile.prefill, factor);
    }
  }
}

void VaryBandwidth(const std::string& device, double factor, Catalog& catalog) {
  const auto found = catalog.devices.find(device);
  if (found == catalog.devices.end()) return;
  found->second.bandwidth = BytesPerSecond(found->second.bandwidth.value() * factor);
  for (EngineProfile& profile : catalog.profiles) {
    if (profile.device == device) profile.decode = Faster(profile.decode, factor);
  }
}

template <class Rate>
void Times(std::optional<Rate>& rate, double factor) {
  if (rate) rate = Scale(*rate, factor);
}

void VaryPrice(const std::string& name, double factor, Config& config) {
  const auto vary = [&](Price& price) {
    Times(price.node_hour, factor);
    Times(price.input, factor);
    Times(price.output, factor);
  };
  for (PoolSpec& pool : config.fleet.pools) {
    if (pool.name == name) vary(pool.price);
  }
  for (PriceChange& change : config.prices.prices) {
    if (change.pool == name) vary(change.price);
  }
}

}  // namespace

Config VariedBy(const Config& config, SweptInput input, const std::string& of, double factor) {
  Config out = config;
  switch (input) {
    case SweptInput::kPrefill:
      VaryPrefill(config, of, factor, out.catalog);
      break;
    case SweptInput::kBandwidth:
      VaryBandwidth(of, factor, out.catalog);
      break;
    case SweptInput::kPrice:
      VaryPrice(of, factor, out);
      break;
  }
  return out;
}

}  // namespace spillway
