#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <iostream>

#include "cli/exit_code.h"
#include "cli/run.h"

namespace {

// A standard stream that was closed gets a file on which it cannot be used: else the next socket or
// file that is opened would take its number, and what is printed would go there.
void HoldStandardStreams() {
  for (const int fd : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    if (::fcntl(fd, F_GETFD) != -1 || errno != EBADF) continue;
    const int way = fd == STDIN_FILENO ? O_WRONLY : O_RDONLY;
    (void)::open("/dev/null", way);  // gets the lowest free number: fd
  }
}

// POLLERR on a pipe's end for writing says that nobody holds the other.
bool ReaderLeft() {
  pollfd out{.fd = STDOUT_FILENO, .events = POLLOUT, .revents = 0};
  return ::poll(&out, 1, 0) == 1 && (out.revents & POLLERR) != 0;
}

}  // namespace

// Exceptions that got this far are bugs; they end the program with the code for one.
int main(int argc, char** argv) {
  // `spillway jobs | head`: a write fails, and that is all. Caught rather than ignored, since
  // programs that we start would inherit that.
  std::signal(SIGPIPE, [](int) {});
  HoldStandardStreams();
  try {
    const std::vector<std::string> words(argv + 1, argv + argc);
    return spillway::cli::RunProgram(words, {std::cout, std::cerr, spillway::cli::ScreenOf,
                                             [](const char* name) {
                                               const char* value = std::getenv(name);
                                               return std::string(value ? value : "");
                                             },
                                             ReaderLeft});
  } catch (const std::exception& error) {
    std::cerr << "error: " << error.what() << "\n";
    return spillway::cli::kExitInternal;
  }
}
