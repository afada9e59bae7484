#include <iostream>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "cli/actions.h"
#include "cli/completion.h"
#include "cli/exit_code.h"
#include "cli/help.h"
#include "cli/manual.h"
#include "core/status.h"

namespace spillway::cli {

int ShowVersion(const Invocation&, Console& console) {
  if (console.for_people() || console.format == OutputFormat::kName) {
    console.out << "spillway " << SPILLWAY_VERSION << "\n";
    return kExitOk;
  }
  Value version = Value::MakeMap();
  version.Set("name", Value::MakeString("spillway"));
  version.Set("version", Value::MakeString(SPILLWAY_VERSION));
  version.Set("api", Value::MakeString("v1"));
  console.Print(version);
  return kExitOk;
}

int ShowCompletion(const Invocation& args, Console& console) {
  const auto shell = ParseShell(args.operands.front());
  if (!shell) {
    return console.Fail(absl::InvalidArgumentError(
        absl::StrCat("no completion for `", args.operands.front(), "`: bash, zsh or fish")));
  }
  console.out << CompletionFor(*shell);
  return kExitOk;
}

int ShowHelp(const Invocation& args, Console& console) {
  if (args.Has("--man-pages")) {
    const absl::Status written = WriteManual(std::string(args.Get("--man-pages")));
    return written.ok() ? kExitOk : console.Fail(written);
  }
  if (args.Has("--markdown")) {
    console.out << MarkdownManual();
    return kExitOk;
  }
  const std::string path = absl::StrJoin(args.operands, " ");
  if (path.empty()) {
    console.out << Overview(console.screen);
    return kExitOk;
  }
  if (const CommandSpec* command = FindCommand(path)) {
    console.out << HelpFor(*command, console.screen);
    return kExitOk;
  }
  std::vector<std::string> known;
  for (const CommandSpec& command : Commands()) {
    if (!command.hidden) known.emplace_back(command.path);
  }
  const std::string nearest = NearestWord(path, known);
  return console.Fail(absl::InvalidArgumentError(
      absl::StrCat("no command `", path, "`",
                   nearest.empty() ? "" : absl::StrCat(" (did you mean `", nearest, "`?)"))));
}

}  // namespace spillway::cli
