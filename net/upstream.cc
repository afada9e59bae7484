#include "net/upstream.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/error.hpp>

#include "absl/strings/str_cat.h"
#include "core/check.h"
#include "core/status.h"
#include "net/chars.h"
#include "net/chunks.h"
#include "net/client_exchange.h"
#include "net/edge_read.h"
#include "net/response_head.h"
#include "net/socket_calls.h"
#include "net/upstream_lane.h"

namespace spillway {
namespace {

// A kept connection that the server had closed ends at once. One that ends later may have had the
// request: it is not sent again behind everybody's back. (The clock ticks once a second at least.)
constexpr absl::Duration kLateClose = absl::Seconds(2);

using Tcp = net::ip::tcp;
constexpr auto kTuple = net::as_tuple_t<net::use_awaitable_t<Executor>>(use_awaitable);
constexpr int kMaxInterim = 8;                // 1xx answers before the real one.
constexpr std::size_t kMaxPieces = 7;         // Of a body, written with the head at once.
constexpr std::size_t kStep = 256 * 1024;     // Memory given to a body before its bytes came.
constexpr std::size_t kOneWrite = 16 * 1024;  // Bodies up to this are copied behind their head.

using Parts = std::array<net::const_buffer, kMaxPieces + 1>;

std::size_t SizeOf(const Parts& parts) {
  std::size_t size = 0;
  for (const net::const_buffer& part : parts) size += part.size();
  return size;
}

void Shorten(Parts* parts, std::size_t sent) {
  for (net::const_buffer& part : *parts) {
    const std::size_t here = std::min(sent, part.size());
    part += here;
    sent -= here;
  }
}

bool WouldBlock(const ErrorCode& error) {
  return error == net::error::would_block || error == net::error::try_again;
}

}  // namespace

std::string_view FaultName(UpstreamFault fault) {
  switch (fault) {
    case UpstreamFault::kNone:
      return "none";
    case UpstreamFault::kConnect:
      return "connect";
    case UpstreamFault::kSend:
      return "send";
    case UpstreamFault::kClosed:
      return "closed";
    case UpstreamFault::kNoFirstByte:
      return "no_first_byte";
    case UpstreamFault::kStalled:
      return "stalled";
    case UpstreamFault::kUntrusted:
      return "untrusted";
    case UpstreamFault::kTooLong:
      return "too_long";
    case UpstreamFault::kAborted:
      return "aborted";
    case UpstreamFault::kRequest:
      return "request";
    case UpstreamFault::kEncoded:
      return "encoded";
  }
  return "unknown";
}

struct UpstreamCall::Impl final : UpstreamWatch, RecycledObject {
  Impl(Executor executor, std::shared_ptr<const UpstreamOrigin> to, UpstreamError* error)
      : lane(UpstreamLane::Of(executor)),
        origin(std::move(to)),
        pool(lane.PoolFor(origin)),
        error(*error) {
    ++pool.calls;
    ++lane.stats.busy;
    lane.Add(*this);
  }
  ~Impl() override {
    Finish();
    lane.Remove(*this);
    --lane.stats.busy;
    --pool.calls;
  }

  UpstreamLane& lane;
  const std::shared_ptr<const UpstreamOrigin> origin;
  UpstreamPool& pool;
  UpstreamError& error;
  std::unique_ptr<UpstreamConnection> connection;
  UpstreamFault if_overdue = UpstreamFault::kNone;
  bool overdue = false;
  bool aborted = false;
  ErrorCode socket_error;  // Why the last operation on the socket failed.

  absl::Duration gap;
  ResponseHead head;
  Headers headers;
  ChunkReader chunks{ChunkReader::Trailers::kKeep};
  std::uint64_t left = 0;  // Of a body whose length is known.
  bool done = false;       // The whole body was handed out.
  bool sent_all = false;

  // ---- faults -----------------------------------------------------------------------------------

  bool Fail(UpstreamFault fault, std::string_view why) {
    if (error.fault != UpstreamFault::kNone) return false;
    error.fault = aborted ? UpstreamFault::kAborted : overdue ? if_overdue : fault;
    const std::string_view said = aborted   ? std::string_view("given up here")
                                  : overdue ? std::string_view("not in time")
                                            : why;
    error.why = absl::StrCat(ToAbsl(Doing(fault)), origin->url.Authority(), ": ", ToAbsl(said));
    connection.reset();
    return false;
  }
  static std::string_view Doing(UpstreamFault fault) {
    return fault == UpstreamFault::kConnect ? "connect to " : "answer of ";
  }
  bool Distrust(const Refusal& why) {
    return Fail(UpstreamFault::kUntrusted, absl::StrCat("cannot be trusted: ", why.why, " [",
                                                        ToAbsl(FaultName(why.fault)), "]"));
  }

