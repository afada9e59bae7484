#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "core/config.h"
#include "core/names.h"
#include "core/storage.h"
#include "core/workload.h"

// What `spillway simulate` reads, as plain words: which fleets, under which policies, with which
// workloads, in what world. docs/simulation.md explains every key.
namespace spillway {

// What a run must reach for its requests to be "in time". A request meets both times; one that was
// refused, lost or not finished meets none. A job meets its own objective.
struct ScenarioObjective {
  std::optional<absl::Duration> ttft, tpot;  // none: the policy's
  double attainment = 0.99;                  // of all work that was submitted, (0, 1]
};

// The fewest nodes of one device that reach the objective, found by simulation.
struct FleetSize {
  std::string device;                   // of the catalogue
  NodeShape node;                       // one of them
  int most = 256;                       // nodes; more are not tried
  std::optional<UsdPerHour> node_hour;  // none: the catalogue's first price
  std::optional<Precision> precision;   // of the models; none: bf16, else fp16, else int8
};
struct ScenarioFleet {
  std::string name;
  std::string file;     // as it was opened; empty for one that is sized
  FleetSpec spec;       // read from `file`
  TenantsSpec tenants;  // of the same file, if it has any
  std::optional<FleetSize> size;
};
struct ScenarioPolicy {
  std::string name, file;
  PolicySpec spec;
};

// Nodes that fail and are repaired: exponential times, each node by itself.
struct FailureSpec {
  absl::Duration mtbf = absl::InfiniteDuration();  // mean time a node is up
  absl::Duration repair = absl::Minutes(30);       // mean time it is down
};
// Pools that their owner may take back. By a recorded trace of how many nodes are available, or by
// exponential times.
struct SpotSpec {
  std::vector<std::string> pools;            // never empty
  absl::Duration notice = absl::Minutes(2);  // from then on nothing new should begin there
  std::string trace;                         // CSV: seconds, available (docs/simulation.md)
  // Read from `trace`: from then on so many nodes are there, of all `pools` together. Rising.
  std::vector<std::pair<absl::Duration, int>> available;
  std::optional<absl::Duration> mtbr;       // mean time between reclaims of one node
  absl::Duration away = absl::Minutes(10);  // mean time until another one is had
  // How long a job takes to save what it has done: one that is told early enough does, and goes on
  // from there elsewhere. None: jobs begin anew.
  std::optional<absl::Duration> checkpoint;
};
// What it takes until a node that comes (back) is of use: it boots, and its engines read their
// models (performance/model_load.h).
struct StartUpSpec {
  absl::Duration boot = absl::Seconds(120);
  Storage storage = Storage::kNvme;
  bool cold = false;  // engines come up like this at the start of the run as well
};
// Grid intensity as a step series; each row holds until the next.
struct CarbonSpec {
  std::string zone, file;
  std::vector<std::string> sites;                              // names; empty: all
  std::vector<std::pair<absl::Time, GramsCo2ePerKwh>> series;  // read from `file`, rising
};
// Only what nobody decides.
struct WorldSpec {
  FailureSpec failures;
  std::map<std::string, FailureSpec> pool_failures;  // by pool, in place of the above
  std::vector<SpotSpec> spot;                        // of different pools
  std::optional<StartUpSpec> start_up;               // none: at once
  PricesSpec prices;  // read from `prices: {file}`; dated, as `kind: Prices`
  std::string prices_file;
  std::optional<CarbonSpec> carbon;
};

// One figure of the inputs, varied on its own: every other figure stays as it is.
enum class SweptInput : std::uint8_t { kPrefill, kBandwidth, kPrice };
inline constexpr EnumNames<SweptInput, 3> kSweptInputNames{
    {{SweptInput::kPrefill, "prefill"},      // tokens of prompts a second, of a device
     {SweptInput::kBandwidth, "bandwidth"},  // of a device's memory
     {SweptInput::kPrice, "price"}}};        // of a pool
constexpr const auto& NamesOf(SweptInput) { return kSweptInputNames; }
struct SweepSpec {
  std::string name;
  SweptInput input = SweptInput::kPrefill;
  std::string of;               // a device of the catalogue, or a pool
  std::vector<double> factors;  // 1 to 20, rising, without 1: that is the scenario itself
  // Of fleets and policies that are run with each factor: of those whose fleet is read from a file
  // and holds it. Never empty once read.
  std::vector<std::pair<std::string, std::string>> pairs;
};

// Which of two devices is the cheaper one at which load, by several price lists.
struct PriceListSpec {
  std::string name, source;
  UsdPerHour first{}, second{};  // a device (of CPUs: a slice) and hour
};
struct BreakEvenSpec {
  std::string name;
  // Pairs of a sized fleet and its policy.
  std::pair<std::string, std::string> first, second;
  std::vector<double> loads;            // times the workload's own rate; rising, 1 to 20
  std::vector<PriceListSpec> prices;    // 1 to 20
  std::vector<WorkloadSpec> workloads;  // 1 to 100
};

// How a fleet's bill is told: every node rented, or pools marked `committed` paid for already. Both
// are always worked out; tables, charts and verdicts speak of those that a scenario asks for.
enum class Accounting : std::uint8_t { kRented, kPaidFor };
inline constexpr EnumNames<Accounting, 2> kAccountingNames{
    {{Accounting::kRented, "rented"}, {Accounting::kPaidFor, "paid-for"}}};
constexpr const auto& NamesOf(Accounting) { return kAccountingNames; }

// A file that the scenario stands on, as it was when it was read.
struct ScenarioInput {
  std::string file;  // as the scenario names it
  std::string what;  // scenario, fleet, policy, workload, prices, carbon, spot, catalog
  std::int64_t bytes = 0;
  std::string xxh64;  // of the content: 16 hexadecimal digits
  friend bool operator==(const ScenarioInput&, const ScenarioInput&) = default;
};

struct ScenarioSpec {
  std::string name, says;
  std::string path;                                         // of its file
  absl::Time start = absl::FromUnixSeconds(1'785'110'400);  // 2026-07-27T00:00:00Z, a Monday
  std::vector<ScenarioFleet> fleets;                        // 1 to 100
  std::vector<ScenarioPolicy> policies;                     // 1 to 100
  std::vector<std::pair<std::string, std::string>> pairs;   // fleet, policy; never empty once read
  std::pair<std::string, std::string> baseline;             // one of them
  std::vector<WorkloadSpec> workloads;                      // 1 to 100
  std::vector<SweepSpec> sweeps;                            // at most 20
  std::vector<BreakEvenSpec> break_even;                    // at most 20
  ScenarioObjective objective;
  WorldSpec world;
  absl::Duration warm_up{};  // latencies and attainment leave out what arrives before
  absl::Duration drain =
      absl::Minutes(30);  // after the last arrival: what is not over then is unfinished
  int seeds = 1;          // 1 to 1000
  std::vector<Accounting> accounting = {Accounting::kRented, Accounting::kPaidFor};
  std::vector<std::string> sources;   // of data: "file: licence, where from", for the report
  std::vector<ScenarioInput> inputs;  // every file, each once, the scenario's own first
  std::string text;                   // of its file, as it was read
};

}  // namespace spillway
