#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "cli/commands.h"
#include "cli/screen.h"

namespace spillway::cli {

// All commands, one line each.
std::string Overview(const Screen& screen);
// One command: usage, what it does, options, examples.
std::string HelpFor(const CommandSpec& command, const Screen& screen);
// "spillway submit [OPTIONS] [FILE]".
std::string Usage(const CommandSpec& command);

struct ExitRow {
  int code;
  std::string_view says;
};
const std::vector<ExitRow>& ExitRows();

// docs/cli.md, whole.
std::string MarkdownManual();

}  // namespace spillway::cli