  void Bound(absl::Duration span, UpstreamFault then) {
    until = lane.Until(span);
    if_overdue = then;
  }
  void Unbound() { until = absl::InfiniteDuration(); }
  void Overdue() override {
    overdue = true;
    Cut();
  }
  void Cut() {
    if (connection) connection->Abort();
    wake.Fire(lane.executor());
  }

  // Gives a connection back that may carry another request, once nothing of its memory is in use.
  void Finish() {
    if (!connection || !done) return;
    const bool reusable = sent_all && head.keep_alive() && connection->held() == 0 && !aborted &&
                          (left == 0 || !head.may_have_body()) && !to_close;
    if (reusable) lane.Keep(pool, std::move(connection));
    connection.reset();
  }
  bool to_close = false;  // The body ends with the connection.

  // ---- connecting -------------------------------------------------------------------------------

  bool AddressesKnown() {
    if (!pool.addresses.empty() && lane.now() < pool.addresses_until) return true;
    ErrorCode no_literal;
    const net::ip::address literal = net::ip::make_address(origin->url.host, no_literal);
    if (no_literal) return false;
    pool.addresses = {Tcp::endpoint(literal, origin->url.port)};
    pool.addresses_until = absl::InfiniteDuration();
    return true;
  }

  Awaitable<bool> Connect() {
    Bound(origin->options.connect, UpstreamFault::kConnect);
    if (!AddressesKnown()) {
      lane.LookUp(pool);
      while (pool.looking_up && !overdue && !aborted) co_await wake.Wait();
      if (overdue || aborted || pool.addresses.empty()) {
        co_return Fail(UpstreamFault::kConnect, pool.lookup_error.message());
      }
    }
    const auto addresses = pool.addresses;  // Another call may look them up anew meanwhile.
    ErrorCode failed;
    for (const Tcp::endpoint& at : addresses) {
      if (overdue || aborted) break;
      failed = co_await ConnectTo(at);
      if (!failed) break;
    }
    Unbound();
    if (failed || overdue || aborted) co_return Fail(UpstreamFault::kConnect, failed.message());
    ++lane.stats.opened;
    co_return true;
  }

  Awaitable<ErrorCode> ConnectTo(Tcp::endpoint at) {
    connection = std::make_unique<UpstreamConnection>(lane.executor());
    if (origin->tls) {
      connection->tls = TlsTransport(lane.executor(), origin->tls, origin->url.host);
      const ErrorCode error = co_await connection->tls->Open(at);
      co_return error;
    }
    const auto [error] = co_await connection->plain.async_connect(at, kTuple);
    ErrorCode ignored;
    if (!error) {
      connection->plain.set_option(Tcp::no_delay(true), ignored);
      connection->plain.non_blocking(true, ignored);
    }
    co_return error;
  }

  // ---- sending ----------------------------------------------------------------------------------

  bool FormatHead(const UpstreamRequest& request, std::string* out) {
    const bool path = !request.target.empty() && request.target[0] == '/';
    if (!path || !chars::AllAre(request.target, chars::kTargetByte)) {
      return Fail(UpstreamFault::kRequest, "target is not a path with all but ASCII encoded");
    }
    out->assign(MethodName(request.method)).append(" ").append(origin->url.path);
    out->append(request.target).append(" HTTP/1.1\r\n").append(origin->fields);
    if (request.headers) {
      const absl::Status written = AppendRequestFields(*request.headers, out);
      if (!written.ok()) return Fail(UpstreamFault::kRequest, ToStd(written.message()));
    }
    std::size_t length = 0;
    for (const std::string_view piece : request.body) length += piece.size();
    if (length > 0 || request.method == Method::kPost) {
      absl::StrAppend(out, "Content-Length: ", length, "\r\n");
    }
    out->append("\r\n");
    return true;
  }

  Awaitable<bool> SendByTls(const UpstreamRequest& request) {
    std::string& out = connection->out;
    Bound(gap, UpstreamFault::kSend);
    for (const std::string_view piece : request.body) out.append(piece);
    const ErrorCode error = co_await connection->tls->WriteAll(net::buffer(out));
    socket_error = error;
    co_return !error;
  }

