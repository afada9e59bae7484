#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <vector>

#include "absl/numeric/int128.h"
#include "absl/types/span.h"
#include "core/decision.h"
#include "core/request.h"
#include "scheduler/router_view.h"

// Where a request goes: pure, called by many threads on one immutable view. The same code decides
// live, explains afterwards, replays a log and runs in the simulator.
namespace spillway {

// What is true of one sort of request (models, tenant, pin) whatever its size and the load: made
// once for a view, read by every decision.
struct RequestShape {
  EventNumber view{};
  std::vector<int> models;  // that may answer, in the order of preference
  int rule = -1;            // of the policy
  Work work;                // what rules and pools' restrictions look at
  struct OnPool {
    CodeSet codes;  // cannot, or unavailable, whatever the size
    Figures figures;
    std::vector<std::uint32_t> endpoints;  // that answer, are up and not ejected
  };
  std::vector<OnPool> pools;             // by place in the view
  std::vector<std::uint32_t> endpoints;  // of able pools: whose loads are to be read
  std::vector<std::uint32_t> away;       // pools that only lack being there: down, drained
  struct BaselinePool {
    std::uint32_t pool = 0, endpoint = 0;  // one of its endpoints that serves a wanted model
    int engines = 0;                       // how many of them do
  };
  std::vector<BaselinePool> baselines;
  Code baseline_code = Code::kModel;  // where there is none
};
RequestShape MakeRequestShape(const RouterView& view, const RequestFeatures& features);

// One pool, as one request saw it.
struct RoutedPool {
  std::uint32_t pool = 0;      // place in the view
  std::uint32_t endpoint = 0;  // the best of its endpoints, where `open`
  bool open = false;           // an endpoint could take it now
  bool in_time = false;
  Verdict verdict = Verdict::kOutranked;
  CodeSet codes;
  Figures figures;
  Estimate estimate;
  absl::Duration ttft_p90{};
  absl::Duration raw_ttft{}, raw_tpot{};  // before corrections
  int tier = 0;
  bool backstop = false;
};

// What an engine is asked to do; of a server of batches the prompt is its items.
struct RequestSize {
  std::int64_t prompt = 0, output = 0;  // tokens; of all prompts, of one answer
  int sequences = 1;                    // answers, to all prompts together
  int prompts = 1;
  std::int64_t longest_prompt = 0;
  std::int64_t micro_bytes = 0;  // of the text of one token; 0: no text
  Bytes TextOf(std::int64_t tokens) const {
    const absl::int128 bytes = absl::int128(tokens) * micro_bytes / 1'000'000;
    return Bytes(static_cast<std::int64_t>(
        std::min<absl::int128>(bytes, std::numeric_limits<std::int64_t>::max())));
  }
};

// How long a request waits for room where every able endpoint is full, before it is refused: until
// its first token is due, though at least as long as anybody would rather wait than ask again, and
// at most as long as a client may be left without a word. Its host keeps it, live and simulated.
inline constexpr absl::Duration kRoomPatience = absl::Seconds(3), kMostPatience = absl::Minutes(1);
inline absl::Duration RoomPatience(absl::Duration ttft_limit) {
  return std::clamp(ttft_limit, kRoomPatience, kMostPatience);
}

enum class Routed : std::uint8_t {
  kRouted,   // `order` says where, best first
  kFull,     // every able endpoint has as many requests as it takes: wait
  kRefused,  // nobody can: `code`
};

// In the router's scratch: valid until its next call.
struct RoutePlan {
  Routed outcome = Routed::kRefused;
  Code code = Code::kModel;          // kRefused: the first that stands in the way
  std::vector<std::uint32_t> order;  // endpoints to try, at most kMostTries
  std::vector<RoutedPool> pools;     // able ones, in claim order
  int chosen = -1;                   // index into pools
  std::vector<int> tiers;            // beside `order`
  // The first pool in claim order where one of a later tier has the request, and why it has not;
  // one that is not there now counts, too. kNoPool: it went where it should.
  PoolId spilled_from = kNoPool;
  Code spilled_code = Code::kChosen;
  std::int64_t prompt_tokens = 0;  // estimated; or items
  std::int64_t output_tokens = 0;  // of one answer, p50
  absl::Duration ttft_limit{}, tpot_limit{};
};

// Decides by DESIGN's order for requests. Assumptions: `readings` are of the shape's endpoints, in
// its order. Algorithm:
//  1. Tokens: prompt by bytes and the model's learned ratio, answer by what the model's answers
//     were like (at most max_tokens), never by what this one will be.
//  2. Each endpoint's time at p90 against the objective: `too_late`; the most that the request may
//     cost there (max_tokens in full; without it, all that the engine holds) against the budget:
//     `too_dear`. Under `need` a request may spend wait_at_most of its TTFT waiting; under
//     `at-once` it does not wait for a place in the batch; under `patience` it waits that long.
//  3. Each able pool is judged by its best endpoint: one that keeps the objective before one that
//     does not, then the soonest answer (late: the soonest first token), what its cache holds of
//     the prompt counted; equals in turn. An endpoint that is full is left out; a pool without
//     another has the code `quota`.
//  4. Claim order by marginal cost of one more sequence in the running batch; the first tier with a
//     pool that is open and in time has it; among ties the policy's choice.
//  5. Nobody in time: the open pool with the soonest first token. Nobody open: wait.
// Then the endpoints to try next, should it fail: in time before late, then by claim order.
// Does not allocate once warm.
class Router {
 public:
  static constexpr std::size_t kMostTries = 4;
  const RoutePlan& Choose(const RouterView& view, const RequestShape& shape,
                          const RequestFeatures& features,
                          absl::Span<const EndpointReading> readings, std::uint64_t draw);

