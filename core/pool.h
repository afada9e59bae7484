#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "core/device.h"
#include "core/ids.h"
#include "core/runtime.h"
#include "core/units.h"

// A pool: identical nodes under one adapter. Everything here is a plain copy of what an operator
// wrote, with the catalogue's values filled in; nothing here changes while it is in use.
namespace spillway {

enum class Billing : std::uint8_t { kMetered, kCommitted, kToken, kUnpriced };
inline constexpr EnumNames<Billing, 4> kBillingNames{{{Billing::kMetered, "metered"},
                                                      {Billing::kCommitted, "committed"},
                                                      {Billing::kToken, "token"},
                                                      {Billing::kUnpriced, "unpriced"}}};
constexpr const auto& NamesOf(Billing) { return kBillingNames; }

enum class SiteKind : std::uint8_t { kCloud, kEdge, kDevice };
inline constexpr EnumNames<SiteKind, 3> kSiteKindNames{
    {{SiteKind::kCloud, "cloud"}, {SiteKind::kEdge, "edge"}, {SiteKind::kDevice, "device"}}};
constexpr const auto& NamesOf(SiteKind) { return kSiteKindNames; }

// Who chooses the node: our brain, or the cluster behind the adapter.
enum class PlacedBy : std::uint8_t { kOurs, kTheirs };
inline constexpr EnumNames<PlacedBy, 2> kPlacedByNames{
    {{PlacedBy::kOurs, "ours"}, {PlacedBy::kTheirs, "theirs"}}};
constexpr const auto& NamesOf(PlacedBy) { return kPlacedByNames; }

// What an operator has told the pool to do. Draining: running work ends, nothing new starts, and
// the pool becomes cordoned when it is empty.
enum class PoolState : std::uint8_t { kActive, kCordoned, kDraining };
inline constexpr EnumNames<PoolState, 3> kPoolStateNames{{{PoolState::kActive, "active"},
                                                          {PoolState::kCordoned, "cordoned"},
                                                          {PoolState::kDraining, "draining"}}};
constexpr const auto& NamesOf(PoolState) { return kPoolStateNames; }

struct NodeShape {
  MilliCpus cpus{};
  Bytes memory{};
  int devices = 0;  // 0 to 64; a CPU is never counted here
  friend bool operator==(const NodeShape&, const NodeShape&) = default;
};

// How a node's rate is split over what work holds of it. They sum to 1. Default: all on the
// devices; on the CPUs where a node has none.
struct ShareWeights {
  double cpus = 0, memory = 0, devices = 0;
};

struct Price {
  std::optional<UsdPerHour> node_hour;        // metered, committed
  std::optional<UsdPerMtoken> input, output;  // token
  std::string as_of;                          // day, YYYY-MM-DD; empty: not stated
  std::string source;
};

// Of one whole node.
struct Power {
  Watts idle{}, busy{};             // busy >= idle
  double pue = 1.0;                 // >= 1: what the building adds
  std::optional<UsdPerKwh> tariff;  // none: the price includes energy
  // What making the node emitted (scope 3), for each hour of its life; none: not stated.
  std::optional<GramsCo2e> embodied;
};

struct Site {
  std::string name;
  SiteKind kind = SiteKind::kCloud;
  absl::Duration round_trip{};
  std::optional<BytesPerSecond> bandwidth;  // none: not a limit
  UsdPerGib egress{};
  std::optional<GramsCo2ePerKwh> carbon;  // none: unknown, counted as 0 and labelled so
};

// How long an engine is given to answer; none: what fits the objective (scheduler/engine_time.h).
struct EngineTimeouts {
  std::optional<absl::Duration> connect;     // until a connection stands
  std::optional<absl::Duration> first_byte;  // from the request sent to the first event of a stream
  std::optional<absl::Duration> whole;       // ... to the head of an answer that is no stream
  std::optional<absl::Duration> idle;        // between two pieces of an answer
  friend bool operator==(const EngineTimeouts&, const EngineTimeouts&) = default;
};

struct AdapterSpec {
  std::string type;  // process | modelled | openai
  double speedup =
      1;  // modelled: already folded into price, power and speed when the fleet is loaded
  int max_commands = 8;      // modelled: real commands running here at once
  MilliCpus reserve_cpus{};  // process: left to the machine itself
  Bytes reserve_memory{};
  // openai: engines that others run, by base URL ("http://10.0.0.7:8000/v1"), one endpoint each.
  std::vector<std::string> urls;
  std::string engine;  // whose health page and metric names: vllm, sglang, llama.cpp, ...
  std::string key_file, key_env;  // where their API key stands; it is never stored or logged
  int concurrency = 0;            // requests at once on one endpoint; 0: its batch, else 64
  EngineTimeouts timeouts;
};

// A model that engines of the pool serve.
struct ServeSpec {
  std::string model;     // as clients call it; of the catalogue for modelled engines of tokens
  std::string upstream;  // as the engine calls it; empty: the same
  Precision precision = Precision::kBf16;
  int replicas = 1;                       // engines, each an endpoint
  int nodes = 1;                          // that one replica spans, each held alike
  int devices = 0;                        // of a node that it holds; 0: all of them
  MilliCpus cpus{};                       // of a node without devices; 0: all of them
  std::optional<int> max_sequences;       // in one batch
  std::optional<std::int64_t> kv_blocks;  // measured, of 16 tokens; none: what memory leaves
  // A server of whole batches (performance/batch_server.h): of this class of the catalogue; empty:
  // an engine of tokens. The three below are its own: items of a batch, how long a request waits
  // for others, batches computed at once. None: as measured, else 64, 1 ms, 1.
  std::string work_class;
  std::optional<int> max_items;
  std::optional<absl::Duration> max_delay;
  std::optional<int> instances;
  friend bool operator==(const ServeSpec&, const ServeSpec&) = default;
};

struct PoolSpec {
  std::string name;
  AdapterSpec adapter;
  DeviceKind kind = DeviceKind::kCpu;
  std::string vendor;
  std::string device;     // of the catalogue; may be empty for a machine that no entry describes
  double speed = 1;       // factor on the catalogue's rates; `speedup` of a modelled pool
  Bytes device_memory{};  // of one device; 0 where there is none
  NodeShape node;
  int nodes = 1;  // 1 to 100,000
  Arch arch = Arch::kX86_64;
  std::map<std::string, Version> runtimes;
  std::vector<Precision> precisions;
  std::vector<std::string> features;
  std::vector<std::string> confidential;            // e.g. tdx, sev-snp
  std::optional<std::vector<std::string>> models;   // none: not restricted
  std::optional<std::vector<std::string>> classes;  // none: not restricted
  std::vector<std::string> tenants;                 // empty: all
  double peak_ops = 0;  // of one node, at its best precision of 16 bits or fewer: how capable it is
  Billing billing = Billing::kUnpriced;
  Price price;
  ShareWeights weights;
  Power power;
  Site site;
  std::map<std::string, std::string> labels;
  int tier = 0;  // for `claim: {order: tiers}`; smallest first
  PlacedBy placement = PlacedBy::kOurs;
  bool modelled = false;
  // A node that work opens takes so long before that work begins; it is paid for meanwhile. Zero:
  // at once. Only where nodes are bought while they are used, and serve no model (metered).
  absl::Duration boot{};
  std::vector<std::string> limits;  // which limits the adapter really enforces: words for people
  std::vector<ServeSpec> serves;    // in the order of the file; models differ
};

struct FleetSpec {
  std::vector<PoolSpec> pools;  // in the order of the file; names are unique
  // Other names for models: one of them, or any of a list, whichever is served cheapest in time.
  std::map<std::string, std::vector<std::string>> aliases;
};

// Whether its engines keep the beginnings of prompts for others that begin alike. vLLM (V1),
// SGLang, TGI 3, TensorRT-LLM and the llama.cpp that is in Ollama, too, do unless they are told not
// to; modelled ones do. Of hosted ones nobody knows.
bool KeepsPrefixes(const PoolSpec& pool);

}  // namespace spillway
