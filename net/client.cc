#include "net/client.h"

#include <exception>
#include <optional>
#include <utility>
#include <vector>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/ip/basic_resolver.hpp>

#include "absl/strings/str_cat.h"
#include "core/status.h"
#include "net/client_exchange.h"
#include "net/transport.h"

namespace spillway {
namespace {

using Tcp = net::ip::tcp;
using Resolver = net::ip::basic_resolver<Tcp, Executor>;
constexpr auto kTuple = net::as_tuple_t<net::use_awaitable_t<Executor>>(use_awaitable);

// May be sent again when a kept connection turns out dead: nothing happens twice.
bool MayRepeat(const ClientRequest& request) {
  return (request.method != Method::kPost && request.method != Method::kPatch) ||
         request.headers.Find("idempotency-key");
}

using Endpoints = std::vector<Tcp::endpoint>;

// Up to 8 addresses of the origin. getaddrinfo cannot be interrupted: the alarm ends the wait once
// the resolver's own time limit is over.
Awaitable<absl::StatusOr<Endpoints>> Resolve(Executor executor, BaseUrl origin, Alarm& alarm,
                                             absl::Duration within) {
  Endpoints found;
  ErrorCode error;
  const net::ip::address literal = net::ip::make_address(origin.host, error);
  if (!error) {
    found.emplace_back(literal, origin.port);
    co_return found;
  }
  Resolver resolver(executor);
  alarm.Set(within, [&resolver] { resolver.cancel(); });
  const std::string service = absl::StrCat(origin.port);
  const auto [failed, results] =
      co_await resolver.async_resolve(origin.host, service, Resolver::numeric_service, kTuple);
  alarm.Clear();
  for (const auto& entry : results) {
    if (found.size() < 8) found.push_back(entry.endpoint());
  }
  if (alarm.fired()) co_return absl::DeadlineExceededError("its name was not resolved in time");
  if (failed || found.empty()) co_return absl::UnavailableError(failed.message());
  co_return found;
}

}  // namespace

struct AsyncClient::Impl {
  const Executor executor;
  const BaseUrl origin;
  const ClientOptions options;
  absl::StatusOr<std::shared_ptr<TlsSettings>> tls;
  std::vector<std::unique_ptr<Transport>> idle;  // The last one was used last.

  Impl(Executor executor, BaseUrl origin, ClientOptions options)
      : executor(executor), origin(std::move(origin)), options(std::move(options)) {
    if (this->origin.tls) tls = MakeTlsSettings(this->options.verify_tls, this->options.ca_file);
  }

  std::unique_ptr<Transport> TakeIdle() {
    while (!idle.empty()) {
      std::unique_ptr<Transport> last = std::move(idle.back());
      idle.pop_back();
      if (!last->Stale()) return last;
    }
    return nullptr;
  }

  void Keep(std::unique_ptr<Transport> transport) {
    if (idle.size() < options.idle_connections) idle.push_back(std::move(transport));
  }

  std::unique_ptr<Transport> MakeTransport() const {
    return origin.tls ? TlsTransport(executor, *tls, origin.host) : PlainTransport(executor);
  }

  Awaitable<absl::StatusOr<std::unique_ptr<Transport>>> Connect(absl::Duration within) {
    const std::string what = absl::StrCat("connect to ", origin.Authority());
    if (origin.tls && !tls.ok()) co_return Annotate(tls.status(), what);
    Alarm alarm(executor);
    const auto addresses = co_await Resolve(executor, origin, alarm, within);
    if (!addresses.ok()) co_return Annotate(addresses.status(), what);
    absl::Status failed;
    for (const Tcp::endpoint& at : *addresses) {
      std::unique_ptr<Transport> transport = MakeTransport();
      alarm.Set(within, [&transport] { transport->Abort(); });
      const ErrorCode error = co_await transport->Open(at);
      alarm.Clear();
      if (!error) co_return transport;
      failed = alarm.fired() ? absl::DeadlineExceededError("no connection in time")
                             : absl::UnavailableError(error.message());
    }
    co_return Annotate(failed, what);
  }

