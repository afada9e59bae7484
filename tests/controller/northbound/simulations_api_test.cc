#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <mutex>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "controller/simulations.h"
#include "core/text.h"
#include "formats/simulation_text.h"
#include "tests/controller/northbound/api_rig.h"
#include "tests/controller/northbound/some_keys.h"

namespace spillway {
namespace {

using testing::HasSubstr;

// Holds what it is given; a test moves it on.
class HeldSimulations final : public Simulations {
 public:
  absl::StatusOr<Simulation> Start(const SimulationOrder& order, const std::string&) override {
    const std::lock_guard lock(mutex_);
    if (full_) return absl::ResourceExhaustedError("8 simulations wait already");
    Simulation simulation;
    simulation.number = all_.size() + 1;
    simulation.name = NameOf(order);
    simulation.is_replay = std::holds_alternative<OwnPast>(order.what);
    simulation.created_at = absl::FromUnixSeconds(1'785'000'000);
    simulation.command = "spillway simulate";
    all_.push_back(simulation);
    return simulation;
  }
  std::vector<Simulation> List() override {
    const std::lock_guard lock(mutex_);
    return {all_.rbegin(), all_.rend()};
  }
  std::optional<Simulation> Find(std::uint64_t number) override {
    const std::lock_guard lock(mutex_);
    if (number == 0 || number > all_.size()) return std::nullopt;
    return all_[number - 1];
  }
  absl::StatusOr<Simulation> Cancel(std::uint64_t number) override {
    const std::lock_guard lock(mutex_);
    all_[number - 1].state = SimulationState::kCancelled;
    return all_[number - 1];
  }
  absl::StatusOr<std::string> Results(std::uint64_t number) override {
    const std::lock_guard lock(mutex_);
    if (all_[number - 1].state != SimulationState::kSucceeded)
      return absl::NotFoundError("only one that succeeded has results");
    return "{\"cells\":[]}";
  }
  absl::StatusOr<std::string> Report(std::uint64_t) override { return "<script>1</script>"; }
  const std::vector<ShippedScenario>& Scenarios() override { return scenarios_; }
  Counts counts() override { return {}; }

  void Fill() {
    const std::lock_guard lock(mutex_);
    full_ = true;
  }
  void Succeed(std::uint64_t number) {
    const std::lock_guard lock(mutex_);
    all_[number - 1].state = SimulationState::kSucceeded;
    all_[number - 1].has_report = true;
  }

 private:
  std::mutex mutex_;  // the server's thread asks, the test moves
  std::vector<Simulation> all_;
  std::vector<ShippedScenario> scenarios_ = {{"backstop", "What spills over."}};
  bool full_ = false;
};

class SimulationsApi : public testing::Test {
 protected:
  void SetUp() override {
    rig_.Start();
    rig_.api().SetSimulations(&held_);
  }
  static Headers With(std::string_view key) {
    return {{"Authorization", absl::StrCat("Bearer ", ToAbsl(key))}};
  }
  static constexpr char kPath[] = "/api/v1/simulations";
  static constexpr char kBackstop[] = R"({"scenario":"backstop","seeds":2})";

