#include "cli/run.h"

#include "absl/strings/str_cat.h"
#include "cli/actions.h"
#include "cli/exit_code.h"
#include "core/status.h"
#include "core/text.h"

namespace spillway::cli {
namespace {

using ServerAction = int (*)(const Invocation&, Api&, Console&);
using LocalAction = int (*)(const Invocation&, Console&);

// What does which command. A test holds that every command of the table stands here.
struct Binding {
  std::string_view path;
  ServerAction there = nullptr;
  LocalAction here = nullptr;
};
constexpr Binding kBindings[] = {
    {"serve", nullptr, Serve},
    {"engine", nullptr, RunEngine},
    {"simulate", nullptr, Simulate},
    {"simulations", ShowSimulations},
    {"simulations start", StartSimulation},
    {"simulations cancel", CancelSimulations},
    {"simulations report", FetchSimulation},
    {"submit", SubmitJob},
    {"jobs", ShowJobs},
    {"logs", ShowLogs},
    {"cancel", CancelJobs},
    {"explain", ExplainDecision},
    {"pools", ShowPools},
    {"pools cordon", SetPoolState},
    {"pools drain", SetPoolState},
    {"pools resume", SetPoolState},
    {"policy get", GetPolicy},
    {"policy put", PutPolicy},
    {"policy check", CheckPolicyThere, CheckPolicyHere},
    {"check config", nullptr, CheckConfig},
    {"costs", ShowCosts},
    {"costs export", ExportCosts},
    {"prices list", ListPricesThere, ListPricesHere},
    {"prices check", nullptr, CheckPrices},
    {"ledger", ShowLedger},
    {"top", ShowTop},
    {"doctor", ShowDoctor},
    {"completion", nullptr, ShowCompletion},
    {"version", nullptr, ShowVersion},
    {"help", nullptr, ShowHelp},
    {"supervise", nullptr, Supervise},
};

const Binding* BindingOf(std::string_view path) {
  for (const Binding& binding : kBindings) {
    if (binding.path == path) return &binding;
  }
  return nullptr;
}

std::string FirstOf(std::string_view given, const std::string& environment,
                    std::string_view otherwise) {
  if (!given.empty()) return std::string(given);
  return environment.empty() ? std::string(otherwise) : environment;
}

int Dispatch(const Invocation& args, const std::string& server, Console& console) {
  const Binding* binding = BindingOf(args.command->path);
  if (!binding) return console.Fail(absl::InternalError("this command does nothing"));
  // `policy check` and `prices list` need no controller if they are told the fleet.
  if (binding->here && (!binding->there || args.Has("--config")))
    return binding->here(args, console);
  auto api = Api::For(server);
  if (!api.ok()) return console.Fail(api.status());
  return binding->there(args, *api, console);
}

// A format that was asked for and that this command does not have. What $SPILLWAY_OUTPUT says is a
// wish in general.
absl::Status CheckFormat(const Invocation& args, const Console& console) {
  if (args.command->prints_documents || console.for_people() || !args.Has("--output"))
    return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat("--output: `spillway ", ToAbsl(args.command->path),
                                                 "` prints text, which has no other format"));
}

int Run(const std::vector<std::string>& words, const Surroundings& around, Console& console) {
  const auto args = ParseCommandLine(words);
  if (!args.ok()) return console.Fail(args.status());

  const std::string colour = FirstOf(args->Get("--color"), "", "auto");
  const auto wish = ParseColourWish(colour);
  if (!wish)
    return console.Fail(absl::InvalidArgumentError(
        absl::StrCat("--color: `", colour, "` is none of auto, always, never")));
  console.screen = around.screen_of(1, *wish);
  console.error_screen = around.screen_of(2, *wish);

  const std::string output =
      FirstOf(args->Get("--output"), around.environment("SPILLWAY_OUTPUT"), "table");
  const auto format = ParseFormat(output);
  if (!format)
    return console.Fail(absl::InvalidArgumentError(
        absl::StrCat("--output: `", output, "` is none of table, wide, json, yaml, name")));
  console.format = *format;

  if (args->Has("--help") || words.empty()) {
    Invocation help;
    help.command = FindCommand("help");
    if (args->command != help.command) help.operands = {std::string(args->command->path)};
    const int code = ShowHelp(help, console);
    return words.empty() ? kExitUsage : code;
  }
  if (const absl::Status fits = CheckFormat(*args, console); !fits.ok()) return console.Fail(fits);
  const std::string server = FirstOf(args->Get("--server"), around.environment("SPILLWAY_SERVER"),
                                     "http://127.0.0.1:8080");
  return Dispatch(*args, server, console);
}

}  // namespace

int RunProgram(const std::vector<std::string>& words, const Surroundings& around) {
  Console console{around.out, around.err, around.screen_of(1, ColourWish::kAuto),
                  around.screen_of(2, ColourWish::kAuto)};
  const int code = Run(words, around, console);
  if (around.out.flush()) return code;
  // `spillway jobs | head` has what it wanted; anybody else must hear that this is not all.
  if (!around.reader_left || !around.reader_left())
    console.Complain("what was printed could not be written to standard output");
  return code == kExitOk ? kExitUnwritten : code;
}

}  // namespace spillway::cli
