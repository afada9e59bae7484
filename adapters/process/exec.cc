#include "adapters/process/exec.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstring>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "core/text.h"

namespace spillway {
namespace {

constexpr int kFirstOther = 3;  // after stdin, stdout, stderr
constexpr mode_t kUmask = 022;

std::vector<char*> Pointers(const std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  pointers.reserve(texts.size() + 1);
  for (const std::string& text : texts) pointers.push_back(const_cast<char*>(text.c_str()));
  pointers.push_back(nullptr);
  return pointers;
}

class Starting {
 public:
  explicit Starting(int trouble) : trouble_(trouble) {}
  // Ends the child if `good` is not so, telling the step and errno.
  void Require(bool good, StartStep step) const {
    if (!good) Give(step, errno);
  }
  [[noreturn]] void Give(StartStep step, int error) const {
    const StartTrouble trouble{step, error};
    // A pipe takes so few bytes whole; the reader is the warden, and without one this process is
    // dead.
    [[maybe_unused]] const ssize_t written = write(trouble_, &trouble, sizeof trouble);
    _exit(127);
  }

 private:
  int trouble_;
};

void WaitAtGate(int gate) {
  char go = 0;
  ssize_t n = 0;
  do {
    n = read(gate, &go, 1);
  } while (n < 0 && errno == EINTR);
  if (n != 1) _exit(127);  // whoever would have let us go has died
  close(gate);
}

void TakeLimits(const CommandPlan& plan, const Starting& starting) {
  for (const UniqueFd& entrance : plan.cgroup_entrances) {
    starting.Require(write(entrance.get(), "0", 1) == 1, StartStep::kLimits);
  }
  if (plan.pinned) {
    starting.Require(sched_setaffinity(0, sizeof plan.cpus, &plan.cpus) == 0, StartStep::kLimits);
  }
  if (plan.niceness > 0) {
    starting.Require(setpriority(PRIO_PROCESS, 0, plan.niceness) == 0, StartStep::kLimits);
  }
  const rlimit no_core{0, 0};  // the disk is bounded
  setrlimit(RLIMIT_CORE, &no_core);
  if (plan.processes > 0) {
    const rlimit processes{static_cast<rlim_t>(plan.processes),
                           static_cast<rlim_t>(plan.processes)};
    starting.Require(setrlimit(RLIMIT_NPROC, &processes) == 0, StartStep::kLimits);
  }
  // When the machine runs out of memory, commands go before the supervisor and the controller do.
  if (const UniqueFd score(open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC)); score) {
    WriteAll(score.get(), "500").IgnoreError();
  }
}

void ResetSignals() {
  struct sigaction plain {};
  plain.sa_handler = SIG_DFL;
  for (int signal = 1; signal < NSIG; ++signal) sigaction(signal, &plain, nullptr);
  // The C library keeps two for itself, does not let go of them, and leaves them ignored in what it
  // spawns.
  alignas(8) const char zeros[64] = {};  // the kernel's structure: default action, no flags
  for (const int internal : {32, 33}) syscall(SYS_rt_sigaction, internal, zeros, nullptr, 8);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
}

void TakeStreams(CommandStreams streams, const Starting& starting) {
  const int null = open("/dev/null", O_RDONLY);
  starting.Require(null >= 0 && dup2(null, STDIN_FILENO) >= 0, StartStep::kLimits);
  starting.Require(dup2(streams.out, STDOUT_FILENO) >= 0, StartStep::kLimits);
  starting.Require(dup2(streams.err, STDERR_FILENO) >= 0, StartStep::kLimits);
}

// close_range() with CLOSE_RANGE_CLOEXEC (Linux 5.11), since the pipe for trouble must stay open
// until then.
void CloseOthersOnExec() {
  constexpr unsigned kCloexec = 1U << 2;
  if (close_range(kFirstOther, UINT_MAX, kCloexec) == 0) return;
  const long most = sysconf(_SC_OPEN_MAX);
  for (int fd = kFirstOther; fd < most; ++fd) fcntl(fd, F_SETFD, FD_CLOEXEC);
}

// For a message of one line: cut between characters of UTF-8, without control characters.
std::string Shortened(std::string text) {
  constexpr std::size_t kMost = 200;
  if (text.size() > kMost) {
    std::size_t cut = kMost;
    while (cut > 0 && (static_cast<unsigned char>(text[cut]) & 0xC0) == 0x80) --cut;
    text = text.substr(0, cut) + "...";
  }
  std::replace_if(
      text.begin(), text.end(),
      [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }, '?');
  return text;
}

}  // namespace

