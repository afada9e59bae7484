#pragma once

#include <string>

#include "core/scenario.h"
#include "simulator/result.h"

namespace spillway {

// One HTML file that asks nothing of the network: styles, charts (SVG) and a few lines of script
// are inside. The verdict stands first. Readable without the script, in the light and in the dark,
// on a telephone and on paper. The same arguments give the same bytes.
std::string ReportHtml(const ExperimentOutcome& outcome, const ScenarioSpec& scenario,
                       const std::string& command_line);

}  // namespace spillway
