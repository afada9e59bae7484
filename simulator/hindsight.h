#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/time/time.h"
#include "core/request.h"
#include "scheduler/router.h"
#include "simulator/regret.h"
#include "simulator/result.h"
#include "simulator/servers.h"

namespace spillway {

// Hashes of a prompt's beginnings; they live as long as an engine, or a copy of it, has the prompt.
using PrefixBlocks = std::shared_ptr<const std::vector<std::uint64_t>>;

// What was regretted, pool by pool.
class RegretTally {
 public:
  void Placed() { ++out_.placements; }
  void Examined(const std::optional<Regret>& regret);
  std::int64_t examined() const { return out_.examined; }
  std::int64_t placements() const { return out_.placements; }
  RegretOutcome Outcome() const;

 private:
  RegretOutcome out_;
  std::map<std::string, RegretOfPool> pools_;
};

// Of a request that a pool of last resort took: would a cheaper pool have answered in time? Each
// cheaper pool's endpoint that looked best is copied with its true load; the copy takes the
// request, and everything that really came to that engine afterwards, until the answer is out. All
// else stays as it was. It only looks on: nothing that is decided depends on it.
class RequestHindsight {
 public:
  static constexpr std::size_t kMostCopies = 512;  // at once; beyond them nothing is examined
  // So many placements are all examined, then every second one, every fourth, ...
  static constexpr std::int64_t kMostDense = 4096;

  // A request and where it went, at that instant. Lengths are the true ones.
  struct Placement {
    const RouterView& view;
    const RequestShape& shape;
    const RequestFeatures& features;
    std::uint32_t endpoint = 0;
    std::int64_t prompt_tokens = 1, output_tokens = 1;
    int items = 1;
    PrefixBlocks blocks;
    absl::Duration ttft, tpot;  // what it had to keep
  };
  // `kept_on`: the blocks of all prompts in the engine of that endpoint.
  void Placed(const Placement& placement, const std::vector<VirtualServer>& servers,
              absl::FunctionRef<std::vector<PrefixBlocks>(std::uint32_t)> kept_on,
              RegretTally& tally, absl::Time now);
  // Another one came to that endpoint for good.
  void Added(std::uint32_t endpoint, ServerTask task, const PrefixBlocks& blocks,
             RegretTally& tally, absl::Time now);
  // What ran there was lost.
  void Lost(std::uint32_t endpoint, RegretTally& tally);
  // Nothing more comes.
  void Finish(RegretTally& tally);

 private:
  struct Question {
    std::vector<HindsightCandidate> candidates;  // the first is where it went
    absl::Duration within;
    int open = 0;
  };
  struct Copy {
    std::uint64_t question = 0;
    std::size_t candidate = 0;
    std::uint32_t endpoint = 0;
    std::unique_ptr<ServerModel> model;
    std::vector<PrefixBlocks> kept;
    absl::Time arrived, placed, at, first;
    absl::Duration way, ttft, tpot;
    std::int64_t output_tokens = 1;
    std::uint64_t last_id;
  };
  enum class Known : std::uint8_t { kNotYet, kInTime, kLate };
  // Runs the copy to what happens before `until`.
  Known Advance(Copy& copy, absl::Time until);
  Known Hear(Copy& copy, const StepOutput& output);
  void Settle(const Copy& copy, Known known, RegretTally& tally);
  template <class Keeps>
  void Sweep(Keeps keeps);

  std::uint64_t last_question_ = 0;
  std::map<std::uint64_t, Question> questions_;
  std::vector<Copy> copies_;
  std::vector<StepOutput> outputs_;
  std::int64_t stride_ = 1;
};

// Is it a pool of last resort? The policy's `backstop:` says so; without one, NVIDIA is.
bool IsLastResort(const PoolSpec& pool, const PolicySpec& policy);

}  // namespace spillway
