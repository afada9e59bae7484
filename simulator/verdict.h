#pragma once

#include <string>
#include <string_view>

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
  kNoDifference,  // zero lies within the confidence interval of the saving
};
// `attainment`: of ScenarioObjective. A row meets it if its mean does.
Standing StandingOf(const RowOutcome& row, Accounting book, double attainment);

// The row that the sentence is about: of those of `workload` that are not the baseline and keep up,
// the cheapest (in the scenario's first book) that meets the objective, else the cheapest. Null if
// there is none.
const RowOutcome* BestRow(const ExperimentOutcome& outcome, const ScenarioSpec& scenario,
                          std::string_view workload);

// One sentence a workload about its best row against the baseline. Where the baseline is the
// cheaper one it says so first; a cost never stands without attainment beside it. Fills
// ExperimentOutcome::verdict.
std::string VerdictSentence(const ExperimentOutcome& outcome, const ScenarioSpec& scenario);

}  // namespace spillway
