#include "controller/metrics/metrics.h"

#include <cstdio>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/controller/host_rig.h"
#include "tests/support/temporary_folder.h"

namespace spillway {
namespace {

using testing::HasSubstr;

// A host that has seen some of everything, observed.
class Busy {
 public:
  Busy() : rig_({.snapshot_period = absl::ZeroDuration()}, &metrics_) {
    rig_.Start();
    metrics_.Attach({.host = &rig_.host(),
                     .server = [] { return ServerStats{}; },
                     .streams = [] { return std::size_t{3}; },
                     .stream_bound = 256,
                     .connection_bound = 10'000,
                     .simulations = &simulations_});
    const JobId job = rig_.Submit(HostRig::LocalJob()).Get().job->id;
    rig_.Submit(HostRig::ImpossibleJob()).Get();
    rig_.process().WaitForLaunches(1);
    rig_.process().Started({job, 1});
    rig_.clock().Advance(absl::Minutes(10));
    rig_.process().Ended({job, 1}, 0);
    while (!IsTerminal(rig_.store().FindJob(job)->state)) rig_.Cancel(JobId{999}).Get();
    metrics_.OnRequest("submitJob", 201, absl::Milliseconds(1));
    metrics_.OnReload(false);
  }
  Metrics& metrics() { return metrics_; }
  HostRig& rig() { return rig_; }

 private:
  // One runs, two wait.
  class Some final : public Simulations {
    absl::StatusOr<Simulation> Start(const SimulationOrder&, const std::string&) override {
      return absl::UnimplementedError("");
    }
    std::vector<Simulation> List() override { return {}; }
    std::optional<Simulation> Find(std::uint64_t) override { return std::nullopt; }
    absl::StatusOr<Simulation> Cancel(std::uint64_t) override {
      return absl::UnimplementedError("");
    }
    absl::StatusOr<std::string> Results(std::uint64_t) override {
      return absl::UnimplementedError("");
    }
    absl::StatusOr<std::string> Report(std::uint64_t) override {
      return absl::UnimplementedError("");
    }
    const std::vector<ShippedScenario>& Scenarios() override { return none_; }
    Counts counts() override { return {.running = 1, .waiting = 2, .most_waiting = 8}; }
    const std::vector<ShippedScenario> none_;
  };
  Some simulations_;
  Metrics metrics_{{"1.2.3", "abc"}};
  HostRig rig_;
};

TEST(Metrics, ShowWhatHappened) {
  Busy busy;
  const std::string text = busy.metrics().Render();
  for (const char* line :
       {R"(spillway_jobs_total{kind="job",pool="local",tenant="default",outcome="succeeded"} 1)",
        R"(spillway_jobs_total{kind="job",pool="none",tenant="default",outcome="refused"} 1)",
        R"(spillway_decisions_total{rule="none",pool="local",code="pinned"} 1)",
        R"(spillway_queue_depth{class="job"} 0)",
        R"(spillway_pool_capacity{pool="local",vendor="intel",kind="cpu",resource="cpus"} 8)",
        R"(spillway_pool_busy{pool="a10",vendor="nvidia",kind="gpu",resource="devices"} 0)",
        R"(spillway_pool_healthy{pool="a10",vendor="nvidia",kind="gpu"} 1)",
        R"(spillway_adapter_calls_total{)",
        R"(rpc="launch")",
        R"(spillway_build_info{)",
        R"(version="1.2.3")",
        "spillway_config_last_reload_successful 0",
        R"(spillway_http_requests_total{)",
        R"(operation="submitJob")",
        R"(spillway_buffer_bound{buffer="submissions"} 4096)",
        R"(spillway_buffer_used{buffer="streams"} 3)",
        R"(spillway_simulations{state="running"} 1)",
        R"(spillway_simulations{state="queued"} 2)",
        R"(spillway_buffer_bound{buffer="waiting_simulations"} 8)",
        "spillway_decision_duration_seconds_count",
        "spillway_store_commit_duration_seconds_bucket",
        "spillway_event_loop_lag_seconds_sum",
        R"(spillway_series_dropped_total{label="tenant"} 0)"}) {
    EXPECT_THAT(text, HasSubstr(line));
  }
}

// Every committed row of the ledger is in the counter, to the last unit of a double.
TEST(Metrics, CostIsAProjectionOfTheLedger) {
  Busy busy;
  std::map<std::pair<std::string, std::string>, std::int64_t> ledger;
  const auto rows = busy.rig().store().Ledger({});
  for (const record::LedgerRow& row : *rows) {
    const std::string pool(busy.rig().host().snapshot()->NameOf(row.pool));
    ledger[{pool, std::string(NameOf(row.category))}] += row.cost.value();
  }
  const std::string text = busy.metrics().Render();
  ASSERT_FALSE(ledger.empty());
  for (const auto& [key, nanos] : ledger) {
    const std::string tenant = key.second == "idle" ? "none" : "default";
    const std::string series = "spillway_cost_usd_total{pool=\"" + key.first + "\",tenant=\"" +
                               tenant + "\",category=\"" + key.second + "\"} ";
    const std::size_t at = text.find(series);
    ASSERT_NE(at, std::string::npos) << series;
    EXPECT_DOUBLE_EQ(std::stod(text.substr(at + series.size())), static_cast<double>(nanos) / 1e9);
  }
}

TEST(Metrics, MoneyGoesOnAfterARestart) {
  Busy busy;
  Metrics fresh({"1.2.3", "abc"});
  ASSERT_TRUE(fresh.Restore(busy.rig().store()).ok());
  const std::string before = busy.metrics().Render(), after = fresh.Render();
  const auto costs = [](const std::string& text) {
    std::vector<std::string> lines;
    std::istringstream in(text);
    for (std::string line; std::getline(in, line);) {
      if (line.starts_with("spillway_cost_usd_total")) lines.push_back(line);
    }
    return lines;
  };
  EXPECT_FALSE(costs(before).empty());
  EXPECT_EQ(costs(before), costs(after));
}

// promtool knows the conventions; it prints nothing if they are kept.
TEST(Metrics, PromtoolFindsNothing) {
  if (std::system("command -v promtool >/dev/null 2>&1") != 0) GTEST_SKIP() << "no promtool here";
  Busy busy;
  testing_support::TemporaryFolder folder;
  const std::string file = folder.Of("metrics");
  std::ofstream(file) << busy.metrics().Render();
  FILE* promtool = ::popen(("promtool check metrics < " + file + " 2>&1").c_str(), "r");
  ASSERT_NE(promtool, nullptr);
  std::string said;
  for (int c; (c = std::fgetc(promtool)) != EOF;) said.push_back(static_cast<char>(c));
  EXPECT_EQ(::pclose(promtool), 0);
  EXPECT_EQ(said, "");
}

}  // namespace
}  // namespace spillway
