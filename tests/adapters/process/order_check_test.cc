#include "adapters/process/order_check.h"

#include "gmock/gmock.h"

namespace spillway {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

LaunchOrder Order() { return {.key = {JobId(45), 2}, .command = {"x"}}; }

TEST(WhyNotRunnable, PlainOrderCanBeTried) {
  LaunchOrder order = Order();
  order.env = {{"A", ""}, {"b c", "any\nbytes\xff"}};
  order.cwd = "/tmp";
  EXPECT_EQ(WhyNotRunnable(order), "");
}

struct Bad {
  const char* name;
  void (*spoil)(LaunchOrder&);
  const char* words;
};
class Spoilt : public testing::TestWithParam<Bad> {};
TEST_P(Spoilt, IsRefusedInWords) {
  LaunchOrder order = Order();
  GetParam().spoil(order);
  EXPECT_THAT(WhyNotRunnable(order), HasSubstr(GetParam().words));
}
INSTANTIATE_TEST_SUITE_P(
    All, Spoilt,
    testing::ValuesIn(std::vector<Bad>{
        {"NoCommand", [](LaunchOrder& o) { o.command.clear(); }, "command is empty"},
        {"EmptyCommand", [](LaunchOrder& o) { o.command = {""}; }, "command is empty"},
        {"NulInArgument", [](LaunchOrder& o) { o.command.push_back(std::string("a\0b", 3)); },
         "NUL"},
        {"NulInFolder", [](LaunchOrder& o) { o.cwd = std::string("/a\0b", 4); }, "NUL"},
        {"RelativeFolder", [](LaunchOrder& o) { o.cwd = "../x"; }, "`../x` is not absolute"},
        {"NoName",
         [](LaunchOrder& o) {
           o.env = {{"", "v"}};
         },
         "no name of a variable"},
        {"EqualsInName",
         [](LaunchOrder& o) {
           o.env = {{"A=B", "v"}};
         },
         "`A=B` is no name"},
        {"NulInName",
         [](LaunchOrder& o) {
           o.env = {{std::string("A\0B", 3), "v"}};
         },
         "no name"},
        {"NulInValue",
         [](LaunchOrder& o) {
           o.env = {{"A", std::string("\0", 1)}};
         },
         "`A` has a NUL"},
        {"Reserved",
         [](LaunchOrder& o) {
           o.env = {{"SPILLWAY_X", "v"}};
         },
         "`SPILLWAY_X`"},
    }),
    [](const auto& row) { return std::string(row.param.name); });

TEST(EnvironmentFor, TakesThreeFromTheBaseAndNothingElse) {
  const std::map<std::string, std::string> base{
      {"PATH", "/p"}, {"HOME", "/h"}, {"LD_PRELOAD", "evil"}, {"AWS_SECRET", "s"}};
  EXPECT_THAT(EnvironmentFor(Order(), base, "m"),
              ElementsAre("HOME=/h", "PATH=/p", "SPILLWAY_ATTEMPT=2", "SPILLWAY_JOB=job-000045",
                          "SPILLWAY_RUN=m"));
}

TEST(EnvironmentFor, JobWinsOverTheBaseAndWeOverTheJob) {
  LaunchOrder order = Order();
  order.env = {{"HOME", "/job"}, {"PATH", "/bin"}};
  order.told = {{"SPILLWAY_POOL", "p"}};
  EXPECT_THAT(EnvironmentFor(order, {{"HOME", "/h"}}, "m"),
              testing::IsSupersetOf({"HOME=/job", "PATH=/bin", "SPILLWAY_POOL=p"}));
}

TEST(EnvironmentFor, PathIsThereEvenWhenTheBaseHasNone) {
  EXPECT_THAT(EnvironmentFor(Order(), {}, "m"),
              testing::Contains("PATH=/usr/local/bin:/usr/bin:/bin"));
}

}  // namespace
}  // namespace spillway
