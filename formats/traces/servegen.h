#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "formats/traces/reader.h"

// ServeGen (Xiang et al., arXiv 2505.09999): no arrivals, but what each client of a service does:
// how often it asks, how irregularly, and how long prompts and answers are, by window of time.
namespace spillway {

enum class GapShape : std::uint8_t { kGamma, kWeibull };

struct ClientRate {
  std::int64_t begin = 0;  // ns; the window lasts kServeGenWindow
  double rate = 0;         // requests a second, > 0
  GapShape gaps = GapShape::kGamma;
  double shape = 1;  // of the distribution of gaps, > 0; its scale follows from the rate
};
inline constexpr std::int64_t kServeGenWindow = 600'000'000'000;

struct ClientLengths {
  static constexpr std::array<double, 9> kFractions{.01, .05, .1, .25, .5, .75, .9, .95, .99};
  std::int64_t begin = 0;                   // ns; lasts until the client's next one
  std::array<double, 9> input{}, output{};  // tokens, never falling
};

struct ServeGenClient {
  std::int64_t number = 0;
  std::vector<ClientRate> rates;       // by time, not empty
  std::vector<ClientLengths> lengths;  // by time, not empty
};

struct ServeGenClients {
  std::vector<ServeGenClient> clients;  // by number
  TraceReport report;                   // left_out: clients without lengths, or without rates
};

// Columns: client, t_s, rate_rps, iat_cv, iat_dist (Gamma or Weibull), dist_p1 (its shape),
// dist_p2 (its scale within bursts, not used: the rate holds over the whole window) - and client,
// window_start_s, field (input_tokens, output_tokens; others are not looked at), mean, p01, p05,
// p10, p25, p50, p75, p90, p95, p99. kInvalidArgument as TraceReader.
absl::StatusOr<ServeGenClients> ReadServeGen(const TraceSpec& spec);

}  // namespace spillway
