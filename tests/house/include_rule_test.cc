#include <gtest/gtest.h>

#include <map>
#include <set>

#include "tests/house/sources.h"

// Arrows between rooms point one way. A shared include root lets a wrong #include compile, so the
// include lines are read here.
namespace spillway::house {
namespace {

const std::map<std::string, std::set<std::string>>& MayInclude() {
  static const auto& table = *new std::map<std::string, std::set<std::string>>{
      {"core", {}},
      {"performance", {"core"}},
      {"policies", {"core"}},
      {"scheduler", {"core", "performance", "policies"}},
      {"formats", {"core"}},
      {"net", {"core"}},
      {"adapters", {"core", "performance", "formats", "net"}},
      {"controller",
       {"core", "performance", "policies", "scheduler", "formats", "net", "adapters"}},
      {"simulator", {"core", "performance", "policies", "scheduler", "formats"}},
      {"cli",
       {"core", "performance", "policies", "scheduler", "formats", "net", "adapters", "controller",
        "simulator"}},
  };
  return table;
}

// Libraries that one room alone knows: the start of the header's name, the room or sub-room.
const std::map<std::string, std::string>& OnlyIn() {
  static const auto& table = *new std::map<std::string, std::string>{
      {"yaml-cpp/", "formats"},
      {"boost/json", "formats"},
      {"boost/beast", "net"},
      {"boost/asio/ssl", "net"},
      {"openssl/", "net"},
      {"SQLiteCpp/", "controller/store"},
      {"sqlite3.h", "controller/store"},
      {"prometheus/", "controller/metrics"},
      {"CLI/", "cli"},
      {"coin/", "simulator"},
  };
  return table;
}

std::string FirstPart(const std::string& path) { return path.substr(0, path.find('/')); }
std::string Folder(const std::string& path) { return path.substr(0, path.rfind('/')); }
std::string Stem(const std::string& path) { return path.substr(0, path.rfind('.')); }

// What policies/parts.cc composes policies from; other headers beside the parts are for all of
// them.
bool IsPolicyPart(const std::string& header) {
  static const auto& parts = *new std::set<std::string>([] {
    std::set<std::string> headers;
    for (const SourceFile& file : SourcesIn({"policies"})) {
      if (file.path != "policies/parts.cc") continue;
      for (const Include& include : IncludesOf(file)) headers.insert(include.target);
    }
    return headers;
  }());
  return parts.contains(header);
}

std::string Where(const SourceFile& file, const Include& include) {
  return file.path + ":" + std::to_string(include.line) + " includes " + include.target;
}

// What is wrong with this include, if anything is.
std::string FaultOf(const SourceFile& file, const Include& include) {
  const std::string room = FirstPart(file.path), to = FirstPart(include.target);
  for (const auto& [library, home] : OnlyIn()) {
    if (include.target.starts_with(library) && file.room != home && room != home)
      return "only " + home + "/ knows that library";
  }
  if (!include.quoted || !MayInclude().contains(to)) return "";
  if (to != room && !MayInclude().at(room).contains(to))
    return room + "/ may not look into " + to + "/";
  if (to != room) return "";
  // Siblings: adapters, policy parts, and the three sides of the controller do not see each other.
  const std::string folder = Folder(file.path), target_folder = Folder(include.target);
  const bool both_nested = folder != room && target_folder != room;
  if ((room == "adapters" || room == "controller") && both_nested && folder != target_folder)
    return "siblings do not see each other";
  if (room == "policies" && both_nested && Stem(file.path) != Stem(include.target) &&
      IsPolicyPart(include.target))
    return "policy parts do not see each other";
  return "";
}

TEST(IncludeRule, RoomsLookOnlyWhereTheTableAllows) {
  int read = 0;
  for (const SourceFile& file : SourcesIn(Rooms())) {
    for (const Include& include : IncludesOf(file)) {
      ++read;
      EXPECT_EQ(FaultOf(file, include), "") << Where(file, include);
    }
  }
  EXPECT_GT(read, 500) << "the sources were not found";
}

TEST(IncludeRule, TellsRightFromWrong) {
  const auto fault = [](std::string path, std::string room, std::string target,
                        bool quoted = true) {
    return FaultOf({.path = std::move(path), .room = std::move(room)},
                   {1, std::move(target), quoted});
  };
  EXPECT_EQ(fault("scheduler/brain.cc", "scheduler", "policies/policy.h"), "");
  EXPECT_EQ(fault("cli/serve.cc", "cli", "controller/serve.h"), "");
  EXPECT_NE(fault("policies/policy.cc", "policies", "scheduler/brain.h"), "");
  EXPECT_NE(fault("core/units.h", "core", "formats/units.h"), "");
  EXPECT_NE(fault("adapters/modelled/a.cc", "adapters/modelled", "adapters/process/b.h"), "");
  EXPECT_EQ(fault("adapters/modelled/a.cc", "adapters/modelled", "adapters/adapter.h"), "");
  EXPECT_NE(fault("controller/northbound/a.cc", "controller/northbound", "controller/store/b.h"),
            "");
  EXPECT_NE(
      fault("policies/claim_orders/a.cc", "policies/claim_orders", "policies/claim_orders/tiers.h"),
      "");
  EXPECT_EQ(fault("policies/claim_orders/tiers.cc", "policies/claim_orders",
                  "policies/claim_orders/tiers.h"),
            "");
  EXPECT_NE(fault("controller/host.cc", "controller", "boost/json.hpp", false), "");
  EXPECT_NE(fault("controller/serve.cc", "controller", "SQLiteCpp/Database.h", false), "");
  EXPECT_EQ(fault("controller/store/a.cc", "controller/store", "SQLiteCpp/Database.h", false), "");
  EXPECT_NE(fault("cli/api.cc", "cli", "boost/beast.hpp", false), "");
}

// The brain is pure: what it sees of the world comes in as arguments.
TEST(Purity, PureRoomsKnowNoSocketsThreadsClocksOrChance) {
  const std::set<std::string> worldly = {"thread",
                                         "mutex",
                                         "shared_mutex",
                                         "condition_variable",
                                         "future",
                                         "chrono",
                                         "random",
                                         "fstream",
                                         "iostream",
                                         "filesystem",
                                         "ctime",
                                         "time.h",
                                         "unistd.h",
                                         "absl/time/clock.h",
                                         "absl/random/random.h",
                                         "absl/synchronization/mutex.h"};
  const std::vector<std::string> prefixes = {"sys/",        "netinet/", "boost/asio",
                                             "boost/beast", "grpc",     "spdlog/"};
  for (const SourceFile& file : SourcesIn({"core", "performance", "policies", "scheduler"})) {
    for (const Include& include : IncludesOf(file)) {
      // The one place where a real clock is made, for the hosts to pass on.
      if (file.path.starts_with("core/clock.") && include.target == "absl/time/clock.h") continue;
      EXPECT_FALSE(worldly.contains(include.target)) << Where(file, include);
      for (const std::string& prefix : prefixes)
        EXPECT_FALSE(include.target.starts_with(prefix)) << Where(file, include);
    }
    for (std::size_t i = 0; i < file.lines.size(); ++i) {
      const std::string code = CodeOf(file.lines[i]);
      for (const char* word : {"absl::Now(", "getenv(", "std::rand", "random_device",
                               "system_clock", "steady_clock"}) {
        if (file.path.starts_with("core/clock.")) continue;
        EXPECT_EQ(code.find(word), std::string::npos)
            << file.path << ":" << i + 1 << " uses " << word;
      }
    }
  }
}

}  // namespace
}  // namespace spillway::house
