#include <memory>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "controller/northbound/api.h"
#include "controller/northbound/handlers.h"
#include "controller/northbound/log_reader.h"
#include "controller/northbound/params.h"
#include "controller/northbound/tenancy.h"
#include "core/text.h"

namespace spillway {
namespace {

// The output as it is, from `first` on, until there is no more.
Awaitable<void> SendText(Host& host, BodyStream& out, LogSource source, LogChunk first) {
  LogChunk chunk = std::move(first);
  while (!chunk.bytes.empty() || chunk.dropped > 0) {
    if (chunk.dropped > 0) {
      const std::string note = absl::StrCat("\n[", LeftOut(chunk.dropped), "]\n");
      if (!co_await out.Write(note)) co_return;
    }
    if (!co_await out.Write(chunk.bytes)) co_return;
    if (chunk.end) co_return;
    std::optional<Chunk> next = co_await ReadChunk(host, out, source, chunk.next, false);
    if (!next || !next->ok()) co_return;
    chunk = **std::move(next);
  }
}

// The attempt that is meant; none: the job has not been launched yet.
absl::StatusOr<std::optional<LogSource>> SourceOf(const Job& job,
                                                  std::optional<std::int64_t> number,
                                                  LogStream stream) {
  if (job.attempts.empty() && !number) return std::optional<LogSource>();
  for (auto it = job.attempts.rbegin(); it != job.attempts.rend(); ++it) {
    if (!number || it->number == *number)
      return std::optional(LogSource{it->pool, {job.id, it->number}, stream});
  }
  return absl::NotFoundError(
      absl::StrCat(ToString(job.id), " has no attempt ", number.value_or(0)));
}

HttpResponse TextHead() {
  HttpResponse head;
  head.headers.Add("Content-Type", "text/plain; charset=utf-8");
  head.headers.Add("X-Content-Type-Options", "nosniff");
  head.headers.Add("Cache-Control", "no-store");
  return head;
}

}  // namespace

namespace handle {

Awaitable<HttpAnswer> GetJobLogs(Api& api, Call call) {
  Params params(call.request, {"follow", "stream", "attempt"});
  const bool follow = params.Flag("follow");
  const std::string stream = params.Text("stream").value_or("stdout");
  if (stream != "stdout" && stream != "stderr")
    params.Refuse("stream", absl::StrCat("is `", stream, "`, not stdout or stderr"));
  const std::optional<std::int64_t> attempt = params.Whole("attempt", 1, 1'000'000);
  if (auto refused = params.Refused()) co_return *std::move(refused);

  Host& host = api.host();
  const auto job = FindJobFor(api, call, call.args[0]);
  if (!job.ok()) co_return ProblemFor(call.request, job.status());
  const LogStream output = stream == "stderr" ? LogStream::kStderr : LogStream::kStdout;
  const auto source = SourceOf(*job, attempt, output);
  if (!source.ok()) co_return ProblemFor(call.request, source.status());

  if (!source->has_value() && !follow) co_return TextHead();
  std::shared_ptr<void> place = api.OpenStream();
  if (place == nullptr) {
    co_return ProblemAnswer(call.request, ProblemCode::kTooManyStreams,
                            absl::StrCat(api.limits().streams, " streams are open"));
  }
  if (follow) {
    FollowOrder order{.job = job->id, .stream = output, .one_attempt = attempt.has_value()};
    if (source->has_value()) order.from.attempt = (*source)->key.attempt;
    if (const auto last = call.request.headers.Find("Last-Event-ID"))
      order.from = ParseLogPlace(*last).value_or(order.from);
    co_return FollowLogs(api, order, std::move(place));
  }
  std::optional<Chunk> first = co_await ReadChunk(host, *call.exchange, **source, 0, false);
  if (!first) co_return ProblemAnswer(call.request, ProblemCode::kNoAnswer, "no output in time");
  if (absl::IsNotFound(first->status()) && !IsTerminal(job->state)) co_return TextHead();
  if (!first->ok()) co_return ProblemFor(call.request, first->status());
  auto chunk = std::make_shared<LogChunk>(**std::move(first));
  BodyProducer produce = [&host, from = **source, chunk, place](BodyStream& out) {
    return SendText(host, out, from, std::move(*chunk));
  };
  co_return HttpAnswer(TextHead(), std::move(produce));
}

}  // namespace handle
}  // namespace spillway
