#include "controller/simulation_desk.h"

#include <filesystem>
#include <fstream>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "core/clock.h"
#include "formats/simulation_text.h"
#include "tests/support/fake_simulation_runner.h"
#include "tests/support/temporary_folder.h"

namespace spillway {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing_support::FakeSimulationRunner;
namespace fs = std::filesystem;

class Desk : public testing::Test {
 protected:
  void Open(std::size_t waiting = 8, std::size_t kept = 20) {
    desk_.reset();
    auto desk = SimulationDesk::Open(
        {.folder = folder_.Of("simulations"), .waiting = waiting, .kept = kept}, runner_, clock_);
    ASSERT_TRUE(desk.ok()) << desk.status();
    desk_ = *std::move(desk);
  }
  absl::StatusOr<Simulation> Start(const std::string& body = R"({"scenario":"spot"})") {
    const auto order = ParseSimulationOrder(body);
    EXPECT_TRUE(order.ok()) << order.status();
    return desk_->Start(*order, body);
  }
  // Waits until it stands so.
  Simulation Until(std::uint64_t number, SimulationState state) {
    for (int i = 0; i < 5000; ++i) {
      const auto found = desk_->Find(number);
      if (found && found->state == state) return *found;
      absl::SleepFor(absl::Milliseconds(2));
    }
    ADD_FAILURE() << "simulation " << number << " never was " << NameOf(state);
    return {};
  }
  std::vector<std::uint64_t> Numbers() {
    std::vector<std::uint64_t> numbers;
    for (const Simulation& simulation : desk_->List()) numbers.push_back(simulation.number);
    return numbers;
  }

