#include "controller/serve.h"

#include <malloc.h>
#include <sched.h>
#include <sys/resource.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <csignal>
#include <cstdlib>
#include <map>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"
#include "controller/address_file.h"
#include "controller/budget_log.h"
#include "controller/carbon_watch.h"
#include "controller/engine_log.h"
#include "controller/metrics/metrics.h"
#include "controller/northbound/api.h"
#include "controller/serve_config.h"
#include "controller/serve_log.h"
#include "controller/signal_queue.h"
#include "controller/simulation_desk.h"
#include "controller/store/sqlite_archive.h"
#include "controller/store/sqlite_store.h"
#include "controller/store/state_lock.h"
#include "controller/systemd_notices.h"
#include "controller/waiting_for_restart.h"
#include "core/status.h"
#include "formats/catalog_file.h"
#include "net/server.h"
#include "net/url.h"

namespace spillway {
namespace {

// One for each core that this process may use: more would only take turns.
int ThreadsFor(const ServeOptions& options) {
  if (options.threads > 0) return options.threads;
  cpu_set_t mine;
  CPU_ZERO(&mine);
  const bool known = ::sched_getaffinity(0, sizeof mine, &mine) == 0;
  return std::clamp(known ? CPU_COUNT(&mine) : 1, 1, 8);
}

// Bodies of a hundred kilobytes come and go: their memory stays with the process instead of being
// cleared anew by the kernel each time.
void KeepMemory() {
  ::mallopt(M_TRIM_THRESHOLD, 64 << 20);
  ::mallopt(M_MMAP_THRESHOLD, 4 << 20);
}

// A client and its engine take a descriptor each, and the usual soft limit is 1,024. Not more than
// this: jobs inherit it, and some programs walk over all that they might have.
void RaiseLimits() {
  constexpr rlim_t kEnough = 65'536;
  rlimit files{};
  if (::getrlimit(RLIMIT_NOFILE, &files) != 0 || files.rlim_cur >= kEnough) return;
  files.rlim_cur = std::min(files.rlim_max, kEnough);
  ::setrlimit(RLIMIT_NOFILE, &files);
}

// What is committed is counted, what it says of engines and budgets is logged, and what jobs have
// spent of a budget counts for requests, too.
class WatchingObserver final : public Observer {
 public:
  WatchingObserver(Observer& metrics, Observer& pulse, EngineLog& engines, BudgetLog& budgets)
      : metrics_(metrics), pulse_(pulse), engines_(engines), budgets_(budgets) {}
  // From now on. It outlives the host.
  void Feed(Quotas& quotas) { quotas_.store(&quotas, std::memory_order_release); }
  void OnDecided(absl::Duration took) override { metrics_.OnDecided(took); }
  void OnLoopLag(absl::Duration lag) override { metrics_.OnLoopLag(lag); }
  void OnAdapterCall(std::string_view adapter, std::string_view call, absl::StatusCode code,
                     absl::Duration took) override {
    metrics_.OnAdapterCall(adapter, call, code, took);
  }
  void OnRequest(std::string_view operation, int status, absl::Duration took) override {
    metrics_.OnRequest(operation, status, took);
  }
  void OnReload(bool succeeded) override { metrics_.OnReload(succeeded); }
  void OnEnded(const event::RequestsEnded& ended) override {
    metrics_.OnEnded(ended);
    pulse_.OnEnded(ended);
    for (const auto& request : ended.requests) engines_.OnEnded(*request);
  }
  void OnCommitted(const Batch& batch, absl::Duration took) override {
    metrics_.OnCommitted(batch, took);
    pulse_.OnCommitted(batch, took);
    for (const Event& event : batch.events) {
      if (const auto* read = std::get_if<event::FileRead>(&event.body))
        budgets_.Use(read->config->tenants);
    }
    for (const Record& record : batch.records) {
      if (const auto* row = std::get_if<record::BudgetRow>(&record)) OnSpent(*row, batch);
    }
  }

 private:
  void OnSpent(const record::BudgetRow& row, const Batch& batch) {
    budgets_.OnRow(row);
    Quotas* quotas = quotas_.load(std::memory_order_acquire);
    const absl::Time now = batch.events.empty() ? row.since : batch.events.back().at;
    if (quotas != nullptr && row.since == StartOf(row.period, now))
      quotas->Spent(row.tenant, row.period, row.spent, now);
  }

