#include "cli/completion.h"

#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "cli/commands.h"
#include "core/text.h"

namespace spillway::cli {
namespace {

// What may stand in a place: after an option, or as an operand.
enum class Place : std::uint8_t { kWords, kFile, kFolder, kJob, kPool, kShell, kCommand, kOther };

constexpr std::string_view kShells = "bash zsh fish";

Place PlaceOf(std::string_view name) {
  const auto has = [&](std::string_view part) { return name.find(part) != std::string_view::npos; };
  if (has("JOB")) return Place::kJob;
  if (has("POOL")) return Place::kPool;
  if (has("FILE") || has("SCENARIO")) return Place::kFile;
  if (has("DIR")) return Place::kFolder;
  if (has("SHELL")) return Place::kShell;
  if (has("COMMAND")) return Place::kCommand;
  return Place::kOther;
}

Place PlaceOf(const OptionSpec& option) {
  if (!option.words.empty()) return Place::kWords;
  return option.LongName() == "--pool" ? Place::kPool : PlaceOf(option.value);
}

std::vector<const CommandSpec*> Shown() {
  std::vector<const CommandSpec*> shown;
  for (const CommandSpec& command : Commands()) {
    if (!command.hidden) shown.push_back(&command);
  }
  return shown;
}

std::vector<OptionSpec> OptionsOf(const CommandSpec& command) {
  std::vector<OptionSpec> options = command.options;
  const std::vector<OptionSpec> common = CommonOptionsOf(command);
  options.insert(options.end(), common.begin(), common.end());
  return options;
}

// "policy" of "policy get"; the words after it that make a command.
std::string Spellings(const OptionSpec& option, std::string_view between) {
  return option.ShortName().empty()
             ? std::string(option.LongName())
             : absl::StrCat(ToAbsl(option.ShortName()), ToAbsl(between), ToAbsl(option.LongName()));
}

std::string Words(std::string_view first) {
  std::vector<std::string> words;
  for (const CommandSpec* command : Shown()) {
    const std::vector<std::string> path = absl::StrSplit(ToAbsl(command->path), ' ');
    const std::string& word = first.empty() ? path[0] : path.back();
    if (!first.empty() && (path.size() < 2 || path[0] != first)) continue;
    if (words.empty() || words.back() != word) words.push_back(word);
  }
  return absl::StrJoin(words, " ");
}

// In single quotes of a shell.
std::string Quoted(std::string_view text) {
  return absl::StrCat("'", absl::StrReplaceAll(ToAbsl(text), {{"'", "'\\''"}}), "'");
}

// ---- bash ---------------------------------------------------------------------------------------

std::string BashPlace(Place place, std::string_view words) {
  switch (place) {
    case Place::kWords:
      return absl::StrCat("_spillway_words ", Quoted(words));
    case Place::kFile:
      return "_spillway_files";
    case Place::kFolder:
      return "_spillway_folders";
    case Place::kJob:
      return "_spillway_words \"$(_spillway_names jobs)\"";
    case Place::kPool:
      return "_spillway_words \"$(_spillway_names pools)\"";
    case Place::kShell:
      return absl::StrCat("_spillway_words ", Quoted(kShells));
    case Place::kCommand:
      return absl::StrCat("_spillway_words ", Quoted(Words("")));
    case Place::kOther:
      return "COMPREPLY=()";
  }
  return "";
}

std::string BashCommand(const CommandSpec& command) {
  std::string out = absl::StrCat("    ", Quoted(command.path), ")\n");
  std::vector<std::string> all;
  std::string values;
  for (const OptionSpec& option : OptionsOf(command)) {
    all.push_back(Spellings(option, " "));
    if (option.value.empty()) continue;
    absl::StrAppend(&values, "        ", Spellings(option, "|"), ") ",
                    BashPlace(PlaceOf(option), option.words), "; return ;;\n");
  }
  absl::StrAppend(&out, "      case $before in\n", values, "      esac\n");
  absl::StrAppend(&out, "      if [[ $word == -* ]]; then _spillway_words ",
                  Quoted(absl::StrJoin(all, " ")), "\n");
  const std::string second = Words(command.path);
  const Place operand = command.operands.empty() ? Place::kOther : PlaceOf(command.operands);
  if (!second.empty() && operand == Place::kOther) {
    absl::StrAppend(&out, "      else _spillway_words ", Quoted(second), "\n");
  } else if (!second.empty() && operand == Place::kPool) {
    absl::StrAppend(&out, "      else _spillway_words \"", second, " $(_spillway_names pools)\"\n");
  } else {
    absl::StrAppend(&out, "      else ", BashPlace(operand, ""), "\n");
  }
  return absl::StrCat(out, "      fi ;;\n");
}

constexpr std::string_view kBashHead =
    R"(# bash completion for spillway; written by `spillway completion bash`.

_spillway_words() { mapfile -t COMPREPLY < <(compgen -W "$1" -- "$word"); }
_spillway_files() { compopt -o filenames; mapfile -t COMPREPLY < <(compgen -f -- "$word"); }
_spillway_folders() { compopt -o filenames; mapfile -t COMPREPLY < <(compgen -d -- "$word"); }
# What the controller knows; nothing where there is none.
_spillway_names() { timeout 2 "$program" "$1" -o name 2>/dev/null; }

_spillway() {
  local program=${COMP_WORDS[0]} word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]}
  local command='' first='' i
  COMPREPLY=()
  for ((i = 1; i < COMP_CWORD; i++)); do
    case ${COMP_WORDS[i]} in
      --) compopt -o default; return ;;
      --server|--output|-o|--color) [[ -n $command ]] || ((i++)) ;;
      -*) ;;
      *) if [[ -z $command ]]; then command=${COMP_WORDS[i]} first=$i
         elif ((i == first + 1)); then
           case "$command ${COMP_WORDS[i]}" in
)";