  testing_support::TemporaryFolder folder_;
  FakeSimulationRunner runner_;
  SystemClock clock_;
  std::unique_ptr<SimulationDesk> desk_;
};

TEST_F(Desk, RunsOneAndKeepsItsResults) {
  Open();
  const auto started = Start();
  ASSERT_TRUE(started.ok()) << started.status();
  EXPECT_EQ(started->Id(), "sim-000001");
  EXPECT_EQ(started->command, "spillway simulate s.yaml");
  Until(1, SimulationState::kRunning);
  EXPECT_EQ(desk_->counts().running, 1);
  EXPECT_TRUE(absl::IsNotFound(desk_->Results(1).status()));
  runner_.Progress({0, 0, "sizing the fleet a10g for chat"});
  for (int i = 0; i < 5000 && desk_->Find(1)->progress.what.empty(); ++i)
    absl::SleepFor(absl::Milliseconds(2));
  EXPECT_EQ(desk_->Find(1)->progress.what, "sizing the fleet a10g for chat");
  runner_.Progress({3, 10, "runs"});
  for (int i = 0; i < 5000 && desk_->Find(1)->progress.done != 3; ++i)
    absl::SleepFor(absl::Milliseconds(2));
  EXPECT_EQ(desk_->Find(1)->progress.total, 10);
  runner_.End("It is cheaper.");
  const Simulation over = Until(1, SimulationState::kSucceeded);
  EXPECT_EQ(over.verdict, "It is cheaper.");
  EXPECT_EQ(over.progress.done, 10);
  EXPECT_EQ(over.progress.what, "") << "it does nothing any more";
  EXPECT_TRUE(over.started_at && over.finished_at);
  EXPECT_EQ(*desk_->Results(1), "{\"cells\":[]}");
  EXPECT_EQ(*desk_->Report(1), "<p>report</p>");
}

TEST_F(Desk, OneAtATimeInTheirOrderAndNoMoreThanMayWait) {
  Open(/*waiting=*/2);
  ASSERT_TRUE(Start().ok());
  Until(1, SimulationState::kRunning);
  ASSERT_TRUE(Start().ok());
  ASSERT_TRUE(Start().ok());
  const auto fourth = Start();
  EXPECT_TRUE(absl::IsResourceExhausted(fourth.status())) << fourth.status();
  EXPECT_EQ(desk_->counts().waiting, 2);
  EXPECT_EQ(Until(2, SimulationState::kQueued).started_at, std::nullopt);
  runner_.End("");
  runner_.Begun(2);
  runner_.End("");
  EXPECT_THAT(runner_.Begun(3), ElementsAre(folder_.Of("simulations/sim-000001"),
                                            folder_.Of("simulations/sim-000002"),
                                            folder_.Of("simulations/sim-000003")));
}

TEST_F(Desk, WhatFailedSaysWhyAndLeavesNothingThatLooksWhole) {
  Open();
  ASSERT_TRUE(Start().ok());
  const std::string out = runner_.Begun(1).front() + "/out";
  fs::create_directories(out);
  std::ofstream(out + "/results.json") << "half";
  runner_.End(absl::InvalidArgumentError("s.yaml:3: no such pool"));
  EXPECT_EQ(Until(1, SimulationState::kFailed).error, "s.yaml:3: no such pool");
  EXPECT_FALSE(fs::exists(out));
  EXPECT_THAT(std::string(desk_->Results(1).status().message()), HasSubstr("is failed"));
}

TEST_F(Desk, CancelsTheOneThatRunsAndThoseThatWait) {
  Open();
  ASSERT_TRUE(Start().ok());
  Until(1, SimulationState::kRunning);
  ASSERT_TRUE(Start().ok());
  EXPECT_EQ(desk_->Cancel(2)->state, SimulationState::kCancelled);
  EXPECT_TRUE(desk_->Cancel(1).ok());
  Until(1, SimulationState::kCancelled);
  EXPECT_EQ(desk_->Cancel(1)->state, SimulationState::kCancelled);  // again: nothing changes
  EXPECT_TRUE(absl::IsNotFound(desk_->Cancel(3).status()));
  // The next one is not touched by it.
  ASSERT_TRUE(Start().ok());
  Until(3, SimulationState::kRunning);
  runner_.End("");
  Until(3, SimulationState::kSucceeded);
}

TEST_F(Desk, ARestartKeepsResultsEndsTheRunningOneAndGoesOnWithTheRest) {
  Open();
  ASSERT_TRUE(Start().ok());
  Until(1, SimulationState::kRunning);
  runner_.End("Done.");
  Until(1, SimulationState::kSucceeded);
  ASSERT_TRUE(Start().ok());
  Until(2, SimulationState::kRunning);
  ASSERT_TRUE(Start(R"({"scenario":"backstop","seeds":2})").ok());
  Open();
  EXPECT_EQ(desk_->Find(1)->verdict, "Done.");
  EXPECT_EQ(*desk_->Report(1), "<p>report</p>");
  const auto second = desk_->Find(2);
  EXPECT_EQ(second->state, SimulationState::kFailed);
  EXPECT_THAT(second->error, HasSubstr("the controller ended while it ran"));
  Until(3, SimulationState::kRunning);
  EXPECT_EQ(desk_->Find(3)->name, "backstop");
  EXPECT_EQ(Start()->number, 4U);
}

// As after a power cut: the record says that it runs.
TEST_F(Desk, OneThatWasRunningWhenThePowerWentHasFailed) {
  Open();
  ASSERT_TRUE(Start().ok());
  Until(1, SimulationState::kRunning);
  const std::string record = folder_.Of("simulations/sim-000001/simulation.json");
  std::ifstream file(record);
  const std::string running((std::istreambuf_iterator<char>(file)), {});
  EXPECT_THAT(running, HasSubstr(R"("state":"running")"));
  desk_.reset();
  std::ofstream(record) << running;
  Open();
  EXPECT_EQ(desk_->Find(1)->state, SimulationState::kFailed);
}

TEST_F(Desk, KeepsTheNewestOnly) {
  Open(/*waiting=*/8, /*kept=*/2);
  for (std::uint64_t number = 1; number <= 4; ++number) {
    ASSERT_TRUE(Start().ok());
    Until(number, SimulationState::kRunning);
    runner_.End("");
    Until(number, SimulationState::kSucceeded);
  }
  EXPECT_THAT(Numbers(), ElementsAre(4, 3));
  EXPECT_FALSE(fs::exists(folder_.Of("simulations/sim-000001")));
  Open(8, 2);
  EXPECT_EQ(Start()->number, 5U);
}

TEST_F(Desk, TakesNothingThatItDoesNotKnowAndLeavesForeignFilesAlone) {
  fs::create_directories(folder_.Of("simulations/sim-000007"));  // its making was cut short
  fs::create_directories(folder_.Of("simulations/notes"));
  std::ofstream(folder_.Of("simulations/notes/mine")) << "mine";
  Open();
  EXPECT_TRUE(desk_->List().empty());
  EXPECT_TRUE(absl::IsNotFound(Start(R"({"scenario":"nothing"})").status()));
  EXPECT_EQ(Start()->number, 8U);
  EXPECT_TRUE(fs::exists(folder_.Of("simulations/notes/mine")));
}

TEST_F(Desk, AFileThatIsTooLargeIsNotHandedOut) {
  auto desk = SimulationDesk::Open({.folder = folder_.Of("simulations"), .result_bytes = 8},
                                   runner_, clock_);
  ASSERT_TRUE(desk.ok());
  desk_ = *std::move(desk);
  ASSERT_TRUE(Start().ok());
  runner_.End("");
  Until(1, SimulationState::kSucceeded);
  EXPECT_TRUE(absl::IsNotFound(desk_->Results(1).status()));
}

}  // namespace
}  // namespace spillway
