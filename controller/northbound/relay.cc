#include "controller/northbound/relay.h"

#include <algorithm>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "controller/northbound/engine_faults.h"
#include "controller/northbound/model_kind.h"
#include "controller/northbound/quota_answers.h"
#include "core/explain.h"
#include "core/text.h"
#include "formats/units.h"

namespace spillway {
namespace {

constexpr std::size_t kErrorBody = std::size_t{64} << 10;  // of an engine's error
constexpr std::size_t kInPlace = std::size_t{256} << 10;   // bytes of an answer, read at once
// What an engine gets to end a stream as HTTP wants it, once it has said [DONE].
constexpr absl::Duration kFarewell = absl::Seconds(1);
constexpr int kFarewellReads = 4;

std::string_view TargetOf(OpenAiCall kind) {
  switch (kind) {
    case OpenAiCall::kChat:
      return "/chat/completions";
    case OpenAiCall::kCompletions:
      return "/completions";
    case OpenAiCall::kEmbeddings:
      return "/embeddings";
  }
  return "";
}

}  // namespace

Relay::Relay(Api& api, OpenAiCall kind, Call call)
    : api_(api), dispatcher_(*api.dispatcher()), kind_(kind), call_(std::move(call)) {}

Relay::~Relay() {
  dispatcher_.FreeBytes(kept_ + kept_answer_);
  GiveText(std::move(held_));
  GiveText(std::move(call_.request.body));
  if (waiting_ && !dispatcher_.StopWaiting(waiting_)) dispatcher_.PassOn(*live_);
  if (!live_ || ended_) return;
  if (live_->endpoint != nullptr) SettleLost();
  Finish(RequestEnd::kClientGone, 499);
}

// --- What is asked for ---------------------------------------------------------------------------

std::optional<OpenAiError> Relay::ReadHints(RequestFeatures& features) const {
  if (scanned_.max_cost_usd) {
    const auto cost = ParseDecimalUsd(scanned_.max_cost_usd->view());
    if (!cost.ok())
      return InvalidRequest(
          absl::StrCat("metadata.spillway.max_cost_usd: ", cost.status().message()), "metadata");
    features.max_cost = *cost;
  }
  // The tighter one counts where both are given.
  std::optional<OpenAiError> fault;
  const auto objective = [&](std::string_view value, std::string name, std::string param,
                             std::optional<absl::Duration>& out) {
    std::int64_t ms = 0;
    if (!absl::SimpleAtoi(ToAbsl(value), &ms) || ms < 1 || ms > 86'400'000) {
      fault = InvalidRequest(absl::StrCat(name, ": wants milliseconds, like \"1500\""),
                             std::move(param));
      return;
    }
    out = std::min(out.value_or(absl::Milliseconds(ms)), absl::Milliseconds(ms));
  };
  const auto header = [&](std::string_view name, std::optional<absl::Duration>& out) {
    if (const auto value = call_.request.headers.Find(name))
      objective(*value, absl::StrCat("header ", ToAbsl(name)), "", out);
  };
  header("x-slo-ttft-ms", features.ttft);
  header("x-slo-tpot-ms", features.tpot);
  if (scanned_.ttft_ms)
    objective(scanned_.ttft_ms->view(), "metadata.spillway.ttft_ms", "metadata", features.ttft);
  if (scanned_.tpot_ms)
    objective(scanned_.tpot_ms->view(), "metadata.spillway.tpot_ms", "metadata", features.tpot);
  if (fault) return fault;
  if (scanned_.pool) features.pin = std::string(scanned_.pool->view());
  return std::nullopt;
}

bool Relay::WithinQuota() {
  const auto view = dispatcher_.view();
  const TenantSpec* tenant = view ? view->FindTenant(call_.tenant) : nullptr;
  if (tenant != nullptr) quota_ = api_.quotas().Admit(*tenant, dispatcher_.Now());
  return quota_.over() == Over::kNone;
}

std::optional<OpenAiError> Relay::ReadRequest() {
  if (auto fault = ScanOpenAiRequest(kind_, call_.request.body, &scanned_))
    return InvalidRequest(std::move(fault->message), std::move(fault->param));
  const auto view = dispatcher_.view();
  if (!view) return ModelNotFound(scanned_.model.view(), "");
  RequestFeatures features;
  features.arrived = dispatcher_.Now();
  features.tenant = call_.tenant;
  features.model = std::string(scanned_.model.view());
  features.models = view->Resolve(features.model);
  if (features.models.empty())
    return ModelNotFound(features.model, NearestWord(features.model, view->Names()));
  features.kind = kind_ == OpenAiCall::kEmbeddings ? ModelKind::kEmbedding : ModelKind::kChat;
  if (auto error = KeepModelsOfKind(*view, features)) return error;
  features.prompt_bytes = static_cast<std::int64_t>(scanned_.TextSize());
  features.max_tokens = scanned_.OutputBound();
  features.choices = static_cast<int>(std::max(scanned_.n, scanned_.best_of));
  if (kind_ != OpenAiCall::kChat && scanned_.messages > 1) {
    features.prompts = static_cast<int>(scanned_.messages);
    features.longest_prompt_bytes = static_cast<std::int64_t>(scanned_.longest_text);
  }
  features.stream = scanned_.stream;
  features.prefix.assign(
      scanned_.prefix.hashes.begin(),
      scanned_.prefix.hashes.begin() + static_cast<std::ptrdiff_t>(scanned_.prefix.count));
  if (auto error = ReadHints(features)) return error;
  if (!features.pin.empty()) {
    std::vector<std::string> pools;
    for (const ViewPool& pool : view->pools()) pools.push_back(pool.spec->name);
    if (std::find(pools.begin(), pools.end(), features.pin) == pools.end()) {
      const std::string nearest = NearestWord(features.pin, pools);
      return InvalidRequest(
          absl::StrCat("metadata.spillway.pool: there is no pool `", features.pin, "`",
                       nearest.empty() ? "" : absl::StrCat(" (did you mean `", nearest, "`?)")),
          "metadata");
    }
  }
  features.budget_left = quota_.left(features.arrived);
  features.demoted = quota_.demotes() && features.budget_left == Usd(0);
  asked_ = std::move(features);
  ChooseCascade(*view);
  headers_.Add("Content-Type", "application/json");
  headers_.Add("x-request-id", call_.request.id);
  for (const std::string_view name : {"traceparent", "tracestate"}) {
    if (const auto value = call_.request.headers.Find(name)) headers_.Add(name, *value);
  }
  return std::nullopt;
}

// Every engine is full: waits for one as long as a client may be left waiting.
Awaitable<Routed> Relay::FindRoom() {
  const absl::Time begun = dispatcher_.Now();
  waiting_ = call_.exchange->waker();
  Routed routed = Routed::kFull;
  while (routed == Routed::kFull) {
    const absl::Duration left = RoomPatience(live_->limits.ttft) - (dispatcher_.Now() - begun);
    // Where all asked to be left alone for longer than that, waiting is in vain.
    if (left <= absl::ZeroDuration() || dispatcher_.UntilAnyIsAsked(*live_) > left) break;
    if (!dispatcher_.Wait(waiting_, *live_)) break;
    routed = dispatcher_.Route(*live_);  // room may have come before we waited
    if (routed != Routed::kFull) {
      dispatcher_.StopWaiting(waiting_);
      break;
    }
    const absl::Duration until = std::min(left, dispatcher_.UntilBackOffEnds(*live_));
    const Woken why = co_await call_.exchange->Wait(until);
    const bool was_woken = !dispatcher_.StopWaiting(waiting_);
    if (why == Woken::kGone) {
      if (was_woken) dispatcher_.PassOn(*live_);
      break;
    }
    routed = dispatcher_.Route(*live_);
  }
  waiting_.reset();
  live_->record.queued = dispatcher_.Now() - begun;
  co_return routed;
}

// --- The way there -------------------------------------------------------------------------------

UpstreamRequest Relay::MakeRequest(const SplicedBody& body) {
  // Engines send the head of a stream before they have begun to think.
  const EngineTime time = Dispatcher::TimeFor(*live_);
  return {.method = Method::kPost,
          .target = TargetOf(kind_),
          .headers = &headers_,
          .body = body.parts(),
          .first_byte = time.first,
          .gap = scanned_.stream ? time.first : time.idle};
}

// It is not the engine that ends the attempt: the client has left, or we have to.
bool Relay::CutOff() const { return call_.exchange->gone() || call_.exchange->closing(); }

void Relay::AbortWithClient() {
  const auto abort = [self = weak_from_this()] {
    if (const auto relay = self.lock(); relay && relay->upstream_) relay->upstream_->Abort();
  };
  call_.exchange->OnGone(abort);
  call_.exchange->OnClosing(abort);
}

// The engine under way is lost before anything reached the client: the next one may be asked. If it
// is not the engine's doing, what was done is booked instead.
void Relay::LoseEngine(ForwardFault fault) {
  if (CutOff()) {
    SettleLost();
  } else {
    dispatcher_.GiveUp(*live_, fault);
  }
}

// The same by what the connection to it says, or `otherwise` where that is well.
void Relay::LoseUpstream(std::string_view otherwise) {
  why_failed_ = upstream_->failed() ? WhyLost(upstream_->error()) : std::string(otherwise);
  LoseEngine(upstream_->failed() ? FaultOf(upstream_->error()) : ForwardFault::kBroken);
}

// Asks the endpoint that was taken.
Awaitable<Relay::Reply> Relay::AskNext() {
  const bool rename = live_->upstream_model != scanned_.model.view();
  const SplicedBody body(
      call_.request.body, scanned_,
      {.model = rename ? std::string_view(live_->upstream_model) : std::string_view(),
       .ask_for_usage = scanned_.stream && !scanned_.include_usage,
       .logprobs = !AsksForLogprobs()           ? std::string_view()
                   : kind_ == OpenAiCall::kChat ? "true"
                                                : "1"});
  DropHeld();
  stream_.reset();
  upstream_ = std::make_unique<UpstreamCall>(call_.exchange->executor(), live_->address->origin);
  AbortWithClient();
  // Of a whole answer nobody sees the first token: it counts as running from the start.
  if (!scanned_.stream) dispatcher_.OnFirstToken(*live_);
  UpstreamRequest request = MakeRequest(body);
  const bool open = co_await upstream_->Open(std::move(request));
  if (!open) {
    LoseUpstream("");
    co_return Reply::kNone;
  }
  const int status = upstream_->status();
  const std::string_view type = upstream_->headers().Get("Content-Type");
  if (RefusesUs(status) || (status < 300 && type.starts_with("text/html"))) {
    refused_ = true;
    why_failed_ = status < 300
                      ? "it answered with a page of HTML"
                      : absl::StrCat("it answered ", status, " to ", ToAbsl(TargetOf(kind_)));
    upstream_->Abort();
    LoseEngine(FaultOfRefusal(kind_, status));
    co_return Reply::kNone;
  }
  if (status == 429 || status >= 500) {
    failed_ = HttpResponse{.status = status};
    failed_.headers.Add("Content-Type", type);
    if (const auto when = upstream_->headers().Find("Retry-After"))
      failed_.headers.Add("Retry-After", *when);
    const bool whole = co_await upstream_->ReadAll(kErrorBody, &failed_.body);
    if (!whole || !IsJsonObject(failed_.body)) failed_.body.clear();
    why_failed_ = absl::StrCat("it answered ", status);
    if (FaultOf(status) == ForwardFault::kOverloaded)
      dispatcher_.BackOff(*live_, BackOffOf(upstream_->headers()));
    LoseEngine(FaultOf(status));
    co_return Reply::kNone;
  }
  if (scanned_.stream && status == 200 && type.starts_with("text/event-stream")) {
    const Reply begun = co_await BeginEvents();
    co_return begun;
  }
  const std::uint64_t length = upstream_->length().value_or(0);
  held_ = TakeText(length);
  bool room = Hold(upstream_->Ready());  // most answers come with their head
  if (room && held_.size() < length && length <= kInPlace && HoldRest(length - held_.size())) {
    co_await upstream_->ReadAll(kMostHeld, &held_);  // straight into its place
  } else {
    // What there is no room for goes on as it comes.
    while (room && !upstream_->done() && held_.size() <= kMostHeld) {
      const std::string_view piece = co_await upstream_->Read();
      room = !piece.empty() && Hold(piece);
    }
  }
  if (!upstream_->failed()) co_return Reply::kWhole;
  LoseUpstream("");
  co_return Reply::kNone;
}

// Reads until there is something for the client. A stream that begins with an error is no answer.
Awaitable<Relay::Reply> Relay::BeginEvents() {
  stream_.emplace(AnswerStream::Options{.cut_usage = !scanned_.include_usage});
  for (;;) {
    piece_ = co_await upstream_->Read();
    if (piece_.empty()) {
      LoseUpstream("it ended before it began");
      co_return Reply::kNone;
    }
    parts_ = stream_->Take(piece_);
    // Nothing has gone to the client yet, even if some of an answer came before the error.
    if (stream_->said_error()) {
      // The request itself is wrong: no other engine would say otherwise.
      if (const auto status = ClientsFault(stream_->error_data())) {
        held_ = stream_->error_data();
        refused_with_ = *status;
        upstream_->Abort();
        co_return Reply::kWhole;
      }
      failed_ = HttpResponse{.status = 502};
      failed_.headers.Add("Content-Type", "application/json");
      failed_.body = stream_->error_data();
      why_failed_ = "its stream began with an error";
      upstream_->Abort();
      LoseEngine(ForwardFault::kError);
      co_return Reply::kNone;
    }
    if (!parts_.empty()) {
      upstream_->SetGap(Dispatcher::TimeFor(*live_).idle);
      co_return Reply::kEvents;
    }
    if (!stream_->broken()) continue;
    upstream_->Abort();
    LoseUpstream(stream_->why_broken());
    co_return Reply::kNone;
  }
}

// Keeps the piece in any case; false: there is no room for more.
bool Relay::Hold(std::string_view piece) {
  held_.append(piece);
  return HoldRest(piece.size());
}

// Room for so many bytes more of held_. False: there is none.
bool Relay::HoldRest(std::size_t bytes) {
  const bool room = dispatcher_.HoldBytes(bytes);
  if (room) kept_answer_ += bytes;
  return room;
}

void Relay::DropHeld() {
  held_.clear();
  dispatcher_.FreeBytes(std::exchange(kept_answer_, 0));
}

// What the client is answered with: a stream that begins with an error has said 200 before.
int Relay::Status() const { return refused_with_ > 0 ? refused_with_ : upstream_->status(); }

// Nobody will read this, unless it is we who end it.
HttpAnswer Relay::Gone() {
  if (!call_.exchange->gone()) return Refuse(ShuttingDown(), RequestEnd::kCutOff);
  Finish(RequestEnd::kClientGone, 499);
  return OpenAiErrorAnswer(NoRoom("the client has left"));
}

Awaitable<HttpAnswer> Relay::Run(std::shared_ptr<Relay> self) {
  Relay& relay = *self;
  if (!relay.WithinQuota()) co_return relay.Refuse(OverQuota(relay.quota_), RequestEnd::kRefused);
  const std::size_t bytes = relay.call_.request.body.size();
  if (!relay.dispatcher_.HoldBytes(bytes))
    co_return relay.Refuse(NoRoom("the requests under way take all the room there is for bodies"),
                           RequestEnd::kRefused);
  relay.kept_ = bytes;
  if (const auto error = relay.ReadRequest()) co_return relay.Refuse(*error, RequestEnd::kRefused);
  if (relay.cascade_) {
    std::optional<HttpAnswer> answer = co_await relay.TryFirst();
    if (answer) co_return *std::move(answer);
  }
  HttpAnswer answer = co_await relay.AskNamed();
  co_return answer;
}

// Of what the tenant may still spend, if it has bounds.
bool Relay::HoldMoney() {
  if (!quota_.counts()) return true;
  return quota_.Hold(MostCostOf(*live_->view, *live_->shape, live_->record), dispatcher_.Now());
}

// Asks for the model that the client named.
Awaitable<HttpAnswer> Relay::AskNamed() {
  if (!live_) live_ = dispatcher_.Begin(std::move(asked_));
  if (!live_)
    co_return Refuse(NoRoom("too many ended requests wait to be booked"), RequestEnd::kRefused);
  LiveRequest& live = *live_;
  Routed routed = dispatcher_.Route(live);
  if (routed == Routed::kFull) {
    routed = co_await FindRoom();
    if (CutOff()) {
      if (routed == Routed::kRouted && live.ticket != 0) dispatcher_.PassOn(live);
      co_return Gone();
    }
  }
  if (routed == Routed::kFull)
    co_return Refuse(EveryEngineFull(dispatcher_.UntilAnyIsAsked(live)), RequestEnd::kRefused);
  if (routed == Routed::kRefused)
    co_return Refuse(
        CannotRouteWithin(quota_, live.record.code, live.record.features.model, dispatcher_.Now()),
        RequestEnd::kRefused);
  if (!HoldMoney()) {
    if (live.ticket != 0) dispatcher_.PassOn(live);  // the room that it waited for
    co_return Refuse(OverQuota(quota_), RequestEnd::kRefused);
  }
  while (dispatcher_.Take(live)) {
    const Reply reply = co_await AskNext();
    if (reply == Reply::kWhole && ReadWhole()) co_return AnswerWhole();
    if (reply == Reply::kEvents) co_return AnswerStreamed();
    if (CutOff()) co_return Gone();
  }
  if (failed_.body.empty() && refused_)
    co_return Refuse(EngineRefused(why_failed_), RequestEnd::kFailed);
  if (failed_.body.empty())
    co_return Refuse(EngineLost(why_failed_.empty() ? "none of them can be reached" : why_failed_),
                     RequestEnd::kFailed);
  // The engine's own words, as it said them.
  HttpResponse response = std::move(failed_);
  response.headers.Add("x-should-retry", "true");
  AddHeaders(response, true);
  Finish(RequestEnd::kFailed, response.status);
  co_return response;
}

// --- The way back --------------------------------------------------------------------------------

void Relay::TakeUsage(const std::optional<OpenAiUsage>& usage) {
  if (!usage) return;
  Request& record = live_->record;
  record.prompt_tokens = usage->prompt_tokens;
  record.output_tokens = usage->completion_tokens;
  record.cached_tokens = usage->cached_tokens;
}

// The end of an answer that may not be whole. Where nobody knows how long it was, or would have
// been, there is nothing to compare it with.
void Relay::SettleLost() {
  if (stream_) Measure();
  dispatcher_.Settle(*live_);
  const Request& record = live_->record;
  if (record.output_tokens || (kind_ == OpenAiCall::kEmbeddings && record.prompt_tokens)) return;
  ForgetBaseline();
}

// The engine has settled that the request is wrong: there are no tokens of an answer to pay for and
// nothing to compare. The time that it took was the pool's all the same.
void Relay::SettleRefused() {
  Request& record = live_->record;
  if (live_->view->pools()[live_->there->pool].spec->billing == Billing::kToken)
    record.cost = record.marginal_cost = Usd(0);
  ForgetBaseline();
}

void Relay::ForgetBaseline() {
  live_->record.baseline_cost.reset();
  live_->record.baseline_pool = kNoPool;
  live_->record.baseline_code = Code::kUnpriced;
}

HttpAnswer Relay::AnswerStreamed() {
  HttpResponse head;
  head.headers.Add("Content-Type", "text/event-stream");
  head.headers.Add("Cache-Control", "no-cache");
  head.headers.Add("X-Accel-Buffering", "no");
  // An estimate; the end settles it.
  SettleRequest(*live_->view, *live_->shape, live_->record, &live_->expected);
  AddHeaders(head, false);
  HttpAnswer answer(std::move(head),
                    [self = shared_from_this()](BodyStream& out) { return self->Produce(out); });
  answer.head_with_body = true;
  return answer;
}

void Relay::Hear() {
  if (stream_->content_deltas() == 0) return;
  last_at_ = dispatcher_.Now();
  if (live_->first_token) return;
  first_at_ = last_at_;
  live_->record.ttft = first_at_ - live_->record.features.arrived;
  dispatcher_.OnFirstToken(*live_);
}

// Tokens and their times, as the stream told them.
void Relay::Measure() {
  TakeUsage(stream_->usage());
  Request& record = live_->record;
  if (!record.output_tokens && stream_->content_deltas() > 0)
    record.output_tokens = stream_->content_deltas();
  if (!live_->first_token) return;
  const std::int64_t each = record.output_tokens.value_or(0) / record.features.sequences();
  if (each > 1) record.tpot = absl::Nanoseconds(ToNanos(last_at_ - first_at_) / (each - 1));
}

// Why a stream is no whole answer.
std::string Relay::WhyCutShort() const {
  if (upstream_->failed()) return WhyLost(upstream_->error());
  if (stream_->broken()) return std::string(stream_->why_broken());
  return stream_->said_error() ? "it said that it failed" : "its stream ended before [DONE]";
}

// Behind [DONE] only the end of the body is worth waiting for, since the connection can be kept
// then. Who does not come to it is cut off: the client waits for its own end.
Awaitable<void> Relay::AwaitEnd() {
  upstream_->SetGap(std::min(kFarewell, Dispatcher::TimeFor(*live_).idle));
  for (int i = 0; i < kFarewellReads; ++i) {
    piece_ = co_await upstream_->Read();
    if (piece_.empty()) co_return;
  }
  upstream_->Abort();
  piece_ = {};
}

Awaitable<void> Relay::Produce(BodyStream& out) {
  bool sent = true, settled = false;
  while (sent && !piece_.empty()) {
    Hear();
    for (std::size_t i = 0; i < parts_.size() && sent; ++i) {
      const bool last =
          i + 1 == parts_.size() && upstream_->done() && stream_->done() && !stream_->said_error();
      if (last) {
        // The trailer goes with the last piece, so what it cost must be known before.
        Measure();
        dispatcher_.Settle(*live_);
        settled = true;
        AddCostTrailer(out);
        sent = co_await out.WriteLast(parts_[i]);
      } else {
        sent = co_await out.Write(parts_[i]);
      }
    }
    if (settled || stream_->broken()) break;
    if (stream_->done()) {
      if (sent) co_await AwaitEnd();
      break;
    }
    if (sent) piece_ = co_await upstream_->Read();
    if (sent && !piece_.empty()) parts_ = stream_->Take(piece_);
  }
  const bool whole = sent && stream_->done();  // it may leave now
  const bool gone = !whole && (!sent || out.gone()) && !out.closing();
  const bool lost = !settled && !gone && (stream_->said_error() || !stream_->done());
  if (!settled) {
    SettleLost();
    if (lost && !stream_->said_error()) {
      const std::string event =
          OpenAiErrorEvent(out.closing() ? ShuttingDown() : EngineLost(WhyCutShort()));
      co_await out.Write(event);  // the stream is over, whether it arrives or not
    }
    AddCostTrailer(out);
  }
  if (lost) upstream_->Abort();
  Finish(gone                    ? RequestEnd::kClientGone
         : lost && out.closing() ? RequestEnd::kCutOff
         : lost                  ? RequestEnd::kBrokenOff
                                 : RequestEnd::kAnswered,
         200);
}

// --- What everybody gets -------------------------------------------------------------------------

HttpAnswer Relay::Refuse(const OpenAiError& error, RequestEnd end) {
  HttpResponse response = OpenAiErrorAnswer(error);
  if (live_) {
    AddHeaders(response, true);
    Finish(end, error.status);
  } else {
    AddRateHeaders(quota_, response);
    if (spent_) quota_.Done(*spent_, dispatcher_.Now());
  }
  return response;
}

void Relay::Finish(RequestEnd end, int status) {
  if (std::exchange(ended_, true)) return;
  if (quota_.counts()) quota_.Done(live_->record.cost + spent_.value_or(Usd(0)), dispatcher_.Now());
  dispatcher_.End(*live_, end, status);
}

}  // namespace spillway
