#include "controller/metrics/metrics.h"

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>

#include <map>
#include <mutex>
#include <utility>
#include <variant>

#include "controller/metrics/budget_families.h"
#include "controller/metrics/families.h"
#include "controller/metrics/fleet_families.h"
#include "controller/metrics/ledger_check.h"
#include "controller/metrics/record_counters.h"
#include "controller/metrics/request_counters.h"
#include "controller/metrics/work_counters.h"
#include "core/status.h"
#include "scheduler/budgets.h"

namespace spillway {
namespace {

using Buckets = prometheus::Histogram::BucketBoundaries;

const Buckets kFast = {1e-6, 2.5e-6, 5e-6,   1e-5, 2.5e-5, 5e-5, 1e-4, 2.5e-4,
                       5e-4, 1e-3,   2.5e-3, 5e-3, 0.01,   0.1,  1};
const Buckets kSlow = {1e-4, 2.5e-4, 5e-4, 1e-3, 2.5e-3, 5e-3, 0.01, 0.025,
                       0.05, 0.1,    0.25, 0.5,  1,      2.5,  5,    10};

}  // namespace

class Metrics::Impl {
 public:
  explicit Impl(const BuildInfo& build)
      : decision_(Histogram("spillway_decision_duration_seconds",
                            "Time to fold and decide one submission.", kFast)),
        lag_(Histogram("spillway_event_loop_lag_seconds",
                       "How long the oldest input of a batch waited for the control thread.",
                       kFast)),
        commit_(Histogram("spillway_store_commit_duration_seconds",
                          "Time to make one batch durable.", kSlow)),
        request_(prometheus::BuildHistogram()
                     .Name("spillway_http_request_duration_seconds")
                     .Help("Time from a request's arrival to its answer, or to the head of its "
                           "stream.")
                     .Register(registry_)),
        requests_(prometheus::BuildCounter()
                      .Name("spillway_http_requests_total")
                      .Help("Requests by operation of the route table and status.")
                      .Register(registry_)),
        adapter_calls_(prometheus::BuildCounter()
                           .Name("spillway_adapter_calls_total")
                           .Help("Calls to adapters.")
                           .Register(registry_)),
        reload_(prometheus::BuildGauge()
                    .Name("spillway_config_last_reload_successful")
                    .Help("1 if the configuration in force is the one last asked for.")
                    .Register(registry_)
                    .Add({})),
        adapter_time_(prometheus::BuildHistogram()
                          .Name("spillway_adapter_call_duration_seconds")
                          .Help("How long calls to adapters took: to return, or of `signals` until "
                                "the engine's answer.")
                          .Register(registry_)),
        inference_(registry_),
        work_(registry_) {
    reload_.Set(1);
    prometheus::BuildGauge()
        .Name("spillway_build_info")
        .Help("Version of this program; always 1.")
        .Register(registry_)
        .Add({{"version", build.version}, {"revision", build.revision}})
        .Set(1);
  }

  std::string Render() {
    std::vector<prometheus::MetricFamily> families = registry_.Collect();
    FamilyWriter w(families);
    MetricSources sources;
    Dropped dropped;
    {
      const std::lock_guard lock(mutex_);
      counters_.Write(w);
      counters_.AddDropped(dropped);
      inference_.AddDropped(dropped);
      work_.AddDropped(dropped);
      sources = sources_;
    }
    w.Counter("spillway_series_dropped_total",
              "Values counted under `other` since their label had reached its cap.");
    for (const auto& [label, count] : dropped)
      w.Value(static_cast<double>(count), {{"label", label}});
    WriteLedgerCheck(w);
    if (sources.host != nullptr) {
      WriteHost(w, sources);
      {
        const std::lock_guard lock(mutex_);
        budgets_.Write(w, sources.host->snapshot()->config->tenants, sources.host->clock().Now());
      }
      WriteOpenHour(w, *sources.host->snapshot(), open_hour_->Ask(*sources.host));
    }
    if (sources.carbon) WriteCarbon(w, sources.carbon());
    if (sources.server) WriteServer(w, sources.server());
    if (sources.dispatcher != nullptr) WriteEngines(w, *sources.dispatcher);
    return prometheus::TextSerializer().Serialize(families);
  }

  // The current hour, as the control thread told it last. A scrape asks and shows what the one
  // before was told: it never waits for that thread.
  class OpenHour : public std::enable_shared_from_this<OpenHour> {
   public:
    std::vector<record::LedgerRow> Ask(Host& host) {
      std::unique_lock lock(mutex_);
      std::vector<record::LedgerRow> told = told_;
      if (std::exchange(asked_, true)) return told;
      lock.unlock();
      host.OpenLedger([self = shared_from_this()](std::vector<record::LedgerRow> rows) {
        const std::lock_guard told_lock(self->mutex_);
        self->told_ = std::move(rows);
        self->asked_ = false;
      });
      return told;
    }

   private:
    std::mutex mutex_;
    bool asked_ = false;
    std::vector<record::LedgerRow> told_;
  };

