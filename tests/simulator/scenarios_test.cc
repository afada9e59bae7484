// The scenarios that come with the project, and the one in the documentation.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>

#include "formats/catalog_file.h"
#include "formats/scenario_file.h"
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

TEST(Scenarios, TheExampleInTheDocumentationIsRead) {
  const std::string page = TextOf(kSource / "docs/simulation.md");
  const std::size_t begin = page.find("```yaml\nname: mine");
  ASSERT_NE(begin, std::string::npos);
  const std::size_t at = begin + 8, end = page.find("```", at);
  // It names files beside it.
  testing_support::TemporaryFolder folder;
  for (const char* beside : {"fleets", "policies", "traces"})
    std::filesystem::create_symlink(kSource / "configs" / beside, folder.Of(beside));
  std::filesystem::create_directory(folder.Of("scenarios"));
  const std::string path = folder.Of("scenarios/mine.yaml");
  std::ofstream(path) << page.substr(at, end - at);
  std::vector<std::string> warnings;
  const auto scenario = LoadScenario(path, Known(), Machine(), &warnings);
  ASSERT_TRUE(scenario.ok()) << scenario.status();
  EXPECT_THAT(warnings, testing::IsEmpty());
  EXPECT_EQ(scenario->seeds, 5);
  EXPECT_EQ(scenario->pairs.size(), 2u);
}

}  // namespace
}  // namespace spillway
