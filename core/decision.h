#pragma once

#include <optional>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "core/code.h"
#include "core/estimate.h"
#include "core/ids.h"

// What the brain answers about one piece of work: complete (every pool, every reason, every
// figure), as codes and numbers. Words are made by Explain (core/explain.h) when somebody reads.
namespace spillway {

enum class Outcome : std::uint8_t { kPlaced, kWaiting, kRefused };
inline constexpr EnumNames<Outcome, 3> kOutcomeNames{
    {{Outcome::kPlaced, "placed"}, {Outcome::kWaiting, "waiting"}, {Outcome::kRefused, "refused"}}};
constexpr const auto& NamesOf(Outcome) { return kOutcomeNames; }

// Awaited: it meets the objective once it frees. Outranked: it would do, something before it does
// too.
enum class Verdict : std::uint8_t { kChosen, kAwaited, kRefused, kOutranked };
inline constexpr EnumNames<Verdict, 4> kVerdictNames{{{Verdict::kChosen, "chosen"},
                                                      {Verdict::kAwaited, "awaited"},
                                                      {Verdict::kRefused, "refused"},
                                                      {Verdict::kOutranked, "outranked"}}};
constexpr const auto& NamesOf(Verdict) { return kVerdictNames; }

// Figures of the first code, where it has any. The unit follows from the code: milli-CPUs for
// kCpus, bytes for kMemory, devices (or bytes of one) for kDevices, nanoseconds for kTooLate,
// nano-dollars for kTooDear, kOutranked and kChosen.
struct Figures {
  std::int64_t found = 0, wanted = 0;
  friend bool operator==(const Figures&, const Figures&) = default;
};

struct Candidate {
  PoolId pool = kNoPool;
  Verdict verdict = Verdict::kRefused;
  CodeSet codes;  // not empty; the first is the answer, the others stand beside it
  Figures figures;
  std::int16_t alternative =
      -1;                      // which face of the work the pool was asked about; -1: the default
  std::int16_t position = -1;  // place of its tier in the claim order, from 0; -1: not in it
  bool backstop = false;       // claims last by the policy
  bool has_estimate = false;   // refused for what it cannot do: no figures are made up
  Estimate estimate;

  // The answer: `chosen` or `pinned` for the chosen pool, `busy` for an awaited one, else the first
  // of `codes`. A chosen pool may hold too_late as well: then no pool meets the objective, and this
  // one could start first in order.
  Code code() const {
    if (verdict == Verdict::kChosen)
      return codes.Has(Code::kPinned) ? Code::kPinned : Code::kChosen;
    return codes.First();
  }
  friend bool operator==(const Candidate&, const Candidate&) = default;
};

// What one clean attempt would have cost on the NVIDIA pool (or what the policy names as baseline).
struct Baseline {
  PoolId pool = kNoPool;    // kNoPool with a cost: a priced device of the catalogue
  std::optional<Usd> cost;  // none: nobody able, or no price; `code` says which
  Code code = Code::kChosen;
  absl::Duration duration{};  // p50 there
  friend bool operator==(const Baseline&, const Baseline&) = default;
};

struct Decision {
  DecisionId id{};
  EventNumber event{};  // that it was made in; for a refused submission also where its work stands
  JobId work{};         // zero: refused at submission, a dry run, or a request
  RequestId request{};  // zero: a job
  absl::Time at;
  std::string tenant;
  Outcome outcome = Outcome::kRefused;
  PoolId chosen = kNoPool;
  std::string policy;
  std::uint64_t policy_version = 0;
  std::string rule;  // of the policy that made the claim order; empty: the order itself
  std::uint64_t inputs_hash = 0;                 // XXH64 of everything that the decision looked at
  absl::Time spill_at = absl::InfiniteFuture();  // waiting: decided again then at the latest
  Baseline baseline;
  std::vector<Candidate> candidates;  // every pool, in the order of the fleet
  friend bool operator==(const Decision&, const Decision&) = default;
};

}  // namespace spillway
