#pragma once

#include <string>
#include <vector>

#include "core/workload.h"
#include "formats/reader.h"

namespace spillway {

// `workloads:` of a scenario: a map of names to lists of parts. docs/workloads.md explains every
// key. Everything that is wrong is noted (Reading). Files are only named here, not opened: their
// paths come out joined to `folder`, that of the scenario; they are read by simulator/workloads/.
void ReadWorkloads(const Place& at, const std::string& folder, std::vector<WorkloadSpec>& out);

// Every file that a workload names, once, in the order in which it is named.
std::vector<std::string> FilesOf(const WorkloadSpec& workload);

}  // namespace spillway
