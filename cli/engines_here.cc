#include "cli/engines_here.h"

#include <algorithm>
#include <cstdlib>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "core/status.h"
#include "formats/file_text.h"
#include "net/url.h"

namespace spillway::cli {
namespace {

// Empty: the engine wants none, or it cannot be read; then it will answer 401 and say so itself.
std::string KeyOf(const AdapterSpec& adapter) {
  if (!adapter.key_env.empty()) {
    const char* key = std::getenv(adapter.key_env.c_str());  // NOLINT(concurrency-mt-unsafe)
    return key ? key : "";
  }
  if (adapter.key_file.empty()) return "";
  const auto text = ReadTextFile(adapter.key_file);
  return text.ok() ? std::string(absl::StripAsciiWhitespace(*text)) : "";
}

std::map<std::string, std::string> UpstreamNames(const PoolSpec& pool) {
  std::map<std::string, std::string> names;
  for (const ServeSpec& serve : pool.serves) {
    if (!serve.upstream.empty()) names[serve.model] = serve.upstream;
  }
  return names;
}

}  // namespace

absl::Status EnginesHere::Start(const Config& config) {
  const auto serves = [](const PoolSpec& pool) { return pool.modelled && !pool.serves.empty(); };
  if (std::none_of(config.fleet.pools.begin(), config.fleet.pools.end(), serves))
    return absl::OkStatus();
  SPILLWAY_ASSIGN_OR_RETURN(modelled_, ModelledEngines::Start(config.catalog, config.fleet));
  return absl::OkStatus();
}

void EnginesHere::AddOrigin(EndpointKey key, const PoolSpec& pool, const std::string& url) {
  const auto base = ParseBaseUrl(url);
  if (!base.ok()) return;
  UpstreamOptions options;
  if (const std::string secret = KeyOf(pool.adapter); !secret.empty())
    options.headers.Add("Authorization", absl::StrCat("Bearer ", secret));
  auto origin = MakeUpstreamOrigin(*base, std::move(options));
  if (!origin.ok()) return;
  dispatcher_.SetEngine(key, {.origin = *std::move(origin), .upstream = UpstreamNames(pool)});
  const std::lock_guard lock(mutex_);
  if (std::find(known_.begin(), known_.end(), key) == known_.end()) known_.push_back(key);
  if (announced_) Say(key);
}

void EnginesHere::Meet(PoolId id, const PoolSpec& pool) {
  int number = 0;
  for (const std::string& url : pool.adapter.urls) AddOrigin({id, number++}, pool, url);
  if (!pool.modelled || !modelled_) return;
  for (std::size_t serve = 0; serve < pool.serves.size(); ++serve) {
    for (const std::string& url : modelled_->Urls(pool.name, serve))
      AddOrigin({id, number++}, pool, url);
  }
}

void EnginesHere::Say(EndpointKey key) {
  sink_.Post(event::EndpointSeen{.endpoint = key, .up = true});
}

void EnginesHere::Announce() {
  const std::lock_guard lock(mutex_);
  announced_ = true;
  for (const EndpointKey key : known_) Say(key);
}

void EnginesHere::Stop() {
  if (modelled_) modelled_->Stop(absl::Seconds(1));
}

}  // namespace spillway::cli
