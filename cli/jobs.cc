#include <algorithm>
#include <iostream>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "cli/actions.h"
#include "cli/exit_code.h"
#include "cli/interrupt.h"
#include "cli/jobs_table.h"
#include "cli/reading.h"
#include "cli/watch.h"
#include "core/status.h"
#include "core/text.h"

namespace spillway::cli {
namespace {

constexpr int kPageSize = 100;

std::string Filters(const Invocation& args) {
  std::string query;
  for (const std::string& state : args.All("--state"))
    absl::StrAppend(&query, "&state=", Encoded(state));
  if (args.Has("--pool")) absl::StrAppend(&query, "&pool=", Encoded(args.Get("--pool")));
  if (args.Has("--name")) absl::StrAppend(&query, "&name=", Encoded(args.Get("--name")));
  return query;
}

// A list, page by page, until `limit` items were read (0: all). `problem` is set if the server
// reports one.
absl::StatusOr<Answer> ReadList(Api& api, const std::string& path, const std::string& filters,
                                int limit) {
  absl::StatusOr<Answer> all = absl::InternalError("no page");
  for (std::string after;;) {
    const int have = all.ok() ? static_cast<int>(ListAt(all->body, {"data"}).size()) : 0;
    const int want = limit == 0 ? kPageSize : std::min(kPageSize, limit - have);
    auto page = api.Get(absl::StrCat(path, "?limit=", want, filters, after));
    if (!page.ok() || !page->ok()) return page;
    const bool more = FlagAt(page->body, {"has_more"});
    const std::string last = TextAt(page->body, {"last_id"});
    const std::size_t got = ListAt(page->body, {"data"}).size();
    if (!all.ok()) {
      all = std::move(page);
    } else {
      for (const Value& item : ListAt(page->body, {"data"})) all->body.Find("data")->Append(item);
      all->body.Set("last_id", Value::MakeString(last));
      all->body.Set("has_more", Value::MakeBool(more));
    }
    if (!more || got == 0 || (limit != 0 && have + static_cast<int>(got) >= limit)) return all;
    after = absl::StrCat("&after=", Encoded(last));
  }
}

absl::StatusOr<int> LimitOf(const Invocation& args) {
  int limit = 20;
  if (args.Has("--limit") && (!absl::SimpleAtoi(ToAbsl(args.Get("--limit")), &limit) || limit < 0))
    return absl::InvalidArgumentError(
        absl::StrCat("--limit: `", ToAbsl(args.Get("--limit")), "` is not a whole number from 0"));
  return limit;
}

int ShowOne(const std::string& id, Api& api, Console& console) {
  const auto job = api.Get(absl::StrCat("/api/v1/jobs/", Encoded(id)));
  if (!job.ok()) return console.Fail(job.status());
  if (!job->ok()) return Report(*job, console);
  if (console.for_people())
    console.out << JobPage(job->body, absl::Now(), console.screen);
  else
    console.Print(job->body);
  return kExitOk;
}

// Jobs with the decisions that placed them, and what was refused beside them: in order of time.
int ShowWhy(const Invocation& args, const Value& jobs, int limit, Api& api, Console& console) {
  std::vector<Reasoned> all;
  for (const Value& job : ListAt(jobs, {"data"})) {
    auto decision = api.Get(absl::StrCat("/api/v1/decisions/", Encoded(TextAt(job, {"decision"}))));
    if (!decision.ok()) return console.Fail(decision.status());
    if (!decision->ok()) return Report(*decision, console);
    all.push_back({job, std::move(decision->body)});
  }
  if (Filters(args).empty()) {
    const auto refused = ReadList(api, "/api/v1/decisions", "&outcome=refused", limit);
    if (!refused.ok()) return console.Fail(refused.status());
    if (!refused->ok()) return Report(*refused, console);
    for (const Value& decision : ListAt(refused->body, {"data"}))
      all.push_back({Value(), decision});
  }
  const auto when = [](const Reasoned& one) {
    return TimeAt(one.job.is_null() ? one.decision : one.job,
                  {one.job.is_null() ? "at" : "created_at"})
        .value_or(absl::InfinitePast());
  };
  std::stable_sort(all.begin(), all.end(), [&](const Reasoned& a, const Reasoned& b) {
    return when(a) != when(b) ? when(a) < when(b) : TextAt(a.job, {"id"}) < TextAt(b.job, {"id"});
  });
  console.out << WhyTable(all, console.screen);
  return kExitOk;
}

}  // namespace

int ShowJobs(const Invocation& args, Api& api, Console& console) {
  if (!args.operands.empty()) return ShowOne(args.operands.front(), api, console);
  const auto limit = LimitOf(args);
  if (!limit.ok()) return console.Fail(limit.status());
  const auto jobs = ReadList(api, "/api/v1/jobs", Filters(args), *limit);
  if (!jobs.ok()) return console.Fail(jobs.status());
  if (!jobs->ok()) return Report(*jobs, console);
  if (!console.for_people()) {
    console.Print(jobs->body);
    return kExitOk;
  }
  if (args.Has("--why")) return ShowWhy(args, jobs->body, *limit, api, console);
  const auto& data = ListAt(jobs->body, {"data"});
  if (data.empty()) {
    console.err << "no jobs\n";
    return kExitOk;
  }
  console.out << JobsTable(data, absl::Now(), console.screen, console.wide());
  if (FlagAt(jobs->body, {"has_more"})) console.Say("there are more: --limit 0 shows all");
  return kExitOk;
}

int ShowLogs(const Invocation& args, Api& api, Console& console) {
  const std::string& id = args.operands.front();
  const std::string_view stream = args.Has("--stderr") ? "stderr" : "stdout";
  if (args.Has("--follow")) {
    const absl::Status followed = FollowOutput(api.server(), id, stream, console.out);
    return followed.ok() ? kExitOk : console.Fail(followed);
  }
  const auto answer =
      api.Stream(absl::StrCat("/api/v1/jobs/", Encoded(id), "/logs?stream=", ToAbsl(stream)),
                 [&](std::string_view bytes) {
                   console.out << bytes;
                   return console.out.good();
                 });
  if (!answer.ok()) return console.Fail(answer.status());
  return answer->ok() ? kExitOk : Report(*answer, console);
}

int CancelJobs(const Invocation& args, Api& api, Console& console) {
  int code = kExitOk;
  for (const std::string& id : args.operands) {
    const auto answer =
        api.Send(Method::kPost, absl::StrCat("/api/v1/jobs/", Encoded(id), "/cancel"));
    if (!answer.ok()) return console.Fail(answer.status());
    if (!answer->ok()) {
      code = Report(*answer, console);
      continue;
    }
    Value job = answer->body;
    if (args.Has("--wait")) {
      CatchInterrupt();
      auto ended = WaitForEnd(api, id, console);
      if (!ended.ok()) return console.Fail(ended.status());
      job = *std::move(ended);
    }
    if (!console.for_people())
      console.Print(job);
    else
      console.err << id
                  << (IsOver(job) ? absl::StrCat(" is over: ", DescribeEnd(job))
                                  : " is being cancelled")
                  << "\n";
  }
  return code;
}

}  // namespace spillway::cli
