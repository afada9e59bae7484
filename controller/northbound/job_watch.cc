#include "controller/northbound/job_watch.h"

#include <memory>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "controller/northbound/handlers.h"
#include "controller/northbound/job_filter.h"
#include "controller/northbound/params.h"
#include "controller/northbound/tenancy.h"
#include "core/text.h"
#include "net/sse.h"

namespace spillway {
namespace {

constexpr std::size_t kPage = 256;  // changes looked at between two writes

std::string Bookmark(EventNumber version) {
  const std::string number = absl::StrCat(Number(version));
  return SseFrame("BOOKMARK", number, absl::StrCat("{\"resource_version\":", number, "}"));
}

// One client that watches. Lives as long as its stream.
class Watcher {
 public:
  Watcher(Api& api, WatchOrder order, EventNumber from, std::shared_ptr<void> place)
      : api_(api), order_(std::move(order)), at_(from), place_(std::move(place)) {}

  Awaitable<void> Run(BodyStream& out) {
    // Woken from now on; what was published before is found by looking.
    auto ticket = api_.host().feed().Watch([waker = out.waker()] { waker->Wake(); });
    if (!ticket.ok()) {
      const std::string words = SseComment("too many watch: try again later");
      co_await out.Write(words);
      co_return;
    }
    std::string frames = Opening();
    for (;;) {
      if (!frames.empty() && !co_await out.Write(frames)) co_return;
      if (over_) co_return;
      frames = Next();
      if (!frames.empty()) continue;
      if (out.draining()) {
        frames = SseComment("the controller is stopping: come back with Last-Event-ID");
        co_await out.Write(frames);
        co_return;
      }
      const Woken why = co_await out.Wait(api_.limits().heartbeat);
      if (why == Woken::kGone) co_return;
      if (why == Woken::kTimeout) frames = absl::StrCat(SseComment("heartbeat"), Bookmark(at_));
    }
  }

 private:
  // A place to come back to, and for a single job how it stands.
  std::string Opening() {
    if (!order_.only) return order_.after ? std::string() : Bookmark(at_);
    if (order_.after) return {};
    const auto job = api_.host().archive().FindJob(*order_.only);
    if (!job.ok()) return {};
    over_ = IsTerminal(job->state);
    return SseFrame("ADDED", absl::StrCat(Number(at_)),
                    JobBody(*job, PoolNames(api_.host().snapshot())));
  }

  // What has happened since; empty: nothing that this client selects.
  std::string Next() {
    std::string frames;
    do {
      frames = NextPage();
    } while (frames.empty() && more_);
    return frames;
  }

  std::string NextPage() {
    more_ = false;
    auto page = api_.host().feed().After(at_, kPage);
    if (!page.ok()) {
      over_ = true;
      return SseComment("dropped: this client reads too slowly, list again");
    }
    more_ = page->until < api_.host().feed().version();
    at_ = page->until;
    const PoolNames names(api_.host().snapshot());
    std::string frames;
    const JobChange* held = nullptr;  // written once it is known whether its event has more
    for (const JobChange& change : page->changes) {
      if (!Wants(*change.job, names)) continue;
      if (held != nullptr) Append(frames, *held, held->event != change.event, names);
      held = &change;
    }
    if (held != nullptr) Append(frames, *held, true, names);
    return frames;
  }

  bool Wants(const Job& job, const PoolNames& names) const {
    return order_.only ? job.id == *order_.only : Selects(order_.query, job, names);
  }

  void Append(std::string& frames, const JobChange& change, bool last, const PoolNames& names) {
    const std::string id = last ? absl::StrCat(Number(change.event)) : std::string();
    frames += SseFrame(change.added ? "ADDED" : "MODIFIED", id, JobBody(*change.job, names));
    if (order_.only && IsTerminal(change.job->state)) over_ = true;
  }

  Api& api_;
  WatchOrder order_;
  EventNumber at_;
  std::shared_ptr<void> place_;
  bool over_ = false;
  bool more_ = false;  // there are changes beyond the page that was looked at
};

}  // namespace

std::optional<EventNumber> ResumePoint(const HttpRequest& request, Params& params) {
  std::optional<std::string> text = params.Text("resource_version");
  if (const auto last = request.headers.Find("Last-Event-ID")) text = std::string(*last);
  if (!text || text->empty()) return std::nullopt;
  std::uint64_t number = 0;
  if (absl::SimpleAtoi(*text, &number)) return EventNumber{number};
  params.Refuse("resource_version", absl::StrCat("is `", *text, "`, not the number of an event"));
  return std::nullopt;
}

HttpAnswer WatchJobs(Api& api, const HttpRequest& request, Exchange&, WatchOrder order) {
  JobFeed& feed = api.host().feed();
  const EventNumber from = order.after.value_or(feed.version());
  if (const auto kept = feed.After(from, 1); !kept.ok())
    return ProblemAnswer(request, ProblemCode::kTooOld, std::string(kept.status().message()));
  std::shared_ptr<void> place = api.OpenStream();
  if (place == nullptr) {
    return ProblemAnswer(request, ProblemCode::kTooManyStreams,
                         absl::StrCat(api.limits().streams, " streams are open, no more may be"));
  }
  auto watcher = std::make_shared<Watcher>(api, std::move(order), from, std::move(place));
  return EventStreamAnswer([watcher](BodyStream& out) { return watcher->Run(out); });
}

namespace handle {

Awaitable<HttpAnswer> WatchJob(Api& api, Call call) {
  Params params(call.request, {"resource_version"});
  WatchOrder order;
  order.after = ResumePoint(call.request, params);
  if (auto refused = params.Refused()) co_return *std::move(refused);
  const auto job = FindJobFor(api, call, call.args[0]);
  if (!job.ok()) co_return ProblemFor(call.request, job.status());
  order.only = job->id;
  co_return WatchJobs(api, call.request, *call.exchange, std::move(order));
}

}  // namespace handle
}  // namespace spillway
