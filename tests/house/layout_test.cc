#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <regex>

#include "tests/house/sources.h"

// Small things that a reader relies on everywhere.
namespace spillway::house {
namespace {

namespace fs = std::filesystem;

std::vector<std::string> AllFolders() {
  auto folders = Rooms();
  folders.insert(folders.end(), {"tests", "bench"});
  return folders;
}

TEST(Layout, NoFileHoldsTwoIdeas) {
  for (const SourceFile& file : SourcesIn(AllFolders()))
    EXPECT_LE(file.lines.size(), 600u)
        << file.path << ": a file past 600 lines usually holds two ideas";
}

TEST(Layout, HeadersAreGuardedAndOpenNoNamespaces) {
  for (const SourceFile& file : SourcesIn(AllFolders())) {
    if (!file.is_header()) continue;
    ASSERT_FALSE(file.lines.empty()) << file.path;
    EXPECT_EQ(file.lines.front(), "#pragma once") << file.path;
    for (const std::string& line : file.lines)
      EXPECT_EQ(CodeOf(line).find("using namespace"), std::string::npos) << file.path;
  }
}

TEST(Layout, NamesSayWhatAThingIs) {
  const std::regex vague("(manager|helper|utils?|misc|common)(_test)?\\.(h|cc)$");
  const std::regex vague_type("\\b(class|struct) \\w*(Manager|Helper|Util|Utils)\\b");
  for (const SourceFile& file : SourcesIn(AllFolders())) {
    EXPECT_FALSE(std::regex_search(file.path, vague)) << file.path;
    for (const std::string& line : file.lines)
      EXPECT_FALSE(std::regex_search(CodeOf(line), vague_type)) << file.path << ": " << line;
  }
}

// A note about something unfinished says when it goes away.
TEST(Layout, NotesNameTheirCondition) {
  const std::string note = std::string("TO") + "DO";
  const std::regex condition("\\b(once|when|until|after)\\b");
  const std::regex never(std::string("\\b(FIX") + "ME|XX" + "X|HA" + "CK)\\b");
  for (const SourceFile& file : SourcesIn(AllFolders())) {
    for (std::size_t i = 0; i < file.lines.size(); ++i) {
      const std::string where = file.path + ":" + std::to_string(i + 1);
      EXPECT_FALSE(std::regex_search(file.lines[i], never)) << where;
      if (file.lines[i].find(note) == std::string::npos) continue;
      const std::string next = i + 1 < file.lines.size() ? file.lines[i + 1] : "";
      EXPECT_TRUE(std::regex_search(file.lines[i] + next, condition)) << where;
    }
  }
}

TEST(Layout, EveryRoomSaysWhatItIsFor) {
  auto folders = AllFolders();
  folders.insert(folders.end(), {"configs", "deploy", "tests/house", "tests/e2e"});
  for (const std::string& folder : folders) {
    const fs::path path = fs::path(SPILLWAY_SOURCE_DIR) / folder;
    // A folder that is planned may be missing, or still be empty.
    if (!fs::exists(path) || fs::is_empty(path)) continue;
    EXPECT_TRUE(fs::exists(path / "README.md")) << folder << "/ has no README.md";
  }
}

// tests/ mirrors the tree: policies/ability_test.cc belongs to policies/ability.{h,cc}, or to a
// folder.
TEST(Layout, EveryRoomHasTests) {
  for (const std::string& room : Rooms()) {
    if (SourcesIn({room}).empty()) continue;
    EXPECT_FALSE(SourcesIn({"tests/" + room}).empty()) << room << "/ has no tests";
  }
}

TEST(Layout, LinksInDocumentsLeadSomewhere) {
  const fs::path root = SPILLWAY_SOURCE_DIR;
  const std::regex link(R"(\]\(([^)#\s]+)(#[^)]*)?\))");
  int seen = 0;
  std::vector<fs::path> pages = {root / "README.md", root / "CHANGELOG.md"};
  for (const auto& entry : fs::recursive_directory_iterator(root / "docs"))
    if (entry.path().extension() == ".md") pages.push_back(entry.path());
  for (const fs::path& page : pages) {
    std::ifstream in(page);
    for (std::string line; std::getline(in, line);) {
      for (std::sregex_iterator match(line.begin(), line.end(), link), end; match != end; ++match) {
        const std::string target = (*match)[1];
        if (target.find("://") != std::string::npos) continue;
        ++seen;
        EXPECT_TRUE(fs::exists(page.parent_path() / target))
            << page.lexically_relative(root) << " links to " << target;
      }
    }
  }
  EXPECT_GT(seen, 0);
}

}  // namespace
}  // namespace spillway::house
