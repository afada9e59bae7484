#include "tests/simulator/workloads/pulled.h"

namespace spillway::testing_support {

std::string TraceFile(const std::string& name) {
  return SPILLWAY_SOURCE_DIR "/configs/traces/" + name;
}

}  // namespace spillway::testing_support