  static void WriteCarbon(FamilyWriter& w, const std::vector<SiteCarbon>& sites) {
    w.Gauge("spillway_grid_carbon_grams_per_kwh", "How dirty a site's electricity is now, CO2e.");
    for (const SiteCarbon& at : sites) w.Value(at.intensity.value(), {{"site", at.site}});
    w.Gauge("spillway_grid_carbon_reading_age_seconds", "How old that reading is.");
    for (const SiteCarbon& at : sites) w.Value(absl::ToDoubleSeconds(at.age), {{"site", at.site}});
    w.Gauge("spillway_grid_carbon_stale", "1: the reading is older than its source may be.");
    for (const SiteCarbon& at : sites) w.Value(at.stale ? 1 : 0, {{"site", at.site}});
  }

  void WriteLedgerCheck(FamilyWriter& w) const {
    const auto checked = ledger_check_ ? ledger_check_->last() : std::nullopt;
    if (!checked) return;
    w.Gauge("spillway_ledger_reconciled",
            "1 if the ledger on disk and these counters agreed when they were last compared.")
        .Value(checked->rows == 0 ? 1 : 0);
    w.Gauge("spillway_ledger_difference_usd", "By how much they differed, over all rows.")
        .Value(static_cast<double>(checked->difference.value()) / kNanosPerUsd);
    w.Counter("spillway_ledger_checks_total", "How often they were compared.")
        .Value(static_cast<double>(checked->checks));
  }

  // mutex_ is held.
  void CountRecord(const Record& record) {
    if (const auto* job = std::get_if<record::JobRow>(&record)) {
      if (counters_.Count(*job)) work_.CountEnded(job->job);
      return;
    }
    std::visit([this](const auto& row) { counters_.Count(row); }, record);
    if (const auto* budget = std::get_if<record::BudgetRow>(&record)) budgets_.Count(*budget);
    if (const auto* pool = std::get_if<record::PoolRow>(&record)) {
      inference_.Count(*pool);
      work_.Count(*pool);
    }
    if (const auto* decision = std::get_if<record::DecisionRow>(&record))
      work_.Count(*decision->decision);
  }

  void CountCall(std::string_view adapter, std::string_view call, absl::StatusCode code,
                 absl::Duration took) {
    const std::string type(adapter), rpc(call);
    adapter_calls_.Add({{"adapter", type}, {"rpc", rpc}, {"code", absl::StatusCodeToString(code)}})
        .Increment();
    if (took == absl::InfiniteDuration()) return;
    adapter_time_.Add({{"adapter", type}, {"rpc", rpc}}, kSlow)
        .Observe(absl::ToDoubleSeconds(took));
  }

  static void WriteHost(FamilyWriter& w, const MetricSources& sources) {
    const Host& host = *sources.host;
    WriteFleet(w, *host.snapshot(), host.clock().Now());
    const HostStats stats = host.stats();
    const HostOptions& bounds = host.options();
    const JobFeed::Sizes feed = host.feed().sizes();
    const auto n = [](auto count) { return static_cast<double>(count); };
    w.Counter("spillway_submissions_refused_total", "Submissions refused since too many waited.")
        .Value(n(stats.refused_submissions));
    std::vector<BufferUse> buffers = {
        {"submissions", n(stats.waiting_submissions), n(bounds.waiting_submissions)},
        {"uncommitted_events", n(stats.open_events), n(3 * bounds.batch_events)},
        {"queued_jobs", n(host.snapshot()->queue.depth), n(bounds.queued_jobs)},
        {"job_changes", n(feed.changes), n(bounds.feed.changes)},
        {"job_change_bytes", n(feed.bytes), n(bounds.feed.bytes)},
        {"watchers", n(feed.watchers), n(bounds.feed.watchers)}};
    if (sources.dispatcher != nullptr) {
      const Dispatcher::Stats routed = sources.dispatcher->stats();
      const Dispatcher::Options& limits = sources.dispatcher->options();
      buffers.push_back({"waiting_requests", n(routed.waiting), n(limits.waiting)});
      buffers.push_back({"unbooked_requests", n(routed.unbooked), n(limits.unbooked)});
      buffers.push_back({"held_body_bytes", n(routed.held_bytes), n(limits.held_bytes)});
    }
    if (sources.streams)
      buffers.push_back({"streams", n(sources.streams()), n(sources.stream_bound)});
    if (sources.server)
      buffers.push_back({"connections", n(sources.server().open), n(sources.connection_bound)});
    if (sources.simulations != nullptr) {
      const Simulations::Counts counts = sources.simulations->counts();
      buffers.push_back({"waiting_simulations", n(counts.waiting), n(counts.most_waiting)});
      w.Gauge("spillway_simulations", "Simulations that run beside the work, and that wait.")
          .Value(n(counts.running), {{"state", "running"}})
          .Value(n(counts.waiting), {{"state", "queued"}});
    }
    WriteBuffers(w, buffers);
  }

  prometheus::Histogram& Histogram(const char* name, const char* help, const Buckets& buckets) {
    return prometheus::BuildHistogram().Name(name).Help(help).Register(registry_).Add({}, buckets);
  }

