#pragma once

#include "core/policy_spec.h"
#include "core/selector.h"
#include "formats/reader.h"
#include "formats/value.h"

// Selectors as people write them: {kind: [cpu, npu], site: office}. Every key takes one word or a
// list of words.
namespace spillway {

// Keys: name kind vendor device arch billing site site_kind features confidential runtime tier
// modelled labels.
void ReadPoolSelector(const Place& at, PoolSelector& out);
// Keys: kind name tenant confidential class model labels min_priority.
void ReadWorkSelector(const Place& at, WorkSelector& out);
// Keys: model tenant.
void ReadRequestSelector(const Place& at, RequestSelector& out);

// Only the keys that say something; lists of one as that one.
Value ToValue(const PoolSelector& selector);
Value ToValue(const WorkSelector& selector);
Value ToValue(const RequestSelector& selector);

}  // namespace spillway
