#pragma once

#include "core/code.h"
#include "core/decision.h"
#include "core/pool.h"
#include "core/work.h"

// Hard filters, one free function for each *cannot* code of the same name: may this work run there
// at all, whatever the load and the price? They look at one node of the pool when it is empty.
namespace spillway {

struct Ability {
  CodeSet codes;    // empty: able
  Figures figures;  // of the first code
  bool able() const { return codes.empty(); }
};

// Engines that others run (adapter `openai`) answer requests; nobody could launch a job there.
bool RunsJobs(const PoolSpec& pool);

// Every reason at once (not only the first), but kRule, which is the policy's (policies/policy.h).
// `face` is FaceFor(work, pool). Does not allocate.
//
// - Jobs and services hold a node: its CPUs, memory, devices and runtime must do. A request holds
//   nothing, the engine that answers it does: of these four it is only asked for the sort of device
//   that its needs name.
// - Jobs and services have the code kRuntime alone on a pool that runs none.
// - `memory` of a device is wanted in the part that the work gets: fraction x device_memory.
// - Work that asks for no device is refused with kDevices where nodes have some, unless the pool's
//   weights give CPUs a price: CPU work on an accelerator node is never free.
// - A gang stands on as many nodes as it asks for, one member each. One that is larger than the
//   pool gets the code of the resource that it is made of: kDevices if it asks for devices, else
//   kCpus. The figures are then what that many members of it ask for: on all nodes of the pool
//   (found), and in the whole gang (wanted).
// - `confidential` may stand in the pool's `confidential` or among its `features`.
// - A pool without a list of models is open to every job and service, but answers no request that
//   names a model: nothing says that it serves it. A pool with a list of work classes runs only
//   jobs of these.
Ability AbilityOf(const Work& work, const WorkFace& face, const PoolSpec& pool);

}  // namespace spillway