  prometheus::Registry registry_;
  prometheus::Histogram& decision_;
  prometheus::Histogram& lag_;
  prometheus::Histogram& commit_;
  prometheus::Family<prometheus::Histogram>& request_;
  prometheus::Family<prometheus::Counter>& requests_;
  prometheus::Family<prometheus::Counter>& adapter_calls_;
  prometheus::Gauge& reload_;
  prometheus::Family<prometheus::Histogram>& adapter_time_;

  // Operations and statuses are closed sets: no cap is needed. Found here, since finding a series
  // in its family costs a sorted copy of its labels.
  struct Request {
    prometheus::Histogram* took = nullptr;
    std::map<int, prometheus::Counter*> by_status;
  };
  std::mutex request_mutex_;  // guards by_operation_
  std::map<std::string, Request, std::less<>> by_operation_;

  std::mutex mutex_;  // guards all that follow
  RequestCounters inference_;
  BudgetFamilies budgets_;
  RecordCounters counters_;
  WorkCounters work_;
  MetricSources sources_;

  const std::shared_ptr<OpenHour> open_hour_ = std::make_shared<OpenHour>();
  std::unique_ptr<LedgerCheck> ledger_check_;  // the last: its thread reads what stands above
};

Metrics::Metrics(const BuildInfo& build) : impl_(std::make_unique<Impl>(build)) {}
Metrics::~Metrics() = default;

absl::Status Metrics::Restore(Archive& archive) {
  SPILLWAY_ASSIGN_OR_RETURN(const std::vector<record::PoolRow> pools, archive.Pools());
  SPILLWAY_ASSIGN_OR_RETURN(const std::vector<record::LedgerRow> rows, archive.Ledger({}));
  const std::lock_guard lock(impl_->mutex_);
  for (const record::PoolRow& pool : pools) {
    impl_->counters_.Count(pool);
    impl_->inference_.Count(pool);
    impl_->work_.Count(pool);
  }
  Budgets spent;
  for (const record::LedgerRow& row : rows) {
    impl_->counters_.Count(row);
    if (row.category == record::Category::kWork) spent.Spend(row.tenant, row.hour, row.cost);
  }
  for (const record::BudgetRow& row : spent.TakeChanged(absl::InfinitePast()))
    impl_->budgets_.Count(row);
  return absl::OkStatus();
}

void Metrics::Attach(MetricSources sources) {
  Impl& impl = *impl_;
  if (sources.archive != nullptr) {
    impl.ledger_check_ =
        std::make_unique<LedgerCheck>(LedgerCheck::Options(), *sources.archive, [&impl] {
          const std::lock_guard lock(impl.mutex_);
          return impl.counters_.costs().open();
        });
    impl.ledger_check_->Start();
  }
  const std::lock_guard lock(impl.mutex_);
  impl.sources_ = std::move(sources);
}

void Metrics::Detach() {
  impl_->ledger_check_.reset();
  const std::lock_guard lock(impl_->mutex_);
  impl_->sources_ = {};
}

void Metrics::OnDecided(absl::Duration took) {
  impl_->decision_.Observe(absl::ToDoubleSeconds(took));
}

void Metrics::OnLoopLag(absl::Duration lag) { impl_->lag_.Observe(absl::ToDoubleSeconds(lag)); }

void Metrics::OnAdapterCall(std::string_view adapter, std::string_view call, absl::StatusCode code,
                            absl::Duration took) {
  impl_->CountCall(adapter, call, code, took);
}

void Metrics::OnCommitted(const Batch& batch, absl::Duration took) {
  Impl& impl = *impl_;
  impl.commit_.Observe(absl::ToDoubleSeconds(took));
  const std::lock_guard lock(impl.mutex_);
  for (const Record& record : batch.records) impl.CountRecord(record);
}

void Metrics::OnEnded(const event::RequestsEnded& ended) {
  Impl& impl = *impl_;
  const std::lock_guard lock(impl.mutex_);
  const auto view = impl.sources_.dispatcher ? impl.sources_.dispatcher->view() : nullptr;
  impl.inference_.Count(ended);
  for (const auto& request : ended.requests) impl.work_.Count(*request, view.get());
}

void Metrics::OnRequest(std::string_view operation, int status, absl::Duration took) {
  const std::lock_guard lock(impl_->request_mutex_);
  auto found = impl_->by_operation_.find(operation);
  if (found == impl_->by_operation_.end())
    found = impl_->by_operation_.emplace(std::string(operation), Impl::Request{}).first;
  Impl::Request& request = found->second;
  if (request.took == nullptr)
    request.took = &impl_->request_.Add({{"operation", std::string(operation)}}, kSlow);
  prometheus::Counter*& counter = request.by_status[status];
  if (counter == nullptr)
    counter = &impl_->requests_.Add(
        {{"operation", std::string(operation)}, {"code", std::to_string(status)}});
  request.took->Observe(absl::ToDoubleSeconds(took));
  counter->Increment();
}

void Metrics::OnReload(bool succeeded) { impl_->reload_.Set(succeeded ? 1 : 0); }

std::string Metrics::Render() { return impl_->Render(); }

}  // namespace spillway
