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

// Every reason at once (not only the first), but kRule, which is the policy's (policies/policy.h).
// `face` is FaceFor(work, pool).
Ability AbilityOf(const Work& work, const WorkFace& face, const PoolSpec& pool);

}  // namespace spillway
