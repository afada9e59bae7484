#pragma once

#include <string>

#include "absl/status/status.h"
#include "core/scenario.h"
#include "simulator/result.h"

// What an experiment leaves behind, as files and as a table. All of it follows from the outcome and
// the scenario alone: no date, no host, no wall clock; the same seed gives the same bytes.
namespace spillway {

// results.json, results.csv, summary.md, scenario.lock.yaml and report.html in `folder`, which is
// made if it is missing. `command_line` is shown in the report and the summary as the one that
// makes them again; say there nothing that does not change the result.
//
// All or nothing: every file is written whole beside its place first, then all are renamed. If one
// cannot be written, none is left behind, and what stood there before stays. kInvalidArgument if
// `folder` is a file; kUnavailable if the disk refuses.
// Who writes into the same folder at the same time waits: files of two runs never stand together.
absl::Status WriteResults(const ExperimentOutcome& outcome, const ScenarioSpec& scenario,
                          const std::string& command_line, const std::string& folder);

// Makes `folder` and tries whether it can be written to, before a long run is begun for it. True:
// it was made, and is the caller's to remove if nothing comes of the run.
absl::StatusOr<bool> PrepareFolder(const std::string& folder);

// The files' texts. Money is a decimal string in JSON, and so is every cost in CSV; times are in
// seconds, energy in joules, carbon in grams; null or empty: not known.
std::string ResultsJson(const ExperimentOutcome& outcome, const ScenarioSpec& scenario);
std::string ResultsCsv(const ExperimentOutcome& outcome);  // a heading, then one line a cell
std::string ResultsSummary(const ExperimentOutcome& outcome, const ScenarioSpec& scenario,
                           const std::string& command_line);  // Markdown

// For a terminal: one block a workload, one row a (fleet, policy), never wider than `width` columns
// where names allow (0: no limit). Costs under both accountings, never without attainment beside
// them.
std::string ResultTable(const ExperimentOutcome& outcome, int width);

}  // namespace spillway
