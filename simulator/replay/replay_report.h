#pragma once

#include <string>
#include <vector>

#include "simulator/replay/redecide.h"
#include "simulator/replay/rerun.h"

namespace spillway {

// What a replay found, for people and for programs. Nothing in it depends on when or where it ran.
struct ReplayReport {
  Redecided redecided;
  const Rerun* rerun = nullptr;    // none: it could not be run again, `notes` say why
  std::vector<std::string> notes;  // beside those of the rerun
};

// A few lines: what was decided again and how much of it came out the same, each difference that is
// told, what could not be decided again, and the back-test.
std::string ReplayText(const ReplayReport& report);
// replay.json: {log, decisions, requests, all_equal, differing[], back_test|null, verdict|null,
// notes[]}. Times in seconds, money in dollars, shares as fractions.
std::string ReplayJson(const ReplayReport& report);

}  // namespace spillway
