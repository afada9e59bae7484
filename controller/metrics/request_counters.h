#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <tuple>
#include <vector>

#include <prometheus/counter.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>

#include "controller/metrics/families.h"
#include "controller/metrics/gathered.h"
#include "controller/metrics/label_cap.h"
#include "core/event.h"
#include "core/record.h"
#include "core/request.h"

namespace spillway {

// Requests that are over, as OpenTelemetry's GenAI metrics and our own. Names and buckets:
// OpenTelemetry semantic conventions for generative AI, 2025. Models, pools and tenants beyond the
// caps are counted as "other". Not thread-safe.
class RequestCounters {
 public:
  struct Caps {
    std::size_t models = 200, pools = 2000, tenants = 1000, series = 20'000;
  };
  explicit RequestCounters(prometheus::Registry& registry) : RequestCounters(registry, Caps()) {}
  RequestCounters(prometheus::Registry& registry, Caps caps);

  void Count(const event::RequestsEnded& ended);
  void Count(const Request& request);
  void Count(const record::PoolRow& row);
  // What did not fit under the caps.
  void AddDropped(Dropped& dropped) const;

 private:
  // Found once for each (pool, model, tenant): finding a series costs a sorted copy of its labels.
  struct Series {
    GatheredHistogram *duration, *ttft, *tpot, *input, *output;
    GatheredHistogram *ttft_ratio, *duration_ratio, *cost_ratio;  // observed / estimated
    GatheredCounter cost, baseline, compared, energy;
    std::map<RequestEnd, GatheredCounter> ends;
    std::string pool, model, tenant;  // as its labels have them
    bool gathered = false;            // it stands among series_to_pour_
  };
  using Key = std::tuple<PoolId, std::string, std::string, ModelKind>;
  Series& SeriesFor(const Request& request);
  Series MakeSeries(const std::string& pool, const std::string& model, const std::string& tenant,
                    ModelKind kind);
  GatheredHistogram* Gathered(prometheus::Histogram& histogram, const std::vector<double>& bounds);
  std::string NameOfPool(PoolId id) const;
  void Gather(const Request& request);
  void Add(GatheredHistogram& histogram, double value);
  void Compare(const Request& request, Series& series);
  void Pour();

  Caps caps_;
  LabelCap models_, pools_, tenants_;
  std::vector<std::string> names_;  // by PoolId
  std::map<Key, Series> series_;
  std::map<prometheus::Histogram*, GatheredHistogram> histograms_;
  // What was gathered and not poured yet.
  std::vector<Series*> series_to_pour_;
  std::vector<GatheredHistogram*> histograms_to_pour_;
  std::uint64_t dropped_series_ = 0;
  // The one that was found last: what ends together is often of one sort.
  Key last_key_;
  Series* last_ = nullptr;

  prometheus::Family<prometheus::Histogram>&duration_, &ttft_, &tpot_, &tokens_, &ttft_ratio_,
      &duration_ratio_, &cost_ratio_;
  prometheus::Family<prometheus::Counter>&requests_, &cost_, &baseline_, &compared_, &energy_,
      &spills_, &uncounted_, &retries_;
};

}  // namespace spillway
