#include "adapters/openai/endpoint_watch.h"

#include <algorithm>
#include <thread>
#include <utility>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/basic_waitable_timer.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "adapters/openai/models_page.h"
#include "core/status.h"

namespace spillway {
namespace {

using Timer = net::basic_waitable_timer<std::chrono::steady_clock,
                                        net::wait_traits<std::chrono::steady_clock>, Executor>;
constexpr auto kTuple = net::as_tuple_t<net::use_awaitable_t<Executor>>(use_awaitable);
constexpr std::size_t kMostMetrics = std::size_t{4} << 20;
constexpr std::size_t kMostModels = std::size_t{1} << 20;
constexpr std::size_t kMostHealth = std::size_t{64} << 10;

absl::StatusOr<std::shared_ptr<const UpstreamOrigin>> OriginOf(const WatchedEndpoint& endpoint,
                                                               BaseUrl url) {
  UpstreamOptions options;
  options.ca_file = endpoint.ca_file;
  options.keep = endpoint.kind->keeps - absl::Seconds(1);
  options.idle_connections = 2;
  if (!endpoint.key.empty()) options.headers.Add("Authorization", "Bearer " + endpoint.key);
  return MakeUpstreamOrigin(std::move(url), std::move(options));
}

}  // namespace

struct EndpointWatch::Impl {
  struct Watched {
    WatchedEndpoint spec;
    std::shared_ptr<const UpstreamOrigin> api, metrics;
    EndpointSignals signals;
    absl::Time metrics_due, health_due, models_due;
  };

  Impl(WatchOptions options, OnSignals on_signals, OnAsk on_ask)
      : options(options),
        on_signals(std::move(on_signals)),
        on_ask(std::move(on_ask)),
        context(1) {}

  const WatchOptions options;
  const OnSignals on_signals;
  const OnAsk on_ask;
  std::vector<Watched> endpoints;  // Before the context: its coroutines refer to them.
  net::io_context context;
  std::thread thread;

  absl::Status Add(WatchedEndpoint spec) {
    SPILLWAY_ASSIGN_OR_RETURN(BaseUrl url, ParseBaseUrl(spec.url));
    url = EngineRoot(std::move(url));
    Watched one;
    SPILLWAY_ASSIGN_OR_RETURN(one.api, OriginOf(spec, url));
    one.metrics = one.api;
    if (spec.kind->metrics_port != 0) {
      url.port = spec.kind->metrics_port;
      SPILLWAY_ASSIGN_OR_RETURN(one.metrics, OriginOf(spec, std::move(url)));
    }
    one.spec = std::move(spec);
    endpoints.push_back(std::move(one));
    return absl::OkStatus();
  }

  void Start() {
    const absl::Duration apart = options.metrics / std::max<std::size_t>(1, endpoints.size());
    for (std::size_t i = 0; i < endpoints.size(); ++i) {
      net::co_spawn(context, Watch(i, apart * static_cast<double>(i)), net::detached);
    }
    thread = std::thread([this] { context.run(); });
  }
  void Stop() {
    context.stop();
    thread.join();
  }

  Executor executor() { return context.get_executor(); }

  // Asks one endpoint for ever. The first questions are spread, so that they do not come all at
  // once.
  Awaitable<void> Watch(std::size_t index, absl::Duration first) {
    Timer timer(executor());
    absl::Duration pause = first;
    for (;;) {
      timer.expires_after(absl::ToChronoNanoseconds(std::max(pause, absl::ZeroDuration())));
      const auto [stopped] = co_await timer.async_wait(kTuple);
      if (stopped) co_return;
      Watched& one = endpoints[index];
      const absl::Time now = absl::Now();
      const bool asked = co_await AskWhatIsDue(index, now);
      if (asked) on_signals(index, one.signals);
      const absl::Time next = std::min({one.metrics_due, one.health_due, one.models_due});
      pause = next - absl::Now();
      if (!one.signals.up) pause = std::max(pause, options.when_down);
    }
  }

  // One after the other on one connection. False: nothing was due.
  Awaitable<bool> AskWhatIsDue(std::size_t index, absl::Time now) {
    Watched& one = endpoints[index];
    const EngineKind& kind = *one.spec.kind;
    bool asked = false;
    if (now >= one.health_due) {
      one.health_due = kind.health.empty() ? absl::InfiniteFuture() : now + options.health;
      asked = true;
      if (!kind.health.empty()) co_await AskHealth(one);
    }
    if (now >= one.models_due) {
      const bool told = !kind.models.empty();
      if (told) co_await AskModels(one);
      one.models_due = told ? now + UntilModels(one) : absl::InfiniteFuture();
      asked = true;
    }
    if (now >= one.metrics_due) {
      const bool told = !kind.metrics.empty();
      one.metrics_due = told ? now + options.metrics : absl::InfiniteFuture();
      if (told && one.signals.up) {
        if (on_ask) on_ask(index);
        co_await AskMetrics(one);
      }
      asked = true;
    }
    co_return asked;
  }

