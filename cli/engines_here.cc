#include "cli/engines_here.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <limits>

#include "absl/strings/str_cat.h"
#include "adapters/openai/key_source.h"
#include "core/status.h"
#include "net/url.h"

namespace spillway::cli {
namespace {

constexpr auto kPatience = std::chrono::seconds(10);  // with engines that run here
// With those of others, which may be down; as long as the watch waits for an answer, and a bit.
constexpr std::chrono::milliseconds kPatienceWithOthers(2500), kStep(2);

std::map<std::string, std::string> UpstreamNames(const PoolSpec& pool) {
  std::map<std::string, std::string> names;
  for (const ServeSpec& serve : pool.serves) {
    if (!serve.upstream.empty()) names[serve.model] = serve.upstream;
  }
  return names;
}

std::optional<int> Count(const std::optional<double>& value) {
  return value ? std::optional(static_cast<int>(std::lround(*value))) : std::nullopt;
}

}  // namespace

// So that what is wrong ends the start, or a reload, and not the first request.
absl::Status EnginesHere::Check(const FleetSpec& fleet) {
  for (const PoolSpec& pool : fleet.pools) {
    const std::string where = absl::StrCat("pool `", pool.name, "`");
    for (const std::string& url : pool.adapter.urls)
      SPILLWAY_RETURN_IF_ERROR(Annotate(ParseBaseUrl(url).status(), where));
    const auto key = ReadKey({.file = pool.adapter.key_file, .env = pool.adapter.key_env});
    SPILLWAY_RETURN_IF_ERROR(Annotate(key.status(), where));
  }
  return absl::OkStatus();
}

absl::Status EnginesHere::Start(const Config& config) {
  SPILLWAY_RETURN_IF_ERROR(Check(config.fleet));
  catalog_ = config.catalog;
  const std::vector<PoolSpec>& pools = config.fleet.pools;
  const auto hosted = [](const PoolSpec& pool) { return pool.modelled && !pool.serves.empty(); };
  if (std::none_of(pools.begin(), pools.end(), hosted)) return absl::OkStatus();
  SPILLWAY_ASSIGN_OR_RETURN(modelled_, ModelledEngines::Start(config.catalog, config.fleet));
  return absl::OkStatus();
}

void EnginesHere::Add(EndpointKey key, const PoolSpec& pool, const std::string& url) {
  const auto base = ParseBaseUrl(url);
  const auto secret = ReadKey({.file = pool.adapter.key_file, .env = pool.adapter.key_env});
  if (!base.ok() || !secret.ok()) return;  // a pool added later: its engine stays down
  UpstreamOptions options;
  options.connect = pool.adapter.timeouts.connect.value_or(kConnectTime);
  if (!secret->empty()) options.headers.Add("Authorization", absl::StrCat("Bearer ", *secret));
  auto origin = MakeUpstreamOrigin(*base, std::move(options));
  if (!origin.ok()) return;
  dispatcher_.SetEngine(key, {.origin = *std::move(origin), .upstream = UpstreamNames(pool)});
  const EngineKind* kind = FindEngineKind(pool.modelled ? "spillway" : pool.adapter.engine);
  Met engine{.key = key,
             .name = absl::StrCat(pool.name, "/", key.number),
             .watched = {},
             .here = pool.modelled,
             .adapter = pool.adapter.type};
  engine.watched.url = url;
  engine.watched.kind = kind != nullptr ? kind : FindEngineKind("openai");
  engine.watched.key = *secret;
  std::unique_lock lock(mutex_);
  if (engine.here) here_.insert(key);
  if (!said_.try_emplace(key).second) return;  // it is looked after already
  if (!watching_) {
    met_.push_back(std::move(engine));
    return;
  }
  lock.unlock();
  StartWatch({std::move(engine)}).IgnoreError();
}

void EnginesHere::Meet(PoolId id, const PoolSpec& pool) {
  int number = 0;
  for (const std::string& url : pool.adapter.urls) Add({id, number++}, pool, url);
  if (!pool.modelled || pool.serves.empty()) return;
  // A pool that was added through the API, now or before a restart. Its engines cannot be checked
  // with the configuration: what is wrong with them is said, and they stay down.
  const std::lock_guard hosting(hosting_mutex_);
  if (!modelled_) {
    auto none = ModelledEngines::Start(catalog_, FleetSpec());
    if (none.ok()) modelled_ = *std::move(none);
  }
  const absl::Status hosted =
      modelled_ ? modelled_->Host(catalog_, pool) : absl::InternalError("no engines can run here");
  if (!hosted.ok()) {
    log_.OnHealth(pool.name, false, std::string(hosted.message()));
    return;
  }
  for (std::size_t serve = 0; serve < pool.serves.size(); ++serve) {
    for (const std::string& url : modelled_->Urls(pool.name, serve)) Add({id, number++}, pool, url);
  }
}

absl::Status EnginesHere::StartWatch(std::vector<Met> engines) {
  if (engines.empty()) return absl::OkStatus();
  std::vector<WatchedEndpoint> watched;
  watched.reserve(engines.size());
  for (const Met& engine : engines) watched.push_back(engine.watched);
  const auto met = std::make_shared<const std::vector<Met>>(std::move(engines));
  SPILLWAY_ASSIGN_OR_RETURN(
      auto watch,
      EndpointWatch::Start(
          std::move(watched), {},
          [this, met](std::size_t i, const EndpointSignals& said) { OnSignals((*met)[i], said); },
          [this, met](std::size_t i) { OnAsk((*met)[i].key); }));
  const std::lock_guard lock(mutex_);
  watches_.push_back(std::move(watch));
  return absl::OkStatus();
}

void EnginesHere::OnAsk(EndpointKey key) {
  dispatcher_.OnAsk(key);
  const std::lock_guard lock(mutex_);
  asked_[key] = dispatcher_.Now();
}

void EnginesHere::OnSignals(const Met& engine, const EndpointSignals& signals) {
  if (signals.load_at == signals.at) {
    dispatcher_.OnSigns(engine.key, {.running = Count(signals.load.running),
                                     .waiting = Count(signals.load.waiting)});
  }
  log_.OnHealth(engine.name, signals.up, signals.why);
  // An engine that is down is said to be; why it tells no models, then, is no news.
  if (signals.up) log_.OnModels(engine.name, signals.models_why);
  const std::lock_guard lock(mutex_);
  const auto asked = asked_.find(engine.key);
  const bool of_load = signals.load_at == signals.at && asked != asked_.end();
  observer_.OnAdapterCall(engine.adapter, "signals",
                          signals.up ? absl::StatusCode::kOk : absl::StatusCode::kUnavailable,
                          of_load ? dispatcher_.Now() - asked->second : absl::InfiniteDuration());
  heard_.insert(engine.key);
  changed_.notify_all();
  auto& [up, models] = said_[engine.key];
  const bool new_models = signals.models && *signals.models != models;
  if (signals.up == up && !new_models) return;
  up = signals.up;
  if (new_models) models = *signals.models;
  sink_.Post(event::EndpointSeen{.endpoint = engine.key, .up = up, .models = models});
}

bool EnginesHere::AllHereAnswer() {
  return std::all_of(here_.begin(), here_.end(), [&](EndpointKey key) { return said_[key].first; });
}

bool EnginesHere::AllAreKnown() { return heard_.size() == said_.size(); }

// What was posted of engines goes through the brain before requests are routed by it.
bool EnginesHere::RouterKnows() {
  const auto view = dispatcher_.view();
  return std::all_of(said_.begin(), said_.end(), [&](const auto& engine) {
    const std::uint32_t place =
        view ? view->PlaceOf(engine.first) : std::numeric_limits<std::uint32_t>::max();
    return !engine.second.first ||
           (view && place < view->endpoints().size() && view->endpoints()[place].up);
  });
}

absl::Status EnginesHere::Watch() {
  std::vector<Met> met;
  {
    const std::lock_guard lock(mutex_);
    watching_ = true;
    met.swap(met_);
  }
  SPILLWAY_RETURN_IF_ERROR(StartWatch(std::move(met)));
  std::unique_lock lock(mutex_);
  if (!changed_.wait_for(lock, kPatience, [this] { return AllHereAnswer(); }))
    return absl::UnavailableError("the modelled engines do not answer");
  changed_.wait_for(lock, kPatienceWithOthers, [this] { return AllAreKnown(); });
  for (auto slept = std::chrono::milliseconds(0); slept < kPatienceWithOthers && !RouterKnows();
       slept += kStep)
    changed_.wait_for(lock, kStep);
  return absl::OkStatus();
}

void EnginesHere::Stop() {
  std::vector<std::unique_ptr<EndpointWatch>> watches;
  {
    const std::lock_guard lock(mutex_);
    watches.swap(watches_);
  }
  watches.clear();  // joins their threads, which may be in OnSignals
  const std::lock_guard hosting(hosting_mutex_);
  if (modelled_) modelled_->Stop(absl::Seconds(1));
}

}  // namespace spillway::cli
