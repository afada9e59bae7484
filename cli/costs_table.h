#pragma once

#include <string>

#include "cli/screen.h"
#include "formats/value.h"

namespace spillway::cli {

// What GET /api/v1/costs says, as a table: what work cost by row, then what the infrastructure lost
// and what stood idle, then the bill. `wide`: marginal cost, tokens, energy and carbon, too, which
// a screen of 100 columns and more shows in part anyway.
std::string CostsTable(const Value& report, const Screen& screen, bool wide);

// "12 g", "3.40 kg".
std::string ShowCarbon(double grams);

}  // namespace spillway::cli
