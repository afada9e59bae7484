#include "cli/watch.h"

#include <ostream>

#include "absl/strings/str_cat.h"
#include "cli/interrupt.h"
#include "cli/reading.h"
#include "core/status.h"
#include "net/sse.h"

namespace spillway::cli {
namespace {

constexpr absl::Duration kFirstPause = absl::Milliseconds(50);
constexpr absl::Duration kLongestPause = absl::Seconds(1);
constexpr absl::Duration kPatience = absl::Minutes(1);  // with a controller that does not answer

// One line that is written over and over, for a person only.
class Progress {
 public:
  explicit Progress(Console& console) : console_(console) {}
  ~Progress() { Clear(); }
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  void Show(std::string_view words) {
    if (!console_.error_screen.live) return;
    constexpr std::string_view kTurn[] = {"⠋", "⠙", "⠸", "⠴", "⠦", "⠇"};
    const std::string_view mark =
        console_.error_screen.unicode ? kTurn[turn_++ % std::size(kTurn)] : "...";
    const int room = console_.error_screen.width > 0 ? console_.error_screen.width - 4 : 76;
    console_.err << "\r\x1b[K" << mark << " " << Cut(words, room, console_.error_screen.Ellipsis())
                 << std::flush;
    shown_ = true;
  }
  void Clear() {
    if (std::exchange(shown_, false)) console_.err << "\r\x1b[K" << std::flush;
  }

 private:
  Console& console_;
  std::size_t turn_ = 0;
  bool shown_ = false;
};

std::string Now(const Value& job) {
  const std::string state = TextAt(job, {"state"}), pool = TextAt(job, {"pool"});
  const auto since = TimeAt(job, {state == "running" ? "started_at" : "created_at"});
  std::string words = absl::StrCat(TextAt(job, {"id"}), " ", state);
  if (!pool.empty()) absl::StrAppend(&words, " on ", pool);
  if (since) absl::StrAppend(&words, ", ", ShowAge(since, absl::Now()));
  return words;
}

bool IsWorthAnotherTry(const absl::StatusOr<Answer>& answer) {
  return answer.ok()
             ? answer->status == 503
             : absl::IsUnavailable(answer.status()) || absl::IsDeadlineExceeded(answer.status());
}

}  // namespace

bool IsOver(const Value& job) {
  const std::string state = TextAt(job, {"state"});
  return state == "succeeded" || state == "failed" || state == "cancelled";
}

absl::StatusOr<Value> WaitForEnd(Api& api, const std::string& job, Console& console) {
  Progress progress(console);
  absl::Duration pause = kFirstPause;
  absl::Time heard = absl::Now();
  Value seen;
  while (!Interrupted()) {
    auto answer = api.Get(absl::StrCat("/api/v1/jobs/", Encoded(job)));
    if (answer.ok() && answer->ok()) {
      seen = std::move(answer->body);
      heard = absl::Now();
      if (IsOver(seen)) break;
      progress.Show(Now(seen));
    } else if (!IsWorthAnotherTry(answer) || absl::Now() - heard > kPatience) {
      if (!answer.ok()) return answer.status();
      return absl::Status(
          answer->status == 404 ? absl::StatusCode::kNotFound : absl::StatusCode::kInternal,
          absl::StrCat(job, ": ", TextAt(answer->body, {"detail"})));
    } else {
      progress.Show(absl::StrCat("waiting for ", api.server(), " to come back"));
    }
    Pause(pause);
    pause = std::min(pause * 1.5, kLongestPause);
  }
  return seen;
}

absl::Status FollowOutput(const std::string& server, const std::string& job,
                          std::string_view stream, std::ostream& to) {
  SPILLWAY_ASSIGN_OR_RETURN(Api api, Api::For(server));
  SseParser parser;
  absl::Status parsed;
  const auto answer = api.Stream(
      absl::StrCat("/api/v1/jobs/", Encoded(job), "/logs?follow=true&stream=", ToAbsl(stream)),
      [&](std::string_view bytes) {
        parsed = parser.Feed(bytes);
        while (const auto event = parser.Next()) {
          if (event->event == "log") to << event->data << std::flush;
        }
        return parsed.ok() && to.good() && !Interrupted();
      });
  SPILLWAY_RETURN_IF_ERROR(answer.status());
  if (!answer->ok()) return absl::NotFoundError(TextAt(answer->body, {"detail"}));
  return parsed;
}

}  // namespace spillway::cli
