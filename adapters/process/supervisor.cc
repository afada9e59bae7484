#include "adapters/process/supervisor.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <climits>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "adapters/process/controllers.h"
#include "adapters/process/process_tree.h"
#include "core/status.h"

namespace spillway {
namespace {

constexpr absl::Duration kLockPatience =
    absl::Seconds(10);  // with another supervisor that is about to end
constexpr absl::Duration kWardenPatience =
    absl::Seconds(1);  // with wardens of a dead one, before they are killed
constexpr absl::Duration kLook = absl::Milliseconds(5);
constexpr absl::Duration kSweepEvery = absl::Minutes(1);
constexpr int kCgroupLooks = 100;
constexpr off_t kMaxOwnLog = 1 << 20;
constexpr int kBacklog = 16;

sockaddr_un AddressOf(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path.copy(address.sun_path, sizeof address.sun_path - 1);
  return address;
}

class Supervisor {
 public:
  explicit Supervisor(SupervisorOptions options) : options_(std::move(options)) {}
  absl::Status Prepare();
  // False: another one lives and answers.
  absl::StatusOr<bool> TakeLock();
  absl::Status Open();
  void Run();

 private:
  absl::Status OutliveOldWardens();
  absl::StatusOr<std::string> Identity();
  absl::Status Listen();
  void OnSignal();
  void BoundOwnLog();
  void Sweep();
  void EndIfIdle();

