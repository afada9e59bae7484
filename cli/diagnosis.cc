#include "cli/diagnosis.h"

#include <charconv>
#include <map>
#include <optional>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "cli/reading.h"
#include "core/text.h"

namespace spillway::cli {
namespace {

constexpr absl::Duration kStalePrice = absl::Hours(24 * 90);
constexpr absl::Duration kLongQueue = absl::Minutes(10);
constexpr double kNearlyFull = 0.8;  // of a bound
constexpr double kSlowCommitSeconds =
    0.05;  // mean; a disk that syncs does it in a few milliseconds
constexpr std::size_t kNamesShown = 5;

using Names = std::vector<std::string>;

std::string List(const Names& names) {
  const Names first(names.begin(), names.begin() + static_cast<std::ptrdiff_t>(
                                                       std::min(names.size(), kNamesShown)));
  return absl::StrCat(
      absl::StrJoin(first, ", "),
      names.size() > kNamesShown ? absl::StrCat(" and ", names.size() - kNamesShown, " more") : "");
}

std::string Count(std::size_t n, std::string_view thing) {
  return absl::StrCat(n, " ", ToAbsl(thing), n == 1 ? "" : "s");
}

class Doctor {
 public:
  explicit Doctor(const Patient& patient) : patient_(patient) {}

  std::vector<Finding> Examine() {
    Configuration();
    Pools();
    Prices();
    Engines();
    Queue();
    Records();
    Bounds();
    return std::move(findings_);
  }

 private:
  const Patient& patient_;
  std::vector<Finding> findings_;

  void Good(std::string what) { findings_.push_back({Health::kGood, std::move(what), ""}); }
  void Care(std::string what, std::string remedy) {
    findings_.push_back({Health::kCare, std::move(what), std::move(remedy)});
  }
  void Bad(std::string what, std::string remedy) {
    findings_.push_back({Health::kBad, std::move(what), std::move(remedy)});
  }
  std::vector<MetricSample> Of(std::string_view name) const {
    return SamplesOf(patient_.metrics, name);
  }
  double Sum(std::string_view name) const {
    double sum = 0;
    for (const MetricSample& sample : Of(name)) sum += sample.value;
    return sum;
  }

  void Configuration() {
    const auto reload = Of("spillway_config_last_reload_successful");
    if (reload.empty()) return;
    if (reload.front().value == 1) {
      Good("the configuration in force is the one that was last read");
    } else {
      Bad("the last reload failed: an older configuration is in force",
          "its log says file, line and column; `spillway check config FILE` before the next "
          "SIGHUP");
    }
  }

  void Pools() {
    const Value::List& pools = ListAt(patient_.pools, {"data"});
    if (pools.empty())
      return Bad("there are no pools", "add some to `kind: Fleet` of its configuration");
    Names down, held, short_of, nvidia;
    for (const Value& pool : pools) {
      const std::string name = TextAt(pool, {"name"}), state = TextAt(pool, {"state"});
      const double up = NumberAt(pool, {"nodes_up"}).value_or(0);
      const double nodes = NumberAt(pool, {"nodes"}).value_or(0);
      if (state == "down" || (up == 0 && nodes > 0)) {
        down.push_back(name);
      } else if (state != "active") {
        held.push_back(absl::StrCat(name, " (", state, ")"));
      } else if (up < nodes) {
        short_of.push_back(absl::StrFormat("%s (%g of %g)", name, up, nodes));
      }
      if (TextAt(pool, {"vendor"}) == "nvidia") nvidia.push_back(name);
    }
    if (!down.empty())
      Bad(absl::StrCat("down: ", List(down)),
          "no work goes there; its log and `spillway pools -o wide` say more");
    if (!short_of.empty())
      Care(absl::StrCat("nodes are missing: ", List(short_of)), "look at these nodes");
    if (!held.empty())
      Care(absl::StrCat("held back: ", List(held)),
           "`spillway pools resume POOL` when you are done");
    if (down.empty() && short_of.empty() && held.empty())
      Good(absl::StrCat(Count(pools.size(), "pool"), ", all up"));
    if (nvidia.empty())
      Care("no pool is NVIDIA's: nothing to compare costs with",
           "savings are left out, unless the policy names a `baseline:`");
  }

  void Prices() {
    Names unpriced, stale;
    for (const Value& pool : ListAt(patient_.pools, {"data"})) {
      const std::string name = TextAt(pool, {"name"}), as_of = TextAt(pool, {"price", "as_of"});
      if (TextAt(pool, {"billing"}) == "unpriced") unpriced.push_back(name);
      absl::Time dated;
      std::string problem;
      if (!as_of.empty() && absl::ParseTime("%Y-%m-%d", as_of, &dated, &problem) &&
          patient_.now - dated > kStalePrice)
        stale.push_back(absl::StrCat(name, " (", as_of, ")"));
    }
    if (!unpriced.empty())
      Care(absl::StrCat("without a price: ", List(unpriced)),
           "unknown is not free: they come last, and only with `allow_unpriced`");
    if (!stale.empty())
      Care(absl::StrCat("prices older than 90 days: ", List(stale)),
           "check them, and give each its new `as_of`");
    if (unpriced.empty() && stale.empty() && !ListAt(patient_.pools, {"data"}).empty())
      Good("every pool has a price that is not older than 90 days, or of no stated age");
  }

