#pragma once

#include "adapters/command_adapter.h"

namespace spillway {

// Jobs as real processes on this machine, held to the CPUs and the memory that they asked for.
class ProcessAdapter final : public CommandAdapter {
 public:
  ProcessAdapter(CommandHost& host, AdapterSink& sink) : CommandAdapter("process", host, sink) {}

 private:
  void Complete(LaunchOrder& order, const command::Launch& launch,
                const PoolSpec& pool) const override;
};

}  // namespace spillway
