// Several servers behind one queue, as theory has them, through all that an experiment runs: brain,
// ledger, router, flows. closed_forms_test.cc holds the engines by themselves.
#include <gtest/gtest.h>

#include <cmath>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "scheduler/router.h"
#include "simulator/workloads/draw.h"
#include "tests/simulator/confidence.h"
#include "tests/simulator/sim_world.h"

namespace spillway {
namespace {

// As many nodes as servers, each with one device.
std::shared_ptr<Config> Servers(int count, const std::string& serves) {
  return ConfigOf(absl::StrCat(R"(
kind: Fleet
pools:
  - name: servers
    adapter: {type: modelled}
    device: nvidia-a10g-24g
    kind: gpu
    node: {cpus: 4, memory: 16GiB, devices: 1}
    billing: metered
    price: {node_hour: 1.000 USD}
    runtimes: {cuda: "12.4"}
    nodes: )",
                               count, "\n", serves));
}

// P(wait) of Erlang C, by the recursion of Erlang B; `load` in erlangs.
double ErlangC(int servers, double load) {
  double blocked = 1;
  for (int c = 1; c <= servers; ++c) blocked = load * blocked / (c + load * blocked);
  const double rho = load / servers;
  return blocked / (1 - rho * (1 - blocked));
}

// Jobs of exponential length, a second on average, that nobody knows beforehand.
std::vector<Arrival> Jobs(int count, double rate, std::uint64_t seed) {
  RandomStream random = MakeRandomStream(seed, "m/m/c");
  auto work = std::make_shared<Work>();
  work->name = "served";
  work->needs.devices.count = 1;
  work->needs.runtime.name = "cuda";
  work->demand = DeclaredSeconds{absl::Seconds(1), ""};
  std::vector<Arrival> arrivals(static_cast<std::size_t>(count));
  absl::Duration at;
  for (Arrival& arrival : arrivals) {
    at += RoundToNanos(absl::Seconds(DrawExponential(random) / rate));
    arrival.at = ToNanos(at);
    arrival.kind = WorkKind::kJob;
    arrival.job = work;
    arrival.truth.run = DeclaredSeconds{RoundToNanos(absl::Seconds(DrawExponential(random))), ""};
  }
  return arrivals;
}

// M/M/c: Wq = C / (c mu - lambda), P(W > t) = C exp(-(c mu - lambda) t); mu = 1.
void ExpectErlangWaits(int servers, double rho, int jobs) {
  const double load = servers * rho, slack = servers - load, waits = ErlangC(servers, load);
  Replications mean, p99, busy;
  for (std::uint64_t seed = 1; seed <= kReplications; ++seed) {
    ListedArrivals stream(Jobs(jobs, load, seed));
    ScenarioSpec scenario = PlainScenario();
    scenario.warm_up = absl::Seconds(500);
    const auto cell =
        RunCell({.config = Servers(servers, ""), .scenario = &scenario, .arrivals = &stream});
    ASSERT_TRUE(cell.ok()) << cell.status();
    ASSERT_EQ(cell->completed, jobs);
    mean.Add(cell->job_wait.mean);
    p99.Add(cell->job_wait.p99);
    busy.Add(cell->pools[0].utilization);
  }
  mean.ExpectInside("mean wait", waits / slack);
  p99.ExpectInside("p99 of waits", std::log(100 * waits) / slack);
  busy.ExpectInside("utilization", rho);
}

TEST(ManyServers, JobsWaitAsErlangSaysForTwo) { ExpectErlangWaits(2, 0.8, 60'000); }
TEST(ManyServers, JobsWaitAsErlangSaysForTen) { ExpectErlangWaits(10, 0.8, 80'000); }

TEST(ManyServers, TheFormulaIsThatOfTheTables) {
  EXPECT_NEAR(ErlangC(2, 1.6), 0.711111, 1e-6);
  EXPECT_NEAR(ErlangC(10, 8), 0.409180, 1e-6);
  EXPECT_NEAR(ErlangC(10, 9.5), 0.825586, 1e-6);
}

// Requests wait at the router for a place in an engine, three seconds and no longer: M/M/c+D. Where
// V is the wait that a patient one would have, V is 0 with p_0 + ... + p_(c-1), p_j ~ a^j / j!; has
// the density lambda p_(c-1) exp(-(c mu - lambda) x) up to the patience tau; and falls with c mu
// behind it, where nobody joins any more. So P(lost) = lambda p_(c-1) exp(-(c mu - lambda) tau) /
// (c mu).
TEST(ManyServers, RequestsWaitAtTheRouterAndLeaveAsTheoryOfPatienceSays) {
  constexpr int kServers = 4;
  constexpr double kTokens = 400, kRate = 1.1;
  const double tau = absl::ToDoubleSeconds(kRoomPatience);
  const auto config =
      Servers(kServers, absl::StrCat("    serves: [{model: qwen2-1.5b, precision: bf16, replicas: ",
                                     kServers, "}]\n"));
  config->fleet.pools[0].adapter.concurrency = 1;
  Replications lost, wait, length;
  for (std::uint64_t seed = 1; seed <= kReplications; ++seed) {
    RandomStream random = MakeRandomStream(seed, "m/m/c+d");
    std::vector<Arrival> arrivals;
    absl::Duration at;
    for (int i = 0; i < 12'000; ++i) {
      at += RoundToNanos(absl::Seconds(DrawExponential(random) / kRate));
      const auto tokens =
          static_cast<std::int64_t>(std::llround(DrawExponential(random) * kTokens));
      arrivals.push_back(Chat(at, 1, std::max<std::int64_t>(tokens, 1)));
    }
    ListedArrivals stream(std::move(arrivals));
    const ScenarioSpec scenario = PlainScenario();
    double waited = 0, served = 0;
    std::int64_t answered = 0;
    const auto cell = RunCell({.config = config,
                               .scenario = &scenario,
                               .arrivals = &stream,
                               .on_request = [&](const Request& request) {
                                 if (request.end != RequestEnd::kAnswered) return;
                                 ++answered;
                                 served += absl::ToDoubleSeconds(request.held);
                                 waited += absl::ToDoubleSeconds(
                                     request.ended - request.features.arrived - request.held);
                               }});
    ASSERT_TRUE(cell.ok()) << cell.status();
    ASSERT_EQ(cell->completed + cell->refused, cell->submitted);
    lost.Add(static_cast<double>(cell->refused) / static_cast<double>(cell->submitted));
    wait.Add(waited / static_cast<double>(answered));
    length.Add(served / static_cast<double>(answered));
  }
  // How long an answer takes is the engine's; theory begins there.
  const double mu = 1 / length.mean(), a = kRate / mu, slack = kServers * mu - kRate;
  double term = 1, sum = 0;  // a^j / j!
  for (int j = 0; j < kServers; ++j) {
    if (j > 0) term *= a / j;
    sum += term;
  }
  const double left = std::exp(-slack * tau);
  const double joins = kRate * term * (1 - left) / slack;
  const double leaves = kRate * term * left / (kServers * mu);
  const double whole = sum + joins + leaves;
  lost.ExpectInside("lost", leaves / whole);
  const double area = kRate * term * ((1 - left) / slack - tau * left) / slack;
  wait.ExpectInside("mean wait of those who were answered", area / (sum + joins));
}

}  // namespace
}  // namespace spillway
