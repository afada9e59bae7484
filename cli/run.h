#pragma once

#include <functional>
#include <ostream>
#include <string>
#include <vector>

#include "cli/screen.h"

namespace spillway::cli {

// Where the program writes and what it knows of its surroundings. Tests bring their own.
struct Surroundings {
  std::ostream& out;
  std::ostream& err;
  std::function<Screen(int fd, ColourWish)> screen_of;       // fd 1 or 2
  std::function<std::string(const char* name)> environment;  // "" if not set
  std::function<bool()> reader_left;  // whether a pipe that `out` goes to has lost its reader
};

// The whole program: `words` are its arguments without its name. Gives the exit code.
int RunProgram(const std::vector<std::string>& words, const Surroundings& around);

}  // namespace spillway::cli
