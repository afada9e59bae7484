#pragma once

#include <cstdint>
#include <vector>

#include "performance/batch_capacity.h"
#include "performance/engine.h"
#include "performance/step_time.h"

// The least time that an engine needs for a token, whatever else is in its batches.
namespace spillway {

// A step with n > 0 decodes and K tokens in their caches takes at least
// `sequence` x n + `token` x K seconds, for every batch that the engine can hold.
struct DecodeFloor {
  double sequence = 0, token = 0;  // seconds, >= 0
  double At(double decodes, double context) const { return sequence * decodes + token * context; }
};

// The floor that is highest for decodes with `mean_context` tokens: it is the best batch rate of an
// engine with nothing else to do. Zero where the times have no closed form. With `shared` the
// tokens of a batch may be more than the blocks hold.
DecodeFloor DecodeFloorFor(const StepTimes& times, const EngineLimits& limits, double mean_context,
                           bool shared);

// Seconds a prompt token takes in the best of all chunks.
double PromptFloorFor(const StepTimes& times, const EngineLimits& limits);

// Seconds an item takes of a server of batches, all of whose instances are at their best.
double ItemFloorFor(const BatchCapacity& server);

}  // namespace spillway
