#include "adapters/modelled/engine_hosting.h"

#include <algorithm>
#include <atomic>
#include <iterator>
#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"
#include "adapters/modelled/engine_text.h"
#include "core/status.h"

namespace spillway {
namespace {

// Servers of batches do not speak OpenAI's protocol: they stay down.
bool Speaks(const ServeSpec& serve) { return serve.work_class.empty(); }

std::size_t CountIn(const FleetSpec& fleet) {
  std::size_t count = 0;
  for (const PoolSpec& pool : fleet.pools) {
    if (!pool.modelled) continue;
    for (const ServeSpec& serve : pool.serves) {
      if (Speaks(serve)) count += static_cast<std::size_t>(serve.replicas);
    }
  }
  return count;
}

absl::Status TooMany(std::size_t count) {
  return absl::ResourceExhaustedError(absl::StrCat("the fleet's modelled pools serve ", count,
                                                   " engines, at most ", ModelledEngines::kMost,
                                                   " can be hosted"));
}

}  // namespace

absl::StatusOr<std::unique_ptr<ModelledEngines>> ModelledEngines::Start(
    const Catalog& catalog, const FleetSpec& fleet, ModelledEngineOptions options) {
  if (const std::size_t count = CountIn(fleet); count > kMost) return TooMany(count);
  options.host = "127.0.0.1";
  options.port = 0;
  auto all = std::make_unique<ModelledEngines>();
  all->options_ = std::move(options);
  for (const PoolSpec& pool : fleet.pools) SPILLWAY_RETURN_IF_ERROR(all->Host(catalog, pool));
  return all;
}

absl::Status ModelledEngines::Host(const Catalog& catalog, const PoolSpec& pool) {
  if (!pool.modelled || pool.serves.empty() || urls_.contains(pool.name)) return absl::OkStatus();
  const std::size_t count = CountIn({.pools = {pool}}) + engines_.size();
  if (count > kMost) return TooMany(count);
  std::vector<std::unique_ptr<ModelledEngine>> fresh;
  std::vector<std::vector<std::string>> urls;
  for (const ServeSpec& serve : pool.serves) {
    const std::string what = absl::StrCat("pool ", pool.name, ", model ", serve.model);
    const auto model = EngineModelFor(catalog, pool, serve);
    if (!model.ok()) return Annotate(model.status(), what);
    urls.emplace_back();
    for (int replica = 0; replica < serve.replicas; ++replica) {
      ModelledEngineOptions options = options_;
      options.fault_seed = modelled::Mix(options_.seed, engines_.size() + fresh.size());
      auto engine = ModelledEngine::Start(*model, std::move(options));
      if (!engine.ok()) return Annotate(engine.status(), what);
      urls.back().push_back((*engine)->base_url());
      fresh.push_back(*std::move(engine));
    }
  }
  std::move(fresh.begin(), fresh.end(), std::back_inserter(engines_));
  urls_[pool.name] = std::move(urls);
  return absl::OkStatus();
}

const std::vector<std::string>& ModelledEngines::Urls(std::string_view pool,
                                                      std::size_t serve) const {
  static const auto& none = *new std::vector<std::string>;
  const auto found = urls_.find(pool);
  return found == urls_.end() || serve >= found->second.size() ? none : found->second[serve];
}

bool ModelledEngines::Stop(absl::Duration grace) {
  std::atomic<bool> whole{true};
  std::vector<std::thread> threads;
  for (const auto& engine : engines_)
    threads.emplace_back([&engine, &whole, grace] {
      if (!engine->Drain(grace)) whole = false;
    });
  for (std::thread& thread : threads) thread.join();
  return whole;
}

}  // namespace spillway