  Observer& metrics_;
  Observer& pulse_;
  EngineLog& engines_;
  BudgetLog& budgets_;
  std::atomic<Quotas*> quotas_{nullptr};
};

// For a bench that asks what counting costs (bench/metrics); /metrics shows gauges only, then.
bool CountsNothing() { return std::getenv("SPILLWAY_BENCH_COUNT_NOTHING") != nullptr; }

// All that runs, in the order in which it is made; destroyed the other way round.
class Controller {
 public:
  Controller(const ServeOptions& options, ServeLog& log)
      : options_(options),
        log_(log),
        engine_log_(
            clock_,
            [&log](bool bad, std::string_view line) { bad ? log.Warn(line) : log.Info(line); }),
        budget_log_(
            [&log](bool bad, std::string_view line) { bad ? log.Warn(line) : log.Info(line); }),
        metrics_({options.version, options.revision}),
        observer_(CountsNothing() ? nobody_ : metrics_, pulse_, engine_log_, budget_log_) {}

  ~Controller() {
    server_.reset();
    carbon_.reset();
    simulations_.reset();
    pulse_.Stop();
    if (dispatcher_) dispatcher_->Stop();
    if (adapters_) adapters_->StopEngines();
    if (host_) host_->Stop();
    metrics_.Detach();
  }

  absl::Status Start() {
    SPILLWAY_ASSIGN_OR_RETURN(catalog_, LoadCatalog(options_.catalog_dir));
    SPILLWAY_ASSIGN_OR_RETURN(
        ServeConfig config,
        LoadServeConfig(options_.config_path, catalog_, options_.machine, options_.listen));
    for (const std::string& warning : config.warnings) log_.Warn(warning);
    server_spec_ = config.loaded.server;
    const auto parts = std::make_shared<const Config>(std::move(config.loaded.config));
    file_pools_ = parts->fleet.pools;
    carbon_sources_ = std::move(config.loaded.carbon);
    budget_log_.Use(parts->tenants);
    SPILLWAY_ASSIGN_OR_RETURN(lock_, StateLock::Take(options_.state_dir));
    address_.emplace(options_.state_dir);
    address_->Remove();
    SPILLWAY_RETURN_IF_ERROR(OpenStore());
    SPILLWAY_RETURN_IF_ERROR(StartHost(parts));
    return StartServer();
  }

  // What event::FileRead names, and keys, take the place of what is in force; if anything is wrong,
  // nothing does.
  void Reload() {
    const absl::Status reloaded = TryReload();
    metrics_.OnReload(reloaded.ok());
    if (reloaded.ok()) {
      log_.Info("the configuration was read again and is in force");
      if (!unapplied_.empty()) {
        log_.Warn(absl::StrCat("not in force before a restart, though the file says otherwise: ",
                               unapplied_));
      }
    } else {
      log_.Error(
          absl::StrCat("reload failed, the last good configuration stays: ", reloaded.message()));
    }
  }

  // Calls back once the control strand has answered; never if it hangs. `alive` outlives us.
  void WhenAlive(std::function<void()> alive) {
    host_->OpenLedger([alive = std::move(alive)](const auto&) { alive(); });
  }

  void Drain() {
    log_.Info(absl::StrCat("stopping: streams may end within ",
                           absl::FormatDuration(server_spec_.drain)));
    api_->SetReady(false);
    address_->Remove();
    if (!server_->Drain(server_spec_.drain)) {
      const ServerStats stats = server_->Stats();
      log_.Warn(StoppedLate(stats.told, stats.cut, server_spec_.drain));
    }
    pulse_.Stop();
    dispatcher_->Stop();
    adapters_->StopEngines();
    host_->Stop();
    log_.Info("stopped; running jobs stay with their supervisor");
  }

 private:
  absl::Status OpenStore() {
    const std::string path = absl::StrCat(options_.state_dir, "/", server_spec_.sqlite);
    SqliteStore::Options store;
    store.path = path;
    SPILLWAY_ASSIGN_OR_RETURN(store_, SqliteStore::Open(std::move(store)));
    SqliteArchive::Options archive;
    archive.path = path;
    SPILLWAY_ASSIGN_OR_RETURN(archive_, SqliteArchive::Open(std::move(archive)));
    return metrics_.Restore(*archive_);
  }