std::string Bash() {
  std::string out(kBashHead);
  std::vector<std::string> twos;
  std::vector<std::string> firsts;
  for (const CommandSpec* command : Shown()) {
    if (command->path.find(' ') == std::string_view::npos) continue;
    twos.push_back(Quoted(command->path));
    const std::string first(command->path.substr(0, command->path.find(' ')));
    if (!FindCommand(first) && (firsts.empty() || firsts.back() != first)) firsts.push_back(first);
  }
  absl::StrAppend(&out, "             ", absl::StrJoin(twos, "|"),
                  ") command=\"$command ${COMP_WORDS[i]}\" ;;\n"
                  "           esac\n         fi ;;\n    esac\n  done\n\n  case $command in\n");
  absl::StrAppend(&out, "    '') _spillway_words ", Quoted(Words("")), " ;;\n");
  for (const std::string& first : firsts)
    absl::StrAppend(&out, "    ", Quoted(first), ") _spillway_words ", Quoted(Words(first)),
                    " ;;\n");
  for (const CommandSpec* command : Shown()) out += BashCommand(*command);
  return absl::StrCat(out, "  esac\n}\n\ncomplete -F _spillway spillway\n");
}

// ---- zsh ----------------------------------------------------------------------------------------

std::string ZshText(std::string_view text) {
  return absl::StrReplaceAll(ToAbsl(text),
                             {{"'", "'\\''"}, {"[", "\\["}, {"]", "\\]"}, {":", "\\:"}});
}

std::string ZshPlace(Place place, std::string_view words) {
  switch (place) {
    case Place::kWords:
      return absl::StrCat("(", ToAbsl(words), ")");
    case Place::kFile:
      return "_files";
    case Place::kFolder:
      return "_files -/";
    case Place::kJob:
      return "_spillway_names jobs";
    case Place::kPool:
      return "_spillway_names pools";
    case Place::kShell:
      return absl::StrCat("(", ToAbsl(kShells), ")");
    case Place::kCommand:
      return absl::StrCat("(", Words(""), ")");
    case Place::kOther:
      return " ";
  }
  return "";
}

