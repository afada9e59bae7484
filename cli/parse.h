#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "cli/commands.h"

namespace spillway::cli {

// One command line, understood: which command, and everything that was said to it, as text. What a
// value means (a number, a size, a time) is for the command, or for the server, to judge.
class Invocation {
 public:
  const CommandSpec* command = nullptr;  // never null after parsing; points into the table
  std::vector<std::string> operands;
  std::vector<std::string> command_line;                                // the words after `--`
  std::map<std::string, std::vector<std::string>, std::less<>> values;  // by long name: "--cpus"

  bool Has(std::string_view option) const { return values.contains(option); }
  // The value of an option, "" if it was not given.
  std::string_view Get(std::string_view option) const;
  const std::vector<std::string>& All(std::string_view option) const;
};

// `words` without the program's name. kInvalidArgument says what is wrong, what was probably meant,
// and where to read on.
absl::StatusOr<Invocation> ParseCommandLine(const std::vector<std::string>& words);

}  // namespace spillway::cli
