#include "cli/simulation_child.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "adapters/process/files.h"
#include "cli/exit_code.h"
#include "core/status.h"
#include "core/text.h"
#include "formats/file_text.h"
#include "formats/units.h"
#include "formats/value.h"

namespace spillway::cli {
namespace {

constexpr std::size_t kMostWords = 4 << 10;  // of what the child complains about
constexpr std::size_t kMostLine = 64 << 10;
constexpr std::size_t kMostWhat = 256;  // of what it says that it does
constexpr int kNiceness = 10;
constexpr int kLookAround = 100;  // milliseconds

absl::Status WriteText(const std::string& folder, const char* name, const std::string& text) {
  const std::string path = absl::StrCat(folder, "/", name);
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  file << text;
  if (file.flush()) return absl::OkStatus();
  return absl::UnavailableError(absl::StrCat("writing ", path, ": ", std::strerror(errno)));
}

// What the child says: its last progress, its verdict, and its complaints.
class Heard {
 public:
  explicit Heard(const std::function<void(SimulationProgress)>& on_progress)
      : on_progress_(on_progress) {}

  void Take(std::string_view bytes) {
    for (const char c : bytes) {
      if (c == '\n') {
        Line();
        line_.clear();
      } else if (line_.size() < kMostLine) {
        line_.push_back(c);
      }
    }
  }
  const std::string& verdict() const { return verdict_; }
  std::string complaint() const {
    std::string words = complaint_;
    while (!words.empty() && words.back() == '\n') words.pop_back();
    return words;
  }

 private:
  void Line() {
    if (!line_.starts_with('{')) {
      const absl::string_view words = absl::StripPrefix(line_, "error: ");
      if (complaint_.size() + words.size() < kMostWords) absl::StrAppend(&complaint_, words, "\n");
      return;
    }
    const auto said = ParseJson(line_);
    if (!said.ok() || !said->is_map()) return;
    if (const Value* verdict = said->Find("verdict"); verdict != nullptr && verdict->is_string())
      verdict_ = verdict->string();
    const Value *done = said->Find("done"), *total = said->Find("total"),
                *what = said->Find("what");
    if (done == nullptr || total == nullptr) return;
    const bool told = what != nullptr && what->is_string() && what->string().size() <= kMostWhat;
    on_progress_({.done = done->AsInt64().value_or(0),
                  .total = total->AsInt64().value_or(0),
                  .what = told ? what->string() : ""});
  }

  const std::function<void(SimulationProgress)>& on_progress_;
  std::string line_, complaint_, verdict_;
};

std::vector<char*> Pointers(std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  for (std::string& text : texts) pointers.push_back(text.data());
  pointers.push_back(nullptr);
  return pointers;
}

// In the child, where only what is safe in a signal handler may be called: others held locks when
// it was forked.
[[noreturn]] void Become(const char* program, char* const* argv, char* const* env,
                         const char* folder, int out, int null, pid_t parent) {
  ::setpgid(0, 0);
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent) ::_exit(127);  // it died before that was asked for
  for (int signal = 1; signal < NSIG; ++signal) ::signal(signal, SIG_DFL);
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  ::setpriority(PRIO_PROCESS, 0, kNiceness);
  const rlimit no_core{0, 0};
  ::setrlimit(RLIMIT_CORE, &no_core);
  // When memory runs out, it goes before the controller does.
  const int score = ::open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
  if (score >= 0) [[maybe_unused]]
    const ssize_t written = ::write(score, "800", 3);
  if (::chdir(folder) != 0) ::_exit(127);
  ::dup2(null, STDIN_FILENO);
  ::dup2(null, STDOUT_FILENO);
  ::dup2(out, STDERR_FILENO);
  ::close_range(STDERR_FILENO + 1, ~0U, 0);
  ::execve(program, argv, env);
  ::_exit(127);
}

// One child, from its start to its end.
class Child {
 public:
  static absl::StatusOr<Child> Start(const std::string& program, std::vector<std::string> words,
                                     const std::string& folder) {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) return ErrnoStatus(errno, "make a pipe");
    UniqueFd ours(ends[0]), theirs(ends[1]);
    const UniqueFd null(::open("/dev/null", O_RDWR | O_CLOEXEC));
    if (!null) return ErrnoStatus(errno, "open /dev/null");
    std::vector<std::string> env = {"LC_ALL=C.UTF-8", "NO_COLOR=1", "HOME=/", "PATH=/usr/bin:/bin"};
    const std::vector<char*> argv = Pointers(words), environment = Pointers(env);
    const pid_t parent = ::getpid(), pid = ::fork();
    if (pid < 0) return ErrnoStatus(errno, "start a simulation");
    if (pid == 0) {
      Become(program.c_str(), argv.data(), environment.data(), folder.c_str(), theirs.get(),
             null.get(), parent);
    }
    ::setpgid(pid, pid);  // whoever is first
    ::fcntl(ours.get(), F_SETFL, O_NONBLOCK);
    return Child(pid, std::move(ours));
  }
  Child(Child&& other) noexcept
      : pid_(std::exchange(other.pid_, 0)), pipe_(std::move(other.pipe_)) {}
  Child& operator=(Child&&) = delete;
  ~Child() {
    if (pid_ != 0) {
      Send(SIGKILL);
      Wait();
    }
  }

