#pragma once

#include <string>
#include <string_view>

#include "controller/snapshot.h"

// Names that only the running controller can judge. Each gives what is wrong with a name, in words
// that follow the name of its key, or nothing.
namespace spillway {

// Pools that left the configuration are known: jobs and bills name them.
std::string WhyNoPool(std::string_view name, const Snapshot& snapshot);
std::string WhyNoClass(std::string_view name, const Snapshot& snapshot);
// Where the declared seconds of a job hold: a device of the catalogue or a pool.
std::string WhyNoDeviceOrPool(std::string_view name, const Snapshot& snapshot);

}  // namespace spillway