 private:
  // What this request asks for, in tokens, money and time.
  struct Asked {
    RequestSize size;
    std::int64_t longest = 0;                   // tokens that the sequence may become
    const RequestFeatures* features = nullptr;  // of the call under way
    absl::Duration ttft, tpot;
    std::optional<absl::Duration> patience;  // none: it takes a place in the batch or none
  };
  // What one endpoint is to it; best first.
  enum class Fit : std::uint8_t {
    kGood,     // takes it, in time
    kLate,     // takes it
    kRefused,  // would take it, for more than it may cost
    kNone,     // does not take it
  };
  void SetLimits(const RouterView& view, const RequestShape& shape,
                 const RequestFeatures& features);
  void Judge(const RouterView& view, const RequestShape& shape,
             absl::Span<const EndpointReading> readings, std::uint64_t draw);
  void JudgePool(const RouterView& view, const RequestShape& shape,
                 absl::Span<const EndpointReading> readings, absl::Span<Fit> fits,
                 std::uint64_t draw, RoutedPool& judged) const;
  void JudgeMoney(const RouterView& view, const EndpointReading& reading, const Served& served,
                  RoutedPool& judged) const;
  void JudgeBudget(const RouterView& view, const EndpointReading& reading, const Served& served,
                   RoutedPool& judged) const;
  void JudgeTime(absl::Duration wait_p90, absl::Duration ttft_p90, absl::Duration tpot_p90,
                 bool queues, RoutedPool& judged) const;
  void Arrange(const RouterView& view, const RequestShape& shape, std::uint64_t draw);
  void Pick(const RouterView& view, std::uint64_t draw);
  void SetVerdicts();
  void Refuse(const RequestShape& shape);
  void ListTries(const RouterView& view, absl::Span<const EndpointReading> readings);
  void SetSpill(const RouterView& view, const RequestShape& shape, std::uint64_t draw);
  std::optional<Usd> MarginalOf(const RouterView& view, const RequestShape& shape,
                                const ViewPool& pool) const;

  Asked asked_;
  RoutePlan route_;
  std::vector<Claimant> claimants_;
  std::vector<Claim> claims_;
  std::vector<Option> options_;
  std::vector<int> option_index_;
  std::vector<int> place_;  // of a pool of the view in route_.pools; -1: not able
  std::vector<RoutedPool> judged_;
  std::vector<Fit> fits_;  // beside the readings
};

// The request goes on to `order[at]`, since those before it failed: it spilled, if that is of a
// later tier than the first. `tiers` as the plan said.
void NoteFailover(const RouterView& view, absl::Span<const int> tiers, std::size_t at,
                  Request& request);

// For estimates and books.
Estimate EstimateOn(const RouterView& view, const ViewEndpoint& endpoint, const Served& served,
                    const EndpointLoad& load, const RequestSize& size);

// The same decision again in full: every pool with its codes and figures. `request` as recorded.
Decision ExplainRequest(const RouterView& view, const Request& request);
// Would the answer of a cascade's first attempt be judged the same way again?
bool SameEscalation(const RouterView& view, const Request& request);
// Would it be routed, and its answer judged, the same way again? The re-decide check.
bool SameRoute(const RouterView& view, const Request& request);

// The most that the request may cost on any of the endpoints of its `order`, for all its answers of
// max_tokens each; without that, at the p90 of the model's answers (twice what is typical, where
// that is not known). Zero where no price is known. What a tenant's budget sets aside for it.
Usd MostCostOf(const RouterView& view, const RequestShape& shape, const Request& request);

// What was expected of one endpoint when a request was routed.
struct Expectation {
  static constexpr std::uint32_t kNowhere = ~std::uint32_t{0};
  std::uint32_t endpoint = kNowhere;  // place in the view
  Estimate estimate;
  absl::Duration raw_ttft{}, raw_tpot{};  // before corrections
};

// Books what came of it: cost and energy of the share of the endpoint's time that it held, and the
// baseline: what one clean answer of the same length would have cost there, its engines sharing all
// that is in flight for these models now (an idle baseline would flatter every saving). It is an
// estimate by lengths, so that an answer that was slow here does not read as a larger saving.
// Counts of tokens that cannot be (more than max_tokens allows or the prompt has bytes, each with
// some room) are taken out of the request first, and the estimate is booked in their place. Fills
// cost, marginal_cost, priced, baseline_*, energy, carbon. Pure: the live host calls it before it
// answers, a replay calls it again.
// `known`: what Choose() found by the same view and readings, if the caller kept it: it is the
// same as what would be found here once more. May be null, or of an endpoint that did not answer.
void SettleRequest(const RouterView& view, const RequestShape& shape, Request& request,
                   const Expectation* known = nullptr);

// What an attempt that was given up has cost its pool: the share of the endpoint's time that it
// held until then. Tokens that are paid by the token are not known of and not charged. Fills cost,
// marginal_cost, energy, carbon of `lost` by its `held`.
void SettleLost(const RouterView& view, ForwardAttempt& lost);

}  // namespace spillway
