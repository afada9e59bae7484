#pragma once

#include <algorithm>
#include <boost/random/exponential_distribution.hpp>
#include <boost/random/mersenne_twister.hpp>
#include <functional>
#include <vector>

#include "performance/batch_capacity.h"

// A server of batches under requests that arrive at random.
namespace spillway::testing_support {

struct BatchVisit {
  BatchLoad seen;  // in flight as it came
  int items = 0;
  absl::Duration queued{}, stay{};
};
struct BatchRun {
  std::vector<BatchVisit> visits;  // in the order of arrival; all of them were answered
  BatchGauges gauges;
  absl::Duration span{};
  double utilization = 0;  // mean over the span

  double MeanQueuedMillis() const {
    double sum = 0;
    for (const BatchVisit& visit : visits) sum += absl::ToDoubleMilliseconds(visit.queued);
    return sum / static_cast<double>(visits.size());
  }
  absl::Duration StayAt(double fraction) const {
    std::vector<absl::Duration> stays;
    for (const BatchVisit& visit : visits) stays.push_back(visit.stay);
    const auto nth = stays.begin() +
                     static_cast<std::ptrdiff_t>(fraction * static_cast<double>(stays.size() - 1));
    std::nth_element(stays.begin(), nth, stays.end());
    return *nth;
  }
};

using DrawItems = std::function<int(boost::random::mt19937_64&)>;
inline int OneItem(boost::random::mt19937_64&) { return 1; }

// `count` requests, a Poisson process of so many a second.
inline BatchRun RunBatches(const BatchCapacity& capacity, double per_second, int count,
                           std::uint64_t seed, const DrawItems& items = OneItem) {
  BatchLimits limits = capacity.limits;
  limits.max_waiting = count;
  BatchServer server(capacity.times, limits);
  boost::random::mt19937_64 random(seed);
  boost::random::exponential_distribution<double> gap(per_second);
  const absl::Time start = absl::UnixEpoch();
  BatchRun run;
  std::vector<absl::Time> arrivals;
  std::vector<BatchOutput> out;
  BatchLoad load;
  absl::Time now = start;
  double area = 0;
  const auto pass_to = [&](absl::Time then) {
    area += server.Utilization() * absl::ToDoubleSeconds(then - now);
    now = then;
  };
  const auto until = [&](absl::Time limit) {
    for (absl::Time next; (next = server.NextEvent(now)) < limit;) {
      pass_to(next);
      out.clear();
      server.Advance(now, out);
      for (const BatchOutput& answer : out) {
        BatchVisit& visit = run.visits[answer.id];
        visit.queued = answer.queued;
        visit.stay = answer.at - arrivals[answer.id];
        --load.requests;
        load.items -= visit.items;
      }
    }
  };
  double at = 0;
  for (int id = 0; id < count; ++id) {
    at += gap(random);
    const absl::Time arrival = start + absl::Nanoseconds(static_cast<std::int64_t>(at * 1e9));
    until(arrival);
    pass_to(arrival);
    run.visits.push_back({.seen = load, .items = items(random)});
    arrivals.push_back(arrival);
    ++load.requests;
    load.items += run.visits.back().items;
    server.Add({static_cast<std::uint64_t>(id), run.visits.back().items}, now);
    server.NextEvent(now);
  }
  until(absl::InfiniteFuture());
  run.gauges = server.gauges();
  run.span = now - start;
  run.utilization = area / absl::ToDoubleSeconds(run.span);
  return run;
}

}  // namespace spillway::testing_support