  // The list of models tells of health where no page does; a list that is missing comes soon.
  absl::Duration UntilModels(const Watched& one) const {
    const bool alone = one.spec.kind->health.empty();
    if (!one.signals.models || (alone && !one.signals.up)) return options.health;
    return alone ? std::min(options.only_models, options.models) : options.models;
  }

  struct Page {
    int status = 0;  // 0: no answer
    std::string body;
    std::string why;
  };

  UpstreamRequest Question(std::string_view path) const {
    UpstreamRequest request;
    request.method = Method::kGet;
    request.target = path;
    request.first_byte = request.gap = options.timeout;
    return request;
  }

  Awaitable<Page> Get(std::shared_ptr<const UpstreamOrigin> origin, std::string_view path,
                      std::size_t limit) {
    Page page;
    UpstreamCall call(executor(), std::move(origin));
    UpstreamRequest request = Question(path);
    const bool open = co_await call.Open(request);
    bool whole = false;
    if (open) whole = co_await call.ReadAll(limit, &page.body);
    page.why = call.error().why;
    if (whole) page.status = call.status();
    co_return page;
  }

  static void Say(Watched& one, bool up, std::string why) {
    one.signals.at = absl::Now();
    one.signals.up = up;
    one.signals.why = std::move(why);
    if (up) return;
    one.signals.load = ScrapedLoad();
    one.signals.load_at = one.signals.at;
  }

  Awaitable<void> AskHealth(Watched& one) {
    const Page page = co_await Get(one.api, one.spec.kind->health, kMostHealth);
    const bool up = page.status == 200;
    std::string why = page.why;
    if (!up && page.status != 0) {
      why = absl::StrCat("GET ", ToAbsl(one.spec.kind->health), " answers ", page.status);
    }
    Say(one, up, up ? std::string() : std::move(why));
  }

  // Tells of health too where nothing else does.
  Awaitable<void> AskModels(Watched& one) {
    const EngineKind& kind = *one.spec.kind;
    const Page page = co_await Get(one.api, kind.models, kMostModels);
    absl::Status read = absl::UnavailableError(page.why);
    if (page.status == 200) {
      auto models = ReadModelsPage(kind.models_page, page.body);
      read = models.status();
      if (models.ok()) {
        one.signals.models = std::make_shared<const std::vector<std::string>>(*std::move(models));
      }
    } else if (page.status != 0) {
      read = absl::UnavailableError(
          absl::StrCat("GET ", ToAbsl(kind.models), " answers ", page.status));
    }
    // One that is asked too often is there.
    const bool asked_less = page.status == 429;
    one.signals.models_why = read.ok() || asked_less ? "" : std::string(read.message());
    if (kind.health.empty()) Say(one, read.ok() || asked_less, one.signals.models_why);
  }

  Awaitable<void> AskMetrics(Watched& one) {
    MetricsScan scan(*one.spec.kind, one.spec.model);
    UpstreamCall call(executor(), one.metrics);
    UpstreamRequest request = Question(one.spec.kind->metrics);
    bool going = co_await call.Open(request);
    std::size_t size = 0;
    while (going) {
      const std::string_view piece = co_await call.Read();
      size += piece.size();
      scan.Feed(piece);
      going = !piece.empty() && size <= kMostMetrics;
    }
    const bool whole = call.done() && !call.failed() && call.status() == 200;
    one.signals.at = one.signals.load_at = absl::Now();
    one.signals.load = whole ? scan.Finish() : ScrapedLoad();
    const bool gone = call.error().fault == UpstreamFault::kConnect;
    if (gone) Say(one, false, call.error().why);
  }
};

absl::StatusOr<std::unique_ptr<EndpointWatch>> EndpointWatch::Start(
    std::vector<WatchedEndpoint> endpoints, WatchOptions options, OnSignals on_signals,
    OnAsk on_ask) {
  auto impl = std::make_unique<Impl>(options, std::move(on_signals), std::move(on_ask));
  for (WatchedEndpoint& endpoint : endpoints) {
    const std::string what = absl::StrCat("endpoint ", endpoint.url);
    SPILLWAY_RETURN_IF_ERROR(Annotate(impl->Add(std::move(endpoint)), what));
  }
  impl->Start();
  return std::unique_ptr<EndpointWatch>(new EndpointWatch(std::move(impl)));
}

EndpointWatch::EndpointWatch(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
EndpointWatch::~EndpointWatch() { impl_->Stop(); }

}  // namespace spillway
