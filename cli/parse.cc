#include "cli/parse.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "core/status.h"

namespace spillway::cli {
namespace {

absl::Status Misused(std::string_view what, const CommandSpec* command) {
  const std::string help =
      command ? absl::StrCat("spillway help ", ToAbsl(command->path)) : "spillway help";
  return absl::InvalidArgumentError(absl::StrCat(ToAbsl(what), "\n(see `", help, "`)"));
}

std::string DidYouMean(std::string_view word, const std::vector<std::string>& known) {
  const std::string nearest = NearestWord(word, known);
  return nearest.empty() ? "" : absl::StrCat(" (did you mean `", nearest, "`?)");
}

// "--cpus: At Most 1 required but received 2", as CLI11 says it, in our words.
std::string MismatchWords(std::string_view what) {
  const std::string option(what.substr(0, what.find(':')));
  const bool twice = what.find("At Most") != std::string_view::npos;
  return absl::StrCat("`", option, twice ? "` may be given once only" : "` needs a value");
}

// The words that may stand at this place of a command line: "pools" at the start, "cordon" behind
// it.
std::vector<std::string> NextWords(std::string_view behind) {
  std::vector<std::string> words;
  for (const CommandSpec& command : Commands()) {
    std::string_view path = command.path;
    if (!behind.empty()) {
      if (!path.starts_with(behind) || path.size() == behind.size() || path[behind.size()] != ' ')
        continue;
      path.remove_prefix(behind.size() + 1);
    }
    const std::string word(path.substr(0, path.find(' ')));
    if (!command.hidden && std::find(words.begin(), words.end(), word) == words.end())
      words.push_back(word);
  }
  return words;
}

// CLI11 with the table in it. It splits words into options, values and operands; its exceptions end
// in this file.
class Parser {
 public:
  Parser() {
    root_.set_help_flag();
    root_.allow_extras();
    root_.fallthrough();
    AddOptions(root_, CommonOptions());
    for (const CommandSpec& command : Commands()) Add(command);
  }

  absl::StatusOr<Invocation> Parse(std::vector<std::string> words) {
    Invocation result;
    const auto mark = std::find(words.begin(), words.end(), "--");
    const bool marked = mark != words.end();
    if (marked) {
      result.command_line.assign(mark + 1, words.end());
      words.erase(mark, words.end());
    }
    std::reverse(words.begin(), words.end());  // as CLI11 takes them
    try {
      root_.parse(std::move(words));
    } catch (const CLI::ArgumentMismatch& error) {
      return Misused(MismatchWords(error.what()), Deepest());
    } catch (const CLI::ParseError& error) {
      return Misused(error.what(), Deepest());
    }
    result.command = Deepest();
    for (const auto& [name, option] : options_) {
      if (option->count() == 0) continue;
      auto& values = result.values[name.second];
      if (option->get_items_expected_max() > 0) {
        values = option->results();
      } else if (option->results().front() != "true") {
        return Misused(absl::StrCat("`", name.second, "` takes no value"), result.command);
      }
    }
    SPILLWAY_RETURN_IF_ERROR(Judge(result, marked));
    return result;
  }

 private:
  CLI::App root_;
  std::map<std::string, CLI::App*, std::less<>> apps_;
  // By (app, long name), so that two commands may share an option's name.
  std::map<std::pair<const CLI::App*, std::string>, CLI::Option*> options_;

  CLI::App& AppOf(std::string_view path) {
    if (path.empty()) return root_;
    if (const auto found = apps_.find(path); found != apps_.end()) return *found->second;
    const std::size_t blank = path.rfind(' ');
    CLI::App& parent = AppOf(blank == std::string_view::npos ? "" : path.substr(0, blank));
    const std::string word(blank == std::string_view::npos ? path : path.substr(blank + 1));
    CLI::App* app = parent.add_subcommand(word);
    app->set_help_flag();
    app->allow_extras();  // we judge them ourselves, to say what was meant
    app->fallthrough();
    apps_.emplace(path, app);
    return *app;
  }

  void Add(const CommandSpec& command) {
    CLI::App& app = AppOf(command.path);
    AddOptions(app, command.options);
  }

  void AddOptions(CLI::App& app, const std::vector<OptionSpec>& options) {
    for (const OptionSpec& spec : options) {
      CLI::Option* option = nullptr;
      if (spec.value.empty()) {
        option = app.add_flag(std::string(spec.name));
      } else {
        option = app.add_option(std::string(spec.name))->expected(1);
        option->type_size(1);
        option->multi_option_policy(spec.repeats ? CLI::MultiOptionPolicy::TakeAll
                                                 : CLI::MultiOptionPolicy::Throw);
      }
      options_.emplace(std::pair(&app, std::string(spec.LongName())), option);
    }
  }

