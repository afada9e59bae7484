#include "cli/manual.h"

#include <filesystem>
#include <fstream>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "cli/commands.h"
#include "cli/help.h"
#include "core/text.h"

namespace spillway::cli {
namespace {

// Characters that roff would take for its own.
std::string Roff(std::string_view text) {
  std::string out = absl::StrReplaceAll(
      ToAbsl(text),
      {{"\\", "\\e"}, {"-", "\\-"}, {"'", "\\(aq"}, {"\n.", "\n\\&."}, {"\n\n", "\n.PP\n"}});
  return absl::StartsWith(out, ".") ? "\\&" + out : out;
}

std::string PageName(const CommandSpec& command) {
  return absl::StrCat("spillway-", absl::StrReplaceAll(ToAbsl(command.path), {{" ", "-"}}));
}

std::string Head(std::string_view name, std::string_view summary) {
  return absl::StrCat(".TH ", absl::AsciiStrToUpper(ToAbsl(name)), " 1 ", SPILLWAY_RELEASED,
                      " \"Spillway ", SPILLWAY_VERSION, "\" \"Spillway manual\"\n.SH NAME\n",
                      ToAbsl(name), " \\- ", Roff(summary), "\n");
}

std::string Options(const std::vector<OptionSpec>& options) {
  std::string out;
  for (const OptionSpec& option : options) {
    out += ".TP\n";
    if (!option.ShortName().empty())
      absl::StrAppend(&out, "\\fB", Roff(option.ShortName()), "\\fR, ");
    absl::StrAppend(&out, "\\fB", Roff(option.LongName()), "\\fR");
    if (!option.value.empty()) absl::StrAppend(&out, " \\fI", Roff(option.value), "\\fR");
    absl::StrAppend(&out, "\n", Roff(option.says), "\n");
  }
  return out;
}

std::string ExitStatus() {
  std::string out = ".SH EXIT STATUS\n";
  for (const ExitRow& row : ExitRows())
    absl::StrAppend(&out, ".TP\n", row.code, "\n", Roff(row.says), "\n");
  return out;
}

std::string CommandPage(const CommandSpec& command) {
  std::string out = Head(PageName(command), command.summary);
  const std::string usage = Usage(command);
  const std::size_t name = std::string_view("spillway ").size() + command.path.size();
  absl::StrAppend(&out, ".SH SYNOPSIS\n\\fB", Roff(usage.substr(0, name)), "\\fR",
                  Roff(usage.substr(name)), "\n.SH DESCRIPTION\n");
  std::string summary(command.summary);
  summary.front() = absl::ascii_toupper(static_cast<unsigned char>(summary.front()));
  absl::StrAppend(&out, Roff(summary), ".\n");
  if (!command.says.empty()) absl::StrAppend(&out, ".PP\n", Roff(command.says), "\n");
  absl::StrAppend(&out, ".SH OPTIONS\n", Options(command.options),
                  Options(CommonOptionsOf(command)));
  out += ".SH EXAMPLES\n";
  for (const Example& example : command.examples) {
    absl::StrAppend(&out, ".TP\n.B ", Roff(example.line), "\n", Roff(example.says), "\n");
  }
  return absl::StrCat(out, ExitStatus(), ".SH SEE ALSO\n.BR spillway (1)\n");
}

std::string MainPage() {
  std::string out =
      Head("spillway", "put every AI job on the cheapest hardware that can do it in time");
  out +=
      ".SH SYNOPSIS\n\\fBspillway\\fR \\fICOMMAND\\fR [\\fIOPTIONS\\fR] [\\fIOPERANDS\\fR]\n"
      ".SH DESCRIPTION\n"
      "A scheduler and router for mixed fleets of CPUs, GPUs and NPUs. The controller is\n"
      ".BR spillway\\-serve (1);\n"
      "the other commands speak to it, or need none.\n"
      "Data goes to standard output, messages and progress to standard error.\n"
      ".SH COMMANDS\n";
  for (const CommandSpec& command : Commands()) {
    if (command.hidden) continue;
    absl::StrAppend(&out, ".TP\n.BR ", Roff(PageName(command)), " (1)\n", Roff(command.summary),
                    "\n");
  }
  absl::StrAppend(&out, ".SH OPTIONS\nOf every command:\n", Options(CommonOptions()), ExitStatus());
  out +=
      ".SH ENVIRONMENT\n"
      ".TP\n.B SPILLWAY_SERVER\nthe controller that is asked, as in\n.B \\-\\-server\n"
      ".TP\n.B SPILLWAY_TOKEN\nthe key that is shown to it, where it asks for one\n"
      ".TP\n.B SPILLWAY_OUTPUT\nthe format of answers, as in\n.B \\-\\-output\n"
      ".TP\n.B NO_COLOR\nif it is set, no colours\n"
      ".SH FILES\n"
      ".TP\n.I /etc/spillway/spillway.yaml\nthe configuration of the service\n"
      ".TP\n.I /var/lib/spillway\nits records\n"
      ".TP\n.I /usr/share/spillway\nthe catalogue of devices and models, example fleets, policies "
      "and scenarios\n"
      ".SH SEE ALSO\n.BR spillway\\-serve (1),\n.BR spillway\\-submit (1),\n"
      ".BR spillway\\-explain (1),\n.BR spillway\\-simulate (1)\n";
  return out;
}

}  // namespace

std::vector<ManualPage> ManualPages() {
  std::vector<ManualPage> pages = {{"spillway.1", MainPage()}};
  for (const CommandSpec& command : Commands()) {
    if (!command.hidden)
      pages.push_back({absl::StrCat(PageName(command), ".1"), CommandPage(command)});
  }
  return pages;
}

absl::Status WriteManual(const std::string& folder) {
  std::error_code failed;
  std::filesystem::create_directories(folder, failed);
  for (const ManualPage& page : ManualPages()) {
    const std::string path = absl::StrCat(folder, "/", page.file);
    std::ofstream file(path, std::ios::binary);
    file << page.text;
    if (!file.flush()) return absl::FailedPreconditionError(absl::StrCat("cannot write ", path));
  }
  return absl::OkStatus();
}

}  // namespace spillway::cli
