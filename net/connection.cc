#include "net/connection.h"

#include <atomic>
#include <cstdint>
#include <utility>

#include <boost/asio/post.hpp>

#include "net/chunks.h"
#include "net/target.h"

namespace spillway {
namespace {

constexpr std::size_t kOneWrite = 16 * 1024;  // Bodies up to this are copied behind their head.
constexpr std::size_t kTrustedLength = 64 * 1024;     // Bodies up to this get their memory at once.
constexpr std::size_t kMaxLinger = 64 * 1024 * 1024;  // Bytes read and dropped after a refusal.
constexpr Refusal kTooLong{413, HeadFault::kBodyTooLong, "the body is longer than allowed here"};
constexpr std::string_view kAllow = "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS";

Wire::Parts OnePart(std::string_view text) { return {net::const_buffer(text.data(), text.size())}; }

constexpr Refusal kNoMemory{503, HeadFault::kNone,
                            "as many bytes of bodies are being read as may; try again"};

// What a head that may be no good asks for.
std::string_view TargetOfLine(std::string_view bytes) {
  constexpr std::size_t kEnough = 256;
  const std::string_view line = bytes.substr(0, bytes.find_first_of("\r\n"));
  const std::size_t space = line.find(' ');
  if (space == std::string_view::npos) return {};
  const std::string_view rest = line.substr(space + 1, kEnough);
  return rest.substr(0, rest.find(' '));
}

bool IsBare(int status) { return status == 204 || status == 304; }  // Never has a body.

}  // namespace

// Outlives the exchange, the connection and the server if it must: it keeps the lane's queue alive
// and nothing else. What it posts holds no reference to the lane, which would be a circle.
class HttpConnection::WakerImpl final : public Waker,
                                        public std::enable_shared_from_this<WakerImpl> {
 public:
  WakerImpl(std::shared_ptr<Lane> lane, std::weak_ptr<Wire> to)
      : lane_(std::move(lane)), to_(std::move(to)) {}

  void Wake() override {
    if (posted_.exchange(true)) return;
    net::post(lane_->executor(), [weak = weak_from_this()] {
      if (const auto self = weak.lock()) self->Deliver();
    });
  }

 private:
  std::shared_ptr<Lane> lane_;
  std::weak_ptr<Wire> to_;
  std::atomic<bool> posted_{false};

  void Deliver() {
    posted_ = false;
    const auto wire = to_.lock();
    auto* const connection = static_cast<HttpConnection*>(wire.get());
    if (connection && connection->waker_.get() == this) connection->Woke(Woken::kWoken);
  }
};

HttpConnection::HttpConnection(std::shared_ptr<Lane> lane, Socket socket, std::string peer)
    : Wire(std::move(lane), std::move(socket)), peer_(std::move(peer)) {
  patience_ = this->lane().Until(this->lane().limits().head);
}

Awaitable<void> HttpConnection::Run(std::shared_ptr<HttpConnection> self) {
  try {
    for (bool more = true; more;) {
      more = co_await Serve();
      EndExchange();
    }
  } catch (...) {  // OnHead() or OnRefused() threw, or memory ran out.
    lane().mutable_counts().handler_failures += 1;
  }
  EndExchange();
  if (linger_) co_await Linger();
  Close();
  lane().Remove(*self);
}

void HttpConnection::Sweep() {
  CheckBounds();
  if (waiting) {
    // What was on its way when draining began has arrived after two sweeps.
    if (lane().draining() && input().empty() && ++idle_sweeps_ > 2) Close();
    return;
  }
  if (passed_) Watch();
  if (asleep_ && lane().now() >= wake_at_) Woke(Woken::kTimeout);
}

void HttpConnection::DrainBegins() {
  if (!waiting) Woke(Woken::kWoken);
}

void HttpConnection::LastCall() {
  closing_ = true;
  if (on_closing_) std::exchange(on_closing_, nullptr)();
  DrainBegins();
}

// g++ 12 miscompiles `co_await` in the condition of a loop, in `&&`, `||` and `?:`, so these
// coroutines name each result first.

// ---- the exchange -------------------------------------------------------------------------------

bool HttpConnection::draining() const {
  return const_cast<HttpConnection*>(this)->lane().draining();
}

void HttpConnection::OnGone(absl::AnyInvocable<void()> callback) {
  on_gone_ = std::move(callback);  // The next sweep begins to watch: most answers come before it.
  if (ended() && on_gone_) std::exchange(on_gone_, nullptr)();
}

void HttpConnection::OnClosing(absl::AnyInvocable<void()> callback) {
  on_closing_ = std::move(callback);
  if (closing_ && on_closing_) std::exchange(on_closing_, nullptr)();
}

std::shared_ptr<Waker> HttpConnection::waker() {
  if (!waker_) waker_ = std::make_shared<WakerImpl>(shared_lane(), weak_from_this());
  return waker_;
}

Awaitable<Woken> HttpConnection::Wait(absl::Duration timeout) {
  if (head_due_) co_await WritePiece({}, false);
  Watch();
  if (ended()) co_return Woken::kGone;
  if (std::exchange(woken_, false)) co_return Woken::kWoken;
  wake_at_ = lane().Until(timeout);
  asleep_ = true;
  co_await wake_.Wait();
  co_return why_;
}

void HttpConnection::Woke(Woken why) {
  if (!asleep_) {
    woken_ = woken_ || why == Woken::kWoken;
    return;
  }
  asleep_ = false;
  why_ = why;
  wake_.Fire(lane().executor());
}

void HttpConnection::PeerLeft() {
  if (passed_) lane().mutable_counts().clients_gone += 1;
  if (on_gone_) std::exchange(on_gone_, nullptr)();
  Woke(Woken::kGone);
}

void HttpConnection::EndExchange() {
  passed_ = false;
  on_gone_ = nullptr;
  on_closing_ = nullptr;
  waker_.reset();
  woken_ = false;
  head_due_ = false;
  trailers_.clear();
}

// ---- reading ------------------------------------------------------------------------------------

Awaitable<bool> HttpConnection::Serve() {
  if (!co_await ReadHead()) co_return false;
  const RequestHead& head = check_.head();
  close_ = !head.keep_alive();
  HttpRequest request;
  const std::string_view fault = MakeRequest(&request);
  target_ = request.target;
  if (!fault.empty()) {
    lane().mutable_counts().refused[static_cast<std::size_t>(HeadFault::kTarget)] += 1;
    co_return co_await Refuse(400, FaultName(HeadFault::kTarget), fault);
  }
  input().Consume(check_.length());
  if (request.target == "*") {
    HttpResponse allow;
    allow.status = 204;
    allow.headers.Add("Allow", kAllow);
    linger_ = close_ = close_ || HasBodyToRead();
    co_return co_await SendWhole(allow);
  }
  const HeadAnswer verdict = lane().handler().OnHead(request);
  if (verdict.instead) {
    linger_ = HasBodyToRead();
    close_ = close_ || linger_;
    co_return co_await SendWhole(*verdict.instead);
  }
  if (HasBodyToRead() && !TakeBody(request.body, verdict.body_limit)) {
    const bool whole = co_await ReadBody(request.body, verdict.body_limit);
    LetBodyGo();
    if (!whole) co_return false;
  }
  co_return co_await Answer(request);
}

Awaitable<bool> HttpConnection::ReadHead() {
  lane().BeginWaiting(*this);
  check_.Reset();
  Shrink();
  bool begun = first_;  // The first head is due from the start, later ones from their first byte.
  if (!first_) patience_ = lane().Until(lane().limits().idle);
  for (;;) {
    if (!input().empty() && !begun) {
      patience_ = lane().Until(lane().limits().head);
      begun = true;
    }
    const auto state = check_.Feed(input().bytes());
    if (state == RequestHeadCheck::State::kDone) break;
    if (state == RequestHeadCheck::State::kRefused) co_return co_await Refuse(check_.refusal());
    if (co_await Read(begun ? Bound::kHead : Bound::kIdle, patience_)) continue;
    if (!overdue() || input().empty()) co_return false;
    co_return co_await Refuse(408, "head_timeout", "the head of the request did not come in time");
  }
  first_ = false;
  lane().BeginWork(*this);
  co_return true;
}

bool HttpConnection::HasBodyToRead() const {
  const Framing& framing = check_.head().framing;
  return framing.chunked || framing.content_length.value_or(0) > 0;
}

// Returns why the target cannot be taken, "" if it can.
std::string_view HttpConnection::MakeRequest(HttpRequest* request) {
  const RequestHead& head = check_.head();
  const std::string_view text = input().bytes().substr(0, check_.length());
  request->method = head.method;
  request->target = head.Target(text);
  request->headers = Headers(text, head.fields);
  request->takes_trailers = head.takes_trailers;
  request->peer = peer_;
  const auto id = request->headers.Find("x-request-id");
  id_ = id && ValidRequestId(*id) ? std::string(*id) : lane().NextId();
  request->id = id_;
  return ParseTarget(request->target, &request->path, &request->query);
}

Awaitable<bool> HttpConnection::ReadBody(std::string& body, std::size_t limit) {
  const RequestHead& head = check_.head();
  if (head.framing.content_length.value_or(0) > limit) co_return co_await Refuse(kTooLong);
  if (head.expects_continue && input().empty()) {
    const Parts go_on = OnePart("HTTP/1.1 100 Continue\r\n\r\n");
    if (!co_await Send(go_on)) co_return false;
  }
  if (head.framing.chunked) co_return co_await ReadChunks(body, limit);
  co_return co_await ReadCounted(body, *head.framing.content_length);
}

// Takes a body that is allowed and all there. False: it is for ReadBody().
bool HttpConnection::TakeBody(std::string& body, std::size_t limit) {
  const Framing& framing = check_.head().framing;
  const std::uint64_t length = framing.content_length.value_or(0);
  if (framing.chunked || length > limit || length > input().bytes().size()) return false;
  body = TakeText(length);
  body.assign(input().bytes().substr(0, length));
  input().Consume(length);
  return true;
}

// Counts the memory that the body has grown by. False: there is none left for it.
bool HttpConnection::HoldBody(const std::string& body) {
  if (body.capacity() <= body_held_) return true;
  const std::size_t more = body.capacity() - body_held_;
  if (!lane().TakeBodyBytes(more)) return false;
  body_held_ += more;
  return true;
}

// It is whole, or was given up.
void HttpConnection::LetBodyGo() { lane().GiveBodyBytes(std::exchange(body_held_, 0)); }

// `body` belongs to Serve(), which waits for this.
Awaitable<bool> HttpConnection::ReadCounted(std::string& body, std::uint64_t length) {
  body.reserve(std::min<std::uint64_t>(length, kTrustedLength));
  const absl::Duration began = lane().now();
  for (;;) {
    const std::size_t take = std::min<std::uint64_t>(input().bytes().size(), length - body.size());
    body.append(input().bytes().substr(0, take));
    input().Consume(take);
    if (body.size() == length) co_return true;
    if (!HoldBody(body)) co_return co_await Refuse(kNoMemory.status, "no_memory", kNoMemory.why);
    if (!co_await ReadBodyBytes(began, body.size())) co_return false;
  }
}

Awaitable<bool> HttpConnection::ReadChunks(std::string& body, std::size_t limit) {
  ChunkReader chunks(ChunkReader::Trailers::kRefuse);
  const absl::Duration began = lane().now();
  for (;;) {
    const ChunkReader::Step step = chunks.Next(input().bytes());
    body.append(step.data);
    input().Consume(step.consumed);
    if (step.state == ChunkReader::State::kDone) co_return true;
    if (step.state == ChunkReader::State::kRefused) co_return co_await Refuse(chunks.refusal());
    if (body.size() + chunks.pending() > limit) co_return co_await Refuse(kTooLong);
    if (!HoldBody(body)) co_return co_await Refuse(kNoMemory.status, "no_memory", kNoMemory.why);
    if (!input().empty()) continue;
    if (!co_await ReadBodyBytes(began, body.size())) co_return false;
  }
}

Awaitable<bool> HttpConnection::ReadBodyBytes(absl::Duration began, std::uint64_t received) {
  const ServerLimits& limits = lane().limits();
  const absl::Duration earned = absl::Seconds(static_cast<double>(received) / limits.least_rate);
  const absl::Duration until =
      std::min(began + limits.sweep + limits.body + earned, lane().Until(limits.body_gap));
  const bool more = co_await Read(Bound::kBody, until);
  if (more) co_return true;
  if (!overdue()) co_return false;
  co_return co_await Refuse(408, "body_timeout", "the body of the request came too slowly");
}

// ---- answering ----------------------------------------------------------------------------------

// `request` belongs to Serve(), which waits for this; the handler takes what it holds.
Awaitable<bool> HttpConnection::Answer(HttpRequest& request) {
  lane().mutable_counts().requests += 1;
  passed_ = true;
  std::optional<HttpAnswer> answer;
  try {
    answer.emplace(co_await lane().handler().Handle(std::move(request), *this));
  } catch (...) {
    lane().mutable_counts().handler_failures += 1;
  }
  if (!answer)
    answer.emplace(lane().handler().OnRefusedAt(target_, 500, "internal", "the handler failed"));
  const bool bare = IsBare(answer->response.status);
  if (answer->produce && !bare) co_return co_await SendStream(*answer);
  HttpResponse failure;
  Parts parts;
  if (!BeginWhole(answer->response, &failure, &parts)) co_return false;
  bool sent_all = true;
  if (SizeOf(parts) > 0) sent_all = co_await Send(parts);
  GiveText(std::move(answer->response.body));
  co_return sent_all && !close_;
}

bool HttpConnection::FormatHead(const HttpResponse& response, ResponseFrame::Body kind,
                                std::size_t length) {
  close_ = close_ || lane().draining() || kind == ResponseFrame::Body::kToClose;
  ResponseFrame frame;
  frame.body = IsBare(response.status) ? ResponseFrame::Body::kNone : kind;
  frame.length = length;
  frame.close = close_;
  frame.date = lane().date();
  frame.id = id_;
  out_.clear();
  const bool written = AppendResponseHead(response, frame, &out_);
  if (written) {
    lane().mutable_counts().responses[static_cast<std::size_t>(response.status) / 100] += 1;
  } else {
    lane().mutable_counts().handler_failures += 1;
  }
  return written;
}

// `response` belongs to the caller, who waits for this.
Awaitable<bool> HttpConnection::SendWhole(const HttpResponse& response) {
  HttpResponse failure;
  Parts parts;
  if (!BeginWhole(response, &failure, &parts)) co_return false;
  bool sent_all = true;
  if (SizeOf(parts) > 0) sent_all = co_await Send(parts);
  co_return sent_all && !close_;
}

// Sends what the kernel takes at once; `parts` is the rest. `failure` must live until all is sent.
bool HttpConnection::BeginWhole(const HttpResponse& response, HttpResponse* failure, Parts* parts) {
  const HttpResponse* sent = &response;
  if (!FormatHead(response, ResponseFrame::Body::kLength, response.body.size())) {
    *failure = lane().handler().OnRefused(500, "internal", "the response could not be written");
    sent = failure;
    if (!FormatHead(*failure, ResponseFrame::Body::kLength, failure->body.size())) return false;
  }
  const bool bare = check_.head().method == Method::kHead || IsBare(sent->status);
  std::string_view apart;
  if (!bare && sent->body.size() <= kOneWrite) out_.append(sent->body);
  if (!bare && sent->body.size() > kOneWrite) apart = sent->body;
  *parts = OnePart(out_);
  (*parts)[1] = net::const_buffer(apart.data(), apart.size());
  return TrySend(parts);
}

Awaitable<bool> HttpConnection::SendStream(const HttpAnswer& answer) {
  chunked_ = check_.head().minor_version == 1;
  const auto kind = chunked_ ? ResponseFrame::Body::kChunked : ResponseFrame::Body::kToClose;
  if (!FormatHead(answer.response, kind, 0)) {
    const HttpResponse failure =
        lane().handler().OnRefused(500, "internal", "the response could not be written");
    co_return co_await SendWhole(failure);
  }
  const bool bare = check_.head().method == Method::kHead;
  head_due_ = answer.head_with_body && !bare;
  over_ = false;
  if (!head_due_) {
    const Parts head = OnePart(out_);
    const bool sent = co_await Send(head);
    if (!sent) co_return false;
  }
  if (bare) co_return !close_;
  Watch();
  bool finished = false;
  try {
    co_await answer.produce(*this);
    finished = true;
  } catch (...) {
    lane().mutable_counts().handler_failures += 1;
  }
  if (!finished) co_return false;
  bool ended = over_;
  if (!ended) ended = co_await WritePiece({}, true);
  co_return ended&& chunked_ && !close_;
}

Awaitable<bool> HttpConnection::Write(std::string_view data) { return WritePiece(data, false); }
Awaitable<bool> HttpConnection::WriteLast(std::string_view data) { return WritePiece(data, true); }

// A head that is due, one chunk, the last chunk: as one write.
Awaitable<bool> HttpConnection::WritePiece(std::string_view data, bool last) {
  Watch();
  if (ended() || over_) co_return false;
  if (!std::exchange(head_due_, false)) out_.clear();
  const bool chunk = chunked_ && !data.empty();
  if (chunk) AppendChunkSize(data.size(), &out_);
  over_ = last;
  const bool copied = data.size() <= kOneWrite;
  if (copied) out_.append(data);
  std::string& end = copied ? out_ : end_;
  if (!copied) end_.clear();
  if (chunk) end.append("\r\n");
  if (last && chunked_) end.append("0\r\n").append(trailers_).append("\r\n");
  Parts parts = OnePart(out_);
  if (!copied) {
    parts[1] = net::const_buffer(data.data(), data.size());
    parts[2] = net::const_buffer(end_.data(), end_.size());
  }
  if (SizeOf(parts) == 0) co_return true;
  // Most pieces leave at once; what does not, and who has sent many, waits in Send().
  if (!TrySend(&parts)) co_return false;
  if (SizeOf(parts) == 0 && !BurstEnds()) co_return true;
  co_return co_await Send(parts);
}

void HttpConnection::AddTrailer(std::string_view name, std::string_view value) {
  if (!check_.head().takes_trailers || !SafeField(name, value)) return;
  trailers_.append(name).append(": ").append(value).append("\r\n");
}

Awaitable<bool> HttpConnection::Refuse(const Refusal& why) {
  lane().mutable_counts().refused[static_cast<std::size_t>(why.fault)] += 1;
  co_return co_await Refuse(why.status, FaultName(why.fault), why.why);
}

Awaitable<bool> HttpConnection::Refuse(int status, std::string_view code, std::string_view detail) {
  if (waiting) {
    lane().BeginWork(*this);
    id_ = lane().NextId();
    target_ = TargetOfLine(input().bytes());
  }
  HttpResponse response = lane().handler().OnRefusedAt(target_, status, code, detail);
  if (status == 503) response.headers.Set("Retry-After", "1");
  if (status == 405) response.headers.Set("Allow", kAllow);
  if (status == 415) response.headers.Set("Accept-Encoding", "identity");
  close_ = linger_ = true;
  co_await SendWhole(response);
  co_return false;
}

// Closing with unread input makes the kernel send a reset, which may destroy the answer on its way.
Awaitable<void> HttpConnection::Linger() {
  ShutdownSend();
  const absl::Duration until = lane().Until(lane().limits().linger);
  std::size_t dropped = input().bytes().size();
  input().Consume(dropped);
  while (dropped < kMaxLinger) {
    const bool more = co_await Read(Bound::kLinger, until);
    if (!more) break;
    dropped += input().bytes().size();
    input().Consume(input().bytes().size());
  }
}

}  // namespace spillway
