#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <regex>
#include <set>

#include "tests/house/sources.h"

// The program links every room. Two types of one name, each known in its own room only, compile and
// link without a word, and then the destructor of one runs on the other. So names are looked at.
namespace spillway::house {
namespace {

// Namespaces opened above a line, from lines like `namespace a::b {` and their closing comments.
class Scopes {
 public:
  void Read(const std::string& line) {
    static const std::regex opens(R"(^namespace\s*([\w:]*)\s*\{)");
    std::smatch match;
    if (std::regex_search(line, match, opens)) {
      open_.push_back(match[1].length() > 0 ? match[1].str() : "anonymous");
    } else if (line.starts_with("}  // namespace") && !open_.empty()) {
      open_.pop_back();
    }
  }
  bool anonymous() const { return std::count(open_.begin(), open_.end(), "anonymous") > 0; }
  std::string Joined() const {
    std::string all;
    for (const std::string& scope : open_) all += scope + "::";
    return all;
  }

 private:
  std::vector<std::string> open_;
};

// Types defined at the outermost level of a file, with their namespace.
std::vector<std::string> TypesIn(const SourceFile& file) {
  static const std::regex defines(
      R"(^(class|struct|union|enum|enum class) (\w+)( final)?( : .*| :$| \{.*|)$)");
  std::vector<std::string> types;
  Scopes scopes;
  for (const std::string& line : file.lines) {
    scopes.Read(line);
    std::smatch match;
    if (!scopes.anonymous() && std::regex_search(line, match, defines))
      types.push_back(scopes.Joined() + match[2].str());
  }
  return types;
}

TEST(OneDefinition, NoTwoRoomsNameATypeAlike) {
  std::map<std::string, std::set<std::string>> rooms_of;
  for (const SourceFile& file : SourcesIn(Rooms())) {
    for (const std::string& type : TypesIn(file))
      rooms_of[type].insert(file.room.substr(0, file.room.find('/')));
  }
  EXPECT_GT(rooms_of.size(), 100u) << "the types were not found";
  for (const auto& [type, rooms] : rooms_of) {
    std::string words;
    for (const std::string& room : rooms) words += " " + room + "/";
    EXPECT_EQ(rooms.size(), 1u) << type << " is defined in" << words;
  }
}

TEST(OneDefinition, SeesWhatAFileDefines) {
  const SourceFile file{
      .path = "net/a.h",
      .room = "net",
      .lines = {"namespace spillway {", "namespace {", "class Hidden {", "};", "}  // namespace",
                "class Event {", "struct Wire final : Base {", "class Declared;",
                "enum class Kind : int {", "}  // namespace spillway"}};
  EXPECT_EQ(TypesIn(file),
            (std::vector<std::string>{"spillway::Event", "spillway::Wire", "spillway::Kind"}));
}

}  // namespace
}  // namespace spillway::house
