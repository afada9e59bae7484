// The scenarios that come with the project, and the one in the documentation.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>
#include <vector>

#include "formats/catalog_file.h"
#include "formats/scenario_file.h"
#include "simulator/experiment.h"
#include "tests/support/temporary_folder.h"

namespace spillway {
namespace {

const std::filesystem::path kSource = SPILLWAY_SOURCE_DIR;

const Catalog& Known() {
  static const Catalog catalog = *LoadCatalog(kSource / "configs/catalog");
  return catalog;
}

std::string TextOf(const std::filesystem::path& path) {
  std::ostringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

TEST(Scenarios, TheOnesThatComeAlongAreReadWithoutAWarning) {
  std::set<std::string> names;
  for (const auto& file : std::filesystem::directory_iterator(kSource / "configs/scenarios")) {
    if (file.path().extension() != ".yaml") continue;
    SCOPED_TRACE(file.path().filename());
    std::vector<std::string> warnings;
    const auto scenario = LoadScenario(file.path(), Known(), Machine(), &warnings);
    ASSERT_TRUE(scenario.ok()) << scenario.status();
    EXPECT_THAT(warnings, testing::IsEmpty());
    EXPECT_EQ(scenario->name, file.path().stem());
    EXPECT_FALSE(scenario->says.empty());
    names.insert(scenario->name);
  }
  EXPECT_THAT(names, testing::IsSupersetOf({"backstop", "cpu-inference", "training-mix", "spot",
                                            "ranking", "cloud-edge-device", "confidential"}));
  const std::string page = TextOf(kSource / "docs/simulation.md");
  for (const std::string& name : names)
    EXPECT_THAT(page, testing::HasSubstr("`" + name + "`")) << "docs/simulation.md leaves it out";
}

// Jobs with alternatives, each drawn: what is paid for does nearly all of it, and there is a bound.
TEST(Scenarios, TrainingFillsWhatIsPaidForBeforeItRents) {
  auto scenario = LoadScenario(kSource / "configs/scenarios/training-mix.yaml", Known(), Machine());
  ASSERT_TRUE(scenario.ok()) << scenario.status();
  scenario->seeds = 1;
  scenario->pairs = {{"mixed", "backstop"}, {"mixed", "nvidia-only"}};
  const auto outcome = RunExperiment(*scenario, Known(), {});
  ASSERT_TRUE(outcome.ok()) << outcome.status();
  for (const CellOutcome& cell : outcome->cells) {
    ASSERT_TRUE(cell.lower_bound.has_value()) << cell.policy;
    EXPECT_LE(*cell.lower_bound, cell.cost) << cell.policy;
    if (cell.policy != "backstop") continue;
    EXPECT_LT(cell.nvidia_share, 0.02);
  }
}

// Blocks of YAML in docs/simulation.md.
std::vector<std::string> DocumentedBlocks() {
  const std::string page = TextOf(kSource / "docs/simulation.md"), fence = "```yaml\n";
  std::vector<std::string> blocks;
  for (auto at = page.find(fence); at != page.npos; at = page.find(fence, at)) {
    at += fence.size();
    blocks.push_back(page.substr(at, page.find("```", at) - at));
  }
  return blocks;
}

// As if it stood in configs/scenarios: it names files beside it.
absl::StatusOr<ScenarioSpec> ReadAsOurs(const std::string& text,
                                        std::vector<std::string>* warnings) {
  testing_support::TemporaryFolder folder;
  for (const char* beside : {"fleets", "policies", "traces"})
    std::filesystem::create_symlink(kSource / "configs" / beside, folder.Of(beside));
  std::filesystem::create_directory(folder.Of("scenarios"));
  const std::string path = folder.Of("scenarios/mine.yaml");
  std::ofstream(path) << text;
  return LoadScenario(path, Known(), Machine(), warnings);
}

TEST(Scenarios, TheExampleInTheDocumentationIsRead) {
  const auto blocks = DocumentedBlocks();
  ASSERT_FALSE(blocks.empty());
  std::vector<std::string> warnings;
  const auto scenario = ReadAsOurs(blocks[0], &warnings);
  ASSERT_TRUE(scenario.ok()) << scenario.status();
  EXPECT_THAT(warnings, testing::IsEmpty());
  EXPECT_EQ(scenario->seeds, 5);
  EXPECT_EQ(scenario->pairs.size(), 2u);
}

// The other blocks are parts of a scenario.
TEST(Scenarios, ThePartsInTheDocumentationAreRead) {
  const auto blocks = DocumentedBlocks();
  ASSERT_GE(blocks.size(), 3u);
  const std::string_view a_fleet = "fleets:\n";
  std::string whole = blocks[0];
  whole.insert(whole.find(a_fleet) + a_fleet.size(),
               "  slice: {size: {device: xeon-spr-amx-24vcpu, objective: same}}\n");
  for (std::size_t i = 1; i < blocks.size(); ++i) {
    SCOPED_TRACE(blocks[i]);
    std::vector<std::string> warnings;
    const auto scenario = ReadAsOurs(whole + blocks[i], &warnings);
    EXPECT_TRUE(scenario.ok()) << scenario.status();
    EXPECT_FALSE(ReadAsOurs(whole + blocks[i] + "  nonsense: 1\n", &warnings).ok());
  }
}

}  // namespace
}  // namespace spillway
