#include "cli/replay.h"

#include <sys/stat.h>

#include <filesystem>
#include <memory>
#include <optional>
#include <ostream>
#include <system_error>
#include <utility>

#include "absl/strings/str_cat.h"
#include "cli/catalog_folder.h"
#include "cli/exit_code.h"
#include "cli/interrupt.h"
#include "cli/progress.h"
#include "cli/this_host.h"
#include "controller/store/log_reader.h"
#include "core/status.h"
#include "core/text.h"
#include "formats/catalog_file.h"
#include "formats/config_file.h"
#include "formats/file_text.h"
#include "formats/policy_text.h"
#include "formats/units.h"
#include "simulator/replay/past.h"
#include "simulator/replay/redecide.h"
#include "simulator/replay/replay_report.h"
#include "simulator/replay/rerun.h"
#include "simulator/results_file.h"

namespace spillway::cli {
namespace {

// The store's reader as the simulator wants it: the two hosts do not know each other.
class LogOfState final : public RecordedLog {
 public:
  explicit LogOfState(std::unique_ptr<LogReader> reader) : reader_(std::move(reader)) {
    const LogReader::Contents& contents = reader_->contents();
    extent_.first = contents.first;
    extent_.last = contents.last;
    extent_.pools = contents.pools;
    for (const LogReader::Epoch& epoch : contents.epochs)
      extent_.epochs.push_back({epoch.number, epoch.event, epoch.at});
  }
  const LogExtent& extent() const override { return extent_; }
  absl::StatusOr<std::vector<Event>> Events(EventNumber from) override {
    return reader_->Events(from);
  }
  absl::StatusOr<std::vector<std::shared_ptr<const Decision>>> Decisions(
      DecisionId after) override {
    return reader_->Decisions(after);
  }
  absl::StatusOr<std::shared_ptr<const RouterInputs>> FindRouterInputs(EventNumber id) override {
    return reader_->FindRouterInputs(id);
  }
  absl::StatusOr<bool> Keeps(JobId job) override { return reader_->Keeps(job); }

