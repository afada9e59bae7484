#include <csignal>
#include <cstdlib>
#include <iostream>

#include "cli/exit_code.h"
#include "cli/run.h"

// Exceptions that got this far are bugs; they end the program with the code for one.
int main(int argc, char** argv) {
  // `spillway jobs | head`: a write fails, and that is all. Caught rather than ignored, since
  // programs that we start would inherit that.
  std::signal(SIGPIPE, [](int) {});
  try {
    const std::vector<std::string> words(argv + 1, argv + argc);
    return spillway::cli::RunProgram(
        words, {std::cout, std::cerr, spillway::cli::ScreenOf, [](const char* name) {
                  const char* value = std::getenv(name);
                  return std::string(value ? value : "");
                }});
  } catch (const std::exception& error) {
    std::cerr << "error: " << error.what() << "\n";
    return spillway::cli::kExitInternal;
  }
}
