#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/scenario.h"
#include "simulator/result.h"

// What an experiment showed, in words that do not flatter.
namespace spillway {

// How one row compares with its baseline in one of the two books.
enum class Standing : std::uint8_t {
  kBaseline,      // it is the baseline
  kOverloaded,    // work piled up: its cost says nothing
  kCheaper,       // and it meets the objective
  kCheaperLate,   // but it misses the objective
  kDearer,        // whether or not it meets the objective
  kNoDifference,  // zero lies within the confidence interval of the saving, or it rounds to 0.0 %
};
// `attainment`: of ScenarioObjective. A row meets it if its mean does.
Standing StandingOf(const RowOutcome& row, Accounting book, double attainment);

// The best row of a workload in one book, of those that are not the baseline and keep up: the
// cheapest that meets the objective, where costs within 5 % are taken as equal and the scenario's
// order decides; if none meets it, the one that comes nearest. Null if there is none.
const RowOutcome* BestRow(const ExperimentOutcome& outcome, const ScenarioSpec& scenario,
                          std::string_view workload, Accounting book);
// In the scenario's first book: the row that the sentence begins with.
const RowOutcome* BestRow(const ExperimentOutcome& outcome, const ScenarioSpec& scenario,
                          std::string_view workload);

// One sentence a workload about its best row against the baseline, by both books if the scenario
// asks for both. Where the baseline is the cheaper one, or alone in time, it says so first; a cost
// never stands without attainment beside it.
std::vector<WorkloadVerdict> VerdictsOf(const ExperimentOutcome& outcome,
                                        const ScenarioSpec& scenario);
// One sentence: that of the only workload, or for how many of several another fleet is cheaper and
// in time.
std::string VerdictSentence(const ExperimentOutcome& outcome, const ScenarioSpec& scenario);

}  // namespace spillway