  void Send(int signal) const { ::kill(-pid_, signal); }
  // What it said in the last moment; false: it will say nothing any more.
  bool Hear(Heard& heard) {
    pollfd ready{pipe_.get(), POLLIN, 0};
    if (::poll(&ready, 1, kLookAround) <= 0) return true;
    std::array<char, 4096> bytes;
    const ssize_t n = ::read(pipe_.get(), bytes.data(), bytes.size());
    if (n > 0) heard.Take({bytes.data(), static_cast<std::size_t>(n)});
    return n > 0 || (n < 0 && (errno == EAGAIN || errno == EINTR));
  }
  int Wait() {
    int status = 0;
    while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
    }
    pid_ = 0;
    return status;
  }

 private:
  Child(pid_t pid, UniqueFd pipe) : pid_(pid), pipe_(std::move(pipe)) {}
  pid_t pid_;
  UniqueFd pipe_;
};

absl::StatusOr<std::string> Outcome(int status, const Heard& heard) {
  const int code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  // A replay that found differences has told them.
  if (code == kExitOk || (code == kExitNegative && !heard.verdict().empty()))
    return heard.verdict();
  if (code == kExitDetached) return absl::CancelledError("it was interrupted");
  std::string words = heard.complaint();
  if (words.empty())
    words = code >= 0 ? absl::StrCat("the simulator ended with exit code ", code)
                      : absl::StrCat("the simulator was ended by signal ", WTERMSIG(status));
  return absl::FailedPreconditionError(words);
}

std::string FirstLine(const std::string& text) {
  return absl::StrJoin(absl::StrSplit(text, absl::ByAnyChar(" \n\t"), absl::SkipEmpty()), " ");
}

}  // namespace

std::vector<ShippedScenario> SimulationChild::Scenarios() {
  std::vector<ShippedScenario> found;
  std::error_code error;
  if (options_.library.empty()) return found;
  for (std::filesystem::directory_iterator at(options_.library + "/scenarios", error), end;
       !error && at != end; at.increment(error)) {
    if (at->path().extension() != ".yaml") continue;
    const auto text = ReadTextFile(at->path().string());
    if (!text.ok()) continue;
    const auto document = ParseYaml(*text, "");
    if (!document.ok() || !document->is_map()) continue;
    const Value* says = document->Find("says");
    found.push_back({at->path().stem().string(),
                     says != nullptr && says->is_string() ? FirstLine(says->string()) : ""});
  }
  std::sort(found.begin(), found.end(),
            [](const auto& a, const auto& b) { return a.name < b.name; });
  return found;
}

