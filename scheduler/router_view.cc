#include "scheduler/router_view.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "performance/power.h"
#include "performance/share.h"
#include "scheduler/amounts.h"

namespace spillway {
namespace {

// An engine about which nothing is known: 2,000 prompt tokens a second, 25 tokens a second for each
// sequence. A guess to begin with; corrections replace it after five answers.
class AssumedSteps final : public StepTimes {
 public:
  absl::Duration Of(const StepBatch& batch) const override {
    absl::Duration time = absl::Microseconds(500) * batch.prefill_tokens;
    if (batch.decodes > 0) time += absl::Milliseconds(40);
    return time;
  }
  Basis basis() const override { return Basis::kAssumed; }
};

std::shared_ptr<const StepTimes> Assumed() {
  static const auto steps = std::make_shared<const AssumedSteps>();
  return steps;
}

constexpr int kAssumedSequences = 64;
constexpr std::int64_t kAssumedBlocks = 1'000'000;

EngineLimits AssumedLimits(const ServeSpec& serve, std::int64_t context) {
  EngineLimits limits;
  limits.max_sequences = serve.max_sequences.value_or(kAssumedSequences);
  limits.kv_blocks = serve.kv_blocks.value_or(kAssumedBlocks);
  limits.context = context;
  return limits;
}

bool Says(const EndpointState& state, const ServeSpec& serve) {
  const auto& found = state.models;
  const std::string& there = serve.upstream.empty() ? serve.model : serve.upstream;
  return std::find(found.begin(), found.end(), there) != found.end();
}

std::int64_t BytesPerToken(const RouterInputs& inputs, const std::string& model,
                           const Model* known) {
  const auto learned = inputs.models.find(model);
  if (learned != inputs.models.end() && learned->second.micro_bytes_per_token > 0)
    return learned->second.micro_bytes_per_token;
  return units_internal::Round((known ? known->bytes_per_token : 4.0) * kMillion);
}

// Of a record that knows the median only (an older one), memoryless.
AnswerLengths AnswersOf(const ModelLearned& learned) {
  if (learned.output_mean < 1 || learned.output_left.size() < AnswerLengths::kPoints)
    return AnswerLengths::WithMedian(static_cast<double>(learned.output_p50));
  return {static_cast<double>(learned.output_mean), learned.output_left};
}

}  // namespace

int EndpointsOf(const PoolSpec& pool) {
  if (!pool.adapter.urls.empty()) return static_cast<int>(pool.adapter.urls.size());
  int all = 0;
  for (const ServeSpec& serve : pool.serves) all += serve.replicas;
  return all;
}

const ServeSpec* ServeOf(const PoolSpec& pool, int number) {
  if (!pool.adapter.urls.empty()) return nullptr;
  for (const ServeSpec& serve : pool.serves) {
    if (number < serve.replicas) return &serve;
    number -= serve.replicas;
  }
  return nullptr;
}

Needs ReplicaNeeds(const PoolSpec& pool, const ServeSpec& serve) {
  Needs needs;
  needs.nodes = serve.nodes;
  if (pool.node.devices > 0) {
    const int devices = serve.devices > 0 ? serve.devices : pool.node.devices;
    needs.devices.count = devices;
    const double part = static_cast<double>(devices) / pool.node.devices;
    needs.cpus = Scale(pool.node.cpus, part);
    needs.memory = Scale(pool.node.memory, part);
    return needs;
  }
  needs.cpus = serve.cpus > MilliCpus(0) ? serve.cpus : pool.node.cpus;
  const double part = static_cast<double>(needs.cpus.value()) /
                      static_cast<double>(std::max<std::int64_t>(pool.node.cpus.value(), 1));
  needs.memory = Scale(pool.node.memory, std::min(part, 1.0));
  return needs;
}

const Served* ViewEndpoint::Find(const std::vector<int>& wanted) const {
  for (const int model : wanted) {
    for (const Served& served : serves) {
      if (served.model == model) return &served;
    }
  }
  return nullptr;
}

absl::StatusOr<std::shared_ptr<const RouterView>> RouterView::Make(
    std::shared_ptr<const RouterInputs> inputs) {
  std::shared_ptr<RouterView> view(new RouterView(std::move(inputs)));
  FleetSpec fleet;
  for (const RouterPool& pool : view->inputs_->pools) {
    if (!pool.removed) fleet.pools.push_back(*pool.spec);
  }
  auto policy = Policy::Compile(*view->inputs_->policy, fleet, *view->inputs_->tenants);
  if (!policy.ok()) return policy.status();
  view->policy_ = *std::move(policy);
  for (std::uint32_t i = 0; i < view->inputs_->pools.size(); ++i) view->AddPool(i);
  for (const TenantSpec& tenant : view->inputs_->tenants->tenants)
    view->tenants_.emplace(tenant.name, &tenant);
  view->CheckPanic();
  return std::shared_ptr<const RouterView>(std::move(view));
}

void RouterView::AddPool(std::uint32_t index) {
  const RouterPool& from = inputs_->pools[index];
  pools_.push_back(
      {.id = PoolId{index},
       .spec = from.spec,
       .state = from.state,
       .removed = from.removed,
       .price = from.price,
       .first_endpoint = static_cast<std::uint32_t>(endpoints_.size()),
       .endpoints = static_cast<std::uint32_t>(from.removed ? 0 : EndpointsOf(*from.spec))});
  for (int number = 0; number < static_cast<int>(pools_.back().endpoints); ++number)
    AddEndpoint(index, number, ServeOf(*from.spec, number));
}

void RouterView::AddEndpoint(std::uint32_t pool_index, int number, const ServeSpec* serve) {
  const ViewPool& pool = pools_[pool_index];
  const PoolSpec& spec = *pool.spec;
  const auto& states = inputs_->pools[pool_index].endpoints;
  const EndpointState state = static_cast<std::size_t>(number) < states.size()
                                  ? states[static_cast<std::size_t>(number)]
                                  : EndpointState();
  ViewEndpoint endpoint{.key = {pool.id, number},
                        .pool = pool_index,
                        .name = absl::StrCat(spec.name, "/", number),
                        .up = state.up,
                        .ejected = state.ejected};
  if (serve) {
    endpoint.serves.push_back(Serve(pool, *serve));
    const Needs needs = ReplicaNeeds(spec, *serve);
    endpoint.rate = RateOf(spec, pool.price, needs);
    endpoint.dynamic = DrawOf(spec.power, HoldingOf(spec, needs)).dynamic;
  } else {
    // What it says that it serves, as far as `serves` does not narrow it. One that says nothing of
    // what is declared calls it by other names, or does not tell: it is taken to serve it all.
    const auto says = [&](const ServeSpec& declared) { return Says(state, declared); };
    const bool tells = std::any_of(spec.serves.begin(), spec.serves.end(), says);
    for (const ServeSpec& declared : spec.serves) {
      if (!tells || says(declared)) endpoint.serves.push_back(Serve(pool, declared));
    }
    for (const std::string& model : state.models) {
      if (!spec.serves.empty()) break;
      ServeSpec found;
      found.model = model;
      endpoint.serves.push_back(Serve(pool, found));
    }
    const double part = 1.0 / std::max<std::uint32_t>(pool.endpoints, 1);
    if (IsPriced(spec, pool.price)) endpoint.rate = Scale(*pool.price.node_hour * spec.nodes, part);
    endpoint.dynamic = Scale(spec.power.busy - spec.power.idle, part * spec.nodes);
  }
  int batch = 0;
  for (const Served& served : endpoint.serves) batch = std::max(batch, served.places());
  endpoint.concurrency = spec.adapter.concurrency > 0 ? spec.adapter.concurrency : 2 * batch;
  endpoints_.push_back(std::move(endpoint));
}

Served RouterView::Serve(const ViewPool& pool, const ServeSpec& serve) {
  Served served{.model = ModelPlace(serve.model)};
  const ViewModel& model = models_[static_cast<std::size_t>(served.model)];
  served.steps = StepTimesFor(*inputs_->catalog, *pool.spec, serve);
  const auto limits = LimitsFor(*inputs_->catalog, *pool.spec, serve);
  served.limits = limits.ok() ? *limits : AssumedLimits(serve, model.context);
  if (!served.steps) served.steps = Assumed();
  served.basis = served.steps->basis();
  if (!serve.work_class.empty()) {
    served.batch = BatchCapacityFor(*inputs_->catalog, *pool.spec, serve);
    served.basis = served.batch->times.basis();
    models_[static_cast<std::size_t>(served.model)].kind = ModelKind::kBatch;
  }
  served.keeps_prefixes = KeepsPrefixes(*pool.spec);
  for (const SpeedCorrection& correction : inputs_->pools[Index(pool.id)].speeds) {
    if (correction.model == serve.model) served.correction = correction;
  }
  if (served.correction.observed) served.basis = Basis::kObserved;
  return served;
}

int RouterView::ModelPlace(const std::string& name) {
  const auto [found, is_new] = model_places_.try_emplace(name, static_cast<int>(models_.size()));
  if (!is_new) return found->second;
  const auto entry = inputs_->catalog->models.find(name);
  const Model* known = entry == inputs_->catalog->models.end() ? nullptr : &entry->second;
  ViewModel model{.name = name};
  model.micro_bytes_per_token = std::max<std::int64_t>(BytesPerToken(*inputs_, name, known), 1);
  if (known) {
    model.kind = known->kind;
    model.context = known->context;
    model.kv_bytes_per_token = static_cast<double>(known->KvBytesPerToken(2).value());
  }
  if (const auto learned = inputs_->models.find(name); learned != inputs_->models.end()) {
    model.output_p50 = learned->second.output_p50;
    model.output_p90 = learned->second.output_p90;
    if (model.output_p50 > 0) model.answers = AnswersOf(learned->second);
  }
  const auto& objectives = inputs_->policy->objectives;
  if (const auto own = objectives.models.find(name); own != objectives.models.end()) {
    model.ttft = own->second.ttft;
    model.tpot = own->second.tpot;
  }
  models_.push_back(std::move(model));
  return found->second;
}

void RouterView::CheckPanic() {
  std::vector<int> up(models_.size()), ejected(models_.size());
  for (const ViewEndpoint& endpoint : endpoints_) {
    const ViewPool& pool = pools_[endpoint.pool];
    if (!endpoint.up || pool.removed || pool.state != PoolState::kActive) continue;
    for (const Served& served : endpoint.serves) {
      ++up[static_cast<std::size_t>(served.model)];
      ejected[static_cast<std::size_t>(served.model)] += endpoint.ejected ? 1 : 0;
    }
  }
  for (std::size_t i = 0; i < models_.size(); ++i) models_[i].panic = 2 * ejected[i] > up[i];
}

const TenantSpec* RouterView::FindTenant(std::string_view name) const {
  const auto found = tenants_.find(name);
  return found == tenants_.end() ? nullptr : found->second;
}

RequestLimits RouterView::Limits(const RequestFeatures& features, const ViewModel* model) const {
  using Limit = std::optional<absl::Duration>;
  const auto limit = [](const Limit& asked, const Limit& of_tenant, const Limit& of_model,
                        absl::Duration of_policy) {
    const absl::Duration base = of_tenant ? *of_tenant : of_model ? *of_model : of_policy;
    return asked ? std::min(*asked, base) : base;
  };
  const TenantSpec* tenant = FindTenant(features.tenant);
  const DefaultObjectives& objectives = policy_->spec().objectives;
  return {.ttft = limit(features.ttft, tenant ? tenant->ttft : std::nullopt,
                        model ? model->ttft : std::nullopt, objectives.request_ttft),
          .tpot = limit(features.tpot, tenant ? tenant->tpot : std::nullopt,
                        model ? model->tpot : std::nullopt, objectives.request_tpot)};
}

int RouterView::FindModel(std::string_view name) const {
  const auto found = model_places_.find(name);
  return found == model_places_.end() ? -1 : found->second;
}

std::vector<std::string> RouterView::Resolve(std::string_view name) const {
  const auto alias = inputs_->aliases.find(std::string(name));
  if (alias != inputs_->aliases.end()) return alias->second;
  if (FindModel(name) < 0) return {};
  return {std::string(name)};
}

std::vector<std::string> RouterView::Names() const {
  std::vector<std::string> names;
  for (const ViewModel& model : models_) names.push_back(model.name);
  for (const auto& [alias, models] : inputs_->aliases) {
    const auto served = [&](const std::string& model) { return FindModel(model) >= 0; };
    if (std::any_of(models.begin(), models.end(), served)) names.push_back(alias);
  }
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());
  return names;
}

std::uint32_t RouterView::PlaceOf(EndpointKey key) const {
  if (Index(key.pool) < pools_.size()) {
    const ViewPool& pool = pools_[Index(key.pool)];
    if (key.number >= 0 && static_cast<std::uint32_t>(key.number) < pool.endpoints)
      return pool.first_endpoint + static_cast<std::uint32_t>(key.number);
  }
  return static_cast<std::uint32_t>(endpoints_.size());
}

}  // namespace spillway