std::string ZshOption(const OptionSpec& option) {
  const std::string says = absl::StrCat("[", ZshText(option.says), "]");
  std::string value;
  if (!option.value.empty())
    value = absl::StrCat(":", ZshText(option.value), ":", ZshPlace(PlaceOf(option), option.words));
  const std::string again = option.repeats ? "*" : "";
  if (option.ShortName().empty())
    return absl::StrCat("'", again, ToAbsl(option.LongName()), says, value, "'");
  return absl::StrCat("{", ToAbsl(option.ShortName()), ",", ToAbsl(option.LongName()), "}'", says,
                      value, "'");
}

// The words that may follow `first`, each with its line of help.
std::string ZshWords(std::string_view first) {
  std::vector<std::string> seen, entries;
  for (const CommandSpec* command : Shown()) {
    const std::vector<std::string> path = absl::StrSplit(ToAbsl(command->path), ' ');
    if (!first.empty() && (path.size() < 2 || path[0] != first)) continue;
    const std::string word = first.empty() ? path[0] : path.back();
    if (!seen.empty() && seen.back() == word) continue;
    seen.push_back(word);
    const bool group = first.empty() && path.size() > 1;
    entries.push_back(
        absl::StrCat("'", word, ":",
                     group ? absl::StrCat("commands of ", word) : ZshText(command->summary), "'"));
  }
  return absl::StrJoin(entries, " ");
}

std::string ZshCommand(const CommandSpec& command) {
  std::string out = absl::StrCat("    ", Quoted(command.path), ")\n      _arguments -s -S");
  for (const OptionSpec& option : OptionsOf(command))
    absl::StrAppend(&out, " \\\n        ", ZshOption(option));
  if (!command.operands.empty()) {
    absl::StrAppend(&out, " \\\n        '*:", ZshText(command.operands), ":",
                    ZshPlace(PlaceOf(command.operands), ""), "'");
  }
  return absl::StrCat(out, " ;;\n");
}

std::string Zsh() {
  std::string out =
      "#compdef spillway\n# zsh completion for spillway; written by `spillway completion zsh`.\n\n"
      "# What the controller knows; nothing where there is none.\n"
      "_spillway_names() {\n  local -a names\n"
      "  names=(${(f)\"$(timeout 2 spillway $1 -o name 2>/dev/null)\"})\n"
      "  compadd -a names\n}\n\n_spillway() {\n  local -a next\n"
      "  if (( CURRENT == 2 )); then\n    next=(";
  absl::StrAppend(&out, ZshWords(""), ")\n    _describe command next\n    return\n  fi\n");
  out += "  local command=$words[2]\n  case \"$words[2] $words[3]\" in\n";
  std::vector<std::string> firsts, twos;
  for (const CommandSpec* command : Shown()) {
    const std::size_t blank = command->path.find(' ');
    if (blank == std::string_view::npos) continue;
    twos.push_back(Quoted(command->path));
    const std::string first(command->path.substr(0, blank));
    if (firsts.empty() || firsts.back() != first) firsts.push_back(first);
  }
  absl::StrAppend(&out, "    ", absl::StrJoin(twos, "|"),
                  ") (( CURRENT > 3 )) && { command=\"$words[2] $words[3]\"; shift words; (( "
                  "CURRENT-- )) } ;;\n"
                  "  esac\n  shift words; (( CURRENT-- ))\n");
  out += "  case \"$command $CURRENT\" in\n";
  for (const std::string& first : firsts) {
    absl::StrAppend(&out, "    '", first, " 2') next=(", ZshWords(first),
                    "); _describe command next ;;\n");
  }
  out += "  esac\n  case $command in\n";
  for (const CommandSpec* command : Shown()) out += ZshCommand(*command);
  return absl::StrCat(out,
                      "  esac\n}\n\nif [[ $zsh_eval_context[-1] == loadautofunc ]]; then\n  "
                      "_spillway \"$@\"\nelse\n  compdef _spillway spillway\nfi\n");
}

// ---- fish ---------------------------------------------------------------------------------------

