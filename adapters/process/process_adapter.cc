#include "adapters/process/process_adapter.h"

namespace spillway {

void ProcessAdapter::Complete(LaunchOrder& order, const command::Launch& launch,
                              const PoolSpec&) const {
  order.cpus = FaceOf(*launch.work, launch.alternative).needs.cpus;
}

}  // namespace spillway