  // Head and body for one write. One piece of memory takes a cheaper system call than a list.
  Parts Gather(const UpstreamRequest& request) {
    std::string& out = connection->out;
    std::size_t size = 0;
    for (const std::string_view piece : request.body) size += piece.size();
    Parts parts;
    if (size <= kOneWrite) {
      for (const std::string_view piece : request.body) out.append(piece);
    } else {
      for (std::size_t i = 0; i < request.body.size(); ++i)
        parts[i + 1] = net::const_buffer(request.body[i].data(), request.body[i].size());
    }
    parts[0] = net::buffer(out);
    return parts;
  }

  // Takes off `parts` what the kernel takes at once. False: it failed.
  bool TrySend(Parts* parts) {
    const bool one = SizeOf(*parts) == (*parts)[0].size();
    UpstreamConnection::Socket& socket = connection->plain;
    const net::const_buffer& all = (*parts)[0];
    const std::size_t sent =
        one ? SendSome(socket.native_handle(), all.data(), all.size(), socket_error)
            : socket.write_some(*parts, socket_error);
    Shorten(parts, sent);
    return !socket_error || WouldBlock(socket_error);
  }

  // What the kernel did not take at once must get on within `gap`.
  Awaitable<bool> SendParts(Parts parts) {
    while (SizeOf(parts) > 0) {
      Bound(gap, UpstreamFault::kSend);
      const auto [error] =
          co_await connection->plain.async_wait(UpstreamConnection::Socket::wait_write, kTuple);
      socket_error = error;
      if (error || !TrySend(&parts)) co_return false;
    }
    co_return true;
  }

  // ---- reading ----------------------------------------------------------------------------------

  // Of a body that ends with the connection, what is there is taken without waiting: its end may
  // have come with the last bytes. False: one has to wait.
  bool TakeReady(net::mutable_buffer room, std::size_t* bytes) {
    if (!to_close) return false;
    *bytes = connection->plain.read_some(net::buffer(room), socket_error);
    return !WouldBlock(socket_error);
  }
  void ReadBegins() {
    looked = false;
    waits = 0;
    reading = true;
  }
  void ReadEnds(const ErrorCode& failed, std::size_t bytes) {
    reading = false;
    socket_error = failed;
    if (bytes == 0 && at_end) socket_error = net::error::eof;
  }

  // Reads from a plain connection.
  Awaitable<std::size_t> ReadSome(net::mutable_buffer room) {
    std::size_t there = 0;
    if (TakeReady(room, &there)) co_return there;
    ReadBegins();
    const auto [failed, bytes] =
        co_await connection->plain.async_read_some(EdgeBuffer(room), kTuple);
    ReadEnds(failed, bytes);
    co_return bytes;
  }
  // Once for each read that is still waiting at the second sweep: has the end come unnoticed? Bytes
  // that came this very moment are no end: the reactor is about to tell of them.
  void Look() override {
    if (!reading || looked || ++waits < 2 || !connection) return;
    looked = true;
    if (!connection->AtEnd()) return;
    at_end = true;
    ErrorCode ignored;
    connection->plain.cancel(ignored);
  }
  bool reading = false;  // an EdgeBuffer waits
  bool looked = false;
  bool at_end = false;
  int waits = 0;  // sweeps since it began

  // More input. False: none came, and socket_error says why.
  Awaitable<bool> Receive() {
    const net::mutable_buffer room = connection->Room();
    std::size_t bytes = 0;
    if (connection->tls) {
      const Transport::Received got = co_await connection->tls->Read(room);
      socket_error = got.error;
      bytes = got.bytes;
    } else if (!TakeReady(room, &bytes)) {  // as ReadSome, without another coroutine
      ReadBegins();
      const auto [failed, got] =
          co_await connection->plain.async_read_some(EdgeBuffer(room), kTuple);
      ReadEnds(failed, got);
      bytes = got;
    }
    co_return Received(bytes);
  }
  bool Received(std::size_t bytes) {
    connection->Filled(bytes);
    error.heard = error.heard || bytes > 0;
    return bytes > 0 && !overdue && !aborted;
  }

  std::string_view bytes() const {
    return {connection->in.data() + connection->begin, connection->held()};
  }
  void Consume(std::size_t n) { connection->begin += n; }

