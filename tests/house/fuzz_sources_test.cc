#include <gtest/gtest.h>

#include <map>
#include <regex>
#include <set>

#include "tests/house/sources.h"

// Fuzz targets build the sources that they test anew, by lists written by hand, and only with
// clang: a list that lacks a source that another one needs now would be found weeks later. So lists
// are held here to what their sources include.
namespace spillway::house {
namespace {

const std::map<std::string, SourceFile>& ByPath() {
  static const auto& files = *new std::map<std::string, SourceFile>([] {
    std::map<std::string, SourceFile> by_path;
    for (SourceFile& file : SourcesIn({"formats", "net", "adapters"}))
      by_path.emplace(file.path, std::move(file));
    return by_path;
  }());
  return files;
}

// "net/chunks.cc", or as formats/ lists them: a word that is a source of that room.
std::set<std::string> ListedIn(const std::string& list, const std::string& room) {
  static const std::regex word(R"([\w/.]+)");
  std::set<std::string> listed;
  for (auto at = std::sregex_iterator(list.begin(), list.end(), word); at != std::sregex_iterator();
       ++at) {
    std::string path = at->str();
    if (path.starts_with("/")) path.erase(0, 1);
    for (const std::string& source : {path, room + "/" + path + ".cc"}) {
      if (ByPath().contains(source) && source.ends_with(".cc")) listed.insert(source);
    }
  }
  return listed;
}

// Sources of the room that `path` needs: those beside the headers that it sees.
void AddNeeded(const std::string& path, const std::string& room, std::set<std::string>* seen,
               std::set<std::string>* needed) {
  const auto file = ByPath().find(path);
  if (file == ByPath().end() || !seen->insert(path).second) return;
  for (const Include& include : IncludesOf(file->second)) {
    if (!include.quoted || !include.target.starts_with(room + "/")) continue;
    const std::string source = include.target.substr(0, include.target.size() - 2) + ".cc";
    if (ByPath().contains(source)) needed->insert(source);
    AddNeeded(include.target, room, seen, needed);
  }
}

std::set<std::string> Missing(const std::set<std::string>& listed, const std::string& room) {
  std::set<std::string> needed, seen, missing;
  for (const std::string& source : listed) AddNeeded(source, room, &seen, &needed);
  for (const std::string& source : needed) {
    if (!listed.contains(source)) missing.insert(source);
  }
  return missing;
}

TEST(FuzzSources, EachListHasWhatItsSourcesNeed) {
  for (const std::string room : {"formats", "net", "adapters"}) {
    const auto listed = ListedIn(TextOf("tests/fuzz/" + room + "/CMakeLists.txt"), room);
    EXPECT_GE(listed.size(), 2u) << room;
    for (const std::string& source : Missing(listed, room))
      ADD_FAILURE() << "tests/fuzz/" << room << "/CMakeLists.txt lacks " << source;
  }
}

TEST(FuzzSources, AListThatLacksOneIsFound) {
  auto listed = ListedIn(TextOf("tests/fuzz/formats/CMakeLists.txt"), "formats");
  ASSERT_EQ(listed.erase("formats/cascade_text.cc"), 1u);
  EXPECT_EQ(Missing(listed, "formats"), std::set<std::string>{"formats/cascade_text.cc"});
}

}  // namespace
}  // namespace spillway::house
