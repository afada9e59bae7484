#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"

// The manual pages, written from the table of commands: spillway(1), and spillway-COMMAND(1) for
// each of them.
namespace spillway::cli {

struct ManualPage {
  std::string file;  // "spillway-policy-get.1"
  std::string text;  // in roff, with the macros of man(7)
};

std::vector<ManualPage> ManualPages();

// All of them into a folder, which is made if it is missing.
absl::Status WriteManual(const std::string& folder);

}  // namespace spillway::cli
