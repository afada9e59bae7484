#pragma once

#include <string>

#include "cli/commands.h"
#include "cli/screen.h"

namespace spillway::cli {

// All commands, one line each.
std::string Overview(const Screen& screen);
// One command: usage, what it does, options, examples.
std::string HelpFor(const CommandSpec& command, const Screen& screen);
// docs/cli.md, whole.
std::string MarkdownManual();

}  // namespace spillway::cli
