// A controller that launches one command and dies at a chosen step of the conversation:
//   controller DIR SUPERVISOR STEP SCRIPT [EPOCH]
// STEP: connected, taken, half (of the launch is written), launched (all of it, no answer awaited),
// answered. It ends by SIGKILL in each case. Speaks the protocol by itself, so that it can stop
// between any two bytes.
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <string>

#include "adapters/process/protocol.h"
#include "adapters/process/supervisor.h"
#include "adapters/process/supervisor_client.h"

namespace spillway {
namespace {

[[noreturn]] void Die() {
  kill(getpid(), SIGKILL);
  _exit(99);
}

// Waits for the answer to `request`, whatever else is told.
void AwaitAnswer(int socket, FrameReader& frames, std::uint64_t request) {
  char buffer[4096];
  for (;;) {
    auto frame = frames.Next();
    if (frame.ok() && *frame) {
      if ((*frame)->type != static_cast<std::uint8_t>(MessageType::kAnswer)) continue;
      if (Decode<AnswerMessage>((*frame)->body)->request == request) return;
      continue;
    }
    const ssize_t n = read(socket, buffer, sizeof buffer);
    if (n <= 0) _exit(98);
    frames.Append(std::string_view(buffer, static_cast<std::size_t>(n)));
  }
}

void Converse(const std::string& dir, const std::string& step, const std::string& script,
              std::uint64_t epoch) {
  const UniqueFd folder(open(dir.c_str(), O_RDONLY | O_DIRECTORY));
  const UniqueFd socket(ConnectToSupervisor(folder.get()));
  if (!socket) _exit(97);
  if (step == "connected") Die();
  FrameReader frames;
  WriteAll(socket.get(), FrameOf(MessageType::kTake, TakeMessage{1, "process", epoch, true, {}}))
      .IgnoreError();
  AwaitAnswer(socket.get(), frames, 1);
  if (step == "taken") Die();
  LaunchOrder order{.key = {JobId(1), 1},
                    .epoch = epoch,
                    .owner = "process",
                    .command = {"/bin/sh", "-c", script}};
  const std::string launch = FrameOf(MessageType::kLaunch, LaunchMessage{2, order});
  if (step == "half") {
    WriteAll(socket.get(), std::string_view(launch).substr(0, launch.size() / 2)).IgnoreError();
    Die();
  }
  WriteAll(socket.get(), launch).IgnoreError();
  if (step == "launched") Die();
  AwaitAnswer(socket.get(), frames, 2);
  Die();
}

}  // namespace
}  // namespace spillway

int main(int argc, char** argv) {
  if (argc < 5) return 96;
  {
    // Starts the supervisor where none is, and leaves again.
    spillway::SupervisorClient client({.dir = argv[1], .program = {argv[2], "--dir", argv[1]}});
    if (!client.Take("starter", 1, {}, [](const spillway::RunReport&) {}).ok()) return 95;
  }
  spillway::Converse(argv[1], argv[3], argv[4], argc > 5 ? std::strtoull(argv[5], nullptr, 10) : 1);
}