bool IsOwnFault(const StartTrouble& trouble) {
  const bool theirs = trouble.step == StartStep::kFolder || trouble.step == StartStep::kCommand;
  return theirs && trouble.error != ENOMEM && trouble.error != EMFILE && trouble.error != ENFILE &&
         trouble.error != EIO;
}

std::string InWords(const StartTrouble& trouble, const CommandPlan& plan) {
  std::string words = strerror(trouble.error);
  const std::string command = plan.argv.empty() ? std::string() : Shortened(plan.argv[0]);
  switch (trouble.step) {
    case StartStep::kFolder:
      return absl::StrCat("cannot start: folder `", Shortened(plan.cwd), "`: ", words);
    case StartStep::kCommand:
      return absl::StrCat("cannot start: command `", command, "`: ", words);
    case StartStep::kLimits:
      return absl::StrCat("cannot start: its limits could not be set: ", words);
    case StartStep::kFork:
      return absl::StrCat("cannot start: no new process could be made: ", words);
  }
  return words;
}

std::vector<std::string> CandidatesFor(const std::string& name,
                                       const std::vector<std::string>& env) {
  if (absl::StrContains(name, '/')) return {name};
  std::vector<std::string> candidates;
  for (const std::string& entry : env) {
    if (!absl::StartsWith(entry, "PATH=")) continue;
    for (const absl::string_view folder :
         absl::StrSplit(absl::string_view(entry).substr(5), ':', absl::SkipEmpty())) {
      candidates.push_back(absl::StrCat(folder, "/", name));
    }
  }
  return candidates;
}

void BecomeCommand(const CommandPlan& plan, CommandStreams streams, int gate, int trouble,
                   pid_t parent) {
  const Starting starting(trouble);
  setsid();
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != parent) _exit(127);
  WaitAtGate(gate);
  TakeLimits(plan, starting);
  const bool there = plan.folder ? fchdir(plan.folder.get()) == 0 : chdir(plan.cwd.c_str()) == 0;
  starting.Require(there, StartStep::kFolder);
  TakeStreams(streams, starting);
  umask(kUmask);
  prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
  CloseOthersOnExec();
  ResetSignals();

  const std::vector<char*> argv = Pointers(plan.argv);
  const std::vector<char*> env = Pointers(plan.env);
  int error =
      ENOENT;  // as execvp() does: a candidate that may not be run counts more than a missing one
  for (const std::string& candidate : CandidatesFor(plan.argv[0], plan.env)) {
    execve(candidate.c_str(), argv.data(), env.data());
    if (errno != ENOENT && errno != ENOTDIR) error = errno;
    if (errno != ENOENT && errno != ENOTDIR && errno != EACCES) break;
  }
  starting.Give(StartStep::kCommand, error);
}

void CloseAllBut(std::vector<int> kept) {
  std::sort(kept.begin(), kept.end());
  unsigned from = 0;
  for (const int fd : kept) {
    if (fd < 0) continue;
    if (static_cast<unsigned>(fd) > from) close_range(from, static_cast<unsigned>(fd) - 1, 0);
    from = static_cast<unsigned>(fd) + 1;
  }
  close_range(from, UINT_MAX, 0);
}

}  // namespace spillway