  Awaitable<bool> ReadHead() {
    for (int interim = 0;; ++interim) {
      ResponseHeadCheck check;
      auto state = check.Feed(bytes());
      while (state == ResponseHeadCheck::State::kMore) {
        bool more = false;
        if (connection->tls) {
          more = co_await Receive();
        } else {  // as Receive(), without another coroutine for each answer
          const net::mutable_buffer room = connection->Room();
          ReadBegins();
          const auto [failed, got] =
              co_await connection->plain.async_read_some(EdgeBuffer(room), kTuple);
          ReadEnds(failed, got);
          more = Received(got);
        }
        if (!more) co_return Fail(UpstreamFault::kClosed, socket_error.message());
        state = check.Feed(bytes());
      }
      if (state == ResponseHeadCheck::State::kRefused) co_return Distrust(check.refusal());
      head = check.head();
      if (head.status >= 200) {
        headers = Headers(bytes().substr(0, check.length()), head.fields);
        Consume(check.length());
        co_return BodyBegins();
      }
      Consume(check.length());
      if (head.status == 101 || interim == kMaxInterim) {
        co_return Fail(UpstreamFault::kUntrusted, "101, or too many 1xx before the answer");
      }
    }
  }

  bool BodyBegins() {
    if (const std::string_view coding = EncodingOf(headers); !coding.empty()) {
      error.encoding = coding;
      return Fail(UpstreamFault::kEncoded, EncodedUnasked(coding));
    }
    left = head.framing.content_length.value_or(0);
    to_close = head.may_have_body() && !head.framing.chunked && !head.framing.content_length;
    done = !head.may_have_body() || (!head.framing.chunked && !to_close && left == 0);
    return true;
  }

  // What was received and belongs to the body, in one piece.
  std::string_view Decode() {
    if (done || !connection) return {};
    if (head.framing.chunked) return DecodeChunks();
    std::size_t take = connection->held();
    if (!to_close) take = static_cast<std::size_t>(std::min<std::uint64_t>(left, take));
    const std::string_view data = bytes().substr(0, take);
    Consume(take);
    if (!to_close) {
      left -= take;
      done = left == 0;
    }
    return data;
  }

  // Moves the data of further chunks up to that of the first.
  std::string_view DecodeChunks() {
    char* start = nullptr;
    std::size_t size = 0;
    while (!done && connection->held() > 0) {
      char* const here = connection->in.data() + connection->begin;
      const ChunkReader::Step step = chunks.Next(bytes());
      if (step.state == ChunkReader::State::kRefused) {
        Distrust(chunks.refusal());
        return {};
      }
      if (!step.data.empty()) {
        char* const from = here + (step.data.data() - here);
        if (!start) start = from;
        if (start + size != from) std::memmove(start + size, from, step.data.size());
        size += step.data.size();
      }
      Consume(step.consumed);
      done = step.state == ChunkReader::State::kDone;
    }
    return {start, size};
  }

  // After Receive() gave nothing: the end of a body, or a fault.
  void Ended() {
    if (to_close && socket_error == net::error::eof && !overdue && !aborted) {
      done = true;
    } else {
      Fail(UpstreamFault::kClosed, absl::StrCat("ended too early: ", socket_error.message()));
    }
  }

  bool failed() const { return error.fault != UpstreamFault::kNone; }

