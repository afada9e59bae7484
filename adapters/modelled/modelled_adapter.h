#pragma once

#include "adapters/command_adapter.h"

namespace spillway {

// Pools of hardware that is not here. Devices, price, power and duration are pretended, the work
// never: the command really runs on this machine, and its attempt is over once the command is over
// and the duration that the model gives for those devices has passed, whichever is later. Speed-up
// is part of that duration already.
class ModelledAdapter final : public CommandAdapter {
 public:
  ModelledAdapter(CommandHost& host, AdapterSink& sink) : CommandAdapter("modelled", host, sink) {}

 private:
  void Complete(LaunchOrder& order, const command::Launch& launch,
                const PoolSpec& pool) const override;
};

}  // namespace spillway
