#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "absl/types/span.h"
#include "core/catalog.h"
#include "core/pool.h"
#include "core/work.h"
#include "performance/job_speed.h"
#include "simulator/bound.h"

// What goes into LowerBound(): nodes, and how many of their hours requests and jobs take at the
// best rate that there is. Everything errs to the cheap side, so that the bound stays one.
namespace spillway {

struct BoundNodes {
  absl::Duration span{};  // that each node is there
  bool whole = false;     // a node that is used is paid for all of it
  // Nodes that are paid for anyway cost the energy of what runs on them, where the price does not
  // include it. False: the bill that the bound stands beside holds no energy.
  bool energy = true;
};
// `committed` pools cost their energy, `metered` ones their price; `token` and `unpriced` nothing
// by the hour. Whole nodes only where they are metered.
BoundPool BoundPoolOf(const PoolSpec& pool, const BoundNodes& nodes);

// Requests that are alike in what may serve them: model and, roughly, size. Sums, so that nothing
// is lost by taking many together; as work of the bound, its amount is 1.
struct RequestBucket {
  std::string name;
  std::vector<std::string> models;  // any of them will do
  std::int64_t requests = 0;
  std::int64_t prompt_tokens = 0;  // of them ...
  std::int64_t cached_tokens = 0;  // ... these were found in a prefix cache: not computed
  std::int64_t output_tokens = 0;
  std::int64_t decodes = 0;         // steps: an answer's first token comes with its prompt
  std::int64_t decode_context = 0;  // tokens that they had in the cache, summed over steps
  // The least of any request, for what a pool can do at all: tokens of prompt and answer, tokens of
  // a prompt that were computed.
  std::int64_t shortest = 0, smallest_prompt = 0;

  // prompt >= 1; 0 <= cached < prompt; output 0 for an embedding.
  void Add(std::int64_t prompt, std::int64_t cached, std::int64_t output);
};

// An engine's time is bounded from below twice over: by the prompts alone at the best chunk, and by
// the answers alone at the best batch that memory and slots allow. One may hide behind the other,
// so these are two parts of a node. A step with n sequences and K tokens in the cache takes at
// least a n + g K for pairs (a, g) that hold for every batch there can be; up to three such pairs,
// the best for short, mean and long contexts, are as many parts. With buckets of one kind the best
// batch rate is met exactly; attention within prompts is left out.
struct RequestLoads {
  // Engines share blocks of prompts that begin alike, so their contexts may exceed their memory.
  bool prefix_cache = false;
  // Only pools whose idle engine would be in time count as able. To bound a cell that reached its
  // target, fill the buckets with the requests that were in time.
  std::optional<absl::Duration> ttft, tpot;
};
// [bucket][pool]. Able: the pool serves one of the models and its memory holds the shortest request
// (engines that the catalogue cannot describe are taken to be able, at no time). Token prices apply
// to `token` pools. kNotFound does not arise: what is unknown is cheap.
std::vector<std::vector<BoundLoad>> LoadsOf(const Catalog& catalog,
                                            absl::Span<const PoolSpec> pools,
                                            absl::Span<const RequestBucket> buckets,
                                            const RequestLoads& options);

// One job on a pool that can hold it: node-hours are its length there times the share of a node's
// price that it pays, over all nodes of a gang. Lengths that scatter belong into the amount, as
// jobs of this length.
BoundLoad LoadOf(const SizedDemand& demand, const Needs& needs, const PoolSpec& pool,
                 const PoolSpeed& speed, absl::Duration if_unknown);

}  // namespace spillway