 private:
  std::unique_ptr<LogReader> reader_;
  LogExtent extent_;
};

// The folder's database, or the database itself.
absl::StatusOr<std::string> DatabaseOf(const std::string& state) {
  std::error_code ignored;
  if (std::filesystem::is_regular_file(state, ignored)) return state;
  if (!std::filesystem::is_directory(state, ignored))
    return absl::NotFoundError(absl::StrCat("--replay ", state, ": there is no such folder"));
  const std::string path = absl::StrCat(state, "/", ServerSpec().sqlite);
  if (std::filesystem::exists(path, ignored)) return path;
  return absl::NotFoundError(
      absl::StrCat("--replay ", state, ": there is no ", ServerSpec().sqlite,
                   " in it; is it a controller's --state? (a database of another name can be given "
                   "itself)"));
}

absl::Status CheckOut(const std::string& folder) {
  if (folder.empty())
    return absl::InvalidArgumentError("-o DIR is missing: the folder that the results go to");
  std::error_code ignored;
  if (std::filesystem::exists(folder, ignored) && !std::filesystem::is_directory(folder, ignored))
    return absl::InvalidArgumentError(absl::StrCat("-o ", folder, ": it is not a folder"));
  return absl::OkStatus();
}

absl::StatusOr<ReplayChange> ReadChange(const Invocation& args, const Config* recorded) {
  ReplayChange change;
  change.policy_file = std::string(args.Get("--policy"));
  change.fleet_file = std::string(args.Get("--fleet"));
  change.prices_file = std::string(args.Get("--prices"));
  if (!change.policy_file.empty()) {
    SPILLWAY_ASSIGN_OR_RETURN(const std::string text, ReadTextFile(change.policy_file));
    SPILLWAY_ASSIGN_OR_RETURN(change.policy, ParsePolicy(text, change.policy_file));
  }
  if (!change.fleet_file.empty()) {
    const std::string said(args.Get("--catalog"));
    Catalog catalog;
    if (recorded != nullptr && said.empty()) {
      catalog = recorded->catalog;
    } else {
      SPILLWAY_ASSIGN_OR_RETURN(const std::string folder, CatalogFolder(said));
      SPILLWAY_ASSIGN_OR_RETURN(catalog, LoadCatalog(folder));
    }
    SPILLWAY_ASSIGN_OR_RETURN(LoadedConfig loaded,
                              LoadConfig(change.fleet_file, catalog, MachineHere()));
    change.fleet = std::move(loaded.config);
  }
  if (!change.prices_file.empty()) {
    const FleetSpec empty;
    const FleetSpec& fleet = change.fleet ? change.fleet->fleet
                             : recorded   ? recorded->fleet
                                          : empty;
    SPILLWAY_ASSIGN_OR_RETURN(const std::string text, ReadTextFile(change.prices_file));
    SPILLWAY_ASSIGN_OR_RETURN(change.prices, ParsePrices(text, fleet, change.prices_file));
  }
  return change;
}

std::string CommandLineOf(const Invocation& args) {
  std::string line = "spillway simulate";
  for (const char* option : {"--replay", "--since", "--until", "--policy", "--fleet", "--prices"}) {
    if (!args.Get(option).empty())
      absl::StrAppend(&line, " ", option, " ", ToAbsl(args.Get(option)));
  }
  return absl::StrCat(line, " -o ", ToAbsl(args.Get("--out")));
}

// All that can go wrong with what a person gave is the same to a script: exit code 2.
int FailAsInput(const absl::Status& status, Console& console) {
  if (absl::IsCancelled(status)) {
    console.Complain("interrupted: nothing was written");
    return kExitDetached;
  }
  const int code = console.Fail(status);
  return absl::IsInternal(status) ? code : kExitUsage;
}

// A whole hour, as the ledger's rows are.
absl::Status ReadHour(const Invocation& args, const char* option, absl::Time& out) {
  const std::string said(args.Get(option));
  if (said.empty()) return absl::OkStatus();
  const auto time = ParseTime(said);
  if (!time.ok()) return Annotate(time.status(), option);
  const absl::Duration since = *time - absl::UnixEpoch();
  if (absl::Floor(since, absl::Hours(1)) != since)
    return absl::InvalidArgumentError(
        absl::StrCat(option, ": `", said, "` is no whole hour, like 2026-08-01T13:00:00Z"));
  out = *time;
  return absl::OkStatus();
}
absl::StatusOr<PastWindow> ReadWindow(const Invocation& args) {
  PastWindow window;
  SPILLWAY_RETURN_IF_ERROR(ReadHour(args, "--since", window.since));
  SPILLWAY_RETURN_IF_ERROR(ReadHour(args, "--until", window.until));
  if (window.since >= window.until)
    return absl::InvalidArgumentError("--since is not before --until: nothing lies between them");
  return window;
}

struct Replayed {
  Redecided redecided;
  absl::StatusOr<Rerun> rerun = absl::NotFoundError("");
};

absl::StatusOr<Replayed> Run(LogOfState& log, const Invocation& args, ReplayChange& change,
                             Progress& progress) {
  Replayed out;
  SPILLWAY_ASSIGN_OR_RETURN(const PastWindow window, ReadWindow(args));
  auto config = LastConfig(log);
  if (!config.ok() && !absl::IsNotFound(config.status())) return config.status();
  SPILLWAY_ASSIGN_OR_RETURN(change, ReadChange(args, config.ok() ? config->get() : nullptr));
  RedecideOptions options;
  options.on_progress = [&](EventNumber done, EventNumber last) {
    progress.Show(static_cast<std::int64_t>(Number(done)), static_cast<std::int64_t>(Number(last)),
                  "events");
  };
  options.cancelled = [] { return Interrupted(); };
  std::optional<PastCollector> collector;
  absl::StatusOr<RecordedPast> past = absl::FailedPreconditionError(
      "the front of the log was swept away: what came cannot be run again without its beginning");
  if (config.ok() && log.extent().is_whole()) {
    collector.emplace(log.extent(), *config, window);
    bool taken = false;
    options.on_fold = [&, taken](const Event& event, const Reply& reply, const Effects& effects,
                                 const Brain& brain) mutable {
      const bool within = event.at < window.until;
      if (within) collector->Hear(event, reply, effects, brain);
      if (taken || (within && event.number != log.extent().last)) return;
      taken = true;
      past = collector->Take(brain);
    };
  }
  SPILLWAY_ASSIGN_OR_RETURN(out.redecided, Redecide(log, options));
  if (past.ok()) {
    out.rerun = RunAgain(*past, change, options.cancelled);
  } else {
    out.rerun = past.status();
  }
  if (absl::IsCancelled(out.rerun.status())) return out.rerun.status();
  return out;
}

// One sentence: the other bill where something was changed, else how much came out the same.
std::string VerdictOf(const Replayed& done) {
  const std::int64_t differing =
      done.redecided.decisions.differing + done.redecided.requests.differing;
  const std::int64_t compared =
      done.redecided.decisions.compared() + done.redecided.requests.compared();
  const std::string again =
      absl::StrCat(compared, " decisions were made again, and ",
                   differing == 0 ? "all" : absl::StrCat(compared - differing), " came out equal.");
  if (!done.rerun.ok()) return again;
  const std::string& verdict = done.rerun->outcome.verdict;
  return verdict.empty() ? again : absl::StrCat(verdict, " ", again);
}

}  // namespace

int Replay(const Invocation& args, Console& console) {
  const auto form = ProgressForm(args.Get("--progress"));
  if (!form.ok()) return FailAsInput(form.status(), console);
  const std::string folder(args.Get("--out"));
  if (const absl::Status status = CheckOut(folder); !status.ok())
    return FailAsInput(status, console);
  const auto path = DatabaseOf(std::string(args.Get("--replay")));
  if (!path.ok()) return FailAsInput(path.status(), console);
  auto reader = LogReader::Open(*path);
  if (!reader.ok()) return FailAsInput(reader.status(), console);
  LogOfState log(*std::move(reader));
  CatchInterrupt();
  ReplayChange change;
  absl::StatusOr<Replayed> done;
  {
    Progress progress(console, *form);
    done = Run(log, args, change, progress);
    if (done.ok()) progress.Conclude(VerdictOf(*done));
  }
  if (!done.ok()) return FailAsInput(done.status(), console);
  // What was asked for is the other bill: without it there is nothing to write.
  if (change.any() && !done->rerun.ok()) return FailAsInput(done->rerun.status(), console);

  ReplayReport report{.redecided = done->redecided};
  if (done->rerun.ok()) {
    report.rerun = &*done->rerun;
  } else {
    report.notes.push_back(absl::StrCat("not run again: ", done->rerun.status().message()));
  }
  if (change.any()) {
    const absl::Status written =
        WriteResults(done->rerun->outcome, done->rerun->scenario, CommandLineOf(args), folder);
    if (!written.ok()) return FailAsInput(written, console);
  }
  std::error_code ignored;
  std::filesystem::create_directories(folder, ignored);  // else writing says what is wrong
  const absl::Status written = ReplaceTextFile(folder + "/replay.json", ReplayJson(report));
  if (!written.ok()) return FailAsInput(written, console);
  if (console.for_people()) {
    console.out << ReplayText(report);
    if (done->rerun.ok()) console.out << "\n" << done->rerun->outcome.verdict << "\n";
    if (change.any()) {
      console.out << "\n"
                  << ResultTable(done->rerun->outcome, console.screen.width)
                  << "\nReport: " << folder << "/report.html\n";
    }
  } else if (const int code = console.PrintJson(ReplayJson(report)); code != kExitOk) {
    return code;
  }
  return report.redecided.all_equal() ? kExitOk : kExitNegative;
}

}  // namespace spillway::cli
