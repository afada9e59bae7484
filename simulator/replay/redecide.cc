#include "simulator/replay/redecide.h"

#include <algorithm>
#include <map>
#include <memory>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "core/names.h"
#include "core/status.h"
#include "core/text.h"
#include "scheduler/router.h"

namespace spillway {
namespace {

constexpr std::size_t kViewsKept = 64;

// --- What differs --------------------------------------------------------------------------------

using NameOfPool = std::function<std::string(PoolId)>;

template <class T>
std::optional<std::string> Said(std::string_view what, const T& recorded, const T& now) {
  if (recorded == now) return std::nullopt;
  return absl::StrCat(ToAbsl(what), ": recorded ", recorded, ", now ", now);
}

std::string DifferenceBetween(const Decision& recorded, const Decision& now,
                              const NameOfPool& name) {
  const auto word = [](Outcome outcome) { return std::string(NameOf(outcome)); };
  if (auto d = Said("event", Number(recorded.event), Number(now.event))) return *d;
  if (auto d = Said("job", ToString(recorded.work), ToString(now.work))) return *d;
  if (auto d = Said("outcome", word(recorded.outcome), word(now.outcome))) return *d;
  if (auto d = Said("pool", name(recorded.chosen), name(now.chosen))) return *d;
  if (auto d = Said("policy", absl::StrCat(recorded.policy, " ", recorded.policy_version),
                    absl::StrCat(now.policy, " ", now.policy_version)))
    return *d;
  if (auto d = Said("rule", recorded.rule, now.rule)) return *d;
  if (auto d = Said("hash of its inputs", recorded.inputs_hash, now.inputs_hash)) return *d;
  if (recorded.baseline != now.baseline) return "its baseline";
  const std::size_t pools = std::min(recorded.candidates.size(), now.candidates.size());
  for (std::size_t i = 0; i < pools; ++i) {
    const Candidate &was = recorded.candidates[i], &is = now.candidates[i];
    if (was == is) continue;
    const auto code = [](const Candidate& c) { return std::string(NameOf(c.code())); };
    if (auto d = Said("code of " + name(is.pool), code(was), code(is))) return *d;
    if (auto d = Said("cost on " + name(is.pool) + " in nano-dollars",
                      was.estimate.marginal_cost.value(), is.estimate.marginal_cost.value()))
      return *d;
    return "figures of pool " + name(is.pool);
  }
  if (auto d = Said("number of pools", recorded.candidates.size(), now.candidates.size()))
    return *d;
  return "its time, tenant or spill time";
}

std::string EndpointNames(const RouterView& view, const std::vector<std::uint32_t>& order) {
  if (order.empty()) return "none";
  return absl::StrJoin(order, " ", [&](std::string* out, std::uint32_t place) {
    absl::StrAppend(out, place < view.endpoints().size() ? view.endpoints()[place].name
                                                         : absl::StrCat("#", place));
  });
}

std::string DifferenceOf(const RouterView& view, const Request& request) {
  Router router;
  const RoutePlan& route = router.Choose(view, MakeRequestShape(view, request.features),
                                         request.features, request.readings, request.draw);
  if (route.order == request.order) return "how the answer of its cascade was judged";
  return absl::StrCat("engines in order: recorded ", EndpointNames(view, request.order), ", now ",
                      EndpointNames(view, route.order));
}

// --- The recorded side ---------------------------------------------------------------------------

// Decisions as they were recorded, one after the other.
class DecisionRows {
 public:
  explicit DecisionRows(RecordedLog& log) : log_(log) {}

  // Null at the end.
  absl::StatusOr<const Decision*> Peek() {
    if (at_ == page_.size() && !over_) {
      SPILLWAY_ASSIGN_OR_RETURN(page_, log_.Decisions(last_));
      at_ = 0;
      over_ = page_.empty();
      if (!over_) last_ = page_.back()->id;
    }
    return at_ < page_.size() ? page_[at_].get() : nullptr;
  }
  void Pop() { ++at_; }

 private:
  RecordedLog& log_;
  std::vector<std::shared_ptr<const Decision>> page_;
  std::size_t at_ = 0;
  DecisionId last_{};
  bool over_ = false;
};

class Redecision {
 public:
  Redecision(RecordedLog& log, const RedecideOptions& options)
      : log_(log), options_(options), rows_(log), brain_(std::make_unique<Brain>()) {}

  absl::StatusOr<Redecided> Run();

 private:
  absl::Status Take(const Event& event);
  absl::Status Fold(const Event& event);
  absl::Status Compare(const Decision& now);
  absl::Status CompareRest();
  absl::Status Route(const Request& request);
  absl::StatusOr<std::shared_ptr<const RouterView>> ViewOf(EventNumber id);
  void Differs(RedecidedCount& count, std::string what, std::string how);
  std::string NameOfPool(PoolId id) const;