  void Engines() {
    const auto up = Of("spillway_endpoint_up");
    if (up.empty()) return;
    Names down, ejected;
    for (const MetricSample& sample : up) {
      if (sample.value == 0) down.push_back(Name(sample));
    }
    for (const MetricSample& sample : Of("spillway_endpoint_ejected")) {
      if (sample.value == 1) ejected.push_back(Name(sample));
    }
    if (!down.empty())
      Bad(absl::StrCat("engines that do not answer: ", List(down)),
          "start them, or take them out of `urls:`");
    if (!ejected.empty())
      Care(absl::StrCat("engines left out after failures: ", List(ejected)),
           "they are tried again by themselves; the log says what they failed at");
    if (down.empty() && ejected.empty())
      Good(absl::StrCat(Count(up.size(), "engine"), ", all answer"));
  }
  static std::string Name(const MetricSample& sample) {
    const std::string endpoint = LabelIn(sample.labels, "endpoint"),
                      pool = LabelIn(sample.labels, "pool");
    return endpoint.empty() ? pool : endpoint;  // "a10/0"
  }

  void Queue() {
    if (Of("spillway_queue_depth").empty()) return;
    const double depth = Sum("spillway_queue_depth"),
                 oldest = Sum("spillway_queue_oldest_age_seconds");
    if (absl::Seconds(oldest) > kLongQueue) {
      Care(absl::StrFormat("%g jobs wait, the oldest for %s", depth, ShowSeconds(oldest)),
           "`spillway explain JOB` says what it waits for");
    } else {
      Good(absl::StrFormat("%g jobs wait%s", depth, depth > 0 ? ", none for long" : ""));
    }
  }

  void Records() {
    const double count = Sum("spillway_store_commit_duration_seconds_count");
    if (count < 10) return;
    const double mean = Sum("spillway_store_commit_duration_seconds_sum") / count;
    if (mean > kSlowCommitSeconds) {
      Care(absl::StrFormat("records take %.0f ms to reach the disk", mean * 1000),
           "submissions wait for it: put --state on a faster disk");
    } else {
      Good(absl::StrFormat("records reach the disk in %.1f ms", mean * 1000));
    }
  }

  void Bounds() {
    std::map<std::string, double> bounds;
    for (const MetricSample& sample : Of("spillway_buffer_bound"))
      bounds[LabelIn(sample.labels, "buffer")] = sample.value;
    if (bounds.empty()) return;
    Names full;
    for (const MetricSample& sample : Of("spillway_buffer_used")) {
      const auto bound = bounds.find(LabelIn(sample.labels, "buffer"));
      if (bound == bounds.end() || bound->second <= 0 || sample.value < kNearlyFull * bound->second)
        continue;
      full.push_back(absl::StrFormat("%s (%g of %g)", bound->first, sample.value, bound->second));
    }
    Names dropped;
    for (const MetricSample& sample : Of("spillway_series_dropped_total")) {
      if (sample.value > 0) dropped.push_back(LabelIn(sample.labels, "label"));
    }
    if (!full.empty())
      Care(absl::StrCat("nearly full: ", List(full)),
           "beyond the bound callers are turned away with 503");
    if (!dropped.empty())
      Care(absl::StrCat("metrics with too many values of: ", List(dropped)),
           "they are counted under `other`; the ledger has every one of them");
    if (full.empty() && dropped.empty()) Good("queues and buffers are far from their bounds");
  }
};

}  // namespace

std::vector<Finding> Diagnose(const Patient& patient) { return Doctor(patient).Examine(); }

std::vector<MetricSample> SamplesOf(std::string_view metrics, std::string_view name) {
  std::vector<MetricSample> samples;
  for (const absl::string_view whole : absl::StrSplit(ToAbsl(metrics), '\n')) {
    std::string_view line = ToStd(whole);
    if (!line.starts_with(name)) continue;
    line.remove_prefix(name.size());
    MetricSample sample;
    if (line.starts_with('{')) {
      const std::size_t end = line.rfind('}');
      if (end == std::string_view::npos) continue;
      sample.labels = line.substr(1, end - 1);
      line.remove_prefix(end + 1);
    }
    if (!line.starts_with(' ')) continue;  // another metric, whose name begins alike
    line.remove_prefix(1);
    const auto read = std::from_chars(line.data(), line.data() + line.size(), sample.value);
    if (read.ec == std::errc()) samples.push_back(std::move(sample));
  }
  return samples;
}

std::string LabelIn(std::string_view labels, std::string_view name) {
  const std::string start = absl::StrCat(ToAbsl(name), "=\"");
  std::size_t at = labels.find(start);
  while (at != std::string_view::npos && at != 0 && labels[at - 1] != ',')
    at = labels.find(start, at + 1);
  if (at == std::string_view::npos) return "";
  std::string value;
  for (std::size_t i = at + start.size(); i < labels.size() && labels[i] != '"'; ++i) {
    if (labels[i] == '\\' && i + 1 < labels.size()) ++i;
    value += labels[i];
  }
  return value;
}

}  // namespace spillway::cli