  absl::Status StartHost(const std::shared_ptr<const Config>& config) {
    HostOptions options;
    options.on_snapshot = [this](const Snapshot& snapshot) {
      engine_log_.OnInputs(snapshot.router);
      if (dispatcher_) dispatcher_->Publish(snapshot.router);
    };
    host_.emplace(std::move(options), clock_, brain_, *store_, *archive_, observer_);
    dispatcher_.emplace(Dispatcher::Options(), clock_, *host_);
    SPILLWAY_ASSIGN_OR_RETURN(adapters_,
                              options_.adapters({options_.state_dir, *host_, *dispatcher_, *config,
                                                 engine_log_, observer_}));
    SPILLWAY_RETURN_IF_ERROR(host_->Start(config, adapters_->ByType()));
    dispatcher_->Start(host_->epoch());
    dispatcher_->Publish(host_->snapshot()->router);
    return adapters_->AwaitEngines();
  }

  absl::Status StartServer() {
    SPILLWAY_ASSIGN_OR_RETURN(const HostPort at, ParseHostPort(server_spec_.listen));
    api_.emplace(*host_, *dispatcher_, observer_, metrics_, options_.machine);
    SPILLWAY_ASSIGN_OR_RETURN(auto keys, Keyring::Make(server_spec_.keys));
    api_->SetKeys(std::move(keys));
    pulse_.Attach(*host_, *dispatcher_);
    api_->SetPulse(&pulse_);
    SPILLWAY_RETURN_IF_ERROR(CountSpent());
    observer_.Feed(api_->quotas());
    SPILLWAY_RETURN_IF_ERROR(OpenSimulations());
    WatchCarbon();
    ServerOptions server;
    server.host = at.host;
    server.port = at.port;
    server.threads = ThreadsFor(options_);
    const std::size_t connections = server.limits.connections;
    SPILLWAY_ASSIGN_OR_RETURN(server_, Server::Start(std::move(server), *api_));
    metrics_.Attach({.host = &*host_,
                     .dispatcher = &*dispatcher_,
                     .server = [this] { return server_->Stats(); },
                     .streams = [this] { return api_->open_streams(); },
                     .stream_bound = api_->limits().streams,
                     .connection_bound = connections,
                     .carbon = [this] { return CarbonNow(); },
                     .simulations = simulations_.get(),
                     .archive = &*archive_});
    api_->SetReady(true);
    const std::string url = absl::StrCat("http://", server_->address());
    log_.Info(absl::StrCat("serving at ", url));
    return address_->Write(url);
  }

  std::vector<SiteCarbon> CarbonNow() const {
    std::vector<SiteCarbon> sites;
    for (const CarbonWatch::Standing& at : carbon_->standings()) {
      if (at.reading)
        sites.push_back(
            {at.site, at.reading->intensity, clock_.Now() - at.reading->as_of, at.stale});
    }
    return sites;
  }

  void WatchCarbon() {
    carbon_.emplace(
        std::move(carbon_sources_), clock_, FetchCarbon,
        [this](event::CarbonSeen seen) { host_->SeeCarbon(std::move(seen)); },
        [this](bool bad, std::string_view line) { bad ? log_.Warn(line) : log_.Info(line); });
    carbon_->Start();
  }

  absl::Status OpenSimulations() {
    if (!options_.simulations) return absl::OkStatus();
    runner_ = options_.simulations(
        {.database = absl::StrCat(options_.state_dir, "/", server_spec_.sqlite),
         .catalog_dir = options_.catalog_dir});
    SPILLWAY_ASSIGN_OR_RETURN(
        simulations_,
        SimulationDesk::Open({.folder = absl::StrCat(options_.state_dir, "/simulations")}, *runner_,
                             clock_));
    api_->SetSimulations(simulations_.get());
    return absl::OkStatus();
  }

  // What tenants have spent today and this month counts on after a restart.
  absl::Status CountSpent() {
    const absl::Time now = clock_.Now();
    for (const BudgetPeriod period : {BudgetPeriod::kDay, BudgetPeriod::kMonth}) {
      SPILLWAY_ASSIGN_OR_RETURN(const auto rows, archive_->Ledger({.from = StartOf(period, now)}));
      std::map<std::string, Usd> spent;
      for (const record::LedgerRow& row : rows) {
        if (row.category == record::Category::kWork) spent[row.tenant] += row.cost;
      }
      for (const auto& [tenant, cost] : spent) api_->quotas().Spent(tenant, period, cost, now);
    }
    return absl::OkStatus();
  }

