#include "adapters/process/live_run.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "absl/strings/str_cat.h"
#include "core/status.h"

namespace spillway {
namespace {

constexpr std::size_t kPumpBytes = 64 << 10;  // at a time: the default size of a pipe
constexpr int kPumpsATurn = 4;                // then the others have theirs
constexpr int kLastPumps = 64;                // of what a finished tree left in its pipes

}  // namespace

std::string LogName(AttemptKey key, LogStream stream) {
  return absl::StrCat(RunName(key), stream == LogStream::kStdout ? ".out" : ".err");
}

absl::StatusOr<std::unique_ptr<LiveRun>> LiveRun::Begin(EventLoop& loop, Plan plan,
                                                        Callbacks callbacks) {
  std::unique_ptr<LiveRun> run(new LiveRun(loop, std::move(callbacks)));
  WardenPlan warden{.key = plan.key,
                    .command = std::move(plan.command),
                    .records = plan.records,
                    .lock = plan.wardens_lock,
                    .at_step = std::move(plan.at_step)};
  UniqueFd ends[2];
  for (const LogStream stream : {LogStream::kStdout, LogStream::kStderr}) {
    Pump& pump = stream == LogStream::kStdout ? run->out_ : run->err_;
    SPILLWAY_ASSIGN_OR_RETURN(
        pump.log, OutputLog::Create(plan.logs, LogName(plan.key, stream), plan.log_bound / 2,
                                    plan.log_bound - plan.log_bound / 2));
    int pipe[2];
    if (pipe2(pipe, O_CLOEXEC) != 0) return ErrnoStatus(errno, "make a pipe");
    pump.pipe.Reset(pipe[0]);
    fcntl(pipe[0], F_SETFL, O_NONBLOCK);
    ends[stream == LogStream::kStdout ? 0 : 1].Reset(pipe[1]);
  }
  warden.streams = {ends[0].get(), ends[1].get()};
  int control[2];
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, control) != 0)
    return ErrnoStatus(errno, "make a socket");
  run->control_.Reset(control[0]);
  UniqueFd theirs(control[1]);
  warden.control = control[1];
  run->warden_ = fork();
  if (run->warden_ == 0) RunWarden(std::move(warden));
  if (run->warden_ < 0) return ErrnoStatus(errno, "fork");

  LiveRun* self = run.get();
  loop.WhenReadable(run->control_.get(), [self] { self->OnPacket(); });
  loop.WhenReadable(run->out_.pipe.get(), [self] { self->OnReadable(self->out_); });
  loop.WhenReadable(run->err_.pipe.get(), [self] { self->OnReadable(self->err_); });
  return run;
}

LiveRun::~LiveRun() {
  for (const UniqueFd* fd : {&control_, &out_.pipe, &err_.pipe}) {
    if (*fd) loop_.Forget(fd->get());
  }
}

void LiveRun::Cancel(absl::Duration grace) {
  const std::string packet = CancelPacket(grace);
  if (control_) send(control_.get(), packet.data(), packet.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
}

void LiveRun::OnPacket() {
  std::array<char, 8192> packet;
  const ssize_t n = recv(control_.get(), packet.data(), packet.size(), MSG_DONTWAIT);
  if (n < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (n > 0 && packet[0] == kWardenStarted) return callbacks_.on_started();
  if (n > 0 && packet[0] == kWardenOver) {
    status_ =
        Decode<StatusRecord>(std::string_view(packet.data() + 1, static_cast<std::size_t>(n) - 1));
    return;
  }
  loop_.Forget(control_.get());
  control_.Reset();
  callbacks_.on_over(std::move(status_));
}

bool LiveRun::PumpOnce(Pump& pump) {
  if (!pump.pipe) return false;
  static std::array<char, kPumpBytes> buffer;  // one thread, one pump at a time
  const ssize_t n = read(pump.pipe.get(), buffer.data(), buffer.size());
  if (n > 0) {
    pump.log->Append(std::string_view(buffer.data(), static_cast<std::size_t>(n)));
    return true;
  }
  if (n < 0 && errno == EINTR) return true;
  if (n < 0 && errno == EAGAIN) return false;
  loop_.Forget(pump.pipe.get());
  pump.pipe.Reset();
  return false;
}

void LiveRun::OnReadable(Pump& pump) {
  const std::uint64_t before = pump.log->shape().total;
  for (int i = 0; i < kPumpsATurn && PumpOnce(pump); ++i) {
  }
  if (pump.log->shape().total != before) callbacks_.on_output();
}

std::string LiveRun::FinishLogs() {
  std::string trouble;
  for (Pump* pump : {&out_, &err_}) {
    // Bounded, for a process elsewhere may have been given the pipe and may go on printing.
    for (int i = 0; i < kLastPumps && PumpOnce(*pump); ++i) {
    }
    if (pump->pipe) loop_.Forget(pump->pipe.get());
    pump->pipe.Reset();
    if (const std::string words = pump->log->Finish(); !words.empty()) trouble = words;
  }
  return trouble;
}

}  // namespace spillway