  // Reads a body of known length straight into its place.
  Awaitable<void> ReadInto(std::string* body) {
    while (left > 0) {
      const std::size_t before = body->size();
      const auto some = static_cast<std::size_t>(std::min<std::uint64_t>(left, kStep));
      body->resize(before + some);
      std::size_t got = 0;
      while (got < some) {
        Bound(gap, UpstreamFault::kStalled);
        const net::mutable_buffer room(body->data() + before + got, some - got);
        const std::size_t received = co_await ReadSome(room);
        got += received;
        if (received == 0 || overdue || aborted) break;
      }
      body->resize(before + got);
      left -= got;
      if (got == some) continue;
      Ended();
      co_return;
    }
    done = true;
  }
};

UpstreamCall::UpstreamCall(Executor executor, std::shared_ptr<const UpstreamOrigin> origin)
    : impl_(std::make_unique<Impl>(executor, std::move(origin), &error_)) {}

UpstreamCall::~UpstreamCall() = default;

Awaitable<bool> UpstreamCall::Open(UpstreamRequest request) {
  Impl& my = *impl_;
  SPILLWAY_CHECK(request.body.size() <= kMaxPieces);
  my.gap = request.gap;
  for (bool fresh = false;; fresh = true) {
    if (my.aborted) co_return my.Fail(UpstreamFault::kAborted, "");
    if (!fresh) my.connection = my.lane.TakeIdle(my.pool);
    const bool reused = my.connection != nullptr;
    if (!reused) {
      const bool connected = co_await my.Connect();
      if (!connected) co_return false;
    }
    if (!my.FormatHead(request, &my.connection->out)) co_return false;
    if (my.connection->tls) {
      my.sent_all = co_await my.SendByTls(request);
    } else {
      Parts parts = my.Gather(request);
      my.sent_all = my.TrySend(&parts);
      if (my.sent_all && SizeOf(parts) > 0) my.sent_all = co_await my.SendParts(parts);
    }
    const ErrorCode send_error = my.socket_error;
    if (!my.overdue) my.Bound(request.first_byte, UpstreamFault::kNoFirstByte);
    const absl::Duration sent = my.lane.now();
    // An engine may refuse and close while the body is still on its way: its answer says why.
    const bool answered = co_await my.ReadHead();
    my.Unbound();
    if (answered) {
      if (reused) ++my.lane.stats.reused;
      co_return true;
    }
    if (error_.heard || error_.fault != UpstreamFault::kClosed) co_return false;
    if (reused && my.lane.now() - sent < kLateClose) {
      ++my.lane.stats.replaced;
      error_ = UpstreamError();
      continue;
    }
    if (!my.sent_all) {
      error_ = UpstreamError();
      my.Fail(UpstreamFault::kSend, send_error.message());
    }
    co_return false;
  }
}

int UpstreamCall::status() const { return impl_->head.status; }
const Headers& UpstreamCall::headers() const { return impl_->headers; }
std::optional<std::uint64_t> UpstreamCall::length() const {
  if (!impl_->head.may_have_body()) return 0;
  return impl_->head.framing.content_length;
}
void UpstreamCall::SetGap(absl::Duration gap) { impl_->gap = gap; }

bool UpstreamCall::done() const { return impl_->done; }

Awaitable<std::string_view> UpstreamCall::Read() {
  Impl& my = *impl_;
  for (;;) {
    if (my.aborted) my.Fail(UpstreamFault::kAborted, "");
    const std::string_view data = my.failed() ? std::string_view() : my.Decode();
    if (!data.empty()) co_return data;
    if (my.done || my.failed()) break;
    my.Bound(my.gap, UpstreamFault::kStalled);
    bool more = false;
    if (my.connection->tls || my.to_close) {
      more = co_await my.Receive();
    } else {  // as Receive(), without another coroutine for each event of a stream
      const net::mutable_buffer room = my.connection->Room();
      my.ReadBegins();
      const auto [failed, bytes] =
          co_await my.connection->plain.async_read_some(EdgeBuffer(room), kTuple);
      my.ReadEnds(failed, bytes);
      more = my.Received(bytes);
    }
    my.Unbound();
    if (!more) my.Ended();
  }
  my.Finish();
  co_return std::string_view();
}

std::string_view UpstreamCall::Ready() {
  return failed() || impl_->aborted ? std::string_view() : impl_->Decode();
}

Awaitable<bool> UpstreamCall::ReadAll(std::size_t limit, std::string* body) {
  Impl& my = *impl_;
  const std::size_t before = body->size();
  const auto too_long = [&](std::uint64_t size) {
    return size > limit &&
           !my.Fail(UpstreamFault::kTooLong, absl::StrCat("is longer than ", limit, " bytes"));
  };
  if (too_long(my.left)) co_return false;
  body->reserve(before + static_cast<std::size_t>(std::min<std::uint64_t>(my.left, kStep)));
  for (;;) {
    const std::string_view ready = Ready();
    if (too_long(body->size() - before + ready.size())) co_return false;
    body->append(ready);
    if (my.failed() || my.done) break;
    if (my.left > 0 && my.connection && !my.connection->tls) {
      co_await my.ReadInto(body);
      my.Unbound();
      continue;
    }
    const std::string_view piece = co_await Read();
    if (too_long(body->size() - before + piece.size())) co_return false;
    body->append(piece);
    if (piece.empty()) break;
  }
  my.Finish();
  co_return !my.failed();
}

void UpstreamCall::Abort() {
  impl_->aborted = true;
  impl_->Cut();
}

}  // namespace spillway
