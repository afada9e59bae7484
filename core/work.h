#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "absl/time/time.h"
#include "core/device.h"
#include "core/runtime.h"
#include "core/selector.h"
#include "core/units.h"

// Work: a job (batch; queued and durable), a request (online inference) or a service (an engine
// replica that holds devices). What stands here is what a person or a client said, with defaults
// filled in.
namespace spillway {

enum class WorkKind : std::uint8_t { kJob, kRequest, kService };
inline constexpr EnumNames<WorkKind, 3> kWorkKindNames{
    {{WorkKind::kJob, "job"}, {WorkKind::kRequest, "request"}, {WorkKind::kService, "service"}}};
constexpr const auto& NamesOf(WorkKind) { return kWorkKindNames; }

struct DeviceNeed {
  int count = 0;  // 0: none; such work does not run where it would hold a device unpaid
  std::optional<DeviceKind> kind;
  std::string vendor;   // empty: any
  std::string model;    // name in the catalogue; empty: any
  Bytes memory{};       // of each device
  double fraction = 1;  // of each device, (0, 1]
  friend bool operator==(const DeviceNeed&, const DeviceNeed&) = default;
};

// What a place must have. Hard: a pool without it cannot, whatever it costs.
struct Needs {
  MilliCpus cpus{1000};
  Bytes memory{256 << 20};
  DeviceNeed devices;
  int nodes = 1;             // more is a gang: all or nothing, `cpus`, `memory`, `devices` on each
  std::optional<Arch> arch;  // none: any
  RuntimeNeed runtime;       // "none" if not said
  std::vector<Precision> precision;           // all of them
  std::vector<std::string> features;          // all of them
  std::string confidential;                   // e.g. tdx; empty: not asked for
  std::string model;                          // one that must be served there; empty: none
  std::vector<std::string> sites;             // any of them; empty: anywhere
  std::map<std::string, std::string> labels;  // the pool has them all
  std::map<std::string, std::string> avoid;   // the pool has none of them
  friend bool operator==(const Needs&, const Needs&) = default;
};

// How much work it is. monostate: nothing is known.
struct DeclaredSeconds {
  absl::Duration seconds{};  // p50 on `on`
  std::string on;            // a device of the catalogue or a pool; empty: wherever it runs
  friend bool operator==(const DeclaredSeconds&, const DeclaredSeconds&) = default;
};
struct ClassUnits {
  std::string work_class;  // of configs/catalog/classes.yaml
  double units = 0;        // > 0
  friend bool operator==(const ClassUnits&, const ClassUnits&) = default;
};
struct TokenCounts {
  Tokens prompt{}, output{};
  friend bool operator==(const TokenCounts&, const TokenCounts&) = default;
};
using Demand = std::variant<std::monostate, DeclaredSeconds, ClassUnits, TokenCounts>;

enum class OnMiss : std::uint8_t { kRun, kFail };
inline constexpr EnumNames<OnMiss, 2> kOnMissNames{
    {{OnMiss::kRun, "run"}, {OnMiss::kFail, "fail"}}};
constexpr const auto& NamesOf(OnMiss) { return kOnMissNames; }

// What "in time" means. Times are tested on p90, money on p50.
struct Objective {
  std::optional<absl::Time> deadline;          // finished by then
  std::optional<absl::Duration> start_within;  // of submission
  std::optional<absl::Duration> ttft, tpot;    // requests
  std::optional<Usd> max_cost;                 // allocated; hard
  OnMiss on_miss = OnMiss::kRun;
  friend bool operator==(const Objective&, const Objective&) = default;
};

// The command of a job: an argument vector, never a shell line.
struct Run {
  std::vector<std::string> command;
  std::map<std::string, std::string> env;
  std::string cwd;  // empty: a fresh folder of its own
  friend bool operator==(const Run&, const Run&) = default;
};

// How many times work is tried again: after its own fault (exit code, signal, cannot be started)
// and after faults of what it ran on (node lost, reclaimed, supervisor gone).
struct Retries {
  int own = 0, infrastructure = 3;  // 0 to 100
  friend bool operator==(const Retries&, const Retries&) = default;
};

// Another way to do the same work on pools that `on` selects: each part that is given stands,
// already merged over the default (RFC 7396), in place of it there. The first alternative that
// matches counts.
struct Alternative {
  PoolSelector on;
  Run run;
  Needs needs;
  Demand demand;
  Objective objective;
  friend bool operator==(const Alternative&, const Alternative&) = default;
};

inline constexpr int kMaxPriority = 100;

struct Work {
  WorkKind kind = WorkKind::kJob;
  std::string name;  // what repeats: durations are learned by (tenant, name); may be empty
  std::string tenant = "default";  // from who the caller is
  Run run;
  Needs needs;
  Demand demand;
  Objective objective;
  int priority = 0;  // -100 to 100, larger first
  Retries retries;
  std::map<std::string, std::string> labels;
  std::vector<Alternative> alternatives;
  std::string pin;  // a pool by name: no other is considered; exempt from the claim law
  std::optional<absl::Duration>
      queue_timeout;  // how long it waits for a pool that could; none: the policy's
  friend bool operator==(const Work&, const Work&) = default;
};

// The face that work shows to one pool: its default parts, or those of the first alternative that
// selects the pool. References live as long as the work.
struct WorkFace {
  const Run& run;
  const Needs& needs;
  const Demand& demand;
  const Objective& objective;
  int alternative = -1;  // -1: the default parts
};
WorkFace FaceFor(const Work& work, const PoolSpec& pool);
WorkFace FaceOf(const Work& work, int alternative);

}  // namespace spillway
