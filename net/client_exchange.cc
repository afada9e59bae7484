#include "net/client_exchange.h"

#include <algorithm>
#include <cstdint>
#include <utility>

#include <boost/asio/error.hpp>

#include "absl/strings/str_cat.h"
#include "core/status.h"
#include "net/chars.h"
#include "net/chunks.h"

namespace spillway {
namespace {

constexpr std::size_t kReadSize = 16 * 1024;
constexpr int kMaxInterim = 8;  // 1xx answers before the real one.

absl::Status Distrust(const Refusal& why) {
  return absl::InternalError(
      absl::StrCat("answer cannot be trusted: ", why.why, " [", ToAbsl(FaultName(why.fault)), "]"));
}

bool IsOurs(std::string_view name) {
  for (const std::string_view ours : {"host", "content-length", "transfer-encoding", "connection",
                                      "user-agent", "accept-encoding", "expect"}) {
    if (chars::SameWord(name, ours)) return true;
  }
  return false;
}

}  // namespace

absl::Status AppendRequestFields(const Headers& headers, std::string* out) {
  for (std::size_t i = 0; i < headers.size(); ++i) {
    const auto [name, value] = headers[i];
    if (!SafeField(name, value)) {
      return absl::InvalidArgumentError(
          absl::StrCat("request field ", i, ": not a name and value that can be sent"));
    }
    if (!IsOurs(name)) out->append(name).append(": ").append(value).append("\r\n");
  }
  return absl::OkStatus();
}

absl::StatusOr<std::string> FormatRequest(const BaseUrl& origin, const ClientOptions& options,
                                          const ClientRequest& request) {
  const bool path = !request.target.empty() && request.target[0] == '/';
  if (!path || !chars::AllAre(request.target, chars::kTargetByte)) {
    return absl::InvalidArgumentError("request target: not a path with all but ASCII encoded");
  }
  std::string out(MethodName(request.method));
  out.append(" ").append(origin.path).append(request.target).append(" HTTP/1.1\r\nHost: ");
  out.append(origin.Authority()).append("\r\nUser-Agent: spillway\r\n");
  out.append("Accept-Encoding: identity\r\n");
  SPILLWAY_RETURN_IF_ERROR(AppendRequestFields(options.headers, &out));
  SPILLWAY_RETURN_IF_ERROR(AppendRequestFields(request.headers, &out));
  const bool carries = request.method == Method::kPost || request.method == Method::kPut ||
                       request.method == Method::kPatch || !request.body.empty();
  if (carries) absl::StrAppend(&out, "Content-Length: ", request.body.size(), "\r\n");
  out.append("\r\n").append(request.body);
  return out;
}

ClientExchange::ClientExchange(Transport& transport, const ClientOptions& options, Method method,
                               const BodySink* sink)
    : transport_(transport), options_(options), method_(method), sink_(sink) {}

Awaitable<absl::Status> ClientExchange::Run(const std::string& text, Alarm& alarm,
                                            absl::Duration total) {
  alarm.Set(total, [this] { transport_.Abort(); });
  const ErrorCode error = co_await transport_.WriteAll(net::buffer(text));
  // A server may refuse and close while the body is still on its way: its answer says why.
  absl::Status status = co_await ReadHead();
  if (status.ok()) status = co_await ReadBody(alarm);
  if (!status.ok() && !heard_ && error) {
    status = absl::UnavailableError(absl::StrCat("send request: ", error.message()));
  }
  if (alarm.fired()) status = absl::DeadlineExceededError("no complete answer in time");
  alarm.Clear();
  reusable_ =
      status.ok() && !error && !enough_ && input_.empty() && head_.keep_alive() && reusable_;
  co_return status;
}

Awaitable<absl::Status> ClientExchange::ReadHead() {
  for (int interim = 0;;) {
    ResponseHeadCheck check;
    while (check.Feed(input_) == ResponseHeadCheck::State::kMore) {
      const absl::Status read = co_await ReadMore(nullptr);
      if (!read.ok()) co_return read;
    }
    if (check.refusal().refused()) co_return Distrust(check.refusal());
    head_ = check.head();
    std::string text = input_.substr(0, check.length());
    input_.erase(0, check.length());
    if (head_.status >= 200) {
      response_.status = head_.status;
      response_.headers = Headers(text, head_.fields);
      co_return absl::OkStatus();
    }
    if (head_.status == 101 || ++interim > kMaxInterim) {
      co_return absl::InternalError("answer cannot be trusted: 101, or too many 1xx before it");
    }
  }
}

Awaitable<absl::Status> ClientExchange::ReadBody(Alarm& alarm) {
  reusable_ = true;
  if (method_ == Method::kHead || !head_.may_have_body()) co_return absl::OkStatus();
  if (const std::string_view coding = EncodingOf(response_.headers); !coding.empty()) {
    co_return absl::InternalError(absl::StrCat("the answer ", EncodedUnasked(coding)));
  }
  streaming_ = sink_ && response_.status < 300;
  if (streaming_) alarm.Set(options_.silence, [this] { transport_.Abort(); });
  if (head_.framing.chunked) co_return co_await ReadChunks(alarm);
  if (head_.framing.content_length) co_return co_await ReadCounted(alarm);
  reusable_ = false;
  co_return co_await ReadToClose(alarm);
}

Awaitable<absl::Status> ClientExchange::ReadCounted(Alarm& alarm) {
  for (std::uint64_t left = *head_.framing.content_length; left > 0 && !enough_;) {
    if (input_.empty()) {
      const absl::Status read = co_await ReadMoreBody(alarm, nullptr);
      if (!read.ok()) co_return read;
    }
    const std::size_t size = std::min<std::uint64_t>(left, input_.size());
    const absl::Status taken = Take(std::string_view(input_).substr(0, size));
    if (!taken.ok()) co_return taken;
    input_.erase(0, size);
    left -= size;
  }
  co_return absl::OkStatus();
}

Awaitable<absl::Status> ClientExchange::ReadChunks(Alarm& alarm) {
  ChunkReader chunks(ChunkReader::Trailers::kKeep);
  while (!enough_) {
    const ChunkReader::Step step = chunks.Next(input_);
    if (step.state == ChunkReader::State::kRefused) co_return Distrust(chunks.refusal());
    const absl::Status taken = Take(step.data);
    if (!taken.ok()) co_return taken;
    input_.erase(0, step.consumed);
    if (step.state == ChunkReader::State::kDone) break;
    if (!input_.empty()) continue;
    const absl::Status read = co_await ReadMoreBody(alarm, nullptr);
    if (!read.ok()) co_return read;
  }
  co_return absl::OkStatus();
}

Awaitable<absl::Status> ClientExchange::ReadToClose(Alarm& alarm) {
  for (bool end = false; !end && !enough_;) {
    const absl::Status taken = Take(input_);
    if (!taken.ok()) co_return taken;
    input_.clear();
    const absl::Status read = co_await ReadMoreBody(alarm, &end);
    if (!read.ok()) co_return read;
  }
  co_return absl::OkStatus();
}

Awaitable<absl::Status> ClientExchange::ReadMoreBody(Alarm& alarm, bool* end) {
  if (streaming_) alarm.Set(options_.silence, [this] { transport_.Abort(); });
  co_return co_await ReadMore(end);
}

Awaitable<absl::Status> ClientExchange::ReadMore(bool* end) {
  const std::size_t before = input_.size();
  input_.resize(before + kReadSize);
  const net::mutable_buffer room(input_.data() + before, kReadSize);
  const Transport::Received got = co_await transport_.Read(room);
  input_.resize(before + got.bytes);
  heard_ = heard_ || got.bytes > 0;
  if (!got.error) co_return absl::OkStatus();
  if (end && got.error == net::error::eof) {
    *end = true;
    co_return absl::OkStatus();
  }
  co_return absl::UnavailableError(
      absl::StrCat("connection ended within an answer: ", got.error.message()));
}

absl::Status ClientExchange::Take(std::string_view data) {
  if (data.empty() || enough_) return absl::OkStatus();
  if (streaming_) {
    enough_ = !(*sink_)(data);
    return absl::OkStatus();
  }
  if (response_.body.size() + data.size() > options_.response_limit) {
    return absl::ResourceExhaustedError(
        absl::StrCat("answer is longer than ", options_.response_limit, " bytes"));
  }
  response_.body.append(data);
  return absl::OkStatus();
}

}  // namespace spillway
