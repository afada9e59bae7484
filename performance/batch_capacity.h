#pragma once

#include <memory>

#include "absl/time/time.h"
#include "core/catalog.h"
#include "core/pool.h"
#include "performance/batch_server.h"
#include "performance/batch_times.h"

// What one server of batches can do, and what one more request would see of it: the questions that
// a router asks of an endpoint whose model has no tokens.
namespace spillway {

struct BatchCapacity {
  BatchTimes times;
  BatchLimits limits;
};
// Of one replica of `serve` (of class `serve.work_class`, not empty): times and instances as
// measured (BatchSpeedFor), as many instances more as it holds devices or slices. What `serve` says
// of items, delay and instances counts before that. Where nothing is known of the class on the
// device, 100 items a second are assumed, until answers teach better. Never null.
std::shared_ptr<const BatchCapacity> BatchCapacityFor(const Catalog& catalog, const PoolSpec& pool,
                                                      const ServeSpec& serve);

// What a router knows of a server: what has come in and is not answered. What of it is being
// computed it does not know.
struct BatchLoad {
  int requests = 0;
  std::int64_t items = 0;  // of them
  friend bool operator==(const BatchLoad&, const BatchLoad&) = default;
};

struct BatchAnswerTimes {
  absl::Duration wait{}, wait_p90{};  // until its batch begins: mean, and 9 of 10
  absl::Duration batch{};             // how long that takes
  friend bool operator==(const BatchAnswerTimes&, const BatchAnswerTimes&) = default;
};
// Closed form; at most some twenty batch times, no allocation. InfiniteDuration in all three: more
// items than a batch has. The load is taken to go on as it is: in the steady state with as much in
// flight, batches of r items begin every I = max(max_delay, T(r) / instances), so that
//   in flight = r (min(instances, T(r) / max_delay) + 1/2)
// which is solved for r. A request waits for the end of a batch where all instances are at work
// (T / (instances + 1) on average), for others where one is free, and for whole batches of those
// before it where more are in flight than fit. With one item at a time and one instance that is the
// M/D/1 queue seen by its arrivals, exactly.
BatchAnswerTimes AnswerTimesOf(const BatchCapacity& server, const BatchLoad& load, int items);

}  // namespace spillway
