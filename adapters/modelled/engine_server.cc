#include "adapters/modelled/engine_server.h"

#include <algorithm>
#include <atomic>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/time/clock.h"
#include "adapters/modelled/engine_answer.h"
#include "adapters/modelled/engine_loop.h"
#include "adapters/modelled/engine_order.h"
#include "adapters/modelled/engine_stream.h"
#include "adapters/modelled/engine_text.h"
#include "core/status.h"
#include "formats/json_writer.h"
#include "net/server.h"

namespace spillway {

using modelled::Answering;
using modelled::EngineCall;
using modelled::EngineChoice;
using modelled::EngineLoop;
using modelled::EngineOrder;
using modelled::EngineRefusal;
using modelled::EngineUsage;
using modelled::EventStream;
using modelled::SequencePlan;
using modelled::TokenFlow;

namespace {

constexpr std::size_t kBodyLimit = std::size_t{16} << 20;
constexpr std::int64_t kMostOutput = 1 << 20;    // tokens of one request
constexpr std::int64_t kDefaultCompletion = 16;  // as OpenAI's and vLLM's /v1/completions

HttpResponse Refused(const EngineRefusal& refusal) {
  HttpResponse response = JsonResponse(refusal.status, modelled::RefusalBody(refusal));
  if (refusal.status == 429 || refusal.status == 503) response.headers.Add("Retry-After", "1");
  return response;
}
EngineRefusal Overloaded(int status, std::string message, std::string code) {
  return {.status = status,
          .message = std::move(message),
          .type = status == 429 ? "rate_limit_error" : "server_error",
          .code = std::move(code)};
}
EngineRefusal NotFound(std::string message, std::string code) {
  return {.status = 404,
          .message = std::move(message),
          .type = "not_found_error",
          .code = std::move(code)};
}
EngineRefusal TooLong(EngineCall call, const Model& model, std::int64_t prompt,
                      std::int64_t output) {
  constexpr const char* kParams[] = {"messages", "prompt", "input"};
  return {.message = absl::StrCat("this model's context is ", model.context, " tokens; asked for ",
                                  prompt + output, ": ", prompt, " of the prompt and ", output,
                                  " of the answer"),
          .param = kParams[static_cast<std::size_t>(call)],
          .code = "context_length_exceeded"};
}

// Until the client or the server has had enough.
Awaitable<void> SayNothing(Exchange& exchange) {
  while (!exchange.gone() && !exchange.draining()) co_await exchange.Wait(absl::InfiniteDuration());
}

// As an engine that dies: no client takes half for all.
[[noreturn]] void BreakOff() { throw std::runtime_error("a fault breaks the answer off"); }

}  // namespace

class ModelledEngine::Service final : public HttpHandler {
 public:
  Service(EngineModel model, ModelledEngineOptions options)
      : model_(std::move(model)),
        options_(std::move(options)),
        born_(absl::Now()),
        loop_(model_.times, model_.limits) {
    Misbehave(options_.faults);
  }

  absl::Status Listen() {
    ServerOptions server;
    server.host = options_.host;
    server.port = options_.port;
    SPILLWAY_ASSIGN_OR_RETURN(server_, Server::Start(std::move(server), *this));
    return absl::OkStatus();
  }
  Server& server() { return *server_; }
  const EngineLoop& loop() const { return loop_; }

  HeadAnswer OnHead(const HttpRequest& head) override {
    HeadAnswer answer{.body_limit = kBodyLimit};
    if (IsFaults(head)) return answer;
    if (absl::Now() < absl::FromUnixNanos(ready_at_.load()))
      answer.instead = Refused(Overloaded(503, "the engine is starting", "not_ready"));
    return answer;
  }
  Awaitable<HttpAnswer> Handle(HttpRequest request, Exchange& exchange) override;
  HttpResponse OnRefused(int status, std::string_view code, std::string_view detail) override {
    return Refused({.status = status, .message = std::string(detail), .code = std::string(code)});
  }

 private:
  bool IsFaults(const HttpRequest& head) const {
    return options_.faults_endpoint && head.path.size() == 1 && head.path[0] == "_faults";
  }
  bool embeds() const { return model_.model.kind == ModelKind::kEmbedding; }
  const std::string& name() const { return model_.name; }

  void Misbehave(const EngineFaults& faults) {
    const std::lock_guard lock(mutex_);
    faults_ = faults;
    ready_at_ = absl::ToUnixNanos(absl::Now() + faults.slow_start);
  }
  HttpResponse Faults(const HttpRequest& request);
  HttpResponse Show(const HttpRequest& request) const;
  HttpResponse Models(const HttpRequest& request) const;

