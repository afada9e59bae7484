#include "controller/northbound/pulse_text.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "controller/northbound/pool_load.h"
#include "core/explain.h"
#include "formats/api_json.h"

namespace spillway {
namespace {

constexpr absl::Duration kLongWait = absl::Minutes(10);
constexpr std::int64_t kFewRequests = 20;  // below this many, a share of them says nothing

bool IsDown(const PoolStatus& pool, const PulseView& view) {
  const PoolTraffic traffic =
      Index(pool.id) < view.traffic.size() ? view.traffic[Index(pool.id)] : PoolTraffic();
  if (traffic.engines > 0 && pool.nodes_up == 0) return traffic.engines_up == 0;
  return pool.nodes_up == 0;
}

std::string_view StateOf(const PoolStatus& pool, const PulseView& view) {
  return IsDown(pool, view) ? "down" : NameOf(pool.state);
}

void AddPoolReasons(const PulseView& view, std::vector<HealthReason>& reasons) {
  int pools = 0, down = 0;
  for (const PoolStatus& pool : view.snapshot->pools) {
    if (pool.removed) continue;
    ++pools;
    const std::string& name = pool.spec->name;
    if (IsDown(pool, view)) {
      ++down;
      reasons.push_back({false, "pool_down", absl::StrCat(name, " is down"), name});
      continue;
    }
    if (pool.nodes_up > 0 && pool.nodes_up < pool.spec->nodes) {
      reasons.push_back({false, "nodes_down",
                         absl::StrCat(pool.spec->nodes - pool.nodes_up, " of ", pool.spec->nodes,
                                      " nodes of ", name, " are down"),
                         name});
    }
    if (Index(pool.id) >= view.traffic.size()) continue;
    const PoolTraffic& traffic = view.traffic[Index(pool.id)];
    if (traffic.engines_up < traffic.engines) {
      reasons.push_back({false, "engines_down",
                         absl::StrCat(traffic.engines - traffic.engines_up, " of ", traffic.engines,
                                      traffic.engines == 1 ? " engine of " : " engines of ", name,
                                      " cannot take requests"),
                         name});
    }
  }
  if (pools > 0 && down == pools)
    reasons.insert(reasons.begin(), {true, "all_down", "no pool is up", ""});
}

void WriteSpan(JsonWriter& w, std::string_view key, const std::optional<absl::Duration>& span) {
  w.Key(key);
  if (span) {
    w.Raw(absl::StrFormat("%.6g", absl::ToDoubleSeconds(*span)));
  } else {
    w.Null();
  }
}

void WriteRate(JsonWriter& w, const std::optional<UsdPerHour>& rate) {
  w.Key("usd_per_hour");
  if (rate) {
    WriteApiMoney(w, Usd(rate->value()));
  } else {
    w.Null();
  }
}

void WriteMoney(JsonWriter& w, std::string_view key, Usd money) {
  w.Key(key);
  WriteApiMoney(w, money);
}

Usd BillOf(const DayBooks& books, const std::optional<std::string>& tenant) {
  const TenantBooks sum = books.Sum(tenant);
  return sum.cost + sum.overhead + (tenant ? Usd() : books.idle);
}

std::optional<UsdPerHour> BillRate(const PulseView& view,
                                   const std::optional<std::string>& tenant) {
  if (view.before == nullptr) return std::nullopt;
  return RateBetween(BillOf(*view.before, tenant), BillOf(*view.books, tenant),
                     view.books->at - view.before->at);
}

void WriteToday(JsonWriter& w, const PulseView& view, const std::optional<std::string>& tenant) {
  const TenantBooks sum = view.books->Sum(tenant);
  w.Key("today").BeginObject().Key("since");
  WriteApiTime(w, view.books->since);
  WriteMoney(w, "cost_usd", BillOf(*view.books, tenant));
  WriteMoney(w, "work_usd", sum.cost);
  WriteMoney(w, "compared_usd", sum.compared);
  if (sum.baseline == Usd() && sum.compared == Usd()) {
    w.NullMember("baseline_usd").NullMember("saved_usd");
  } else {
    WriteMoney(w, "baseline_usd", sum.baseline);
    WriteMoney(w, "saved_usd", sum.baseline - sum.compared);
  }
  WriteMoney(w, "idle_usd", tenant ? Usd() : view.books->idle);
  WriteMoney(w, "overhead_usd", sum.overhead);
  w.Member("jobs", sum.jobs).Member("requests", sum.requests);
  w.Member("without_baseline", sum.without_baseline);
  w.EndObject();
}

void WritePoolCounts(JsonWriter& w, const PulseView& view) {
  int total = 0, down = 0, cordoned = 0, draining = 0;
  for (const PoolStatus& pool : view.snapshot->pools) {
    if (pool.removed) continue;
    ++total;
    if (IsDown(pool, view)) ++down;
    if (pool.state == PoolState::kCordoned) ++cordoned;
    if (pool.state == PoolState::kDraining) ++draining;
  }
  w.Key("pools").BeginObject().Member("total", total).Member("up", total - down);
  w.Member("down", down).Member("cordoned", cordoned).Member("draining", draining).EndObject();
}

int RunningJobs(const Snapshot& snapshot) {
  int running = 0;
  for (const PoolStatus& pool : snapshot.pools) running += pool.running;
  return running;
}

}  // namespace

std::vector<HealthReason> HealthOf(const PulseView& view) {
  std::vector<HealthReason> reasons;
  AddPoolReasons(view, reasons);
  if (view.requests_lately >= kFewRequests && view.refused_lately * 100 > view.requests_lately) {
    reasons.push_back({view.refused_lately * 10 > view.requests_lately, "requests_refused",
                       absl::StrCat(view.refused_lately, " of ", view.requests_lately,
                                    " requests of the last 5 minutes had no answer"),
                       ""});
  }
  const auto& oldest = view.snapshot->queue.oldest;
  if (oldest && view.at - *oldest > kLongWait) {
    reasons.push_back({false, "queue_stuck",
                       absl::StrCat("the oldest job has waited for ",
                                    Describe(absl::Floor(view.at - *oldest, absl::Minutes(1)))),
                       ""});
  }
  std::stable_sort(reasons.begin(), reasons.end(),
                   [](const auto& a, const auto& b) { return a.critical > b.critical; });
  return reasons;
}

std::string OverviewBody(const PulseView& view, const PulseViewer& viewer) {
  const std::optional<std::string>& tenant = viewer.tenant;
  std::string body;
  JsonWriter w(body);
  const std::vector<HealthReason> reasons = HealthOf(view);
  const Snapshot& snapshot = *view.snapshot;
  w.BeginObject().Key("at");
  WriteApiTime(w, view.at);
  w.Member("role", NameOf(viewer.role));
  w.Key("health").BeginObject().Member("state", reasons.empty()            ? "ok"
                                                : reasons.front().critical ? "critical"
                                                                           : "warning");
  w.Key("reasons").BeginArray();
  for (std::size_t i = 0; i < std::min<std::size_t>(reasons.size(), 20); ++i) {
    w.BeginObject().Member("code", reasons[i].code).Member("text", reasons[i].text).Key("pool");
    reasons[i].pool.empty() ? w.Null() : w.Value(reasons[i].pool);
    w.EndObject();
  }
  w.EndArray().Member("count", reasons.size()).EndObject();
  WriteRate(w, BillRate(view, tenant));
  WriteToday(w, view, tenant);
  w.Key("work_per_second").BeginObject();
  w.RawMember("jobs", absl::StrFormat("%.6g", view.jobs_per_second));
  w.RawMember("requests", absl::StrFormat("%.6g", view.requests_per_second)).EndObject();
  w.Key("p95_s").BeginObject();
  WriteSpan(w, "jobs", view.job_p95);
  WriteSpan(w, "requests", view.request_p95);
  WriteSpan(w, "ttft", view.ttft_p95);
  w.EndObject();
  w.Key("queue").BeginObject().Member("jobs", snapshot.queue.depth);
  w.Member("requests", view.requests_waiting);
  std::optional<absl::Duration> oldest;
  if (snapshot.queue.oldest)
    oldest = std::max(absl::ZeroDuration(), view.at - *snapshot.queue.oldest);
  WriteSpan(w, "oldest_s", oldest);
  w.EndObject();
  w.Key("running").BeginObject().Member("jobs", RunningJobs(snapshot));
  w.Member("requests", view.requests_in_flight).EndObject();
  WritePoolCounts(w, view);
  w.EndObject();
  return body;
}

std::string PoolLoadsBody(const PulseView& view, bool with_money) {
  std::string body;
  JsonWriter w(body);
  w.BeginArray();
  for (const PoolStatus& pool : view.snapshot->pools) {
    if (pool.removed) continue;
    const PoolTraffic traffic =
        Index(pool.id) < view.traffic.size() ? view.traffic[Index(pool.id)] : PoolTraffic();
    w.BeginObject().Member("name", pool.spec->name).Member("state", StateOf(pool, view));
    w.Member("nodes_up", pool.nodes_up).Member("nodes", pool.spec->nodes);
    w.Key("busy").BeginObject();
    w.RawMember(
        "cpus",
        absl::StrFormat(
            "%.6g", static_cast<double>(pool.cpus_total.value() - pool.cpus_free.value()) / 1000));
    w.Member("devices", pool.devices_total - pool.devices_free);
    w.RawMember("ratio", absl::StrFormat("%.4g", BusyRatio(pool))).EndObject();
    w.Member("queue", pool.awaited_by).Member("running", pool.running);
    w.Member("in_flight", traffic.in_flight).Member("room", traffic.room);
    w.Member("engines", traffic.engines).Member("engines_up", traffic.engines_up);
    std::optional<UsdPerHour> rate;
    if (with_money && view.before != nullptr) {
      rate = RateBetween(view.before->BillOf(pool.id), view.books->BillOf(pool.id),
                         view.books->at - view.before->at);
    }
    WriteRate(w, rate);
    w.EndObject();
  }
  w.EndArray();
  return body;
}

}  // namespace spillway
