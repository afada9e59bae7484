#include <iterator>
#include <memory>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "controller/northbound/api.h"
#include "controller/northbound/handlers.h"
#include "controller/northbound/params.h"
#include "controller/northbound/pulse_text.h"
#include "controller/northbound/tenancy.h"
#include "net/sse.h"

namespace spillway {
namespace {

constexpr absl::Duration kTick = absl::Milliseconds(250);
constexpr std::size_t kTales = 50;     // a second, the others are counted
constexpr std::size_t kJobs = 100;     // changes of jobs a second
constexpr std::size_t kOpening = 200;  // tales that a stream begins with, older jobs aside
constexpr std::size_t kFeedPage = 256;

// One page that is open. Lives as long as its stream.
class PulseReader {
 public:
  PulseReader(Api& api, PulseViewer viewer, std::shared_ptr<void> place)
      : api_(api),
        pulse_(*api.pulse()),
        viewer_(std::move(viewer)),
        tenant_(viewer_.tenant),
        place_(std::move(place)),
        fed_(api.host().feed().version()),
        opening_(pulse_.Opening(kOpening)),
        told_(opening_.next) {}

  Awaitable<void> Run(BodyStream& out) {
    std::string frames = "retry: 2000\n\n";
    absl::Duration quiet = absl::ZeroDuration();
    for (;;) {
      frames += Next();
      if (frames.empty() && quiet >= api_.limits().heartbeat) frames = SseComment("heartbeat");
      if (!frames.empty()) {
        quiet = absl::ZeroDuration();
        if (!co_await out.Write(frames)) co_return;
        frames.clear();
      }
      if (out.draining()) {
        frames = SseComment("the controller is stopping: come back");
        co_await out.Write(frames);
        co_return;
      }
      const Woken why = co_await out.Wait(kTick);
      if (why == Woken::kGone) co_return;
      quiet += kTick;
    }
  }

 private:
  std::string Next() {
    std::string frames;
    if (ticks_++ % (absl::Seconds(1) / kTick) == 0) {
      tales_left_ = kTales + opening_.tales.size();
      jobs_left_ = kJobs;
      frames += Dropped();
    }
    frames += Looks();
    if (snapshot_ == nullptr) return frames;
    frames += Tales();
    frames += Jobs();
    return frames;
  }

  // The overview once for each look, pools when they changed.
  std::string Looks() {
    const Pulse::View view = pulse_.view();
    if (view == nullptr || view->number == looked_) return {};
    looked_ = view->number;
    snapshot_ = view->snapshot;
    std::string frames = SseFrame("overview", {}, OverviewBody(*view, viewer_));
    std::string pools = PoolLoadsBody(*view, !tenant_);
    if (pools != pools_) frames += SseFrame("pools", {}, pools);
    pools_ = std::move(pools);
    return frames;
  }

  std::string Tales() {
    Pulse::Tales found = pulse_.After(told_, pulse_.limits().tales);
    told_ = found.next;
    dropped_ += tenant_ ? 0 : found.missed;
    std::vector<Tale> tales = std::exchange(opening_.tales, {});
    tales.insert(tales.end(), std::make_move_iterator(found.tales.begin()),
                 std::make_move_iterator(found.tales.end()));
    if (!tales.empty()) snapshot_ = api_.host().snapshot();
    std::string frames;
    for (const Tale& tale : tales) {
      if (tenant_ && TenantOf(tale) != *tenant_) continue;
      if (tales_left_ == 0) {
        ++dropped_;
        continue;
      }
      --tales_left_;
      frames += SseFrame("decision", {}, TaleBody(tale, *snapshot_));
    }
    return frames;
  }

  // What was dropped within the second that is over.
  std::string Dropped() {
    if (dropped_ == 0 && jobs_dropped_ == 0) return {};
    const std::string counts = absl::StrCat("{\"decisions\":", std::exchange(dropped_, 0),
                                            ",\"jobs\":", std::exchange(jobs_dropped_, 0), "}");
    return SseFrame("dropped", {}, counts);
  }

  std::string Jobs() {
    std::string frames;
    const JobFeed& feed = std::as_const(api_.host()).feed();
    while (fed_ < feed.version()) {
      const auto page = feed.After(fed_, kFeedPage);
      if (!page.ok()) {
        ++jobs_dropped_;
        fed_ = feed.version();
        break;
      }
      fed_ = page->until;
      for (const JobChange& change : page->changes) AddJob(*change.job, frames);
    }
    return frames;
  }

  void AddJob(const Job& job, std::string& frames) {
    if (tenant_ && job.work->tenant != *tenant_) return;
    if (jobs_left_ == 0) {
      ++jobs_dropped_;
      return;
    }
    --jobs_left_;
    std::string body;
    JsonWriter w(body);
    w.BeginObject().Member("id", ToString(job.id)).Member("name", job.work->name);
    w.Member("state", NameOf(job.state)).Key("pool");
    job.attempts.empty() ? w.Null() : w.Value(snapshot_->NameOf(job.attempts.back().pool));
    w.EndObject();
    frames += SseFrame("job", {}, body);
  }

  Api& api_;
  Pulse& pulse_;
  const PulseViewer viewer_;
  const std::optional<std::string>& tenant_;  // whose money and work are shown; none: everybody's
  const std::shared_ptr<void> place_;
  EventNumber fed_;
  Pulse::Tales opening_;  // not told yet
  std::uint64_t told_ = 0, looked_ = 0;
  std::shared_ptr<const Snapshot> snapshot_;  // for names
  std::string pools_;
  std::int64_t ticks_ = 0;
  std::size_t tales_left_ = 0, jobs_left_ = 0;
  std::uint64_t dropped_ = 0, jobs_dropped_ = 0;
};

}  // namespace

namespace handle {

Awaitable<HttpAnswer> GetStream(Api& api, Call call) {
  const Params params(call.request, {});
  if (auto refused = params.Refused()) co_return *std::move(refused);
  if (api.pulse() == nullptr)
    co_return ProblemAnswer(call.request, ProblemCode::kUnavailable, "nobody takes the pulse");
  std::shared_ptr<void> place = api.pulse()->Join();
  if (place == nullptr) {
    co_return ProblemAnswer(
        call.request, ProblemCode::kTooManyStreams,
        ProblemDetails{.detail = absl::StrCat(api.pulse()->limits().readers,
                                              " dashboards are open, no more may be"),
                       .retry_after_seconds = 5});
  }
  auto reader = std::make_shared<PulseReader>(
      api, PulseViewer{call.role, TenantShown(call, std::nullopt)}, std::move(place));
  co_return EventStreamAnswer([reader](BodyStream& out) { return reader->Run(out); });
}

}  // namespace handle
}  // namespace spillway