  // One exchange, on a kept connection if there is one. A kept one that turns out dead before a
  // byte of an answer came is replaced, once, if the request may be repeated.
  Awaitable<absl::StatusOr<HttpResponse>> Exchange(ClientRequest request, BodySink sink) {
    const auto text = FormatRequest(origin, options, request);
    if (!text.ok()) co_return text.status();
    const absl::Duration total =
        request.total == absl::ZeroDuration() ? options.total : request.total;
    for (bool fresh = false;; fresh = true) {
      std::unique_ptr<Transport> transport = fresh ? nullptr : TakeIdle();
      const bool reused = transport != nullptr;
      if (!reused) {
        auto connected = co_await Connect(std::min(options.connect, total));
        if (!connected.ok()) co_return connected.status();
        transport = *std::move(connected);
      }
      Alarm alarm(executor);
      ClientExchange exchange(*transport, options, request.method, sink ? &sink : nullptr);
      const absl::Status status = co_await exchange.Run(*text, alarm, total);
      const bool again =
          reused && absl::IsUnavailable(status) && !exchange.heard() && MayRepeat(request);
      if (again) continue;
      if (!status.ok()) {
        co_return Annotate(status, absl::StrCat(ToAbsl(MethodName(request.method)), " ",
                                                origin.Authority(), request.target));
      }
      if (exchange.reusable()) Keep(std::move(transport));
      co_return std::move(exchange.response());
    }
  }
};

AsyncClient::AsyncClient(Executor executor, BaseUrl origin, ClientOptions options)
    : impl_(std::make_unique<Impl>(executor, std::move(origin), std::move(options))) {}

AsyncClient::~AsyncClient() = default;

Awaitable<absl::StatusOr<HttpResponse>> AsyncClient::Send(ClientRequest request) {
  return impl_->Exchange(std::move(request), nullptr);
}

Awaitable<absl::StatusOr<HttpResponse>> AsyncClient::Stream(ClientRequest request, BodySink sink) {
  return impl_->Exchange(std::move(request), std::move(sink));
}

// ---- blocking -----------------------------------------------------------------------------------

struct Client::Impl {
  net::io_context context{1};
  AsyncClient client;

  Impl(BaseUrl origin, ClientOptions options)
      : client(context.get_executor(), std::move(origin), std::move(options)) {}

  // Runs the loop until the exchange is done; nothing else ever waits in it.
  absl::StatusOr<HttpResponse> Wait(Awaitable<absl::StatusOr<HttpResponse>> exchange) {
    absl::StatusOr<HttpResponse> result = absl::InternalError("exchange did not finish");
    net::co_spawn(context, std::move(exchange),
                  [&](std::exception_ptr thrown, absl::StatusOr<HttpResponse> got) {
                    if (!thrown) result = std::move(got);
                  });
    context.restart();
    context.run();
    return result;
  }
};

absl::StatusOr<Client> Client::ForUrl(std::string_view base_url, ClientOptions options) {
  SPILLWAY_ASSIGN_OR_RETURN(BaseUrl origin, ParseBaseUrl(base_url));
  return Client(std::move(origin), std::move(options));
}

Client::Client(BaseUrl origin, ClientOptions options)
    : impl_(std::make_unique<Impl>(std::move(origin), std::move(options))) {}
Client::Client(Client&&) noexcept = default;
Client& Client::operator=(Client&&) noexcept = default;
Client::~Client() = default;

absl::StatusOr<HttpResponse> Client::Send(ClientRequest request) {
  return impl_->Wait(impl_->client.Send(std::move(request)));
}

absl::StatusOr<HttpResponse> Client::Stream(ClientRequest request, BodySink sink) {
  return impl_->Wait(impl_->client.Stream(std::move(request), std::move(sink)));
}

absl::StatusOr<HttpResponse> Client::Get(std::string target) {
  ClientRequest request;
  request.target = std::move(target);
  return Send(std::move(request));
}

absl::StatusOr<HttpResponse> Client::Post(std::string target, std::string json) {
  ClientRequest request;
  request.method = Method::kPost;
  request.target = std::move(target);
  request.headers.Add("Content-Type", "application/json");
  request.body = std::move(json);
  return Send(std::move(request));
}

}  // namespace spillway
