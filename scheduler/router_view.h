#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "core/request.h"
#include "core/router_inputs.h"
#include "core/text.h"
#include "performance/batch_capacity.h"
#include "performance/engine.h"
#include "performance/step_time.h"
#include "policies/policy.h"

// The router's inputs, made ready for deciding: names resolved, step times found, rates computed.
// Immutable; any number of threads route by one view, and a new one takes its place whenever the
// inputs change.
namespace spillway {

// One model on one endpoint: by an engine of tokens, or by a server of whole batches.
struct Served {
  int model = 0;                           // place in RouterView::models()
  std::shared_ptr<const StepTimes> steps;  // never null: assumed where nothing is known
  Basis basis = Basis::kAssumed;
  EngineLimits limits;
  SpeedCorrection correction;
  bool keeps_prefixes = false;  // what began like one that it has seen is computed sooner
  // Of a server of batches; null: an engine. Where it is set, steps and limits mean nothing.
  std::shared_ptr<const BatchCapacity> batch;

  // The longest request that it takes: tokens of prompt and answer, or items.
  std::int64_t longest() const {
    return batch ? batch->limits.max_items : limits.LongestSequence();
  }
  // How much it computes at once: sequences, or items.
  int places() const {
    return batch ? batch->limits.max_items * batch->limits.instances : limits.max_sequences;
  }
};

struct ViewEndpoint {
  EndpointKey key;
  std::uint32_t pool = 0;  // place in RouterView::pools()
  std::string name;        // "a10/0"
  bool up = false, ejected = false;
  int concurrency = 0;  // requests at once, the ones that wait inside the engine included
  std::vector<Served> serves;
  UsdPerHour rate{};  // of all that the engine holds; zero where the pool is not paid by the hour
  Watts dynamic{};    // (busy - idle) of all that it holds
  // The model of `wanted` that it answers with: the first that it serves; null: none of them.
  const Served* Find(const std::vector<int>& wanted) const;
};

struct ViewModel {
  std::string name;
  ModelKind kind = ModelKind::kChat;
  std::int64_t context = 0;                     // tokens; 0: unknown
  std::int64_t micro_bytes_per_token = 0;       // never 0
  std::int64_t output_p50 = 0, output_p90 = 0;  // tokens; 0: not known yet
  std::optional<AnswerLengths> answers;         // none: not known yet
  double kv_bytes_per_token = 0;                // 0: unknown
  std::optional<absl::Duration> ttft, tpot;     // of the policy
  // Too many of its endpoints are ejected: then none counts as ejected (a bad request or a bad
  // network looks like bad engines).
  bool panic = false;
};

// What a request's answer must keep.
struct RequestLimits {
  absl::Duration ttft{}, tpot{};
};

struct ViewPool {
  PoolId id = kNoPool;
  std::shared_ptr<const PoolSpec> spec;
  PoolState state = PoolState::kActive;
  bool removed = false;
  Price price;
  std::uint32_t first_endpoint = 0, endpoints = 0;  // in RouterView::endpoints()
};

class RouterView {
 public:
  // kInvalidArgument: the policy does not compile over these pools.
  static absl::StatusOr<std::shared_ptr<const RouterView>> Make(
      std::shared_ptr<const RouterInputs> inputs);

  EventNumber id() const { return inputs_->id; }
  const RouterInputs& inputs() const { return *inputs_; }
  const Policy& policy() const { return *policy_; }
  const std::vector<ViewPool>& pools() const { return pools_; }
  const std::vector<ViewEndpoint>& endpoints() const { return endpoints_; }
  const std::vector<ViewModel>& models() const { return models_; }
  const TenantSpec* FindTenant(std::string_view name) const;
  // The tenant's objective, else the model's, else the policy's; what the request asks for beside
  // it only tightens. `model`: that it prefers; null: none is known.
  RequestLimits Limits(const RequestFeatures& features, const ViewModel* model) const;
  // -1: no pool serves it.
  int FindModel(std::string_view name) const;
  // What a client may mean by the name: itself, or what it is an alias of; empty: unknown.
  std::vector<std::string> Resolve(std::string_view name) const;
  // Names that clients may use: models that pools serve, and aliases of such; sorted.
  std::vector<std::string> Names() const;
  // Place of an endpoint, or endpoints().size().
  std::uint32_t PlaceOf(EndpointKey key) const;

 private:
  explicit RouterView(std::shared_ptr<const RouterInputs> inputs) : inputs_(std::move(inputs)) {}
  void AddPool(std::uint32_t index);
  void AddEndpoint(std::uint32_t pool, int number, const ServeSpec* serve);
  Served Serve(const ViewPool& pool, const ServeSpec& serve);
  int ModelPlace(const std::string& name);
  void CheckPanic();

  std::shared_ptr<const RouterInputs> inputs_;
  std::shared_ptr<const Policy> policy_;
  std::vector<ViewPool> pools_;
  std::vector<ViewEndpoint> endpoints_;
  std::vector<ViewModel> models_;
  absl::flat_hash_map<std::string, int, TextHash, std::equal_to<>> model_places_;
  absl::flat_hash_map<std::string, const TenantSpec*, TextHash, std::equal_to<>> tenants_;
};

// How many engines a pool has: replicas of its `serves`, or its URLs.
int EndpointsOf(const PoolSpec& pool);
// Which entry of `serves` the endpoint is a replica of; none: it serves whatever it was found to.
const ServeSpec* ServeOf(const PoolSpec& pool, int number);
// What one replica holds: of a modelled pool by its `serves`.
Needs ReplicaNeeds(const PoolSpec& pool, const ServeSpec& serve);

}  // namespace spillway
