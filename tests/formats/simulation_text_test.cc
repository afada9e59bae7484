#include "formats/simulation_text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"

namespace spillway {
namespace {

TEST(SimulationOrder, IsOneOfThreeThings) {
  const auto shipped = ParseSimulationOrder(R"({"scenario":"backstop","seeds":3})");
  ASSERT_TRUE(shipped.ok()) << shipped.status();
  EXPECT_EQ(std::get<ShippedScenario>(shipped->what).name, "backstop");
  EXPECT_EQ(shipped->seeds, 3);
  EXPECT_EQ(NameOf(*shipped), "backstop");

  const auto own = ParseSimulationOrder("scenario_yaml: |\n  name: mine\n  says: x\n");
  ASSERT_TRUE(own.ok()) << own.status();
  EXPECT_EQ(std::get<ScenarioText>(own->what).yaml, "name: mine\nsays: x\n");
  EXPECT_EQ(NameOf(*own), "mine");

  const auto past = ParseSimulationOrder(
      R"({"replay":{"since":"2026-08-01T00:00:00Z","until":null,"policy_yaml":"name: p"}})");
  ASSERT_TRUE(past.ok()) << past.status();
  EXPECT_EQ(std::get<OwnPast>(past->what).policy_yaml, "name: p");
  EXPECT_FALSE(std::get<OwnPast>(past->what).until);
  EXPECT_EQ(NameOf(*past), "own-past");
}

TEST(SimulationOrder, ANameThatIsNoneIsNotTakenOver) {
  const auto own = ParseSimulationOrder(R"({"scenario_yaml":"name: ../../x"})");
  ASSERT_TRUE(own.ok());
  EXPECT_EQ(NameOf(*own), "scenario");
}

TEST(SimulationText, ReadsBackAsItWasWritten) {
  Simulation simulation;
  simulation.number = 42;
  simulation.name = "own-past";
  simulation.is_replay = true;
  simulation.state = SimulationState::kSucceeded;
  simulation.progress = {7, 9, "runs"};
  simulation.created_at = absl::FromUnixMillis(1'785'000'000'123);
  simulation.started_at = simulation.created_at + absl::Seconds(1);
  simulation.finished_at = simulation.created_at + absl::Seconds(2);
  simulation.command = "spillway simulate --replay x";
  simulation.verdict = "It is \"cheaper\".\nBy far.";
  simulation.has_report = true;
  std::string text;
  JsonWriter w(text);
  WriteSimulation(w, simulation);
  const auto read = ParseSimulation(text, "file");
  ASSERT_TRUE(read.ok()) << read.status();
  std::string again;
  JsonWriter second(again);
  WriteSimulation(second, *read);
  EXPECT_EQ(text, again);
  EXPECT_EQ(read->progress.what, "runs");
  EXPECT_EQ(read->number, 42U);
  EXPECT_TRUE(read->is_replay);
}

TEST(SimulationText, WhatEarlierVersionsWroteIsRead) {
  Simulation simulation;
  simulation.number = 1;
  simulation.name = "ranking";
  simulation.command = "spillway simulate";
  std::string text;
  JsonWriter w(text);
  WriteSimulation(w, simulation);
  const std::string what = ",\"what\":null";
  const std::size_t at = text.find(what);
  ASSERT_NE(at, text.npos) << text;
  const auto read = ParseSimulation(text.erase(at, what.size()), "file");
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_EQ(read->progress.what, "");
}

TEST(SimulationId, HasOneSpelling) {
  EXPECT_EQ(ParseSimulationId("sim-000042"), 42U);
  EXPECT_EQ(ParseSimulationId("sim-1234567"), 1'234'567U);
  for (const char* text : {"sim-42", "sim-", "sim-000000", "sim--00042", "job-000042", "sim-00004x",
                           "sim-0000000000000042", "../sim-000042"})
    EXPECT_EQ(ParseSimulationId(text), std::nullopt) << text;
}

}  // namespace
}  // namespace spillway
