#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "absl/time/time.h"
#include "core/names.h"
#include "core/work.h"

// What comes to a simulated fleet, as the `workloads:` of a scenario say it: parts that run
// together, each with a way to arrive, sizes, and what kind of work it is. Plain words; drawn from
// in simulator/workloads/. docs/workloads.md explains every key.
namespace spillway {

// How a number differs from one arrival to the next: tokens, items, units, or seconds.
enum class LengthShape : std::uint8_t { kConstant, kLognormal, kQuantiles, kColumn };
struct LengthSpec {
  LengthShape shape = LengthShape::kConstant;
  double constant = 0;
  double p50 = 0, p99 = 0;  // of a lognormal distribution; 0 < p50 <= p99
  // (fraction, value), both rising; linear in between, the ends hold beyond them.
  std::vector<std::pair<double, double>> quantiles;
  std::string file, column;  // a CSV file with a heading: rows are drawn evenly
  double most = std::numeric_limits<double>::infinity();  // longer ones are cut
  friend bool operator==(const LengthSpec&, const LengthSpec&) = default;
};

enum class TraceFormat : std::uint8_t {
  kAzureLlm,
  kAzureLlmRaw,
  kMooncake,
  kBurstGpt,
  kServeGen,
  kOpenB,
  kGavel,
  kSpillwayCsv,
  kSpillwayJsonl
};
inline constexpr EnumNames<TraceFormat, 9> kTraceFormatNames{
    {{TraceFormat::kAzureLlm, "azure-llm"},
     {TraceFormat::kAzureLlmRaw, "azure-llm-raw"},
     {TraceFormat::kMooncake, "mooncake"},
     {TraceFormat::kBurstGpt, "burstgpt"},
     {TraceFormat::kServeGen, "servegen"},
     {TraceFormat::kOpenB, "openb"},
     {TraceFormat::kGavel, "gavel"},
     {TraceFormat::kSpillwayCsv, "spillway-csv"},
     {TraceFormat::kSpillwayJsonl, "spillway-jsonl"}}};
constexpr const auto& NamesOf(TraceFormat) { return kTraceFormatNames; }
// Rows of these are jobs; of spillway-csv and spillway-jsonl either.
constexpr bool IsJobTrace(TraceFormat format) {
  return format == TraceFormat::kOpenB || format == TraceFormat::kGavel;
}

// ---- Ways to arrive. Rates are arrivals a second, > 0.

struct TraceSpec {
  std::string file;  // as it shall be opened: whoever reads the scenario joins it to its folder
  TraceFormat format = TraceFormat::kAzureLlm;
  std::string lengths;                // servegen: the second file
  std::vector<std::string> clusters;  // gavel: virtual clusters that count; empty: all
  std::int64_t skip_bad_rows = 0;     // tolerated and reported; one more is an error
  double rate = 1;        // the time axis is divided by it: no row is dropped or made up
  double share = 1;       // each row is kept with this chance
  absl::Duration from{};  // of the trace's own time: what is earlier is left out
  // Of the bootstrap, in the trace's own time. None: every seed replays the trace as it is.
  std::optional<absl::Duration> block = absl::Minutes(5);
  friend bool operator==(const TraceSpec&, const TraceSpec&) = default;
};
struct PoissonSpec {
  double rate = 0;
  friend bool operator==(const PoissonSpec&, const PoissonSpec&) = default;
};
// Gaps between arrivals follow a gamma distribution; cv is their standard deviation over their
// mean: 1 is Poisson, more is burstier.
struct GammaSpec {
  double rate = 0, cv = 1;
  friend bool operator==(const GammaSpec&, const GammaSpec&) = default;
};
// Two states of exponential length, begun in either by its share of time; Poisson within each.
struct OnOffSpec {
  absl::Duration on{}, off{};  // means
  double rate = 0;             // while on
  double off_rate = 0;         // while off; may be 0
  friend bool operator==(const OnOffSpec&, const OnOffSpec&) = default;
};
// A crowd that was waiting for an hour to strike: on top of all else, a rate that climbs in a
// straight line to `rate` at the instant `at` and then dies away, by half in every `half`.
struct SurgeSpec {
  double rate = 0;                                               // > 0
  absl::Duration at{}, rise{}, half = absl::InfiniteDuration();  // since the start of the run
  friend bool operator==(const SurgeSpec&, const SurgeSpec&) = default;
};
// Poisson with rate(t) = mean + (peak - mean) cos(2 pi (t - peak_at) / period), and the surge.
struct DiurnalSpec {
  double mean = 0, peak = 0;                           // mean <= peak <= 2 mean
  absl::Duration period = absl::Hours(24), peak_at{};  // since the start of the run
  std::optional<SurgeSpec> surge = std::nullopt;
  friend bool operator==(const DiurnalSpec&, const DiurnalSpec&) = default;
};
// A closed loop: each user asks, waits for the answer, thinks, and asks again with all that was
// said so far before the new question. A session ends after some turns; then another one begins.
struct SessionsSpec {
  int users = 0;
  absl::Duration think{};         // mean; exponential
  double turns = 1;               // mean of a session; geometric, >= 1
  std::int64_t context = 32'768;  // tokens; a longer prompt begins a session of its own
  friend bool operator==(const SessionsSpec&, const SessionsSpec&) = default;
};
using ArrivalSpec =
    std::variant<TraceSpec, PoissonSpec, GammaSpec, OnOffSpec, DiurnalSpec, SessionsSpec>;

// ---- What arrives.

struct RequestSpec {
  // Models and their shares, which add up to 1. Empty: the trace names them.
  std::vector<std::pair<std::string, double>> models;
  // None: the trace says. In sessions the prompt is what each turn adds.
  std::optional<LengthSpec> prompt_tokens, output_tokens;
  std::optional<LengthSpec> items;         // inputs of one request to a batched model; none: 1
  std::optional<std::int64_t> max_tokens;  // asked for; cuts answers
  std::int64_t shared_prefix = 0;  // of every prompt of the part: tokens that a cache may hold
  std::optional<absl::Duration> ttft, tpot;
  friend bool operator==(const RequestSpec&, const RequestSpec&) = default;
};
struct JobSpec {
  Work work;  // the job document; the trace or the lengths below fill in its demand
  std::optional<LengthSpec> units;         // of the class in its demand
  std::optional<LengthSpec> duration;      // seconds, on what its demand says
  std::optional<absl::Duration> deadline;  // after its arrival
  // Whether what it takes is declared, or found out by running it. None: declared, but for openb.
  std::optional<bool> declared;
  friend bool operator==(const JobSpec&, const JobSpec&) = default;
};

struct PartSpec {
  std::string name;  // of its random streams: unique in its workload
  ArrivalSpec arrivals;
  absl::Duration after{};               // how long into the run it begins
  std::optional<absl::Duration> lasts;  // of the run; none: to the end of its trace
  std::string tenant;                   // empty: the trace's, else "default"
  RequestSpec request;                  // for rows that are requests
  JobSpec job;                          // ... and for those that are jobs
  bool makes_jobs = false;              // generators: of jobs
  friend bool operator==(const PartSpec&, const PartSpec&) = default;
};

struct WorkloadSpec {
  std::string name;
  std::vector<PartSpec> parts;  // 1 to 1000
  friend bool operator==(const WorkloadSpec&, const WorkloadSpec&) = default;
};

}  // namespace spillway
