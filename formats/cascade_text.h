#pragma once

#include <cstddef>

#include "core/cascade.h"
#include "formats/reader.h"
#include "formats/value.h"

namespace spillway {

inline constexpr std::size_t kMostCascades = 100;  // of a policy

// An entry of a policy's `cascades`: {name, when: {model, tenant}, first, escalate_when}.
void ReadCascade(const Place& at, CascadeSpec& cascade);
Value ToValue(const CascadeSpec& cascade);

}  // namespace spillway