  RecordedLog& log_;
  const RedecideOptions& options_;
  DecisionRows rows_;
  std::unique_ptr<Brain> brain_;
  Effects effects_;
  std::map<EventNumber, std::shared_ptr<const RouterView>> views_;  // null: not kept
  Redecided out_{.until = absl::InfinitePast()};
};

std::string Redecision::NameOfPool(PoolId id) const {
  if (id == kNoPool) return "none";
  const std::vector<PoolStatus> pools = brain_->Pools();
  return Index(id) < pools.size() ? pools[Index(id)].spec->name : absl::StrCat("pool ", Index(id));
}

void Redecision::Differs(RedecidedCount& count, std::string what, std::string how) {
  ++count.differing;
  if (out_.first.size() < kDifferencesTold) out_.first.push_back({std::move(what), std::move(how)});
}

// --- Decisions about jobs ------------------------------------------------------------------------

absl::Status Redecision::Compare(const Decision& now) {
  for (;;) {
    SPILLWAY_ASSIGN_OR_RETURN(const Decision* row, rows_.Peek());
    if (row == nullptr || row->id > now.id) break;
    if (row->id < now.id) {
      Differs(out_.decisions, ToString(row->id), "recorded, but not made now");
    } else if (*row == now) {
      ++out_.decisions.equal;
    } else {
      Differs(out_.decisions, ToString(row->id),
              DifferenceBetween(*row, now, [this](PoolId id) { return NameOfPool(id); }));
    }
    const bool same_id = row->id == now.id;
    rows_.Pop();
    if (same_id) return absl::OkStatus();
  }
  // Decisions go with their jobs; those about refused submissions with their event, which is here.
  bool kept = true;
  if (now.work != JobId{}) {
    SPILLWAY_ASSIGN_OR_RETURN(kept, log_.Keeps(now.work));
  }
  if (kept) {
    Differs(out_.decisions, ToString(now.id), "made now, but not recorded");
  } else {
    ++out_.decisions.not_kept;
  }
  return absl::OkStatus();
}

absl::Status Redecision::CompareRest() {
  for (;;) {
    SPILLWAY_ASSIGN_OR_RETURN(const Decision* row, rows_.Peek());
    if (row == nullptr) return absl::OkStatus();
    if (out_.log.is_whole()) {
      Differs(out_.decisions, ToString(row->id), "recorded, but not made now");
    } else {
      ++out_.decisions.not_redone;
    }
    rows_.Pop();
  }
}

absl::Status Redecision::Fold(const Event& event) {
  effects_.Clear();
  const Reply reply = brain_->Handle(event, effects_);
  for (const Record& record : effects_.records) {
    const auto* row = std::get_if<record::DecisionRow>(&record);
    if (row != nullptr) SPILLWAY_RETURN_IF_ERROR(Compare(*row->decision));
  }
  if (options_.on_fold) options_.on_fold(event, reply, effects_, *brain_);
  return absl::OkStatus();
}

// --- Requests ------------------------------------------------------------------------------------

absl::StatusOr<std::shared_ptr<const RouterView>> Redecision::ViewOf(EventNumber id) {
  if (const auto known = views_.find(id); known != views_.end()) return known->second;
  std::shared_ptr<const RouterView> view;
  auto inputs = log_.FindRouterInputs(id);
  if (inputs.ok()) {
    SPILLWAY_ASSIGN_OR_RETURN(view, RouterView::Make(*std::move(inputs)));
  } else if (!absl::IsNotFound(inputs.status())) {
    return inputs.status();
  }
  // Requests end soon after they were routed: the oldest view is the one to forget.
  if (views_.size() >= kViewsKept) views_.erase(views_.begin());
  return views_.emplace(id, std::move(view)).first->second;
}

absl::Status Redecision::Route(const Request& request) {
  SPILLWAY_ASSIGN_OR_RETURN(const auto view, ViewOf(request.view));
  if (view == nullptr) {
    ++out_.requests.not_redone;
    return absl::OkStatus();
  }
  if (SameRoute(*view, request)) {
    ++out_.requests.equal;
  } else {
    Differs(out_.requests, ToString(request.id), DifferenceOf(*view, request));
  }
  return absl::OkStatus();
}

// --- All of it -----------------------------------------------------------------------------------

absl::Status Redecision::Take(const Event& event) {
  if (out_.events++ == 0) out_.from = event.at;
  if (event.at < out_.until)
    return absl::DataLossError(
        absl::StrCat("event ", Number(event.number), " lies before the one in front of it"));
  out_.until = event.at;
  if (const auto* ended = std::get_if<event::RequestsEnded>(&event.body)) {
    for (const auto& request : ended->requests) SPILLWAY_RETURN_IF_ERROR(Route(*request));
  }
  return out_.log.is_whole() ? Fold(event) : absl::OkStatus();
}

absl::StatusOr<Redecided> Redecision::Run() {
  out_.log = log_.extent();
  if (out_.log.last == EventNumber{})
    return absl::FailedPreconditionError("the log is empty: there is nothing to decide again");
  for (EventNumber next = out_.log.first;;) {
    if (options_.cancelled && options_.cancelled())
      return absl::CancelledError("the replay was cancelled");
    SPILLWAY_ASSIGN_OR_RETURN(const std::vector<Event> events, log_.Events(next));
    if (events.empty()) break;
    for (const Event& event : events) SPILLWAY_RETURN_IF_ERROR(Take(event));
    next = EventNumber{Number(events.back().number) + 1};
    if (options_.on_progress) options_.on_progress(events.back().number, out_.log.last);
  }
  SPILLWAY_RETURN_IF_ERROR(CompareRest());
  return std::move(out_);
}

}  // namespace

absl::StatusOr<Redecided> Redecide(RecordedLog& log, const RedecideOptions& options) {
  return Redecision(log, options).Run();
}

}  // namespace spillway
