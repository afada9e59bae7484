#include "controller/northbound/log_reader.h"

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "core/text.h"
#include "net/sse.h"

namespace spillway {
namespace {

constexpr std::size_t kChunk = 64 << 10;
// A follower's answer comes within 15 s by the adapter's contract; some time on top for the way.
constexpr absl::Duration kLogPatience = absl::Seconds(25);
// Between two looks at an attempt that its adapter does not know yet, or at half a character.
constexpr absl::Duration kSoon = absl::Milliseconds(100);

// One client that follows the output of one job. Lives as long as its stream.
class LogFollower {
 public:
  LogFollower(Api& api, FollowOrder order, std::shared_ptr<void> place)
      : api_(api), order_(order), at_(order.from), place_(std::move(place)) {}

  Awaitable<void> Run(BodyStream& out) {
    // A change of any job wakes this one: it looks whether its own has a new attempt.
    auto ticket = api_.host().feed().Watch([waker = out.waker()] { waker->Wake(); });
    while (ticket.ok() && !out.gone()) {
      const absl::StatusOr<Job> job = api_.host().archive().FindJob(order_.job);
      if (!job.ok()) co_return;
      Choose(*job);
      const Attempt* attempt = Find(*job);
      absl::Duration rest = absl::ZeroDuration();
      std::string frames;
      if (attempt == nullptr || read_) {
        if (IsTerminal(job->state) || (read_ && order_.one_attempt)) {
          frames = SseFrame("end", ToText(at_), "");
          co_await out.Write(frames);
          co_return;
        }
        rest = api_.limits().heartbeat;
      } else {
        const LogSource source{attempt->pool, {job->id, attempt->number}, order_.stream};
        std::optional<Chunk> chunk = co_await ReadChunk(api_.host(), out, source, at_.offset, true);
        if (!chunk) co_return;
        rest = Take(*std::move(chunk), attempt->state == AttemptState::kEnded, frames);
      }
      if (!frames.empty() && !co_await out.Write(frames)) co_return;
      if (out.draining()) co_return;
      if (rest == absl::ZeroDuration()) continue;
      const Woken why = co_await out.Wait(rest);
      if (why == Woken::kGone) co_return;
      if (why != Woken::kTimeout || rest < api_.limits().heartbeat) continue;
      frames = SseComment("heartbeat");
      if (!co_await out.Write(frames)) co_return;
    }
  }

 private:
  // The latest attempt at first; then, when one was read to its end, the next.
  void Choose(const Job& job) {
    if (job.attempts.empty()) return;
    if (at_.attempt == 0) at_ = {job.attempts.back().number, 0};
    if (!read_ || order_.one_attempt) return;
    for (const Attempt& attempt : job.attempts) {
      if (attempt.number <= at_.attempt) continue;
      at_ = {attempt.number, 0};
      read_ = false;
      return;
    }
  }

  const Attempt* Find(const Job& job) const {
    for (const Attempt& attempt : job.attempts) {
      if (attempt.number == at_.attempt) return &attempt;
    }
    return nullptr;
  }

  // Adds what the chunk says to `frames`; gives how long to rest before the next look.
  absl::Duration Take(Chunk answer, bool ended, std::string& frames) {
    if (!answer.ok()) {
      // Not launched yet; or over for so long that its output is no longer kept.
      read_ = ended || !absl::IsNotFound(answer.status());
      return read_ ? absl::ZeroDuration() : kSoon;
    }
    LogChunk chunk = *std::move(answer);
    if (chunk.dropped > 0) frames += SseComment(LeftOut(chunk.dropped));
    const std::size_t held = chunk.end ? 0 : UnfinishedBytes(chunk.bytes);
    if (held > 0 && held == chunk.bytes.size()) return kSoon;
    at_.offset = chunk.next - held;
    chunk.bytes.resize(chunk.bytes.size() - held);
    if (!chunk.bytes.empty()) {
      frames += SseFrame("log", ToText(at_), chunk.bytes);
    } else if (!chunk.end) {
      frames += SseComment("heartbeat");
    }
    read_ = chunk.end;
    return absl::ZeroDuration();
  }

  Api& api_;
  const FollowOrder order_;
  LogPlace at_;
  bool read_ = false;  // the attempt's output was sent to its end
  std::shared_ptr<void> place_;
};

}  // namespace

Awaitable<std::optional<Chunk>> ReadChunk(Host& host, Exchange& exchange, LogSource source,
                                          std::uint64_t offset, bool follow) {
  absl::AnyInvocable<void(Host::Done<Chunk>)> start = [&host, source, offset,
                                                       follow](Host::Done<Chunk> done) {
    host.Logs(source.pool, source.key, source.stream, offset, kChunk, follow, std::move(done));
  };
  return Ask<Chunk>(exchange, std::move(start), kLogPatience);
}

std::size_t UnfinishedBytes(std::string_view text) {
  if (!text.empty() && text.back() == '\r') return 1;
  for (std::size_t back = 1; back <= 3 && back <= text.size(); ++back) {
    const auto byte = static_cast<unsigned char>(text[text.size() - back]);
    if ((byte & 0xC0) == 0x80) continue;  // inside a character
    const std::size_t length = byte >= 0xF0 ? 4 : byte >= 0xE0 ? 3 : byte >= 0xC0 ? 2 : 1;
    return length > back ? back : 0;
  }
  return 0;
}

std::string LeftOut(std::uint64_t bytes) {
  return absl::StrCat(bytes, " bytes were left out here: the output was too long to keep");
}

std::string ToText(LogPlace place) { return absl::StrCat(place.attempt, ".", place.offset); }

std::optional<LogPlace> ParseLogPlace(std::string_view text) {
  LogPlace place;
  const std::size_t dot = text.find('.');
  if (dot == std::string_view::npos) return std::nullopt;
  if (!absl::SimpleAtoi(ToAbsl(text.substr(0, dot)), &place.attempt) || place.attempt < 0 ||
      !absl::SimpleAtoi(ToAbsl(text.substr(dot + 1)), &place.offset)) {
    return std::nullopt;
  }
  return place;
}

HttpAnswer FollowLogs(Api& api, FollowOrder order, std::shared_ptr<void> place) {
  auto follower = std::make_shared<LogFollower>(api, order, std::move(place));
  return EventStreamAnswer([follower](BodyStream& out) { return follower->Run(out); });
}

}  // namespace spillway
