#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <prometheus/counter.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>

#include "controller/metrics/label_cap.h"
#include "core/decision.h"
#include "core/job.h"
#include "core/record.h"
#include "core/request.h"
#include "scheduler/router_view.h"

namespace spillway {

// What jobs and requests have in common, as those see it who answer for the fleet: was it in time,
// where was it put, could it have gone elsewhere. `class` is `job` or `request`. Not thread-safe.
class WorkCounters {
 public:
  struct Caps {
    std::size_t tenants = 1000, pools = 2000, classes = 200, models = 200;
    std::size_t series = 5000;  // of a histogram
  };
  explicit WorkCounters(prometheus::Registry& registry) : WorkCounters(registry, Caps()) {}
  WorkCounters(prometheus::Registry& registry, Caps caps);

  void Count(const record::PoolRow& row);
  // Once for each job that is over.
  void CountEnded(const Job& job);
  void Count(const Decision& decision);
  // `view`: by which requests are routed at present; null: what needs it is left out.
  void Count(const Request& request, const RouterView* view);

  // What did not fit under the caps.
  void AddDropped(Dropped& dropped) const;

 private:
  struct Pool {
    std::string name, vendor, kind;
  };
  // A histogram by work class and pool.
  class ByClass {
   public:
    ByClass(prometheus::Registry& registry, const char* name, const char* help,
            prometheus::Histogram::BucketBoundaries buckets);
    void Observe(const std::string& work_class, const std::string& pool, double value,
                 std::size_t most, std::uint64_t& dropped);

   private:
    prometheus::Family<prometheus::Histogram>& family_;
    const prometheus::Histogram::BucketBoundaries buckets_;
    std::map<std::pair<std::string, std::string>, prometheus::Histogram*> series_;
  };
  using Counters = std::map<std::vector<std::string>, prometheus::Counter*>;

  const Pool& PoolOf(PoolId id) const;
  std::string PoolLabel(PoolId id);
  bool IsNvidia(PoolId id) const;
  void CountKept(std::string_view work, const std::string& tenant, std::optional<bool> kept);
  void CountPlaced(std::string_view work, PoolId pool, bool avoidable);
  void CountConflict(std::string_view work, PoolId pool);
  // Whether a pool of another vendor has an engine, up or not, that answers for one of its models.
  bool OthersServe(const RequestFeatures& features, const RouterView& view);
  // Finding a series in its family costs a sorted copy of its labels, so it is kept.
  static prometheus::Counter& At(prometheus::Family<prometheus::Counter>& family, Counters& found,
                                 const std::vector<std::string_view>& names,
                                 std::vector<std::string> words);

  const Caps caps_;
  LabelCap tenants_, pools_, classes_, models_;
  std::uint64_t dropped_series_ = 0;
  std::vector<Pool> known_;  // by PoolId

  prometheus::Family<prometheus::Counter>&objectives_, &placements_, &avoidable_, &conflicts_,
      &models_served_, &cached_;
  Counters objectives_found_, placements_found_, avoidable_found_, conflicts_found_, served_found_,
      cached_found_;
  // The counters that were found last, and for what: what ends together is mostly of one sort, and
  // finding one takes as long as all else that is counted of a request.
  struct LastPlaced {
    std::string_view work;
    PoolId pool = kNoPool;
    prometheus::Counter* counter = nullptr;
  };
  struct LastKept {
    std::string_view work;
    std::string tenant;
    bool kept = false;
    prometheus::Counter* counter = nullptr;
  };
  struct LastServed {
    std::string requested, served;
    prometheus::Counter* counter = nullptr;
  };
  LastPlaced last_placed_;
  LastKept last_kept_;
  LastServed last_served_;
  prometheus::Histogram& room_wait_;
  // What OthersServe() said last, and about what: most requests are of one sort.
  struct Said {
    EventNumber view{};
    std::vector<std::string> models;
    std::string tenant;
    bool others = false;
  };
  Said said_;
  ByClass wait_, run_, cost_;
};

}  // namespace spillway
