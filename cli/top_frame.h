#pragma once

#include <string>

#include "absl/time/time.h"
#include "cli/screen.h"
#include "formats/value.h"

// One picture of `spillway top`: what the controller does now, in as many lines as there are. Pure.
namespace spillway::cli {

// Answers of the API; null where one did not come.
struct TopView {
  std::string server;
  Value overview;       // GET /api/v1/overview
  Value pools;          // GET /api/v1/pools
  Value series;         // GET /api/v1/series
  Value decisions;      // GET /api/v1/decisions, newest first
  Value requests;       // GET /api/v1/requests, newest first
  std::string trouble;  // why the last look failed, if it did
  absl::Time now;
};

// At most `height` lines, each of at most the screen's width; the last one without a newline.
std::string TopFrame(const TopView& view, const Screen& screen, int height);

// "▁▂▃▅█" of the last `width` values between 0 and `top`; a gap where there is none.
std::string Sparkline(const Value::List& values, int width, double top, const Screen& screen);

}  // namespace spillway::cli
