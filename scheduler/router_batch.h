#pragma once

#include "absl/time/time.h"
#include "scheduler/router.h"
#include "scheduler/router_estimate.h"
#include "scheduler/router_view.h"

// Servers of whole batches among the router's estimates: what their figures mean where those of
// engines speak of tokens. RequestSize::prompt is the items of a request, its output none; in a
// load all requests wait until they are answered, their items stand as tokens. Pure. Only the
// router's own files include this.
namespace spillway {

// What the router's assumptions about `served` are when it is a server of batches.
BatchLoad BatchLoadOf(const EndpointLoad& load);

// As TimingOn: a first token is the answer, and there is none after it.
RequestTiming BatchTimingOn(const RouterView& view, const ViewEndpoint& endpoint,
                            const Served& served, const EndpointLoad& load,
                            const RequestSize& size);

// The part of the endpoint's time that its items hold, from arrival to answer, beside those of
// others that are there already.
absl::Duration BatchShareOf(absl::Duration stay, const EndpointLoad& load, const RequestSize& size);

// All that is in flight for the request's models, shared by `engines` of this kind: at most a batch
// for each instance.
EndpointLoad SharedBatchLoad(const Request& request, const Served& served, int engines);

}  // namespace spillway