  HeldSimulations held_;
  ApiRig rig_;
};

TEST_F(SimulationsApi, StartsShowsListsAndCancels) {
  const Received started = rig_.Post(kPath, kBackstop);
  ASSERT_EQ(started.status, 201) << started.body;
  EXPECT_EQ(started.headers.Get("Location"), "/api/v1/simulations/sim-000001");
  EXPECT_EQ(started.Text("state"), "queued");
  EXPECT_EQ(started.Text("name"), "backstop");
  EXPECT_EQ(rig_.Get("/api/v1/simulations/sim-000001").Text("id"), "sim-000001");
  EXPECT_EQ(rig_.Get("/api/v1/simulations/sim-000002").status, 404);
  EXPECT_EQ(rig_.Get("/api/v1/simulations/sim-1").status, 404);
  EXPECT_EQ(rig_.Get("/api/v1/simulations/..%2F..%2Fetc").status, 404);
  const Received list = rig_.Get(kPath);
  EXPECT_EQ(list.json.Find("data")->list().size(), 1U);
  EXPECT_EQ(rig_.Post("/api/v1/simulations/sim-000001/cancel").Text("state"), "cancelled");
  EXPECT_EQ(rig_.Get("/api/v1/scenarios").json.Find("data")->list().size(), 1U);
}

TEST_F(SimulationsApi, RefusesWhatIsNoOrderAndSaysWhere) {
  for (const char* body :
       {"{}", R"({"scenario":"a","scenario_yaml":"name: a"})", R"({"scenarios":"a"})",
        R"({"scenario":"../../etc/passwd"})", R"({"scenario":"a","seeds":0})",
        R"({"scenario_yaml":"a: [1"})", R"({"replay":{"since":"2026-08-01T00:30:00Z"}})",
        R"({"replay":{},"seeds":3})",
        R"({"replay":{"since":"2026-08-02T00:00:00Z","until":"2026-08-01T00:00:00Z"}})"}) {
    const Received refused = rig_.Post(kPath, body);
    EXPECT_EQ(refused.status, 400) << body << refused.body;
    EXPECT_FALSE(refused.json.Find("errors")->list().empty()) << refused.body;
  }
  EXPECT_THAT(held_.List(), testing::IsEmpty());
  held_.Fill();
  const Received full = rig_.Post(kPath, kBackstop);
  EXPECT_EQ(full.status, 503);
  EXPECT_EQ(full.headers.Get("Retry-After"), "1");
}

TEST_F(SimulationsApi, TextsAreBounded) {
  const std::string text = absl::StrCat("name: ", std::string(kMostScenarioText, 'x'));
  EXPECT_EQ(rig_.Post(kPath, absl::StrCat(R"({"scenario_yaml":")", text, R"("})")).status, 400);
  EXPECT_EQ(rig_.Post(kPath, std::string((1 << 20) + 1, ' ')).status, 413);
}

TEST_F(SimulationsApi, AReportIsASandboxOfItsOwn) {
  rig_.Post(kPath, kBackstop);
  EXPECT_EQ(rig_.Get("/api/v1/simulations/sim-000001/results").status, 404);
  held_.Succeed(1);
  const Received shown = rig_.Get("/api/v1/simulations/sim-000001");
  EXPECT_EQ(shown.Text("report"), "/api/v1/simulations/sim-000001/report");
  EXPECT_EQ(rig_.Get(shown.Text("results")).body, "{\"cells\":[]}");
  const Received report = rig_.Get(shown.Text("report"));
  EXPECT_EQ(report.headers.Get("Content-Type"), "text/html; charset=utf-8");
  EXPECT_EQ(report.headers.Get("X-Content-Type-Options"), "nosniff");
  const std::string policy(report.headers.Get("Content-Security-Policy"));
  EXPECT_THAT(policy, testing::StartsWith("sandbox"));
  EXPECT_THAT(policy, HasSubstr("default-src 'none'"));
  // With the controller's own origin its script could use the API as whoever looks at it.
  EXPECT_THAT(policy, testing::Not(HasSubstr("allow-same-origin")));
}

TEST_F(SimulationsApi, ReadersLookOperatorsStartAndOnlyTheySeeReplays) {
  const auto keys = SomeKeys();
  ASSERT_TRUE(keys.ok());
  rig_.api().SetKeys(*keys);
  EXPECT_EQ(rig_.Post(kPath, kBackstop).status, 401);
  EXPECT_EQ(rig_.Post(kPath, kBackstop, With("submitter-of-a")).status, 403);
  EXPECT_EQ(rig_.Post(kPath, kBackstop, With("operator")).status, 201);
  EXPECT_EQ(rig_.Post(kPath, R"({"replay":{}})", With("operator")).status, 201);
  const auto count = [&](const char* key) {
    return rig_.Get(kPath, With(key)).json.Find("data")->list().size();
  };
  EXPECT_EQ(count("operator"), 2U);
  EXPECT_EQ(count("reader-of-a"), 1U);
  held_.Succeed(2);
  EXPECT_EQ(rig_.Get("/api/v1/simulations/sim-000002/results", With("reader-of-a")).status, 404);
  EXPECT_EQ(rig_.Get("/api/v1/simulations/sim-000002/results", With("operator")).status, 200);
  EXPECT_EQ(rig_.Post("/api/v1/simulations/sim-000001/cancel", "", With("reader-of-a")).status,
            403);
}

}  // namespace
}  // namespace spillway