  SupervisorOptions options_;
  UniqueFd dir_, lock_, wardens_lock_, signals_, listener_;
  EventLoop loop_;
  std::unique_ptr<RunTable> table_;
  std::unique_ptr<Controllers> controllers_;
  absl::Duration busy_until_ = EventLoop::SinceBoot();
};

absl::Status Supervisor::Prepare() {
  if (mkdir(options_.dir.c_str(), 0700) != 0 && errno != EEXIST)
    return ErrnoStatus(errno, "make the state folder");
  dir_.Reset(open(options_.dir.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!dir_) return ErrnoStatus(errno, absl::StrCat("open folder ", options_.dir));
  struct stat owner {};
  if (fstat(dir_.get(), &owner) != 0 || owner.st_uid != geteuid() || (owner.st_mode & 022) != 0) {
    return absl::PermissionDeniedError(
        absl::StrCat("folder ", options_.dir, " must be ours, and nobody else may write to it"));
  }
  char path[PATH_MAX];
  if (realpath(options_.dir.c_str(), path) == nullptr)
    return ErrnoStatus(errno, "resolve the state folder");
  options_.runs.state_path = path;
  if (fchdir(dir_.get()) != 0) return ErrnoStatus(errno, "enter the state folder");
  BoundOwnLog();
  return absl::OkStatus();
}

absl::StatusOr<bool> Supervisor::TakeLock() {
  lock_.Reset(
      openat(dir_.get(), "supervisor.lock", O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (!lock_) return ErrnoStatus(errno, "open supervisor.lock");
  const absl::Duration until = EventLoop::SinceBoot() + kLockPatience;
  while (flock(lock_.get(), LOCK_EX | LOCK_NB) != 0) {
    if (const UniqueFd other(ConnectToSupervisor(dir_.get())); other) return false;
    if (EventLoop::SinceBoot() > until) {
      return absl::UnavailableError(
          "another supervisor holds supervisor.lock, but does not answer");
    }
    absl::SleepFor(kLook);
  }
  return true;
}

// Every warden holds this lock for as long as it lives, so once it is ours alone, no process of an
// earlier supervisor can start a command any more.
absl::Status Supervisor::OutliveOldWardens() {
  wardens_lock_.Reset(
      openat(dir_.get(), "wardens.lock", O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (!wardens_lock_) return ErrnoStatus(errno, "open wardens.lock");
  const absl::Duration start = EventLoop::SinceBoot();
  while (flock(wardens_lock_.get(), LOCK_EX | LOCK_NB) != 0) {
    const absl::Duration waited = EventLoop::SinceBoot() - start;
    if (waited > kLockPatience)
      return absl::UnavailableError("wardens of a dead supervisor do not end");
    if (waited > kWardenPatience) KillRecordedWardens(dir_.get());
    absl::SleepFor(kLook);
  }
  return absl::OkStatus();
}

// Sixteen hexadecimal digits, made once for each state folder: they tell our processes from those
// of other supervisors. Nothing is decided by them.
absl::StatusOr<std::string> Supervisor::Identity() {
  constexpr const char* kFile = "supervisor.id";
  auto known = ReadWholeFile(dir_.get(), kFile, 64);
  if (known.ok() && known->size() == 16) return *known;
  std::uint64_t random = 0;
  if (getrandom(&random, sizeof random, 0) != sizeof random)
    return ErrnoStatus(errno, "draw an identity");
  std::string id = absl::StrCat(absl::Hex(random, absl::kZeroPad16));
  SPILLWAY_RETURN_IF_ERROR(WriteWholeFile(dir_.get(), kFile, id, Durability::kSurvivesPowerLoss));
  return id;
}

absl::Status Supervisor::Listen() {
  listener_.Reset(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!listener_) return ErrnoStatus(errno, "make a socket");
  unlinkat(dir_.get(), kSupervisorSocket, 0);
  const sockaddr_un address = AddressOf(SocketPath(dir_.get(), kSupervisorSocket));
  const mode_t before = umask(0177);
  const bool bound =
      bind(listener_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
  umask(before);
  if (!bound || listen(listener_.get(), kBacklog) != 0)
    return ErrnoStatus(errno, "listen on supervisor.sock");
  return absl::OkStatus();
}

absl::Status Supervisor::Open() {
  prctl(PR_SET_NAME, "spillway-superv");
  prctl(PR_SET_CHILD_SUBREAPER, 1);
  for (const int signal : {SIGPIPE, SIGHUP, SIGINT}) ::signal(signal, SIG_IGN);
  sigset_t caught;
  sigemptyset(&caught);
  for (const int signal : {SIGCHLD, SIGTERM}) sigaddset(&caught, signal);
  sigprocmask(SIG_SETMASK, &caught, nullptr);
  signals_.Reset(signalfd(-1, &caught, SFD_CLOEXEC | SFD_NONBLOCK));
  loop_.WhenReadable(signals_.get(), [this] { OnSignal(); });

  SPILLWAY_RETURN_IF_ERROR(OutliveOldWardens());
  SPILLWAY_ASSIGN_OR_RETURN(std::string id, Identity());
  SPILLWAY_ASSIGN_OR_RETURN(
      table_, RunTable::Open(
                  loop_, dir_.get(), options_.runs, std::move(id), wardens_lock_.get(),
                  {.on_report = [this](const RunReport& report) { controllers_->OnReport(report); },
                   .on_output = [this](AttemptKey key) { controllers_->OnOutput(key); }}));
  controllers_ = std::make_unique<Controllers>(loop_, *table_);
  SPILLWAY_RETURN_IF_ERROR(table_->Recover());
  return Listen();
}

void Supervisor::OnSignal() {
  signalfd_siginfo info;
  bool told_to_end = false;
  while (read(signals_.get(), &info, sizeof info) == sizeof info)
    told_to_end |= info.ssi_signo == SIGTERM;
  pid_t pid = 0;
  while ((pid = waitpid(-1, nullptr, WNOHANG)) > 0) table_->Reaped(pid);
  if (!told_to_end) return;
  if (listener_) loop_.Forget(listener_.get());
  listener_.Reset();
  table_->StopAll([this] { loop_.Stop(); });
}

void Supervisor::BoundOwnLog() {
  struct stat log {};
  if (fstat(STDERR_FILENO, &log) == 0 && S_ISREG(log.st_mode) && log.st_size > kMaxOwnLog) {
    if (ftruncate(STDERR_FILENO, 0) != 0) return;
  }
}

void Supervisor::Sweep() {
  table_->Sweep();
  BoundOwnLog();
  loop_.After(kSweepEvery, [this] { Sweep(); });
}

// Looks now and then, not at every change: nobody minds an idle process for some seconds more.
void Supervisor::EndIfIdle() {
  const absl::Duration now = EventLoop::SinceBoot();
  if (table_->live() > 0 || controllers_->connected() > 0) busy_until_ = now;
  const absl::Duration left = busy_until_ + options_.idle - now;
  if (left <= absl::ZeroDuration()) {
    unlinkat(dir_.get(), kSupervisorSocket, 0);
    return loop_.Stop();
  }
  loop_.After(std::min(left, std::max(options_.idle / 4, absl::Milliseconds(1))),
              [this] { EndIfIdle(); });
}

void Supervisor::Run() {
  loop_.WhenReadable(listener_.get(), [this] {
    UniqueFd socket(accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
    if (socket) controllers_->Add(std::move(socket));
  });
  busy_until_ = EventLoop::SinceBoot();
  Sweep();
  EndIfIdle();
  loop_.Run();
  if (table_->live() > 0) return;  // those that wait for their turn stay on disk
  for (int i = 0; i < kCgroupLooks && !table_->RemoveCgroups(); ++i) absl::SleepFor(kLook);
}

// Splits off a child that is nobody's; the parent waits until the child says that it serves, or
// ends. Returns the child's end of that pipe, or -1 in the parent with `code` set.
int Detach(int& code) {
  int ready[2];
  if (pipe2(ready, O_CLOEXEC) != 0) return code = 1, -1;
  const pid_t child = fork();
  if (child < 0) return code = 1, -1;
  if (child == 0) {
    close(ready[0]);
    setsid();
    return ready[1];
  }
  close(ready[1]);
  char answer = 1;
  code = read(ready[0], &answer, 1) == 1 ? answer : 1;
  close(ready[0]);
  return -1;
}

int Serve(SupervisorOptions options, int ready) {
  Supervisor supervisor(std::move(options));
  const auto tell = [&](char code) {
    if (ready >= 0 && write(ready, &code, 1) == 1) close(std::exchange(ready, -1));
  };
  const auto fail = [&](const absl::Status& status) {
    std::fprintf(stderr, "supervisor: %s\n", std::string(status.message()).c_str());
    tell(1);
    return 1;
  };
  if (const absl::Status status = supervisor.Prepare(); !status.ok()) return fail(status);
  const auto alone = supervisor.TakeLock();
  if (!alone.ok()) return fail(alone.status());
  if (!*alone) return tell(0), 0;
  if (const absl::Status status = supervisor.Open(); !status.ok()) return fail(status);
  tell(0);
  supervisor.Run();
  return 0;
}

}  // namespace

std::string SocketPath(int dir, const std::string& name) {
  return absl::StrCat("/proc/self/fd/", dir, "/", name);
}

int ConnectToSupervisor(int dir) {
  UniqueFd socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!socket) return -1;
  const sockaddr_un address = AddressOf(SocketPath(dir, kSupervisorSocket));
  if (connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
    return -1;
  return socket.Release();
}

int RunSupervisor(SupervisorOptions options) {
  int ready = -1;
  if (options.daemonize) {
    int code = 0;
    ready = Detach(code);
    if (ready < 0) return code;
  }
  const int code = Serve(std::move(options), ready);
  if (ready >= 0)
    _exit(code);  // not through the caller's exit handlers: it is another process's image
  return code;
}

}  // namespace spillway
