#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/time/time.h"
#include "core/decision.h"
#include "core/device.h"
#include "core/job.h"
#include "core/pool.h"
#include "core/record.h"
#include "core/request.h"
#include "core/work.h"
#include "formats/booked.h"
#include "formats/json_writer.h"

// The JSON shapes of the native API: what docs/api.md and controller/northbound/openapi.yaml say,
// written straight from the words of core/. Money is a decimal string with nine places, time RFC
// 3339 in UTC with milliseconds, spans are seconds, energy and carbon are exact decimal numbers.
// Every function writes one whole value and nothing else.
namespace spillway {

// How to name pools: null for an id that no pool has.
using PoolLookup = absl::FunctionRef<const PoolSpec*(PoolId)>;

// "2026-07-28T09:15:02.417Z": cut to the millisecond. Years 0 to 9999.
std::string ApiTime(absl::Time time);
void WriteApiTime(JsonWriter& w, const std::optional<absl::Time>& time);  // or null
// Nine places, between quotes.
void WriteApiMoney(JsonWriter& w, Usd money);
// Microjoules and micrograms as joules and grams: exact, no exponent, no trailing zeros.
void WriteApiMicros(JsonWriter& w, std::int64_t micros);

// --- Jobs

// Members of an open object: what was submitted, without what was not said and is empty by default.
void WriteWorkMembers(JsonWriter& w, const Work& work);
void WriteJob(JsonWriter& w, const Job& job, PoolLookup pool_of);

// --- Decisions

void WriteDecision(JsonWriter& w, const Decision& decision, const Work& work, PoolLookup pool_of);
// The same without the braces.
void WriteDecisionMembers(JsonWriter& w, const Decision& decision, const Work& work,
                          PoolLookup pool_of);
// What came of a request: one object.
void WriteRequestOutcome(JsonWriter& w, const Request& request, PoolLookup pool_of);
// The array that a 422 carries too.
void WriteCandidates(JsonWriter& w, const Decision& decision, const Work& work, PoolLookup pool_of);

// --- Pools and devices

// A pool and how it stands. References are borrowed for the call.
struct PoolFacts {
  const PoolSpec& spec;
  const Price& price;  // in force
  PoolState state = PoolState::kActive;
  bool removed = false;
  int nodes_up = 0;
  MilliCpus cpus_total{}, cpus_free{};
  Bytes memory_total{}, memory_free{};
  std::int64_t devices_total = 0, devices_free = 0;
  int running = 0;
  int awaited_by = 0;
};
void WritePool(JsonWriter& w, const PoolFacts& pool);
// As the operator wrote it: not sped up with the pool. ParsePrice (config_file.h) takes it back.
void WritePrice(JsonWriter& w, const Price& price, const PoolSpec& pool);
void WriteDevice(JsonWriter& w, const Device& device);

// --- The ledger

// Rows that were added up. Keys by which they were not grouped are not set.
struct LedgerSum : Booked {
  std::optional<absl::Time> hour;
  std::optional<std::string> pool, tenant;
  std::optional<record::Category> category;
  std::optional<bool> modelled;  // where there is one pool
  std::int64_t ended = 0;
  Joules energy{};
  GramsCo2e carbon{};

  void Add(const record::LedgerRow& row);
};
struct LedgerReport {
  std::optional<absl::Time> from, until;
  std::vector<std::string> group_by;
  std::vector<LedgerSum> rows;
  LedgerSum totals;
};
void WriteLedger(JsonWriter& w, const LedgerReport& report);

// --- Problems (RFC 9457)

struct ProblemPart {
  std::string pointer, detail;
};
struct Problem {
  int status = 500;
  std::string code;      // "queue_full": closed set, each explained at its `type`
  std::string title;     // the same for every problem of this code
  std::string detail;    // what was found, what was wanted
  std::string instance;  // path of the request; empty: left out
  std::string trace_id;  // empty: left out
  bool retryable = false;
  std::vector<ProblemPart> errors;  // empty: left out
  std::string candidates;           // JSON array, of a 422 about work; empty: left out
};
std::string ProblemBody(const Problem& problem);

}  // namespace spillway
