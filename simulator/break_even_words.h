#pragma once

#include <string>
#include <vector>

#include "simulator/result.h"

// What break-evens and sweeps found, in the words of tables and of a terminal.
namespace spillway {

// "0.4/s"; with ", all tried" where it is cheaper at every load. Where it is cheaper at none:
// "dearer at all", or "not in time" where none of it meets the objective even at the smallest.
std::string UpToWords(const BreakEvenRow& row, const BreakEvenPrice& price);
// Headings for the loads: rates where all work comes at the same ones, else "× 0.4".
std::vector<std::string> LoadsOf(const BreakEvenOutcome& even);

// A line for each sweep, and one for each break-even and kind of work.
std::vector<std::string> VariationLines(const ExperimentOutcome& outcome);

}  // namespace spillway
