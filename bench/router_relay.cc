// The floor of bench/router: reads what a router must know of each request, relays it to one
// engine, and does nothing else. It decides, meters and books nothing.
//
//   router_relay HOST:PORT ENGINE_HOST:PORT
#include <malloc.h>
#include <signal.h>

#include <cstdio>
#include <memory>
#include <string>

#include "adapters/openai/answer_stream.h"
#include "formats/openai_scan.h"
#include "net/server.h"
#include "net/upstream.h"

namespace spillway {
namespace {

constexpr std::size_t kBodyLimit = 16 << 20;
constexpr std::size_t kHeldLimit = 1 << 20;

class Relay final : public HttpHandler {
 public:
  explicit Relay(std::shared_ptr<const UpstreamOrigin> engine) : engine_(std::move(engine)) {}

  HeadAnswer OnHead(const HttpRequest&) override { return {kBodyLimit, {}}; }

  Awaitable<HttpAnswer> Handle(HttpRequest request, Exchange& exchange) override {
    OpenAiRequest scanned;
    if (const auto fault = ScanOpenAiRequest(OpenAiCall::kChat, request.body, &scanned)) {
      co_return JsonResponse(400, fault->message);
    }
    const auto call = std::make_shared<UpstreamCall>(exchange.executor(), engine_);
    exchange.OnGone([call = call.get()] { call->Abort(); });
    const SplicedBody body(request.body, scanned, {"upstream-name", scanned.stream});
    Headers headers;
    headers.Add("Content-Type", "application/json");
    headers.Add("x-request-id", request.id);
    UpstreamRequest out;
    out.target = request.target;
    out.headers = &headers;
    out.body = body.parts();
    const bool open = co_await call->Open(std::move(out));
    if (!open) co_return JsonResponse(502, call->error().why);
    HttpResponse response;
    response.status = call->status();
    response.headers.Add("Content-Type", call->headers().Get("content-type"));
    if (!scanned.stream) {
      const bool whole = co_await call->ReadAll(kHeldLimit, &response.body);
      if (!whole) co_return JsonResponse(502, call->error().why);
      OpenAiAnswer answer;
      ScanOpenAiAnswer(response.body, &answer);
      co_return HttpAnswer(std::move(response));
    }
    AnswerStream::Options options;
    options.cut_usage = !scanned.include_usage;
    HttpAnswer answer(std::move(response),
                      [call, options](BodyStream& to) { return Stream(call, options, to); });
    answer.head_with_body = true;
    co_return answer;
  }

 private:
  const std::shared_ptr<const UpstreamOrigin> engine_;

  static Awaitable<void> Stream(std::shared_ptr<UpstreamCall> call, AnswerStream::Options options,
                                BodyStream& to) {
    AnswerStream events(options);
    for (;;) {
      const std::string_view piece = co_await call->Read();
      if (piece.empty()) co_return;
      const auto parts = events.Take(piece);
      for (std::size_t i = 0; i < parts.size(); ++i) {
        bool sent = false;
        if (call->done() && i + 1 == parts.size()) {
          sent = co_await to.WriteLast(parts[i]);
        } else {
          sent = co_await to.Write(parts[i]);
        }
        if (!sent) co_return call->Abort();
      }
    }
  }
};

int Main(int argc, char** argv) {
  if (argc != 3) return std::fprintf(stderr, "usage: router_relay HOST:PORT HOST:PORT\n"), 2;
  const auto at = ParseHostPort(argv[1]);
  const auto url = ParseBaseUrl(std::string("http://") + argv[2]);
  if (!at.ok() || !url.ok()) return std::fprintf(stderr, "bad address\n"), 2;
  auto engine = MakeUpstreamOrigin(*url, {});
  if (!engine.ok()) return 1;
  // Bodies of 100 kB come and go: their memory stays here instead of being cleared anew each time.
  ::mallopt(M_TRIM_THRESHOLD, 64 << 20);
  ::mallopt(M_MMAP_THRESHOLD, 4 << 20);
  sigset_t end;
  sigemptyset(&end);
  sigaddset(&end, SIGTERM);
  sigaddset(&end, SIGINT);
  sigprocmask(SIG_BLOCK, &end, nullptr);
  Relay relay(*std::move(engine));
  ServerOptions options;
  options.host = at->host;
  options.port = at->port;
  const auto server = Server::Start(options, relay);
  if (!server.ok()) {
    std::fprintf(stderr, "%s\n", std::string(server.status().message()).c_str());
    return 1;
  }
  int signal = 0;
  sigwait(&end, &signal);
  return 0;
}

}  // namespace
}  // namespace spillway

int main(int argc, char** argv) { return spillway::Main(argc, argv); }
