#include "cli/help.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "cli/table.h"
#include "core/text.h"

namespace spillway::cli {
namespace {

constexpr int kTextWidth = 100;

std::string OptionHead(const OptionSpec& option) {
  std::string head(option.name);
  if (const std::size_t comma = head.find(','); comma != std::string::npos)
    head.insert(comma + 1, " ");
  else
    head.insert(0, "    ");
  if (!option.value.empty()) absl::StrAppend(&head, " ", ToAbsl(option.value));
  return head;
}

// Two columns: the left one painted, the right one wrapped beside it.
std::string TwoColumns(const std::vector<std::pair<std::string, std::string_view>>& rows, Tone tone,
                       const Screen& screen) {
  int left = 0;
  for (const auto& row : rows) left = std::max(left, DisplayWidth(row.first));
  const int total = screen.width > 0 ? std::min(screen.width, kTextWidth) : kTextWidth;
  std::string out;
  for (const auto& [head, says] : rows) {
    const auto lines = WrapWords(says, std::max(20, total - left - 4));
    for (std::size_t i = 0; i < lines.size(); ++i) {
      const std::string blanks(static_cast<std::size_t>(left - (i == 0 ? DisplayWidth(head) : 0)),
                               ' ');
      absl::StrAppend(&out, "  ", i == 0 ? screen.Paint(tone, head) : "", blanks, "  ", lines[i],
                      "\n");
    }
  }
  return out;
}

std::string OptionRows(const std::vector<OptionSpec>& options, const Screen& screen) {
  std::vector<std::pair<std::string, std::string_view>> rows;
  rows.reserve(options.size());
  for (const OptionSpec& option : options) rows.emplace_back(OptionHead(option), option.says);
  return TwoColumns(rows, Tone::kAccent, screen);
}

std::string Heading(std::string_view text, const Screen& screen) {
  return absl::StrCat("\n", screen.Paint(Tone::kStrong, text), "\n");
}

// Its lines, the long ones wrapped.
std::string Paragraphs(std::string_view text) {
  std::string out;
  for (const absl::string_view line : absl::StrSplit(ToAbsl(text), '\n'))
    absl::StrAppend(&out, absl::StrJoin(WrapWords(ToStd(line), kTextWidth), "\n"), "\n");
  return out;
}

std::string MarkdownOptions(const std::vector<OptionSpec>& options) {
  std::string out = "| option | |\n|---|---|\n";
  for (const OptionSpec& option : options) {
    std::string head(option.name);
    if (const auto comma = head.find(','); comma != std::string::npos)
      head.replace(comma, 1, "`, `");
    if (!option.value.empty()) absl::StrAppend(&head, " ", ToAbsl(option.value));
    absl::StrAppend(&out, "| `", head, "` | ", ToAbsl(option.says), " |\n");
  }
  return out;
}

std::string MarkdownCommand(const CommandSpec& command) {
  std::string out = absl::StrCat("\n## spillway ", ToAbsl(command.path), "\n\n");
  std::string summary(command.summary);
  summary.front() = static_cast<char>(summary.front() - 'a' + 'A');
  absl::StrAppend(&out, summary, ".\n\n```\n", Usage(command), "\n```\n");
  if (!command.says.empty()) absl::StrAppend(&out, "\n", ToAbsl(command.says), "\n");
  if (!command.options.empty()) absl::StrAppend(&out, "\n", MarkdownOptions(command.options));
  out += "\nExamples:\n\n";
  for (const Example& example : command.examples) {
    absl::StrAppend(&out, "- `", ToAbsl(example.line), "`: ", ToAbsl(example.says), "\n");
  }
  return out;
}

}  // namespace

const std::vector<ExitRow>& ExitRows() {
  static const auto& rows = *new std::vector<ExitRow>{
      {0, "it worked"},
      {1, "the answer is no: the job failed, or no pool could ever do it"},
      {2, "the command line, a file or a value in it is wrong"},
      {3, "a check found something"},
      {4, "there is no such job, pool or decision"},
      {5, "a conflict: changed in between, or a key used for another job"},
      {6, "not allowed: $SPILLWAY_TOKEN is no good key, or its role is too low"},
      {7, "no server there, or it did not answer in time"},
      {8, "what it printed could not be written: a full disk, a reader that is gone"},
      {130, "Ctrl-C while waiting: the job goes on"},
      {255, "a fault of this program or of the server"},
  };
  return rows;
}

std::string Usage(const CommandSpec& command) {
  std::string usage = absl::StrCat("spillway ", ToAbsl(command.path));
  if (!command.options.empty()) usage += " [OPTIONS]";
  if (!command.operands.empty()) absl::StrAppend(&usage, " ", ToAbsl(command.operands));
  return usage;
}

std::string Overview(const Screen& screen) {
  std::string out = "spillway puts every job on the cheapest hardware that can do it in time.\n";
  out += Heading("Commands", screen);
  std::vector<std::pair<std::string, std::string_view>> rows;
  for (const CommandSpec& command : Commands()) {
    if (!command.hidden) rows.emplace_back(std::string(command.path), command.summary);
  }
  out += TwoColumns(rows, Tone::kAccent, screen);
  out += Heading("Options of every command", screen);
  out += OptionRows(CommonOptions(), screen);
  out += "\nspillway help COMMAND explains one of them, with examples.\n";
  return out;
}

std::string HelpFor(const CommandSpec& command, const Screen& screen) {
  std::string out = absl::StrCat(Usage(command), "\n\n", ToAbsl(command.summary), "\n");
  if (!command.says.empty()) absl::StrAppend(&out, "\n", Paragraphs(command.says));
  if (!command.options.empty())
    out += Heading("Options", screen) + OptionRows(command.options, screen);
  out += Heading("Options of every command", screen);
  out += OptionRows(CommonOptionsOf(command), screen);
  out += Heading("Examples", screen);
  for (const Example& example : command.examples) {
    absl::StrAppend(&out, "  ", screen.Paint(Tone::kDim, absl::StrCat("# ", ToAbsl(example.says))),
                    "\n  ", ToAbsl(example.line), "\n");
  }
  return out;
}

std::string MarkdownManual() {
  std::string out =
      "<!-- Written by `spillway help --markdown`; a test compares them. -->\n"
      "# The command line\n\n"
      "One program, `spillway`. Data goes to standard output, messages and progress to standard "
      "error;\n"
      "progress and colours appear on a terminal only. `-o json` is the API's own answer, for "
      "scripts;\n"
      "tables are for people and may change.\n\n"
      "## Every command\n\n";
  out += MarkdownOptions(CommonOptions());
  out += "\n| exit code | |\n|---|---|\n";
  for (const ExitRow& row : ExitRows())
    absl::StrAppend(&out, "| ", row.code, " | ", ToAbsl(row.says), " |\n");
  for (const CommandSpec& command : Commands()) {
    if (!command.hidden) out += MarkdownCommand(command);
  }
  return out;
}

}  // namespace spillway::cli
