// Requests in the brain: engines that come and go, answers that are booked and learned from, and
// what the router gets to see of it all.
#include <set>

#include "performance/network.h"
#include "scheduler/brain_impl.h"
#include "scheduler/router_view.h"

namespace spillway {
namespace {

// Classes that servers of batches compute, with the rates of these devices.
void AddClasses(const Catalog& all, const std::set<std::string>& devices,
                const std::set<std::string>& classes, Catalog& part) {
  for (const std::string& name : classes) {
    const auto found = all.classes.find(name);
    if (found == all.classes.end()) continue;
    WorkClass& kept = part.classes.insert(*found).first->second;
    std::erase_if(kept.rates, [&](const auto& rate) { return !devices.contains(rate.first); });
  }
  for (const BatchProfile& profile : all.batches) {
    if (devices.contains(profile.device) && classes.contains(profile.work_class))
      part.batches.push_back(profile);
  }
}

// The part of the catalogue that routing over these pools may look at.
Catalog CatalogFor(const Catalog& all, const std::vector<RouterPool>& pools) {
  std::set<std::string> devices, models, classes;
  for (const RouterPool& pool : pools) {
    devices.insert(pool.spec->device);
    for (const ServeSpec& serve : pool.spec->serves)
      (serve.work_class.empty() ? models.insert(serve.model) : classes.insert(serve.work_class));
    for (const EndpointState& endpoint : pool.endpoints)
      models.insert(endpoint.models.begin(), endpoint.models.end());
  }
  Catalog part;
  for (const std::string& name : devices) {
    if (const auto found = all.devices.find(name); found != all.devices.end())
      part.devices.insert(*found);
  }
  for (const std::string& name : models) {
    if (const auto found = all.models.find(name); found != all.models.end())
      part.models.insert(*found);
  }
  for (const EngineProfile& profile : all.profiles) {
    if (devices.contains(profile.device) && models.contains(profile.model))
      part.profiles.push_back(profile);
  }
  AddClasses(all, devices, classes, part);
  return part;
}

}  // namespace

Reply Brain::Impl::On(const event::EndpointSeen& e) {
  const PoolRun* pool = Pool(e.endpoint.pool);
  if (pool == nullptr || e.endpoint.number < 0 || e.endpoint.number >= EndpointsOf(pool->spec()))
    return {};
  router_changed_ |= router_.See(e);
  return {};
}

Reply Brain::Impl::On(const event::RequestsEnded& e) {
  for (const auto& request : e.requests) {
    PoolRun* pool = Pool(request->endpoint().pool);
    const absl::Duration way = pool
                                   ? WayTo(pool->spec().site, Bytes(request->features.prompt_bytes))
                                   : absl::ZeroDuration();
    router_changed_ |= router_.Note(*request, way, now_);
    for (const ForwardAttempt& attempt : request->attempts) {
      PoolRun* lost = Pool(attempt.endpoint.pool);
      if (lost != nullptr && attempt.held > absl::ZeroDuration())
        books_.AddLost(*lost, *request, attempt, now_);
    }
    // An endpoint that was given up has answered nothing.
    if (pool != nullptr && request->attempts.back().fault == ForwardFault::kNone)
      books_.Add(*pool, *request, now_);
  }
  router_changed_ |= router_.Conclude(effects_->records);
  return {};
}

void Brain::Impl::EmitRouter() {
  if (!router_changed_) return;
  router_changed_ = false;
  const auto has_engines = [](const auto& pool) { return EndpointsOf(pool->spec()) > 0; };
  if (!router_inputs_ && std::none_of(world_.pools.begin(), world_.pools.end(), has_engines))
    return;
  auto inputs = std::make_shared<RouterInputs>();
  inputs->id = counters_.last_event;
  for (const auto& pool : world_.pools) {
    RouterPool& out = inputs->pools.emplace_back();
    out.spec = pool->shared_spec();
    out.state = pool->state;
    out.removed = pool->removed;
    out.price = pool->price;
    router_.Fill(pool->id(), EndpointsOf(pool->spec()), out);
  }
  inputs->models = router_.models();
  inputs->aliases = world_.config->fleet.aliases;
  inputs->policy = policy_row_.policy;
  inputs->policy_version = policy_row_.version;
  inputs->tenants = std::make_shared<const TenantsSpec>(world_.config->tenants);
  inputs->catalog =
      std::make_shared<const Catalog>(CatalogFor(world_.config->catalog, inputs->pools));
  router_inputs_ = std::move(inputs);
  effects_->records.push_back(record::RouterRow{router_inputs_});
}

}  // namespace spillway