std::string FishText(std::string_view text) {
  return absl::StrCat("'", absl::StrReplaceAll(ToAbsl(text), {{"\\", "\\\\"}, {"'", "\\'"}}), "'");
}

std::string FishPlace(Place place, std::string_view words) {
  switch (place) {
    case Place::kWords:
      return absl::StrCat(" -x -a ", FishText(words));
    case Place::kFile:
      return " -r -F";
    case Place::kFolder:
      return " -x -a '(__fish_complete_directories)'";
    case Place::kJob:
      return " -x -a '(__spillway_names jobs)'";
    case Place::kPool:
      return " -x -a '(__spillway_names pools)'";
    case Place::kShell:
      return absl::StrCat(" -x -a ", FishText(kShells));
    case Place::kCommand:
      return absl::StrCat(" -x -a ", FishText(Words("")));
    case Place::kOther:
      return " -x";
  }
  return "";
}

// True while the words so far are this command.
std::string FishWhile(std::string_view path) {
  const std::vector<std::string> words = absl::StrSplit(ToAbsl(path), ' ');
  return absl::StrCat("-n '__spillway_is ", absl::StrJoin(words, " "), "'");
}

std::string FishCommand(const CommandSpec& command) {
  std::string out;
  const std::string when = absl::StrCat("complete -c spillway ", FishWhile(command.path));
  for (const OptionSpec& option : OptionsOf(command)) {
    absl::StrAppend(&out, when, " -l ", ToAbsl(option.LongName().substr(2)));
    if (!option.ShortName().empty())
      absl::StrAppend(&out, " -s ", ToAbsl(option.ShortName().substr(1)));
    if (!option.value.empty()) out += FishPlace(PlaceOf(option), option.words);
    absl::StrAppend(&out, " -d ", FishText(option.says), "\n");
  }
  if (const Place operand = PlaceOf(command.operands);
      !command.operands.empty() && operand != Place::kOther)
    absl::StrAppend(&out, when, operand == Place::kFile ? " -F" : FishPlace(operand, ""), "\n");
  return out;
}

constexpr std::string_view kFishHead =
    R"(# fish completion for spillway; written by `spillway completion fish`.

# What the controller knows; nothing where there is none.
function __spillway_names
    timeout 2 spillway $argv[1] -o name 2>/dev/null
end

# The words before the cursor that are no options begin with these.
function __spillway_is
    set -l words (string match -v -- '-*' (commandline -opc)[2..-1])
    test (count $words) -ge (count $argv); or return 1
    for i in (seq (count $argv))
        test "$words[$i]" = "$argv[$i]"; or return 1
    end
end
function __spillway_at
    set -l words (string match -v -- '-*' (commandline -opc)[2..-1])
    test "$words" = "$argv"
end

complete -c spillway -f
)";

std::string Fish() {
  std::string out(kFishHead);
  for (const CommandSpec* command : Shown()) {
    const std::vector<std::string> path = absl::StrSplit(ToAbsl(command->path), ' ');
    const std::string before = path.size() > 1 ? path[0] : "";
    absl::StrAppend(&out, "complete -c spillway -n '__spillway_at ", before, "' -a ", path.back(),
                    " -d ", FishText(command->summary), "\n");
    if (path.size() > 1 && !FindCommand(before))
      absl::StrAppend(&out, "complete -c spillway -n '__spillway_at ' -a ", before, "\n");
  }
  for (const CommandSpec* command : Shown()) out += FishCommand(*command);
  return out;
}

}  // namespace

std::optional<Shell> ParseShell(std::string_view text) {
  if (text == "bash") return Shell::kBash;
  if (text == "zsh") return Shell::kZsh;
  if (text == "fish") return Shell::kFish;
  return std::nullopt;
}

std::string CompletionFor(Shell shell) {
  switch (shell) {
    case Shell::kBash:
      return Bash();
    case Shell::kZsh:
      return Zsh();
    case Shell::kFish:
      return Fish();
  }
  return "";
}

}  // namespace spillway::cli
