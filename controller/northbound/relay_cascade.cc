// The first attempt of a cascade: a smaller model's answer, held until it is judged.
#include <algorithm>
#include <utility>

#include "adapters/openai/held_answer.h"
#include "controller/northbound/relay.h"
#include "formats/openai_answer.h"
#include "policies/cascade.h"

namespace spillway {

// A pin is what the caller wants, whatever the policy says.
void Relay::ChooseCascade(const RouterView& view) {
  const PolicySpec& policy = view.policy().spec();
  if (policy.cascades.empty() || kind_ == OpenAiCall::kEmbeddings || !asked_.pin.empty()) return;
  const CascadeSpec* found = CascadeFor(policy, asked_.model, asked_.tenant);
  if (found == nullptr || found->first == asked_.model) return;
  if (!view.Resolve(found->first).empty()) cascade_ = *found;
}

bool Relay::AsksForLogprobs() const {
  return judging_ && cascade_->escalate_when.mean_logprob_below && !scanned_.logprobs;
}

// None: its answer will not do, or there is none; then live_ is the second attempt, if one could be
// begun. The first one does not wait for room: the second may have it at once.
Awaitable<std::optional<HttpAnswer>> Relay::TryFirst() {
  RequestFeatures features = asked_;
  features.model = cascade_->first;
  features.models = dispatcher_.view()->Resolve(cascade_->first);
  live_ = dispatcher_.Begin(std::move(features));
  if (!live_) co_return std::nullopt;
  live_->record.cascade = CascadeStep{.name = cascade_->name, .why = Escalation::kNotRouted};
  judging_ = true;
  bool routed = dispatcher_.Route(*live_) == Routed::kRouted && HoldMoney();
  // The rules of the view that the record names, should the policy have changed just now.
  if (const auto* now = FindCascade(live_->view->policy().spec(), cascade_->name)) {
    cascade_ = *now;
  } else {
    routed = false;
  }
  Reply reply = Reply::kNone;
  while (routed && reply == Reply::kNone && dispatcher_.Take(*live_)) {
    live_->record.cascade->why = Escalation::kFailed;
    reply = co_await AskNext();
    if (reply == Reply::kEvents) {
      const bool held = co_await HoldEvents();
      if (!held) reply = Reply::kNone;
    }
    if (CutOff()) {
      if (reply != Reply::kNone) SettleLost();
      co_return Gone();
    }
  }
  if (reply == Reply::kNone) {
    const bool tried = !live_->record.attempts.empty();
    GoOnToSecond(tried ? RequestEnd::kFailed : RequestEnd::kRefused, tried ? 502 : 503);
    co_return std::nullopt;
  }
  Judge(reply);
  if (live_->record.cascade->why == Escalation::kNone) {
    judging_ = false;
    if (reply == Reply::kEvents) co_return AnswerHeldEvents();
    co_return AnswerWhole();
  }
  const int status = Status();
  GoOnToSecond(status < 400 ? RequestEnd::kAnswered : RequestEnd::kRefused, status);
  co_return std::nullopt;
}

// Reads the stream to its end, or until it is too long. False: the engine was lost.
Awaitable<bool> Relay::HoldEvents() {
  while (!piece_.empty()) {
    for (const std::string_view part : parts_) Hold(part);
    Hear();
    if (stream_->broken() || held_.size() > kMostHeld) break;
    if (stream_->done()) {
      co_await AwaitEnd();
      break;
    }
    piece_ = co_await upstream_->Read();
    if (!piece_.empty()) parts_ = stream_->Take(piece_);
  }
  const bool over = stream_->done() || (held_.size() > kMostHeld && !upstream_->failed());
  if (over && !stream_->said_error()) co_return true;
  LoseUpstream(WhyCutShort());
  co_return false;
}

// Settles the attempt, and says in its record whether its answer will do.
void Relay::Judge(Reply reply) {
  const bool fits = held_.size() <= kMostHeld &&
                    (reply == Reply::kEvents || refused_with_ > 0 || upstream_->done());
  if (reply == Reply::kEvents) {
    Measure();
  } else if (OpenAiAnswer answer; fits && ScanOpenAiAnswer(held_, &answer)) {
    TakeUsage(answer.usage);
  }
  if (!fits) upstream_->Abort();
  dispatcher_.Settle(*live_);
  CascadeStep& step = *live_->record.cascade;
  if (Status() >= 400) SettleRefused();
  if (Status() != 200) return;  // kFailed
  if (fits) {
    const bool asks_for_json = scanned_.response_format && scanned_.response_format_range.size > 0;
    const auto wanted =
        asks_for_json ? WantedJson::Read(scanned_.response_format_range.In(call_.request.body))
                      : std::nullopt;
    step.facts = ReadHeldAnswer({.events = reply == Reply::kEvents,
                                 .cut_logprobs = AsksForLogprobs(),
                                 .wanted = wanted ? &*wanted : nullptr},
                                held_);
  }
  step.why = JudgeAnswer(cascade_->escalate_when, step.facts);
}

// A stream that is whole already: it goes out as one answer, which can say what it cost.
HttpAnswer Relay::AnswerHeldEvents() {
  HttpResponse response;
  response.headers.Add("Content-Type", "text/event-stream");
  response.headers.Add("Cache-Control", "no-cache");
  response.headers.Add("X-Accel-Buffering", "no");
  AddHeaders(response, true);
  response.body = std::move(held_);
  Finish(RequestEnd::kAnswered, 200);
  return response;
}

// Ends the first attempt and begins the second. What was thrown away is worth nothing: its cost
// stands against a baseline of zero, so that it makes the saving smaller. Where there is no
// baseline, there is none of the second either, most likely, and neither counts.
void Relay::GoOnToSecond(RequestEnd end, int status) {
  Request& first = live_->record;
  if (first.baseline_cost) first.baseline_cost = Usd(0);
  spent_ = first.priced ? std::optional(first.cost) : std::nullopt;
  RequestFeatures features = asked_;
  features.arrived = dispatcher_.Now();
  // The objective is the whole request's: what the first attempt took is gone.
  const absl::Duration gone = features.arrived - first.features.arrived;
  const auto view = dispatcher_.view();
  const int model = view && !features.models.empty() ? view->FindModel(features.models[0]) : -1;
  if (model >= 0) {
    const absl::Duration whole =
        view->Limits(features, &view->models()[static_cast<std::size_t>(model)]).ttft;
    features.ttft = std::max(whole - gone, absl::Milliseconds(1));
  }
  if (features.max_cost && spent_)
    features.max_cost = std::max(*features.max_cost - *spent_, Usd(0));
  std::unique_ptr<LiveRequest> second = dispatcher_.Begin(std::move(features));
  if (second) {
    second->record.cascade = CascadeStep{.name = cascade_->name,
                                         .attempt = 2,
                                         .other = first.id,
                                         .why = first.cascade->why,
                                         .first_cost = spent_};
    first.cascade->other = second->record.id;
  }
  dispatcher_.End(*live_, end, status);
  live_ = std::move(second);
  judging_ = false;
  failed_ = {};
  refused_ = false;
  refused_with_ = 0;
  why_failed_.clear();
  first_at_ = last_at_ = {};
  DropHeld();
  stream_.reset();
}

}  // namespace spillway
