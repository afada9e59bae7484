// What metrics cost: a scrape of N pools, and counting a request.
//
//   metrics [POOLS ...]      1,000 unless said
//
// The host is real, its adapters and its store are those of the tests. Every pool has had work of
// three tenants, was refused for four reasons, and stands in the current hour.
#include <time.h>

#include <cstdlib>
#include <string>
#include <vector>

#include "bench/measure.h"
#include "controller/metrics/metrics.h"
#include "fmt/format.h"
#include "tests/controller/host_rig.h"

namespace spillway::bench {
namespace {

double ThreadCpuMicros() {
  timespec at{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &at);
  return static_cast<double>(at.tv_sec) * 1e6 + static_cast<double>(at.tv_nsec) / 1e3;
}

void FillFleet(Config& config, int pools) {
  PoolSpec pool = fixtures::EdgeNpuPool();
  pool.adapter.type = "modelled";
  pool.price.as_of = "2026-07-20";
  config.fleet.pools.clear();
  for (int i = 0; i < pools; ++i) {
    pool.name = fmt::format("pool-{:05}", i);
    config.fleet.pools.push_back(pool);
  }
}

// Rows as a year of work leaves them.
void FillCounters(Metrics& metrics, int pools, absl::Time now) {
  Batch batch;
  for (int i = 0; i < pools; ++i) {
    for (int t = 0; t < 3; ++t) {
      batch.records.push_back(
          record::LedgerRow{.hour = absl::FromUnixSeconds(absl::ToUnixSeconds(now) / 3600 * 3600),
                            .pool = PoolId{static_cast<std::uint32_t>(i)},
                            .tenant = fmt::format("tenant-{}", t),
                            .cost = Usd(1'000'000 + i),
                            .baseline_cost = Usd(3'000'000)});
    }
  }
  for (const Code code : {Code::kTooLate, Code::kMemory, Code::kRuntime, Code::kOutranked}) {
    Decision decision{.outcome = Outcome::kPlaced, .chosen = PoolId{0}};
    for (int i = 0; i < pools; ++i) {
      Candidate candidate{.pool = PoolId{static_cast<std::uint32_t>(i)}};
      candidate.codes.Add(code);
      decision.candidates.push_back(candidate);
    }
    batch.records.push_back(
        record::DecisionRow{std::make_shared<const Decision>(std::move(decision))});
  }
  metrics.OnCommitted(batch, absl::Milliseconds(1));
}

void MeasureScrape(int pools, int rounds) {
  Metrics metrics({"0", "bench"});
  HostRig rig({.snapshot_period = absl::ZeroDuration()}, &metrics);
  FillFleet(*rig.config(), pools);
  rig.Start();
  metrics.Attach({.host = &rig.host(), .server = [] { return ServerStats{}; }});
  FillCounters(metrics, pools, rig.clock().Now());
  Samples wall(static_cast<std::size_t>(rounds)), cpu(static_cast<std::size_t>(rounds));
  std::string text;
  for (int i = 0; i < rounds; ++i) {
    const auto start = Clock::now();
    const double before = ThreadCpuMicros();
    text = metrics.Render();
    cpu.Add(ThreadCpuMicros() - before);
    wall.Add(MicrosSince(start));
  }
  std::size_t series = 0;
  for (std::size_t at = 0; at < text.size(); at = text.find('\n', at) + 1)
    series += text[at] != '#';
  fmt::print("{:>10}{:>10}{:>10.1f}{:>12.1f}{:>12.1f}{:>12.1f}\n", pools, series,
             static_cast<double>(text.size()) / 1e6, wall.Percentile(50) / 1e3,
             wall.Percentile(99) / 1e3, cpu.Percentile(50) / 1e3);
  metrics.Detach();
}

// As the relay and the store thread call it: one call each, and groups of 64.
void MeasureRequests(int groups) {
  Metrics metrics({"0", "bench"});
  Request request;
  request.features.model = "chat";
  request.features.models = {"chat"};
  request.attempts = {{{PoolId{0}, 0}, ForwardFault::kNone}};
  request.answered_by = "chat";
  request.prompt_tokens = 200;
  request.output_tokens = 100;
  request.ttft = absl::Milliseconds(80);
  request.tpot = absl::Milliseconds(9);
  request.expected.ttft = absl::Milliseconds(90);
  request.cost = Usd(1000);
  request.baseline_cost = Usd(3000);
  event::RequestsEnded ended;
  for (int i = 0; i < 64; ++i) ended.requests.push_back(std::make_shared<const Request>(request));
  metrics.OnEnded(ended);  // series are made once
  const double before = ThreadCpuMicros();
  for (int i = 0; i < groups; ++i) {
    for (int each = 0; each < 64; ++each)
      metrics.OnRequest("createChatCompletion", 200, absl::Milliseconds(10));
    metrics.OnEnded(ended);
  }
  fmt::print("\ncounting one request: {:.2f} us of CPU\n",
             (ThreadCpuMicros() - before) / groups / 64);
}

}  // namespace
}  // namespace spillway::bench

int main(int argc, char** argv) {
  const bool smoke = std::getenv("SPILLWAY_BENCH_SMOKE") != nullptr;
  std::vector<int> sizes;
  for (int i = 1; i < argc; ++i) {
    if (const int pools = std::atoi(argv[i]); pools > 0) sizes.push_back(pools);
  }
  if (sizes.empty()) sizes = {100, 1000};
  fmt::print("{:>10}{:>10}{:>10}{:>12}{:>12}{:>12}\n", "pools", "series", "MB", "p50 ms", "p99 ms",
             "CPU ms");
  for (const int pools : sizes) spillway::bench::MeasureScrape(pools, smoke ? 3 : 200);
  spillway::bench::MeasureRequests(smoke ? 100 : 20'000);
  return 0;
}
