#pragma once

#include <cstdint>

#include "absl/time/time.h"
#include "core/estimate.h"
#include "core/request.h"
#include "scheduler/router.h"
#include "scheduler/router_view.h"

// How long an engine would take for one more request, and what that comes to: what the router
// compares before, and what is booked after. Pure. Only the router's own files include this.
namespace spillway {

inline bool IsInfinite(absl::Duration d) { return d == absl::InfiniteDuration(); }

// How much of what the endpoint computes at once is taken, and how much the request would take:
// sequences, or items.
std::int64_t PlacesIn(const Served& served, const EndpointLoad& load);
std::int64_t PlacesFor(const Served& served, const RequestSize& size);

// p50 and p90 of what one more request would see.
struct RequestTiming {
  absl::Duration wait{}, ttft{}, tpot{}, duration{};
  absl::Duration ttft_p90{}, tpot_p90{}, wait_p90{}, duration_p90{};
  absl::Duration raw_ttft{}, raw_tpot{};  // before corrections; ttft zero: others had to end first
};
// All infinite where the engine cannot hold the sequence, or takes no more.
RequestTiming TimingOn(const RouterView& view, const ViewEndpoint& endpoint, const Served& served,
                       const EndpointLoad& load, const RequestSize& size);

Estimate EstimateFrom(const RouterView& view, const ViewEndpoint& endpoint, const Served& served,
                      const EndpointLoad& load, const RequestSize& size, const RequestTiming& t);

// What holding a share of the endpoint's time comes to, for all choices of one request; all_output:
// tokens of all of them. Fills cost, marginal_cost, priced, energy, carbon.
// Answers what of the costs its answer pays to leave the site.
Usd Charge(const RouterView& view, const ViewEndpoint& endpoint, absl::Duration held,
           const RequestSize& size, std::int64_t all_output, Estimate& out);

// The prompt by its bytes and the model's learned ratio, the answer by what the model's answers
// were like (at most max_tokens), never by what this one will be.
RequestSize SizeOf(const RouterView& view, const RequestShape& shape,
                   const RequestFeatures& features);

// How long one answer may become: max_tokens; left out, all that the engine holds beside the
// prompt, which is a great deal where its limits are not known.
std::int64_t LongestAnswer(const Served& served, const RequestFeatures& features,
                           const RequestSize& size);
// The same where nobody said how long: what the model's answers are like at p90.
std::int64_t LikelyLongest(const RouterView& view, const Served& served,
                           const RequestFeatures& features, const RequestSize& size);
// The most that the request may cost there with answers of `longest` tokens: exact where tokens are
// billed; where time is, at p90 and at the present load, since how long an engine really takes
// nobody can bound. Usd's largest value where it cannot be told.
Usd MostCostOn(const RouterView& view, const ViewEndpoint& endpoint, const Served& served,
               const EndpointLoad& load, const RequestSize& size, std::int64_t longest);

}  // namespace spillway
