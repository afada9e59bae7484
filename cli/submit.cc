#include <fstream>
#include <iostream>
#include <thread>

#include "absl/strings/str_cat.h"
#include "cli/actions.h"
#include "cli/exit_code.h"
#include "cli/explain_table.h"
#include "cli/interrupt.h"
#include "cli/job_document.h"
#include "cli/jobs_table.h"
#include "cli/reading.h"
#include "cli/watch.h"
#include "core/status.h"

namespace spillway::cli {
namespace {

constexpr int kTries = 4;

// A key that nobody else has: what repeats a submission after a lost connection must be the same.
absl::StatusOr<std::string> RandomKey() {
  unsigned char bytes[16];
  std::ifstream source("/dev/urandom", std::ios::binary);
  if (!source.read(reinterpret_cast<char*>(bytes), sizeof bytes))
    return absl::InternalError("cannot read /dev/urandom");
  std::string key = "cli-";
  for (const unsigned char byte : bytes) absl::StrAppend(&key, absl::Hex(byte, absl::kZeroPad2));
  return key;
}

absl::StatusOr<Answer> Post(const Invocation& args, Api& api, const Value& job) {
  std::string key(args.Get("--key"));
  if (key.empty()) {
    SPILLWAY_ASSIGN_OR_RETURN(key, RandomKey());
  }
  for (int tried = 1;; ++tried) {
    auto answer =
        api.Send(Method::kPost, "/api/v1/jobs", WriteJson(job), {{"Idempotency-Key", key}});
    const bool lost =
        absl::IsUnavailable(answer.status()) || absl::IsDeadlineExceeded(answer.status());
    // An old connection refused at once is no server at all; one that broke may have been heard.
    if (!lost || tried == kTries) return answer;
    Pause(absl::Milliseconds(100) * (1 << tried));
    if (Interrupted()) return answer;
  }
}

// 422: well formed, but no pool could ever do it. The reasons are the answer.
int Refused(const Answer& answer, const Source& source, Console& console) {
  if (!console.for_people()) {
    console.Print(answer.body);
    return kExitNegative;
  }
  const int code = Report(answer, source, console);
  if (const auto& candidates = ListAt(answer.body, {"candidates"}); !candidates.empty())
    console.out << "\n" << CandidatesTable(candidates, console.screen, console.wide());
  return code;
}

int NotTaken(const Answer& answer, const Source& source, Console& console) {
  return answer.status == 422 ? Refused(answer, source, console) : Report(answer, source, console);
}

int ShowEnd(const Value& job, Console& console) {
  const bool succeeded = TextAt(job, {"state"}) == "succeeded";
  if (!console.for_people()) {
    console.Print(job);
  } else {
    console.err << console.error_screen.Paint(succeeded ? Tone::kGood : Tone::kBad,
                                              TextAt(job, {"id"}))
                << " " << DescribeEnd(job) << "\n";
  }
  return succeeded ? kExitOk : kExitNegative;
}

int Watch(const Value& submitted, bool follow, Api& api, Console& console) {
  CatchInterrupt();
  const std::string id = TextAt(submitted, {"id"});
  std::vector<std::thread> followers;
  absl::Status read[2];
  if (follow) {
    followers.emplace_back(
        [&] { read[0] = FollowOutput(api.server(), id, "stdout", console.out); });
    followers.emplace_back(
        [&] { read[1] = FollowOutput(api.server(), id, "stderr", console.err); });
  }
  Console quiet = console;
  if (follow) quiet.error_screen.live = false;  // its output and a moving line do not go together
  const auto job = WaitForEnd(api, id, quiet);
  if (Interrupted() && (!job.ok() || !IsOver(*job))) {
    console.err << "\n"
                << id << " goes on. Look again: spillway jobs " << id
                << ", or end it: spillway cancel " << id << "\n";
    console.out.flush();
    console.err.flush();
    _Exit(kExitDetached);  // followers may wait for output that does not come
  }
  for (std::thread& follower : followers) follower.join();
  if (!job.ok()) return console.Fail(job.status());
  for (const absl::Status& status : read) {
    if (!status.ok())
      console.Warn(absl::StrCat("some output could not be shown: ", status.message()));
  }
  return ShowEnd(*job, console);
}

int DryRun(const Value& job, const std::string& file, Api& api, Console& console) {
  const auto answer = api.Send(Method::kPost, "/api/v1/decisions:dry-run", WriteJson(job));
  if (!answer.ok()) return console.Fail(answer.status());
  if (!answer->ok()) return NotTaken(*answer, {file, job}, console);
  if (console.for_people())
    console.out << ExplainTable(answer->body, console.screen, console.wide());
  else
    console.Print(answer->body);
  return TextAt(answer->body, {"outcome"}) == "refused" ? kExitNegative : kExitOk;
}

}  // namespace

int SubmitJob(const Invocation& args, Api& api, Console& console) {
  const std::string file = args.operands.empty() ? "" : args.operands.front();
  const auto job = JobDocument(args, file, absl::Now());
  if (!job.ok()) return console.Fail(job.status());
  if (args.Has("--dry-run")) return DryRun(*job, file, api, console);

  const auto answer = Post(args, api, *job);
  if (!answer.ok()) return console.Fail(answer.status());
  if (!answer->ok()) return NotTaken(*answer, {file, *job}, console);

  const bool follow = args.Has("--follow"), wait = follow || args.Has("--wait");
  const std::string id = TextAt(answer->body, {"id"});
  if (console.for_people())
    (follow ? console.err : console.out) << id << "\n" << std::flush;
  else if (!wait)
    console.Print(answer->body);
  return wait ? Watch(answer->body, follow, api, console) : kExitOk;
}

int ExplainDecision(const Invocation& args, Api& api, Console& console) {
  const std::string operand = args.operands.empty() ? "" : args.operands.front();
  if (args.Has("--dry-run") || !args.command_line.empty()) {
    const auto job = JobDocument(args, operand, absl::Now());
    return job.ok() ? DryRun(*job, operand, api, console) : console.Fail(job.status());
  }
  if (operand.empty())
    return console.Fail(absl::InvalidArgumentError("name a job or a decision, or use --dry-run"));
  std::string decision = operand;
  if (!decision.starts_with("dec-") && !decision.starts_with("req-")) {
    const auto job = api.Get(absl::StrCat("/api/v1/jobs/", Encoded(operand)));
    if (!job.ok()) return console.Fail(job.status());
    if (!job->ok()) return Report(*job, console);
    decision = TextAt(job->body, {"decision"});
  }
  const auto answer = api.Get(absl::StrCat("/api/v1/decisions/", Encoded(decision)));
  if (!answer.ok()) return console.Fail(answer.status());
  if (!answer->ok()) return Report(*answer, console);
  if (console.for_people())
    console.out << ExplainTable(answer->body, console.screen, console.wide());
  else
    console.Print(answer->body);
  return kExitOk;
}

}  // namespace spillway::cli