  std::optional<EngineRefusal> WrongFor(const EngineOrder& order) const;
  std::int64_t MostOutput(const EngineOrder& order, std::int64_t prompt) const;
  std::vector<EngineChoice> Draw(const EngineOrder& order) const;
  absl::StatusOr<std::unique_ptr<TokenFlow>> Submit(const EngineOrder& order,
                                                    const std::vector<EngineChoice>& choices,
                                                    Exchange& exchange);
  Awaitable<HttpAnswer> Answer(EngineCall call, HttpRequest request, Exchange& exchange);
  std::string BodyOf(const Answering& answer) const;
  Awaitable<HttpAnswer> Whole(std::shared_ptr<Answering> answer, Exchange& exchange) const;
  static Awaitable<void> Stream(std::shared_ptr<Answering> answer, BodyStream& out);

  const EngineModel model_;
  const ModelledEngineOptions options_;
  const absl::Time born_;
  std::atomic<std::int64_t> ready_at_{0};  // nanoseconds of the day's clock
  std::atomic<std::uint64_t> requests_{0};
  std::mutex mutex_;
  EngineFaults faults_;  // guarded by mutex_
  EngineLoop loop_;
  std::unique_ptr<Server> server_;  // last: its end ends all flows
};

// ---- what is asked of the engine itself
// ----------------------------------------------------------

HttpResponse ModelledEngine::Service::Faults(const HttpRequest& request) {
  if (request.method == Method::kPost) {
    const auto faults = ParseEngineFaults(request.body);
    if (!faults.ok()) return Refused({.message = std::string(faults.status().message())});
    Misbehave(*faults);
  }
  const std::lock_guard lock(mutex_);
  return JsonResponse(200, EngineFaultsJson(faults_));
}

HttpResponse ModelledEngine::Service::Models(const HttpRequest& request) const {
  const std::string model =
      modelled::ModelBody(name(), absl::ToUnixSeconds(born_), model_.model.context);
  if (request.path.size() == 2)
    return JsonResponse(200, absl::StrCat("{\"object\":\"list\",\"data\":[", model, "]}"));
  if (request.path[2] == name()) return JsonResponse(200, model);
  return Refused(NotFound(absl::StrCat("the model '", request.path[2], "' does not exist"),
                          "model_not_found"));
}

HttpResponse ModelledEngine::Service::Show(const HttpRequest& request) const {
  const auto& path = request.path;
  if (path.size() == 1 && path[0] == "health") return TextResponse(200, "");
  if (path.size() == 1 && path[0] == "version") {
    std::string body;
    JsonWriter(body).BeginObject().Member("version", options_.version).EndObject();
    return JsonResponse(200, body);
  }
  if (path.size() == 1 && path[0] == "metrics") {
    HttpResponse page =
        TextResponse(200, modelled::EngineMetricsPage(loop_.Look(), model_.limits, name()));
    page.headers.Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8");
    return page;
  }
  if (path.size() >= 2 && path.size() <= 3 && path[0] == "v1" && path[1] == "models")
    return Models(request);
  return Refused(NotFound("there is no such path", "not_found"));
}

Awaitable<HttpAnswer> ModelledEngine::Service::Handle(HttpRequest request, Exchange& exchange) {
  if (IsFaults(request)) co_return Faults(request);
  if (request.method == Method::kGet || request.method == Method::kHead) co_return Show(request);
  const auto is = [&](std::initializer_list<std::string_view> path) {
    return std::equal(path.begin(), path.end(), request.path.begin(), request.path.end());
  };
  std::optional<EngineCall> call;
  if (is({"v1", "chat", "completions"})) call = EngineCall::kChat;
  if (is({"v1", "completions"})) call = EngineCall::kCompletion;
  if (is({"v1", "embeddings"})) call = EngineCall::kEmbedding;
  if (!call || request.method != Method::kPost)
    co_return Refused(NotFound("there is no such path", "not_found"));
  HttpAnswer answer = co_await Answer(*call, std::move(request), exchange);
  co_return answer;
}

// ---- answers
// -------------------------------------------------------------------------------------

std::optional<EngineRefusal> ModelledEngine::Service::WrongFor(const EngineOrder& order) const {
  if (!order.model.empty() && order.model != name()) {
    EngineRefusal refusal =
        NotFound(absl::StrCat("the model '", order.model, "' does not exist"), "model_not_found");
    refusal.param = "model";
    return refusal;
  }
  if (embeds() != (order.call == EngineCall::kEmbedding))
    return EngineRefusal{.message = absl::StrCat("the model '", name(), "' does ",
                                                 embeds() ? "embeddings only" : "no embeddings"),
                         .param = "model"};
  const std::size_t sequences = order.prompts.size() * static_cast<std::size_t>(order.choices);
  if (sequences > static_cast<std::size_t>(model_.limits.max_waiting))
    return EngineRefusal{.message = absl::StrCat("asked for ", sequences, " sequences, at most ",
                                                 model_.limits.max_waiting, " can wait")};
  std::int64_t all = 0;
  for (const EngineOrder::Prompt& prompt : order.prompts) {
    const std::int64_t least = embeds() ? 0 : order.max_tokens.value_or(1);
    if (prompt.tokens + least > model_.model.context)
      return TooLong(order.call, model_.model, prompt.tokens, least);
    if (!embeds()) all += MostOutput(order, prompt.tokens) * order.choices;
  }
  if (order.max_tokens && all > kMostOutput)
    return EngineRefusal{.message = absl::StrCat("asked for ", all, " tokens, at most ",
                                                 kMostOutput, " may be in one request"),
                         .param = "max_tokens"};
  return std::nullopt;
}

std::int64_t ModelledEngine::Service::MostOutput(const EngineOrder& order,
                                                 std::int64_t prompt) const {
  const std::int64_t room = model_.model.context - prompt;
  const std::int64_t otherwise =
      order.call == EngineCall::kCompletion ? kDefaultCompletion : std::int64_t{1} << 40;
  return std::max<std::int64_t>(1, std::min(room, order.max_tokens.value_or(otherwise)));
}

std::vector<EngineChoice> ModelledEngine::Service::Draw(const EngineOrder& order) const {
  std::vector<EngineChoice> choices;
  for (const EngineOrder::Prompt& prompt : order.prompts) {
    const std::int64_t most = MostOutput(order, prompt.tokens);
    const std::uint64_t asked =
        modelled::Mix(modelled::Mix(prompt.hash, order.seed), options_.seed);
    for (int i = 0; i < order.choices; ++i) {
      const std::uint64_t text = modelled::Mix(asked, static_cast<std::uint64_t>(i));
      const std::int64_t length =
          order.ignore_eos ? most + 1 : modelled::DrawLength(text, options_.mean_output);
      choices.push_back({text, std::min(length, most), length > most});
    }
  }
  return choices;
}

absl::StatusOr<std::unique_ptr<TokenFlow>> ModelledEngine::Service::Submit(
    const EngineOrder& order, const std::vector<EngineChoice>& choices, Exchange& exchange) {
  std::vector<SequencePlan> plans;
  for (std::size_t p = 0; p < order.prompts.size(); ++p) {
    for (int i = 0; i < order.choices; ++i) {
      SequencePlan plan{.prompt_tokens = order.prompts[p].tokens, .output_tokens = 0};
      if (!choices.empty()) {
        plan.prefix = order.prompts[p].prefix;
        plan.output_tokens = choices[plans.size()].length;
        plan.cut = choices[plans.size()].cut;
      }
      plans.push_back(plan);
    }
  }
  return loop_.Submit(std::move(plans), order.stream, exchange.waker());
}

Awaitable<HttpAnswer> ModelledEngine::Service::Answer(EngineCall call, HttpRequest request,
                                                      Exchange& exchange) {
  auto read = modelled::ReadOrder(call, request.body, model_.model);
  request.body = {};
  if (const auto* refusal = std::get_if<EngineRefusal>(&read)) co_return Refused(*refusal);
  EngineOrder order = std::get<EngineOrder>(std::move(read));
  if (const auto wrong = WrongFor(order)) co_return Refused(*wrong);

  const std::uint64_t number = requests_++;
  EngineFault fault;
  {
    const std::lock_guard lock(mutex_);
    fault = FaultFor(faults_, options_.fault_seed, number);
  }
  if (fault == EngineFault::kError)
    co_return Refused({.status = 500, .message = "a fault of this engine", .type = "server_error"});

  std::vector<EngineChoice> choices;
  if (!embeds()) choices = Draw(order);
  EngineUsage usage;
  for (const EngineOrder::Prompt& prompt : order.prompts) usage.prompt += prompt.tokens;
  for (const EngineChoice& choice : choices) usage.completion += choice.length;
  if (fault == EngineFault::kLie) usage = {usage.prompt / 2, usage.completion * 3 + 1};

  auto flow = Submit(order, choices, exchange);
  if (absl::IsResourceExhausted(flow.status()))
    co_return Refused(Overloaded(options_.full_status, std::string(flow.status().message()),
                                 "engine_overloaded"));
  if (!flow.ok()) {
    EngineRefusal refusal{.message = std::string(flow.status().message())};
    refusal.code = "context_length_exceeded";
    co_return Refused(refusal);
  }
  const char* kind = call == EngineCall::kChat ? "chatcmpl-" : "cmpl-";
  std::string id = absl::StrCat(
      kind, absl::Hex(modelled::Mix(static_cast<std::uint64_t>(absl::ToUnixNanos(born_)), number),
                      absl::kZeroPad16));
  auto answer = std::make_shared<Answering>(std::move(order), std::move(choices), usage,
                                            std::move(id), name());
  answer->fault = fault;
  answer->flow = *std::move(flow);
  if (answer->order.stream)
    co_return EventStreamAnswer([answer](BodyStream& out) { return Stream(answer, out); });
  HttpAnswer whole = co_await Whole(answer, exchange);
  co_return whole;
}

std::string ModelledEngine::Service::BodyOf(const Answering& answer) const {
  const EngineOrder& order = answer.order;
  if (order.call != EngineCall::kEmbedding) return answer.writer.Whole(answer.told);
  const auto width = static_cast<std::size_t>(model_.model.hidden);
  return modelled::EmbeddingBody(order, order.dimensions > 0 ? order.dimensions : width, name(),
                                 answer.told.prompt);
}

Awaitable<HttpAnswer> ModelledEngine::Service::Whole(std::shared_ptr<Answering> answer,
                                                     Exchange& exchange) const {
  while (!answer->flow->over()) {
    const Woken why = co_await exchange.Wait(absl::InfiniteDuration());
    if (why == Woken::kGone)
      co_return Refused({.status = 500, .message = "the client left", .type = "server_error"});
  }
  answer->flow.reset();
  HttpResponse whole = JsonResponse(200, BodyOf(*answer));
  const EngineFault fault = answer->fault;
  if (!answer->breaks()) co_return whole;
  std::string half = whole.body.substr(0, whole.body.size() / 2);
  whole.body.clear();
  co_return HttpAnswer(std::move(whole), [half, fault](BodyStream& out) -> Awaitable<void> {
    const bool sent = co_await out.Write(half);
    if (sent && fault == EngineFault::kStall) co_await SayNothing(out);
    if (fault != EngineFault::kTruncate) BreakOff();
  });
}

Awaitable<void> ModelledEngine::Service::Stream(std::shared_ptr<Answering> answer,
                                                BodyStream& out) {
  EventStream events(*answer);
  while (!events.over()) {
    const std::string frames = events.Next();
    if (!frames.empty()) {
      const bool sent = co_await out.Write(frames);
      if (!sent) break;
    } else if (events.broken()) {
      answer->flow.reset();
      if (answer->fault == EngineFault::kStall) co_await SayNothing(out);
      if (answer->fault != EngineFault::kTruncate) BreakOff();
      break;
    } else {
      const Woken why = co_await out.Wait(absl::InfiniteDuration());
      if (why == Woken::kGone) break;
    }
  }
  answer->flow.reset();  // frees the engine now, whatever still holds the answer
}

// ---- the engine as a whole
// -----------------------------------------------------------------------

absl::StatusOr<EngineModel> EngineModelFor(const Catalog& catalog, const PoolSpec& pool,
                                           const ServeSpec& serve) {
  EngineModel engine;
  SPILLWAY_ASSIGN_OR_RETURN(engine.limits, LimitsFor(catalog, pool, serve));
  engine.times = StepTimesFor(catalog, pool, serve);
  if (!engine.times)
    return absl::FailedPreconditionError(absl::StrCat(
        "device ", pool.device, " has no rate at which ", serve.model, " could be computed"));
  engine.model = catalog.models.at(serve.model);
  // Tokens of a piece of text that is hashed, in whole blocks.
  const auto block = static_cast<double>(engine.limits.block_tokens);
  const double piece = PrefixHashes::kBlock / engine.model.bytes_per_token / block;
  engine.limits.prefix_tokens = static_cast<std::int64_t>(std::max(std::floor(piece), 1.0) * block);
  engine.name = serve.upstream.empty() ? serve.model : serve.upstream;
  return engine;
}

ModelledEngine::ModelledEngine(std::unique_ptr<Service> service) : service_(std::move(service)) {}
ModelledEngine::~ModelledEngine() = default;

absl::StatusOr<std::unique_ptr<ModelledEngine>> ModelledEngine::Start(
    EngineModel model, ModelledEngineOptions options) {
  auto service = std::make_unique<Service>(std::move(model), std::move(options));
  SPILLWAY_RETURN_IF_ERROR(service->Listen());
  return std::unique_ptr<ModelledEngine>(new ModelledEngine(std::move(service)));
}

std::string ModelledEngine::origin() const {
  return absl::StrCat("http://", service_->server().address());
}
std::string ModelledEngine::base_url() const { return origin() + "/v1"; }
bool ModelledEngine::Drain(absl::Duration grace) { return service_->server().Drain(grace); }
EngineGauges ModelledEngine::gauges() const { return service_->loop().Look().gauges; }

}  // namespace spillway
