#include "adapters/process/warden.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <optional>

#include "absl/time/clock.h"
#include "adapters/process/event_loop.h"
#include "adapters/process/process_tree.h"

namespace spillway {
namespace {

constexpr absl::Duration kFirstLook =
    absl::Milliseconds(2);  // between two rounds of killing, doubled ...
constexpr absl::Duration kLastLook = absl::Milliseconds(200);  // ... up to this

absl::Duration CpuTime(const rusage& used) {
  return absl::DurationFromTimeval(used.ru_utime) + absl::DurationFromTimeval(used.ru_stime);
}

class Warden {
 public:
  explicit Warden(WardenPlan plan) : plan_(std::move(plan)) {}
  [[noreturn]] void Run();

 private:
  void Prepare();
  bool Fork();   // the command, waiting at its gate
  bool LetGo();  // once the record of it is written
  void Watch();  // until no child is left
  bool Reap();   // false: no child is left
  void OnTrouble();
  void OnControl();
  void NoteEnd(int status);
  absl::Duration NextLook();
  void SendOver();

  WardenPlan plan_;
  UniqueFd signals_, gate_, trouble_;
  pid_t command_ = 0;
  StatusRecord status_;
  bool let_go_ = false, over_ = false, cancelled_ = false, abandoned_ = false;
  std::optional<absl::Duration> force_at_;  // since boot
  absl::Duration look_ = kFirstLook;
};

void Warden::Prepare() {
  setsid();
  prctl(PR_SET_NAME, "spillway-warden");
  prctl(PR_SET_CHILD_SUBREAPER, 1);
  std::vector<int> kept{plan_.records,     plan_.control,     plan_.lock,
                        plan_.streams.out, plan_.streams.err, plan_.command.folder.get()};
  for (const UniqueFd& entrance : plan_.command.cgroup_entrances) kept.push_back(entrance.get());
  CloseAllBut(std::move(kept));
  // Low numbers stay taken, so that nothing of ours lands where a command expects its streams.
  while (true) {
    const int fd = open("/dev/null", O_RDWR | O_CLOEXEC);
    if (fd < 0 || fd > STDERR_FILENO) {
      if (fd >= 0) close(fd);
      break;
    }
  }
  for (const int signal : {SIGTERM, SIGINT, SIGHUP, SIGPIPE}) ::signal(signal, SIG_IGN);
  sigset_t chld;
  sigemptyset(&chld);
  sigaddset(&chld, SIGCHLD);
  sigprocmask(SIG_SETMASK, &chld, nullptr);
  signals_.Reset(signalfd(-1, &chld, SFD_CLOEXEC | SFD_NONBLOCK));
}

bool Warden::Fork() {
  int gate[2], trouble[2];
  if (pipe2(gate, O_CLOEXEC) != 0 || pipe2(trouble, O_CLOEXEC) != 0) return false;
  const pid_t warden = getpid();
  command_ = fork();
  if (command_ == 0) {
    close(gate[1]);
    close(trouble[0]);
    BecomeCommand(plan_.command, plan_.streams, gate[0], trouble[1], warden);
  }
  close(gate[0]);
  close(trouble[1]);
  gate_.Reset(gate[1]);
  trouble_.Reset(trouble[0]);
  // Their ends close when the last process of the run is gone.
  close(plan_.streams.out);
  close(plan_.streams.err);
  return command_ > 0;
}

bool Warden::LetGo() {
  const auto me = ReadProcess(getpid());
  const auto command = ReadProcess(command_);
  StartedRecord record{.warden = getpid(), .command = command_};
  if (me) record.warden_ticks = me->start_ticks;
  if (command) record.command_ticks = command->start_ticks;
  record.at = absl::Now();
  record.since_boot = EventLoop::SinceBoot();
  plan_.at_step("warden:forked");
  if (!WriteRecord(plan_.records, plan_.key, record).ok()) return false;
  plan_.at_step("warden:recorded");
  let_go_ = WriteAll(gate_.get(), "g").ok();
  return let_go_;
}

void Warden::NoteEnd(int status) {
  over_ = true;
  status_.at = absl::Now();
  if (status_.outcome == RunOutcome::kNone) {
    status_.outcome = WIFEXITED(status) ? RunOutcome::kExited : RunOutcome::kSignalled;
    status_.code = WIFEXITED(status) ? WEXITSTATUS(status) : WTERMSIG(status);
    if (cancelled_) status_.outcome = RunOutcome::kCancelled;
  }
  // What we killed because the supervisor died has no status: it is lost.
  if (abandoned_) return;
  plan_.at_step("warden:command-over");
  WriteRecord(plan_.records, plan_.key, status_).IgnoreError();  // the supervisor is told as well
  plan_.at_step("warden:status-written");
}

void Warden::OnTrouble() {
  StartTrouble trouble;
  const ssize_t n = read(trouble_.get(), &trouble, sizeof trouble);
  if (n < 0) return;
  trouble_.Reset();
  if (n == static_cast<ssize_t>(sizeof trouble)) {
    status_.outcome = IsOwnFault(trouble) ? RunOutcome::kCannotStart : RunOutcome::kLost;
    status_.code = trouble.error;
    status_.message = InWords(trouble, plan_.command);
    return;
  }
  if (!let_go_) return;
  send(plan_.control, &kWardenStarted, 1, MSG_NOSIGNAL);
}

bool Warden::Reap() {
  for (;;) {
    int status = 0;
    rusage used{};
    const pid_t pid = wait4(-1, &status, WNOHANG, &used);
    if (pid == 0) return true;
    if (pid < 0) return false;
    status_.cpu_time += CpuTime(used);
    status_.peak_memory = std::max(status_.peak_memory, Bytes(used.ru_maxrss * 1024));
    if (pid != command_) continue;
    if (trouble_) OnTrouble();  // the child is gone, so this does not wait
    NoteEnd(status);
  }
}

void Warden::OnControl() {
  char packet[16];
  const ssize_t n = recv(plan_.control, packet, sizeof packet, MSG_DONTWAIT);
  if (n < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (n <= 0) {
    abandoned_ = true;
    return;
  }
  if (packet[0] != kWardenCancel || n != 9 || over_) return;
  std::int64_t grace = 0;
  for (int i = 8; i > 0; --i) grace = grace << 8 | static_cast<std::uint8_t>(packet[i]);
  cancelled_ = true;
  force_at_ = EventLoop::SinceBoot() + absl::Nanoseconds(grace);
  SignalDescendants(getpid(), SIGTERM, {getpgrp()});
  SignalDescendants(getpid(), SIGCONT, {getpgrp()});  // what is stopped could not heed it
}

// Negative: nothing to do until something happens.
absl::Duration Warden::NextLook() {
  const bool in_grace = cancelled_ && force_at_ && EventLoop::SinceBoot() < *force_at_;
  const bool by_force = abandoned_ || (cancelled_ ? !in_grace : over_);
  if (!by_force) return force_at_ ? *force_at_ - EventLoop::SinceBoot() : -absl::Seconds(1);
  SignalDescendants(getpid(), SIGKILL, {getpgrp()});
  return std::exchange(look_, std::min(look_ * 2, kLastLook));
}

void Warden::Watch() {
  while (Reap()) {
    const absl::Duration wait = NextLook();
    pollfd fds[3] = {{signals_.get(), POLLIN, 0},
                     {abandoned_ ? -1 : plan_.control, POLLIN, 0},
                     {trouble_ ? trouble_.get() : -1, POLLIN, 0}};
    const auto millis = absl::ToInt64Milliseconds(absl::Ceil(wait, absl::Milliseconds(1)));
    poll(fds, 3,
         wait < absl::ZeroDuration() ? -1
                                     : static_cast<int>(std::min<std::int64_t>(millis, 60'000)));
    signalfd_siginfo info;
    while (read(signals_.get(), &info, sizeof info) > 0) {
    }
    if (fds[2].revents != 0) OnTrouble();
    if (fds[1].revents != 0) OnControl();
  }
}

void Warden::SendOver() {
  if (!over_) status_.at = absl::Now();
  const std::string packet = kWardenOver + Encode(status_);
  send(plan_.control, packet.data(), packet.size(), MSG_NOSIGNAL);
}

void Warden::Run() {
  Prepare();
  if (!Fork() || !LetGo()) {
    status_.outcome = RunOutcome::kLost;
    status_.message = InWords({StartStep::kFork, errno}, plan_.command);
    gate_.Reset();  // a child that waits there goes home
  }
  Watch();
  if (!abandoned_) SendOver();
  _exit(0);
}

}  // namespace

std::string CancelPacket(absl::Duration grace) {
  const std::int64_t nanos = absl::ToInt64Nanoseconds(grace);
  std::string packet(1, kWardenCancel);
  for (int i = 0; i < 8; ++i) packet.push_back(static_cast<char>(nanos >> (8 * i)));
  return packet;
}

void RunWarden(WardenPlan plan) { Warden(std::move(plan)).Run(); }

}  // namespace spillway
