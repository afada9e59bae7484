#pragma once

#include <array>
#include <string>
#include <string_view>
#include <vector>

// The one table of commands. The parser, the help, docs/cli.md and its test all read it.
namespace spillway::cli {

struct OptionSpec {
  std::string_view name;   // "--cpus", or with a short form "-o,--output"
  std::string_view value;  // "N"; empty: a switch
  std::string_view says;
  bool repeats = false;
  std::string_view words = "";  // those it may be, if they are few: "auto always never"

  std::string_view LongName() const;   // "--output"
  std::string_view ShortName() const;  // "-o", or ""
};

struct Example {
  std::string_view line;
  std::string_view says;
};

struct CommandSpec {
  std::string_view path;      // "policy put"
  std::string_view operands;  // "[FILE]"; "[-- COMMAND...]" if it takes a command line
  std::string_view summary;   // one line
  std::string_view says;      // more, in paragraphs; may be empty
  std::vector<OptionSpec> options;
  std::array<Example, 2> examples;
  int min_operands = 0, max_operands = 0;
  bool takes_command = false;  // words after `--`
  bool hidden = false;
  bool speaks_to_server = true;
  bool prints_documents = true;  // else -o json, yaml and name are refused: it prints text
};

// In the order of the help.
const std::vector<CommandSpec>& Commands();
// For every command: --server, -o, --color, --help.
const std::vector<OptionSpec>& CommonOptions();
// Those of them that `command` has: a short form that it took for itself means its own option, and
// one that prints text alone has no other formats.
std::vector<OptionSpec> CommonOptionsOf(const CommandSpec& command);
// Null if there is none of that name.
const CommandSpec* FindCommand(std::string_view path);

}  // namespace spillway::cli
