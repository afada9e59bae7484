#include <algorithm>
#include <filesystem>
#include <ostream>
#include <thread>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "cli/actions.h"
#include "cli/catalog_folder.h"
#include "cli/exit_code.h"
#include "cli/interrupt.h"
#include "cli/progress.h"
#include "cli/replay.h"
#include "cli/table.h"
#include "cli/this_host.h"
#include "core/status.h"
#include "formats/catalog_file.h"
#include "formats/scenario_file.h"
#include "simulator/break_even_words.h"
#include "simulator/experiment.h"
#include "simulator/results_file.h"

namespace spillway::cli {
namespace {

absl::StatusOr<int> Count(const Invocation& args, std::string_view option, int otherwise,
                          int most) {
  const std::string text(args.Get(option));
  if (text.empty()) return otherwise;
  int value = 0;
  if (absl::SimpleAtoi(text, &value) && value >= 0 && value <= most) return value;
  return absl::InvalidArgumentError(
      absl::StrCat(ToAbsl(option), ": `", text, "` is no whole number from 0 to ", most));
}

// What makes these results again: nothing that does not change them.
std::string CommandLineOf(const std::string& file, const std::string& library,
                          const std::string& folder, int seeds) {
  return absl::StrCat("spillway simulate ", file, library.empty() ? "" : " --library ", library,
                      " -o ", folder, " --seeds ", seeds);
}

struct Wanted {
  std::string file, library, folder;
  Progress::Form progress = Progress::Form::kBar;
  int jobs = 1;
  ScenarioSpec scenario;
  Catalog catalog;
};

absl::StatusOr<Wanted> Read(const Invocation& args, Console& console) {
  Wanted wanted{.file = args.operands.front(),
                .library = std::string(args.Get("--library")),
                .folder = std::string(args.Get("--out"))};
  SPILLWAY_ASSIGN_OR_RETURN(wanted.progress, ProgressForm(args.Get("--progress")));
  if (wanted.folder.empty())
    return absl::InvalidArgumentError("-o DIR is missing: the folder that the results go to");
  std::error_code ignored;
  if (std::filesystem::exists(wanted.folder, ignored) &&
      !std::filesystem::is_directory(wanted.folder, ignored))
    return absl::InvalidArgumentError(absl::StrCat("-o ", wanted.folder, ": it is not a folder"));
  SPILLWAY_ASSIGN_OR_RETURN(const std::string folder,
                            CatalogFolder(std::string(args.Get("--catalog"))));
  SPILLWAY_ASSIGN_OR_RETURN(wanted.catalog, LoadCatalog(folder));
  std::vector<std::string> warnings;
  SPILLWAY_ASSIGN_OR_RETURN(
      wanted.scenario,
      LoadScenario(wanted.file, wanted.catalog, MachineHere(), &warnings, wanted.library));
  for (const std::string& warning : warnings) console.Warn(warning);
  const int cpus = std::max(static_cast<int>(MachineHere().cpus.value() / 1000), 1);
  SPILLWAY_ASSIGN_OR_RETURN(wanted.jobs, Count(args, "--jobs", cpus, 1024));
  wanted.jobs = std::max(wanted.jobs, 1);
  SPILLWAY_ASSIGN_OR_RETURN(wanted.scenario.seeds,
                            Count(args, "--seeds", wanted.scenario.seeds, 1000));
  if (wanted.scenario.seeds < 1)
    return absl::InvalidArgumentError("--seeds: at least one run of each is wanted");
  SPILLWAY_ASSIGN_OR_RETURN(const int bad_rows, Count(args, "--skip-bad-rows", 0, 1'000'000'000));
  for (WorkloadSpec& workload : wanted.scenario.workloads) {
    for (PartSpec& part : workload.parts) {
      auto* trace = std::get_if<TraceSpec>(&part.arrivals);
      if (trace != nullptr && bad_rows > 0) trace->skip_bad_rows = bad_rows;
    }
  }
  return wanted;
}

// Either a scenario or a controller's past, and to each its own options.
absl::Status CheckWords(const Invocation& args) {
  const bool replays = !args.Get("--replay").empty();
  if (replays && !args.operands.empty())
    return absl::InvalidArgumentError("either a SCENARIO or --replay STATE_DIR, not both");
  if (!replays && args.operands.empty())
    return absl::InvalidArgumentError(
        "what shall be simulated? give a SCENARIO, or --replay "
        "STATE_DIR");
  const std::vector<const char*> others =
      replays ? std::vector<const char*>{"--seeds", "--jobs", "--skip-bad-rows", "--library"}
              : std::vector<const char*>{"--policy", "--fleet", "--prices", "--since", "--until"};
  for (const char* option : others) {
    if (args.Get(option).empty()) continue;
    return absl::InvalidArgumentError(
        absl::StrCat(option, replays ? " goes with a SCENARIO" : " goes with --replay STATE_DIR"));
  }
  return absl::OkStatus();
}

// All that can go wrong with what a person gave is the same to a script: exit code 2.
int FailAsInput(const absl::Status& status, Console& console) {
  const int code = console.Fail(status);
  return absl::IsInternal(status) ? code : kExitUsage;
}

// Paragraphs, within the width of a terminal; what goes on in the next line is indented.
void Paragraph(Console& console, std::string_view text, int indent, Tone tone = Tone::kPlain) {
  const int width = console.screen.width;
  const std::string line(text);
  if (width == 0) {
    console.out << line << "\n";
    return;
  }
  const auto lines = WrapWords(line, width - indent);
  for (std::size_t i = 0; i < lines.size(); ++i) {
    console.out << std::string(i == 0 ? 0 : static_cast<std::size_t>(indent), ' ')
                << console.screen.Paint(tone, lines[i]) << "\n";
  }
}

void Tell(const ExperimentOutcome& outcome, Console& console) {
  Paragraph(console, outcome.verdict, 0, Tone::kStrong);
  console.out << "\n";
  if (outcome.verdicts.size() > 1) {
    for (const WorkloadVerdict& verdict : outcome.verdicts)
      Paragraph(console, absl::StrCat(verdict.workload, ": ", verdict.words), 2);
    console.out << "\n";
  }
  console.out << ResultTable(outcome, console.screen.width) << "\n";
  const std::vector<std::string> lines = VariationLines(outcome);
  for (const std::string& line : lines) Paragraph(console, line, 2);
  if (!lines.empty()) console.out << "\n";
  for (const std::string& note : outcome.notes) Paragraph(console, "Note: " + note, 6);
}

}  // namespace

int Simulate(const Invocation& args, Console& console) {
  if (const absl::Status status = CheckWords(args); !status.ok())
    return FailAsInput(status, console);
  if (!args.Get("--replay").empty()) return Replay(args, console);
  const auto wanted = Read(args, console);
  if (!wanted.ok()) return FailAsInput(wanted.status(), console);
  const auto is_new = PrepareFolder(wanted->folder);
  if (!is_new.ok()) return FailAsInput(is_new.status(), console);
  CatchInterrupt();
  absl::StatusOr<ExperimentOutcome> outcome;
  {
    Progress progress(console, wanted->progress);
    outcome = RunExperiment(
        wanted->scenario, wanted->catalog,
        {.jobs = wanted->jobs,
         .on_progress = [&](int done, int all) { progress.Show(done, all, "runs"); },
         .on_sizing =
             [&](const std::string& fleet, const std::string& workload) {
               progress.Say(absl::StrCat("sizing the fleet ", fleet, " for ", workload));
             },
         .cancelled = [] { return Interrupted(); }});
    if (outcome.ok()) progress.Conclude(outcome->verdict);
  }
  if (!outcome.ok()) {
    std::error_code ignored;
    if (*is_new) std::filesystem::remove(wanted->folder, ignored);  // if it is empty
    if (!absl::IsCancelled(outcome.status())) return FailAsInput(outcome.status(), console);
    console.Complain("interrupted: nothing was written");
    return kExitDetached;
  }
  const std::string command =
      CommandLineOf(wanted->file, wanted->library, wanted->folder, wanted->scenario.seeds);
  const absl::Status written = WriteResults(*outcome, wanted->scenario, command, wanted->folder);
  if (!written.ok()) {
    std::error_code ignored;
    if (*is_new) std::filesystem::remove(wanted->folder, ignored);
    return FailAsInput(written, console);
  }
  if (!console.for_people()) return console.PrintJson(ResultsJson(*outcome, wanted->scenario));
  Tell(*outcome, console);
  console.out << "Report: " << wanted->folder << "/report.html\n";
  return kExitOk;
}

}  // namespace spillway::cli