  absl::Status TryReload() {
    SPILLWAY_ASSIGN_OR_RETURN(
        ServeConfig config,
        LoadServeConfig(options_.config_path, catalog_, options_.machine, options_.listen));
    for (const std::string& warning : config.warnings) log_.Warn(warning);
    // The address stays: without keys it may be one that nobody else reaches only.
    config.loaded.server.listen = server_spec_.listen;
    SPILLWAY_RETURN_IF_ERROR(CheckServer(config.loaded.server));
    SPILLWAY_ASSIGN_OR_RETURN(auto keys, Keyring::Make(config.loaded.server.keys));
    const auto parts = std::make_shared<const Config>(std::move(config.loaded.config));
    SPILLWAY_RETURN_IF_ERROR(adapters_->Check(parts->fleet));
    const FleetSpec before = host_->snapshot()->Fleet();
    std::mutex mutex;
    std::condition_variable come;
    std::optional<absl::Status> status;
    host_->Reload(parts, [&](absl::Status answer) {
      const std::lock_guard lock(mutex);
      status = std::move(answer);
      come.notify_one();
    });
    std::unique_lock lock(mutex);
    come.wait(lock, [&] { return status.has_value(); });
    if (!status->ok()) return *status;
    api_->SetKeys(std::move(keys));
    unapplied_ = WaitingForRestart(file_pools_, before.pools, parts->fleet.pools);
    for (const PoolSpec& pool : parts->fleet.pools) {
      if (!Named(pool.name, file_pools_)) file_pools_.push_back(pool);
    }
    return absl::OkStatus();
  }

  const ServeOptions& options_;
  ServeLog& log_;
  SystemClock clock_;
  EngineLog engine_log_;
  BudgetLog budget_log_;
  Catalog catalog_;
  std::vector<PoolSpec> file_pools_;  // as they were first read
  std::string unapplied_;  // what the last reload found changed and could not put into force
  ServerSpec server_spec_;
  std::unique_ptr<StateLock> lock_;
  std::optional<AddressFile> address_;
  Metrics metrics_;
  Observer nobody_;
  Pulse pulse_;
  WatchingObserver observer_;
  std::unique_ptr<SqliteStore> store_;
  std::unique_ptr<SqliteArchive> archive_;
  Brain brain_;
  std::unique_ptr<ServedAdapters> adapters_;  // let go of by the host before they die
  std::optional<Host> host_;
  std::optional<Dispatcher> dispatcher_;
  std::unique_ptr<SimulationRunner> runner_;
  std::unique_ptr<SimulationDesk> simulations_;
  std::vector<CarbonSource> carbon_sources_;
  std::optional<CarbonWatch> carbon_;
  std::optional<Api> api_;
  std::unique_ptr<Server> server_;
};

// Meanwhile a service manager that waits for it hears that the control strand still answers; when
// it does not, the manager hears nothing and starts us anew.
int NextSignal(SignalQueue& signals, Controller& controller, SystemdNotices& systemd) {
  const auto period = SystemdNotices::AlivePeriod();
  if (!period) return signals.Next();
  while (true) {
    controller.WhenAlive([&systemd] { systemd.Alive(); });
    if (const auto signal = signals.NextWithin(*period)) return *signal;
  }
}

}  // namespace

absl::Status RunServe(const ServeOptions& options) {
  // First, so that a signal during the start ends it in good order.
  SPILLWAY_ASSIGN_OR_RETURN(const std::unique_ptr<SignalQueue> signals, SignalQueue::Open());
  KeepMemory();
  RaiseLimits();
  std::signal(SIGXFSZ, SIG_IGN);  // a file that may not grow is an error with words
  ServeLog log(options.json_log);
  SystemdNotices systemd;
  Controller controller(options, log);
  SPILLWAY_RETURN_IF_ERROR(controller.Start());
  systemd.Ready();
  while (NextSignal(*signals, controller, systemd) == SIGHUP) {
    systemd.Reloading();
    controller.Reload();
    systemd.Ready();
  }
  systemd.Stopping();
  controller.Drain();
  return absl::OkStatus();
}

}  // namespace spillway
