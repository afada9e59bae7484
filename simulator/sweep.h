#pragma once

#include <vector>

#include "absl/status/statusor.h"
#include "core/config.h"
#include "core/scenario.h"

namespace spillway {

// The configuration with one figure varied: of every pool of the device, or of the pool.
//
// Prefill: a step that computes prompts takes the time of the catalogue's profile, or of the
// roofline, divided by the factor, but never less than reading the weights takes; steps that only
// decode stay as they are. Bandwidth: the roofline's memory, and decode steps that were measured,
// are faster by the factor. Price: of the node and hour, and of tokens.
Config VariedBy(const Config& config, SweptInput input, const std::string& of, double factor);

}  // namespace spillway