std::string SimulationChild::CommandFor(const SimulationOrder& order) {
  std::string line = "spillway simulate";
  if (const auto* shipped = std::get_if<ShippedScenario>(&order.what)) {
    absl::StrAppend(&line, " ", options_.library, "/scenarios/", shipped->name, ".yaml");
  } else if (std::holds_alternative<ScenarioText>(order.what)) {
    absl::StrAppend(&line, " scenario.yaml --library ", options_.library);
  } else {
    const auto& past = std::get<OwnPast>(order.what);
    absl::StrAppend(&line, " --replay ", options_.database);
    if (past.since) absl::StrAppend(&line, " --since ", Format(*past.since));
    if (past.until) absl::StrAppend(&line, " --until ", Format(*past.until));
    if (past.policy_yaml) absl::StrAppend(&line, " --policy policy.yaml");
    if (past.fleet_yaml) absl::StrAppend(&line, " --fleet fleet.yaml");
    if (past.prices_yaml) absl::StrAppend(&line, " --prices prices.yaml");
  }
  if (order.seeds) absl::StrAppend(&line, " --seeds ", *order.seeds);
  return absl::StrCat(line, " -o out");
}

absl::StatusOr<std::vector<std::string>> SimulationChild::WordsFor(const Run& run) const {
  std::vector<std::string> words = {"spillway", "simulate", "-o", "out", "--progress", "json"};
  const auto add = [&](std::vector<std::string> more) {
    words.insert(words.end(), more.begin(), more.end());
  };
  const auto file = [&](const char* option, const char* name,
                        const std::optional<std::string>& text) -> absl::Status {
    if (!text) return absl::OkStatus();
    add({option, name});
    return WriteText(run.folder, name, *text);
  };
  if (const auto* past = std::get_if<OwnPast>(&run.order.what)) {
    add({"--replay", options_.database});
    if (past->since) add({"--since", Format(*past->since)});
    if (past->until) add({"--until", Format(*past->until)});
    SPILLWAY_RETURN_IF_ERROR(file("--policy", "policy.yaml", past->policy_yaml));
    SPILLWAY_RETURN_IF_ERROR(file("--fleet", "fleet.yaml", past->fleet_yaml));
    SPILLWAY_RETURN_IF_ERROR(file("--prices", "prices.yaml", past->prices_yaml));
    return words;
  }
  add({"--catalog", options_.catalog, "--jobs", absl::StrCat(options_.jobs)});
  if (run.order.seeds) add({"--seeds", absl::StrCat(*run.order.seeds)});
  if (const auto* shipped = std::get_if<ShippedScenario>(&run.order.what)) {
    add({absl::StrCat(options_.library, "/scenarios/", shipped->name, ".yaml")});
    return words;
  }
  if (options_.library.empty())
    return absl::FailedPreconditionError("no fleets, policies and traces came with this program");
  const std::string& yaml = std::get<ScenarioText>(run.order.what).yaml;
  SPILLWAY_RETURN_IF_ERROR(WriteText(run.folder, "scenario.yaml", yaml));
  add({"--library", options_.library, "scenario.yaml"});
  return words;
}

absl::StatusOr<std::string> SimulationChild::Execute(const Run& run) {
  using Clock = std::chrono::steady_clock;
  SPILLWAY_ASSIGN_OR_RETURN(std::vector<std::string> words, WordsFor(run));
  SPILLWAY_ASSIGN_OR_RETURN(Child child,
                            Child::Start(options_.program, std::move(words), run.folder));
  Heard heard(run.on_progress);
  const Clock::time_point begun = Clock::now();
  std::optional<Clock::time_point> asked;
  bool is_cancelled = false;
  while (child.Hear(heard)) {
    const Clock::time_point now = Clock::now();
    const bool too_long = now - begun > absl::ToChronoNanoseconds(options_.longest);
    if (!asked && (run.cancelled() || too_long)) {
      is_cancelled = !too_long;
      asked = now;
      child.Send(SIGINT);
    }
    if (asked && now - *asked > absl::ToChronoNanoseconds(options_.grace)) child.Send(SIGKILL);
  }
  const int status = child.Wait();
  absl::StatusOr<std::string> outcome = Outcome(status, heard);
  if (!asked || outcome.ok()) return outcome;
  if (is_cancelled) return absl::CancelledError("it was cancelled");
  return absl::DeadlineExceededError(
      absl::StrCat("it took longer than ", Format(options_.longest), " and was ended"));
}

}  // namespace spillway::cli
