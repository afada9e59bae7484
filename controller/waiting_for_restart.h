#pragma once

#include <string>

#include "core/config.h"

namespace spillway {

// What a reload cannot put into force, in words: pools, aliases and tenants that differ between
// what the controller was started with and what the file says now, by name (at most ten of each
// sort). "": nothing does. Policy and prices are not looked at.
std::string WaitingForRestart(const Config& started, const Config& now);

}  // namespace spillway
