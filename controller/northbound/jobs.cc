#include <xxhash.h>

#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "controller/northbound/api.h"
#include "controller/northbound/ask.h"
#include "controller/northbound/handlers.h"
#include "controller/northbound/job_filter.h"
#include "controller/northbound/job_watch.h"
#include "controller/northbound/params.h"
#include "controller/northbound/reply.h"
#include "controller/northbound/tenancy.h"
#include "controller/northbound/views.h"
#include "controller/northbound/work_body.h"
#include "core/text.h"
#include "scheduler/budgets.h"

namespace spillway {
namespace {

constexpr std::size_t kLongestKey = 255;
constexpr std::string_view kImpossible = "no configured pool could ever do this work";

std::string LocationOf(JobId id) { return absl::StrCat("/api/v1/jobs/", ToString(id)); }

// Until the first of its tenant's budgets begins anew.
int UntilBudget(const Snapshot& snapshot, const std::string& tenant, absl::Time now) {
  for (const TenantSpec& spec : snapshot.config->tenants.tenants) {
    if (spec.name != tenant) continue;
    const bool by_day = LimitsOf(spec).per_day.has_value();
    const absl::Time end = EndOf(by_day ? BudgetPeriod::kDay : BudgetPeriod::kMonth, now);
    return static_cast<int>(absl::ToInt64Seconds(end - now)) + 1;
  }
  return 1;
}

HttpResponse Refusal(const HttpRequest& request, const SubmitAnswer& answer, const Work& work,
                     const PoolNames& names) {
  const Decision& decision = *answer.decision;
  const bool over_budget = answer.admission == Admission::kOverBudget;
  ProblemDetails details;
  details.detail = over_budget ? std::string(answer.status.message()) : std::string(kImpossible);
  details.candidates = CandidatesBody(decision, work, names);
  if (over_budget)
    details.retry_after_seconds = UntilBudget(names.snapshot(), work.tenant, decision.at);
  HttpResponse response =
      ProblemAnswer(request, over_budget ? ProblemCode::kBudgetSpent : ProblemCode::kNoCapablePool,
                    std::move(details));
  if (Number(decision.id) != 0) response.headers.Add("x-spillway-decision", ToString(decision.id));
  return response;
}

// The answer to work that was decided on, in full.
HttpResponse Decided(const HttpRequest& request, const SubmitAnswer& answer, const Work& work,
                     const PoolNames& names) {
  if (answer.admission != Admission::kAccepted) return Refusal(request, answer, work, names);
  HttpResponse response = JsonResponse(201, JobBody(*answer.job, names));
  response.headers.Add("Location", LocationOf(answer.job->id));
  if (Number(answer.job->decision) != 0)
    response.headers.Add("x-spillway-decision", ToString(answer.job->decision));
  return response;
}

// Given again, byte for byte.
HttpResponse FromStored(StoredAnswer stored, bool replayed) {
  HttpResponse response;
  response.status = stored.status;
  response.headers.Add("Content-Type",
                       stored.status < 400 ? "application/json" : "application/problem+json");
  if (!stored.location.empty()) response.headers.Add("Location", stored.location);
  if (replayed) response.headers.Add("Idempotency-Replayed", "true");
  response.body = std::move(stored.body);
  return response;
}

HttpResponse NotTaken(const HttpRequest& request, const SubmitAnswer& answer) {
  const std::string words(answer.status.message());
  switch (answer.admission) {
    case Admission::kKeyBusy:
      return ProblemAnswer(request, ProblemCode::kKeyInProgress,
                           ProblemDetails{.detail = words, .retry_after_seconds = 1});
    case Admission::kKeyReused:
      return ProblemAnswer(request, ProblemCode::kKeyReused, words);
    case Admission::kFull:
      return ProblemAnswer(request, ProblemCode::kQueueFull, words);
    default:
      return ProblemFor(request, answer.status);
  }
}

// Bad keys are refused; no key at all is fine.
std::optional<HttpResponse> ReadKey(const HttpRequest& request, Submission& submission) {
  const auto key = request.headers.Find("Idempotency-Key");
  if (!key) return std::nullopt;
  if (key->empty() || key->size() > kLongestKey || request.headers.Count("Idempotency-Key") != 1) {
    return ProblemAnswer(request, ProblemCode::kInvalidParameter,
                         absl::StrCat("Idempotency-Key has ", key->size(),
                                      " characters; one of 1 to ", kLongestKey, " is taken"));
  }
  submission.key =
      IdempotencyKey{std::string(*key), XXH64(request.body.data(), request.body.size(), 0)};
  return std::nullopt;
}

}  // namespace

namespace handle {

Awaitable<HttpAnswer> SubmitJob(Api& api, Call call) {
  Submission submission;
  if (auto refused = ReadKey(call.request, submission)) co_return *std::move(refused);
  Host& host = api.host();
  auto work = WorkOf(call.request.body, call.tenant, *host.snapshot());
  if (!work.ok()) co_return MalformedBody(call.request, work.status());
  submission.work = *std::move(work);
  const std::shared_ptr<const Work> kept = submission.work;
  if (submission.key) {
    call.request.body.clear();
    submission.render = [&host, request = call.request, kept](const SubmitAnswer& answer) {
      HttpResponse response = Decided(request, answer, *kept, PoolNames(host.snapshot()));
      StoredAnswer stored;
      stored.status = response.status;
      stored.body = std::move(response.body);
      stored.location = std::string(response.headers.Get("Location"));
      return stored;
    };
  }
  absl::AnyInvocable<void(Host::Done<SubmitAnswer>)> start =
      [&host, &submission](Host::Done<SubmitAnswer> done) {
        host.Submit(std::move(submission), std::move(done));
      };
  std::optional<SubmitAnswer> answer = co_await Ask<SubmitAnswer>(*call.exchange, std::move(start));
  if (!answer)
    co_return ProblemAnswer(call.request, ProblemCode::kNoAnswer,
                            "the job was not decided in time");
  const bool replayed = answer->admission == Admission::kReplayed;
  if (answer->stored) co_return FromStored(*std::move(answer->stored), replayed);
  if (answer->admission == Admission::kAccepted || answer->admission == Admission::kImpossible ||
      answer->admission == Admission::kOverBudget)
    co_return Decided(call.request, *answer, *kept, PoolNames(host.snapshot()));
  co_return NotTaken(call.request, *answer);
}

Awaitable<HttpAnswer> GetJob(Api& api, Call call) {
  const Params params(call.request, {});
  if (auto refused = params.Refused()) co_return *std::move(refused);
  const auto job = FindJobFor(api, call, call.args[0]);
  if (!job.ok()) co_return ProblemFor(call.request, job.status());
  co_return Tagged(call.request, JobBody(*job, PoolNames(api.host().snapshot())));
}

Awaitable<HttpAnswer> CancelJob(Api& api, Call call) {
  Host& host = api.host();
  const auto found = FindJobFor(api, call, call.args[0]);
  if (!found.ok()) co_return ProblemFor(call.request, found.status());
  if (IsTerminal(found->state))
    co_return JsonResponse(200, JobBody(*found, PoolNames(host.snapshot())));
  absl::AnyInvocable<void(Host::Done<absl::Status>)> start =
      [&host, id = found->id](Host::Done<absl::Status> done) { host.Cancel(id, std::move(done)); };
  const std::optional<absl::Status> status =
      co_await Ask<absl::Status>(*call.exchange, std::move(start));
  if (!status)
    co_return ProblemAnswer(call.request, ProblemCode::kNoAnswer, "not cancelled in time");
  if (!status->ok()) co_return ProblemFor(call.request, *status);
  const auto job = host.archive().FindJob(found->id);
  if (!job.ok()) co_return ProblemFor(call.request, job.status());
  co_return JsonResponse(200, JobBody(*job, PoolNames(host.snapshot())));
}

Awaitable<HttpAnswer> ListJobs(Api& api, Call call) {
  Params params(call.request, {"limit", "after", "order", "state", "pool", "tenant", "name",
                               "watch", "resource_version"});
  JobQuery query;
  ReadJobFilters(params, *api.host().snapshot(), query);
  query.tenant = TenantShown(call, std::move(query.tenant));
  query.limit = params.Limit();
  query.order = params.Order();
  if (const auto after = params.Text("after")) {
    query.after = ParseJobId(*after);
    if (!query.after) params.Refuse("after", absl::StrCat("is `", *after, "`, not a job's id"));
  }
  const bool watch = params.Flag("watch");
  const std::optional<EventNumber> resume = ResumePoint(call.request, params);
  if (auto refused = params.Refused()) co_return *std::move(refused);
  if (watch) {
    WatchOrder order;
    order.query = std::move(query);
    order.after = resume;
    co_return WatchJobs(api, call.request, *call.exchange, std::move(order));
  }
  // Read before the page, so that a watch from here on misses nothing.
  const EventNumber version = api.host().feed().version();
  const auto page = api.host().archive().ListJobs(query);
  if (!page.ok()) co_return ProblemFor(call.request, page.status());
  const PoolNames names(api.host().snapshot());
  std::string body;
  JsonWriter w(body);
  w.BeginObject().Member("object", "list").Key("data").BeginArray();
  for (const Job& job : page->items) WriteJob(w, job, names);
  w.EndArray();
  std::string last;
  if (page->items.empty()) {
    w.NullMember("first_id").NullMember("last_id");
  } else {
    last = ToString(page->items.back().id);
    w.Member("first_id", ToString(page->items.front().id)).Member("last_id", last);
  }
  w.Member("has_more", page->has_more).Member("resource_version", Number(version)).EndObject();
  HttpResponse response = Tagged(call.request, std::move(body));
  if (page->has_more) response.headers.Add("Link", NextLink(call.request, last));
  co_return response;
}

}  // namespace handle
}  // namespace spillway