  // The command whose words were all given; null before any.
  const CommandSpec* Deepest() const {
    const CommandSpec* deepest = nullptr;
    for (const auto& [path, app] : apps_) {
      if (!app->parsed()) continue;
      const CommandSpec* command = FindCommand(path);
      if (command && (!deepest || command->path.size() > deepest->path.size())) deepest = command;
    }
    return deepest;
  }

  // The longest run of command words that was given, be it a command or only the start of one.
  std::string DeepestWords() const {
    std::string deepest;
    for (const auto& [path, app] : apps_) {
      if (app->parsed() && path.size() > deepest.size()) deepest = path;
    }
    return deepest;
  }

  std::vector<std::string> OptionNames(const CommandSpec* command) const {
    std::vector<std::string> names;
    for (const OptionSpec& option : CommonOptions()) names.emplace_back(option.LongName());
    if (command) {
      for (const OptionSpec& option : command->options) names.emplace_back(option.LongName());
    }
    return names;
  }

  absl::Status Judge(Invocation& result, bool marked) {
    const std::string words = DeepestWords();
    const CommandSpec* command = FindCommand(words);
    result.command = command;
    for (const std::string& extra : root_.remaining(true)) {
      if (extra.size() > 1 && extra.front() == '-') {
        const std::string name = extra.substr(0, extra.find('='));
        return Misused(
            absl::StrCat("unknown option `", name, "`", DidYouMean(name, OptionNames(command))),
            command);
      }
      if (!command) return UnknownWord(words, extra);
      result.operands.push_back(extra);
    }
    if (!command) {
      if (result.Has("--help") || words.empty()) {
        result.command = FindCommand("help");
        return absl::OkStatus();
      }
      return Misused(absl::StrCat("`spillway ", words,
                                  "` needs one more word: ", absl::StrJoin(NextWords(words), ", ")),
                     nullptr);
    }
    if (result.Has("--help")) return absl::OkStatus();
    const int count = static_cast<int>(result.operands.size());
    if (count > command->max_operands) {
      const std::string& first = result.operands[static_cast<std::size_t>(command->max_operands)];
      return Misused(absl::StrCat("what is `", first, "`?", DidYouMean(first, NextWords(words)),
                                  command->takes_command ? " A command stands behind `--`." : ""),
                     command);
    }
    if (count < command->min_operands) {
      return Misused(
          absl::StrCat("`spillway ", ToAbsl(command->path), "` needs ", ToAbsl(command->operands)),
          command);
    }
    if (marked && (!command->takes_command || result.command_line.empty())) {
      return Misused(
          command->takes_command ? "no command behind `--`" : "nothing may stand behind `--` here",
          command);
    }
    return absl::OkStatus();
  }

  absl::Status UnknownWord(const std::string& behind, const std::string& word) const {
    const auto known = NextWords(behind);
    return Misused(absl::StrCat("unknown command `", behind, behind.empty() ? "" : " ", word, "`",
                                DidYouMean(word, known)),
                   nullptr);
  }
};

bool TakesValue(std::string_view word, const CommandSpec& command) {
  const auto takes = [&](const OptionSpec& option) {
    return !option.value.empty() && (word == option.LongName() || word == option.ShortName());
  };
  return std::any_of(command.options.begin(), command.options.end(), takes) ||
         std::any_of(CommonOptions().begin(), CommonOptions().end(), takes);
}

}  // namespace

std::string_view Invocation::Get(std::string_view option) const {
  const auto found = values.find(option);
  return found == values.end() || found->second.empty() ? std::string_view()
                                                        : found->second.front();
}

const std::vector<std::string>& Invocation::All(std::string_view option) const {
  static const auto& none = *new std::vector<std::string>();
  const auto found = values.find(option);
  return found == values.end() ? none : found->second;
}

absl::StatusOr<Invocation> ParseCommandLine(const std::vector<std::string>& words) {
  Parser parser;
  if (words.empty() || words.front() != "help") return parser.Parse(words);
  // What follows are names of commands, not commands.
  std::vector<std::string> options, names;
  bool is_value = false;  // of the option before it
  for (const std::string& word : words) {
    const bool is_option = word.starts_with('-');
    (is_option || is_value || &word == &words.front() ? options : names).push_back(word);
    is_value = is_option && TakesValue(word, *FindCommand("help"));
  }
  auto help = parser.Parse(options);
  if (help.ok()) help->operands = std::move(names);
  return help;
}

}  // namespace spillway::cli
