#include "scheduler/router_batch.h"

#include <algorithm>

#include "performance/batch_capacity.h"
#include "scheduler/amounts.h"

namespace spillway {

BatchLoad BatchLoadOf(const EndpointLoad& load) {
  return {.requests = load.running + load.waiting,
          .items = load.waiting_tokens + load.context_tokens};
}

RequestTiming BatchTimingOn(const RouterView& view, const ViewEndpoint& endpoint,
                            const Served& served, const EndpointLoad& load,
                            const RequestSize& size) {
  const BatchAnswerTimes times =
      AnswerTimesOf(*served.batch, BatchLoadOf(load), static_cast<int>(size.prompt));
  RequestTiming t;
  if (IsInfinite(times.batch)) {
    t.wait = t.ttft = t.ttft_p90 = t.duration = t.duration_p90 = t.wait_p90 = times.batch;
    return t;
  }
  const SpeedCorrection& by = served.correction;
  const auto corrected = [](absl::Duration raw, std::int64_t micro) {
    return Scale(raw, static_cast<double>(micro) / kMillion);
  };
  const absl::Duration way = view.pools()[endpoint.pool].spec->site.round_trip;
  const double spread = SpreadOf(served.basis);
  const absl::Duration raw = times.wait + times.batch, raw_p90 = times.wait_p90 + times.batch;
  t.wait = corrected(times.wait, by.ttft_p50);
  t.ttft = corrected(raw, by.ttft_p50) + way;
  // The wait has a p90 of its own; what was observed adds how much the speed scatters.
  t.wait_p90 = by.observed ? corrected(times.wait_p90, by.ttft_p50) : Scale(times.wait_p90, spread);
  t.ttft_p90 =
      way + (by.observed ? std::max(corrected(raw_p90, by.ttft_p50), corrected(raw, by.ttft_p90))
                         : Scale(raw_p90, spread));
  t.duration = t.ttft - t.wait;
  t.duration_p90 = t.ttft_p90 - t.wait_p90;
  // How long it waits for others says nothing about how fast the server is. Learned from a crowd,
  // it would keep everybody away once the crowd has gone, and nothing would be learned any more.
  if (BatchLoadOf(load).requests < served.batch->limits.instances) t.raw_ttft = raw;
  return t;
}

absl::Duration BatchShareOf(absl::Duration stay, const EndpointLoad& load,
                            const RequestSize& size) {
  const std::int64_t others = std::max<std::int64_t>(BatchLoadOf(load).items, 0);
  return absl::Nanoseconds(ToNanos(stay) / (others + size.prompt)) * size.prompt;
}

EndpointLoad SharedBatchLoad(const Request& request, const Served& served, int engines) {
  std::int64_t requests = 0, items = 0;
  for (const EndpointReading& reading : request.readings) {
    const BatchLoad load = BatchLoadOf(reading.load);
    requests += load.requests;
    items += load.items;
  }
  const std::int64_t most = served.places();
  return {.waiting = static_cast<std::int32_t>(std::min(requests / engines, most)),
          .waiting_tokens = std::min(items / engines, most)};
}

}  // namespace spillway
