#pragma once

#include "core/catalog.h"
#include "core/machine.h"
#include "core/pool.h"
#include "formats/reader.h"

// For pool_text.cc: what stands where a pool's text says nothing.
namespace spillway {

// Which parts the text gave, where the struct cannot tell.
struct PoolText {
  bool has_kind = false, has_arch = false, has_runtimes = false, has_precisions = false;
  bool has_billing = false, has_weights = false;
  const Member* power = nullptr;  // read over what the catalogue says
};

// The catalogue's entry for `pool.device`; null if it names none. Notes names that the catalogue
// does not have, with the nearest, and modelled pools without one.
const Device* FindDevice(const Place& at, const Catalog& catalog, const PoolSpec& pool);

// `device` may be null.
void FillIn(const Place& at, const Device* device, const Machine& machine, const PoolText& text,
            PoolSpec& pool);

}  // namespace spillway
