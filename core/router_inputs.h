#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "core/catalog.h"
#include "core/config.h"
#include "core/ids.h"
#include "core/policy_spec.h"
#include "core/pool.h"

// All that routing rests on but load: recorded whenever it changes, so that a request of long ago
// can be routed again. Ratios are in millionths, so that they are exact.
namespace spillway {

inline constexpr std::int64_t kMillion = 1'000'000;

// One engine of a pool, as far as it does not follow from the pool's specification.
struct EndpointState {
  bool up = false;                  // it answered when it was last asked
  bool ejected = false;             // left out after failures, for a while
  std::vector<std::string> models;  // that it was found to serve; empty: those of its `serves`
  friend bool operator==(const EndpointState&, const EndpointState&) = default;
};

// How what was observed compares with what was estimated, for one model on one pool.
struct SpeedCorrection {
  std::string model;
  bool observed = false;                                  // five answers at least
  std::int64_t ttft_p50 = kMillion, ttft_p90 = kMillion;  // observed / estimated
  std::int64_t tpot_p50 = kMillion, tpot_p90 = kMillion;
  friend bool operator==(const SpeedCorrection&, const SpeedCorrection&) = default;
};

struct RouterPool {
  std::shared_ptr<const PoolSpec> spec;
  PoolState state = PoolState::kActive;
  bool removed = false;
  Price price;
  std::vector<EndpointState> endpoints;
  std::vector<SpeedCorrection> speeds;  // by model
};

// What has been learned of a model, whoever serves it.
struct ModelLearned {
  std::int64_t micro_bytes_per_token = 0;  // of prompts, in millionths; 0: the catalogue's, else 4
  std::int64_t output_p50 = 0, output_p90 = 0;  // tokens of an answer; 0: not known yet
  std::int64_t output_mean = 0;                 // the same
  // Tokens that answers under way at any moment still have to come, at 5 %, 10 %, ... 100 % of
  // them: long answers are under way for longer, so this is no part of the lengths above. Empty:
  // not known yet.
  std::vector<std::int64_t> output_left;
  friend bool operator==(const ModelLearned&, const ModelLearned&) = default;
};

struct RouterInputs {
  EventNumber id{};               // the last event folded in
  std::vector<RouterPool> pools;  // by PoolId
  std::map<std::string, ModelLearned> models;
  std::map<std::string, std::vector<std::string>> aliases;
  std::shared_ptr<const PolicySpec> policy;
  std::uint64_t policy_version = 0;
  std::shared_ptr<const TenantsSpec> tenants;
  // Of the catalogue, what the pools and models above name.
  std::shared_ptr<const Catalog> catalog;
};

}  // namespace spillway
