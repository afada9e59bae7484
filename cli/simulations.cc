#include <fstream>
#include <iostream>
#include <iterator>
#include <string>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "cli/actions.h"
#include "cli/exit_code.h"
#include "cli/interrupt.h"
#include "cli/job_document.h"
#include "cli/reading.h"
#include "cli/table.h"
#include "core/status.h"
#include "core/text.h"
#include "formats/file_text.h"
#include "formats/json_writer.h"

namespace spillway::cli {
namespace {

constexpr char kPath[] = "/api/v1/simulations";
constexpr absl::Duration kLookAgain = absl::Milliseconds(500);

std::string PathOf(const std::string& id, const char* part = "") {
  return absl::StrCat(kPath, "/", Encoded(id), part);
}
bool IsOver(const Value& simulation) {
  const std::string state = TextAt(simulation, {"state"});
  return state != "queued" && state != "running";
}

// "queued", "running 40 %", "succeeded".
Cell StateOf(const Value& simulation) {
  const std::string state = TextAt(simulation, {"state"});
  const auto done = NumberAt(simulation, {"progress", "done"}),
             total = NumberAt(simulation, {"progress", "total"});
  if (state == "running" && done && total && *total > 0)
    return absl::StrFormat("running %.0f %%", 100 * *done / *total);
  return {state, state == "succeeded" ? Tone::kGood
                 : state == "failed"  ? Tone::kBad
                                      : Tone::kPlain};
}

std::string TookOf(const Value& simulation, absl::Time now) {
  const auto from = TimeAt(simulation, {"started_at"});
  if (!from) return std::string(kUnknown);
  const absl::Time to = TimeAt(simulation, {"finished_at"}).value_or(now);
  return ShowSeconds(absl::ToDoubleSeconds(to - *from));
}

std::string SimulationsTable(const Value::List& simulations, const Screen& screen) {
  const absl::Time now = absl::Now();
  Table table({{"SIMULATION"},
               {"WHAT", Align::kLeft, Squeeze::kCut},
               {"STATE"},
               {"ASKED", Align::kRight},
               {"TOOK", Align::kRight},
               {"VERDICT", Align::kLeft, Squeeze::kWrap}});
  for (const Value& one : simulations) {
    const std::string verdict = TextAt(one, {"verdict"});
    table.Add({{TextAt(one, {"id"}), Tone::kStrong},
               OrDash(TextAt(one, {"name"})),
               StateOf(one),
               {ShowAge(TimeAt(one, {"created_at"}), now), Tone::kDim},
               TookOf(one, now),
               OrDash(verdict.empty() ? TextAt(one, {"error"}) : verdict)});
  }
  return table.empty() ? "no simulation was asked for\n" : table.Render(screen);
}

absl::StatusOr<std::string> TextOf(const std::string& file) {
  if (file != "-") return ReadTextFile(file);
  return std::string(std::istreambuf_iterator<char>(std::cin), {});
}

absl::Status WriteText(JsonWriter& w, const Invocation& args, const char* option, const char* key) {
  if (!args.Has(option)) return absl::OkStatus();
  SPILLWAY_ASSIGN_OR_RETURN(const std::string text, TextOf(std::string(args.Get(option))));
  w.Member(key, text);
  return absl::OkStatus();
}

absl::Status WritePast(JsonWriter& w, const Invocation& args) {
  w.Key("replay").BeginObject();
  for (const auto& [option, key] : {std::pair("--since", "since"), std::pair("--until", "until")}) {
    if (!args.Has(option)) continue;
    const auto instant = Instant(args.Get(option), absl::Now(), -1);
    if (!instant.ok()) return Annotate(instant.status(), option);
    w.Member(key, *instant);
  }
  SPILLWAY_RETURN_IF_ERROR(WriteText(w, args, "--policy", "policy_yaml"));
  SPILLWAY_RETURN_IF_ERROR(WriteText(w, args, "--fleet", "fleet_yaml"));
  SPILLWAY_RETURN_IF_ERROR(WriteText(w, args, "--prices", "prices_yaml"));
  w.EndObject();
  return absl::OkStatus();
}

absl::StatusOr<std::string> OrderOf(const Invocation& args) {
  const int said = (args.Has("--scenario") ? 1 : 0) + (args.Has("--file") ? 1 : 0) +
                   (args.Has("--past") ? 1 : 0);
  if (said != 1)
    return absl::InvalidArgumentError("say one of --scenario NAME, --file FILE and --past");
  for (const char* option : {"--policy", "--fleet", "--prices", "--since", "--until"}) {
    if (args.Has(option) && !args.Has("--past"))
      return absl::InvalidArgumentError(absl::StrCat(option, " goes with --past"));
  }
  std::string body;
  JsonWriter w(body);
  w.BeginObject();
  if (args.Has("--scenario")) w.Member("scenario", args.Get("--scenario"));
  SPILLWAY_RETURN_IF_ERROR(WriteText(w, args, "--file", "scenario_yaml"));
  if (args.Has("--past")) SPILLWAY_RETURN_IF_ERROR(WritePast(w, args));
  if (args.Has("--seeds")) {
    int seeds = 0;
    if (args.Has("--past")) return absl::InvalidArgumentError("--seeds goes with a scenario");
    if (!absl::SimpleAtoi(ToAbsl(args.Get("--seeds")), &seeds))
      return absl::InvalidArgumentError(
          absl::StrCat("--seeds: `", ToAbsl(args.Get("--seeds")), "` is no whole number"));
    w.Member("seeds", seeds);
  }
  w.EndObject();
  return body;
}

// Until it is over; what it found is said, and the exit code says whether it found anything.
int Await(const std::string& id, Api& api, Console& console) {
  CatchInterrupt();
  for (;;) {
    const auto answer = api.Get(PathOf(id));
    if (!answer.ok()) return console.Fail(answer.status());
    if (!answer->ok()) return Report(*answer, console);
    if (!IsOver(answer->body)) {
      Pause(kLookAgain);
      if (!Interrupted()) continue;
      console.Complain(absl::StrCat(id, " goes on: spillway simulations ", id));
      return kExitDetached;
    }
    const bool found = TextAt(answer->body, {"state"}) == "succeeded";
    if (!console.for_people())
      console.Print(answer->body);
    else if (found)
      console.out << TextAt(answer->body, {"verdict"}) << "\n";
    else
      console.Complain(absl::StrCat(id, " ", TextAt(answer->body, {"state"}), ": ",
                                    OrDash(TextAt(answer->body, {"error"}))));
    return found ? kExitOk : kExitNegative;
  }
}

}  // namespace

int ShowSimulations(const Invocation& args, Api& api, Console& console) {
  const bool one = !args.operands.empty();
  const auto answer = api.Get(one ? PathOf(args.operands.front()) : std::string(kPath));
  if (!answer.ok()) return console.Fail(answer.status());
  if (!answer->ok()) return Report(*answer, console);
  if (!console.for_people()) {
    console.Print(answer->body);
    return kExitOk;
  }
  console.out << SimulationsTable(one ? Value::List{answer->body} : ListAt(answer->body, {"data"}),
                                  console.screen);
  if (one) console.out << "By hand: " << TextAt(answer->body, {"command"}) << "\n";
  return kExitOk;
}

int StartSimulation(const Invocation& args, Api& api, Console& console) {
  const auto order = OrderOf(args);
  if (!order.ok()) return console.Fail(order.status());
  const auto answer = api.Send(Method::kPost, kPath, *order);
  if (!answer.ok()) return console.Fail(answer.status());
  if (!answer->ok()) return Report(*answer, console);
  const std::string id = TextAt(answer->body, {"id"});
  const bool wait = args.Has("--wait");
  if (console.for_people())
    (wait ? console.err : console.out) << id << "\n" << std::flush;
  else if (!wait)
    console.Print(answer->body);
  return wait ? Await(id, api, console) : kExitOk;
}

int CancelSimulations(const Invocation& args, Api& api, Console& console) {
  int code = kExitOk;
  for (const std::string& id : args.operands) {
    const auto answer = api.Send(Method::kPost, PathOf(id, "/cancel"));
    if (!answer.ok()) return console.Fail(answer.status());
    if (!answer->ok()) {
      code = Report(*answer, console);
      continue;
    }
    // A running one ends soon after.
    if (!console.for_people())
      console.Print(answer->body);
    else
      console.err << id << " is "
                  << (IsOver(answer->body) ? TextAt(answer->body, {"state"}) : "being cancelled")
                  << "\n";
  }
  return code;
}

int FetchSimulation(const Invocation& args, Api& api, Console& console) {
  const bool figures = args.Has("--results");
  if (!figures && args.Has("--output") && !console.for_people())
    return console.Fail(absl::InvalidArgumentError(
        "--output: the report is HTML in every case; --results fetches its figures"));
  std::string text;
  const auto answer = api.Stream(PathOf(args.operands.front(), figures ? "/results" : "/report"),
                                 [&](std::string_view part) {
                                   text.append(part);
                                   return true;
                                 });
  if (!answer.ok()) return console.Fail(answer.status());
  if (!answer->ok()) return Report(*answer, console);
  if (!args.Has("--out") && figures) return console.PrintJson(text);
  if (!args.Has("--out")) {
    console.out << text;
    return kExitOk;
  }
  const std::string path(args.Get("--out"));
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  file << text;
  if (!file.flush())
    return console.Fail(absl::UnavailableError(absl::StrCat("cannot write ", path)));
  return kExitOk;
}

}  // namespace spillway::cli
