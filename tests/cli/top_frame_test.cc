#include "cli/top_frame.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"
#include "formats/document.h"

namespace spillway::cli {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

Value Json(std::string_view text) {
  auto parsed = ParseJson(text);
  EXPECT_TRUE(parsed.ok()) << parsed.status();
  return parsed.ok() ? *std::move(parsed) : Value();
}

TopView View() {
  TopView view;
  view.server = "http://127.0.0.1:8080";
  view.now = absl::FromUnixSeconds(1'790'000'000);
  view.overview =
      Json(R"({"health":{"state":"warning","reasons":[{"code":"pool_down","text":"a10 is down"}]},
    "usd_per_hour":"1.250000000","today":{"cost_usd":"3.500000000","idle_usd":"2.250000000","saved_usd":"1.200000000"},
    "work_per_second":{"jobs":0.5,"requests":12.25},"running":{"jobs":2,"requests":7},
    "queue":{"jobs":1,"requests":0,"oldest_s":4.2},"p95_s":{"ttft":0.8}})");
  view.pools = Json(R"({"data":[
    {"name":"xeon","state":"active","modelled":false,"running":2,"total":{"cpus":8,"devices":0},"free":{"cpus":2,"devices":0}},
    {"name":"npu","state":"active","modelled":true,"running":1,"total":{"cpus":8,"devices":4},"free":{"cpus":8,"devices":1}},
    {"name":"a10","state":"down","modelled":false,"running":0,"total":{"cpus":0,"devices":0},"free":{"cpus":0,"devices":0}}]})");
  view.series = Json(R"({"step_s":10,"series":[
    {"name":"busy_ratio","pool":"xeon","values":[0,0.5,null,1]},
    {"name":"usd_per_hour","pool":"xeon","values":[0.1,0.25]}]})");
  view.decisions = Json(
      R"({"data":[{"id":"dec-000002","work":"job-000002","at":"2026-09-21T13:46:38Z","outcome":"placed",
    "chosen":"xeon","baseline":{"pool":"a10","cost_usd":"0.030000000"},
    "candidates":[{"pool":"xeon","verdict":"chosen","code":"chosen","estimate":{"cost_usd":"0.010000000"}},
                  {"pool":"npu","verdict":"refused","code":"too_late"}]}]})");
  return view;
}
constexpr Screen kWide{.unicode = true, .width = 120};

TEST(TopFrame, SaysHowItIsWhatItCostsAndWhatWaits) {
  EXPECT_THAT(TopFrame(View(), kWide, 40),
              AllOf(HasSubstr("warning: a10 is down"), HasSubstr("$1.2500/h"),
                    HasSubstr("today $3.5000 ($2.2500 idle)   work $1.2000 less than on NVIDIA"),
                    HasSubstr("0.5 jobs/s, 12.2 requests/s"), HasSubstr("the oldest for 4.2 s"),
                    HasSubstr("TTFT p95 800 ms")));
}

TEST(TopFrame, SaysSoWhenNvidiaWouldHaveBeenCheaper) {
  TopView view = View();
  view.overview = Json(
      R"({"health":{"state":"ok","reasons":[]},"usd_per_hour":"1","today":{"cost_usd":"3.5","saved_usd":"-0.25"}})");
  EXPECT_THAT(TopFrame(view, kWide, 40),
              AllOf(HasSubstr("today $3.5000   work $0.2500 more than on NVIDIA"),
                    HasSubstr("all is well")));
}

TEST(TopFrame, APoolIsAsBusyAsItsSeriesSaysElseAsWhatIsHeld) {
  const std::string frame = TopFrame(View(), kWide, 40);
  EXPECT_THAT(frame, HasSubstr("████████████ 100 %"));  // xeon: the newest point
  EXPECT_THAT(frame, HasSubstr("█████████░░░  75 %"));  // npu: three of four devices
  EXPECT_THAT(frame, HasSubstr("npu*"));
  EXPECT_THAT(frame, HasSubstr("0.250"));
  EXPECT_THAT(frame, HasSubstr("▁▅ █"));
}

TEST(TopFrame, ShowsDecisionsWithWhyNotTheOthers) {
  EXPECT_THAT(TopFrame(View(), kWide, 40), AllOf(HasSubstr("job-000002"), HasSubstr("$0.0100"),
                                                 HasSubstr("$0.0300"), HasSubstr("too late: npu")));
}

TEST(TopFrame, NamesTheWorkAndKeepsItsId) {
  TopView view = View();
  const std::string long_name(128, 'n');
  view.decisions = Json(absl::StrCat(
      R"({"data":[{"id":"dec-000002","work":"job-000002","name":"nightly-eval","at":"2026-09-21T13:46:38Z",
    "outcome":"placed","chosen":"xeon","baseline":{"pool":null,"cost_usd":null},"candidates":[]},
    {"id":"dec-000003","work":null,"name":")",
      long_name, R"(","at":"2026-09-21T13:46:37Z","outcome":"refused","chosen":null,
    "baseline":{"pool":null,"cost_usd":null},"candidates":[]}]})"));
  const std::string frame = TopFrame(view, kWide, 40);
  EXPECT_THAT(frame, AllOf(HasSubstr("job-000002 nightly-eval"), HasSubstr("dec-000003 nnnn")));
  EXPECT_EQ(frame.find(std::string(30, 'n')), std::string::npos) << "a long name takes the line";
}

// Those that went the same way, one after the other, are one line; the newest stands first.
TEST(TopFrame, ShowsRequestsAmongTheDecisions) {
  TopView view = View();
  const auto request = [](const char* model, const char* engine, const char* end, int second) {
    return absl::StrFormat(
        R"({"id":"req-1-1","request":{"model":"%s","endpoint":%s,"end":"%s","ended_at":"2026-09-21T13:46:%02dZ","cost_usd":"0.250000000","baseline_cost_usd":"0.500000000"}})",
        model, engine, end, second);
  };
  view.requests = Json(absl::StrCat(R"({"data":[)", request("chat", R"("npu/0")", "answered", 39),
                                    ",", request("chat", R"("npu/0")", "answered", 38), ",",
                                    request("chat", "null", "refused", 37), ",",
                                    request("chat", R"("npu/0")", "answered", 36), "]}"));
  const std::string frame = TopFrame(view, kWide, 40);
  const auto at = [&](std::string_view text) { return frame.find(std::string(text)); };
  EXPECT_THAT(frame, AllOf(HasSubstr("chat x2"), HasSubstr("$0.5000"), HasSubstr("$1.0000"),
                           HasSubstr("npu/0"), HasSubstr("refused")));
  EXPECT_LT(at("chat x2"), at("job-000002"));
  EXPECT_LT(at("job-000002"), at("refused"));
  EXPECT_EQ(frame.find("chat x3"), std::string::npos) << "another end stands between them";
}

TEST(TopFrame, FitsIntoTheWindow) {
  for (const int height : {1, 5, 9, 12, 40}) {
    const Screen narrow{.unicode = false, .width = 60};
    const std::vector<std::string> lines = absl::StrSplit(TopFrame(View(), narrow, height), '\n');
    EXPECT_LE(static_cast<int>(lines.size()), height);
    for (const std::string& line : lines) EXPECT_LE(DisplayWidth(line), 60) << line;
  }
}

TEST(TopFrame, WithoutAnOverviewItShowsWhatThereIs) {
  TopView view = View();
  view.overview = Value();
  view.series = Value();
  EXPECT_THAT(TopFrame(view, kWide, 40),
              AllOf(HasSubstr("xeon"), HasSubstr("75 %"), Not(HasSubstr("today"))));
}

TEST(TopFrame, ATroubleIsToldAndControlCharactersAreHarmless) {
  TopView view;
  view.server = "http://x";
  view.trouble = "connection refused \x1b[31m";
  EXPECT_THAT(TopFrame(view, kWide, 40),
              AllOf(HasSubstr("connection refused"), Not(HasSubstr("\x1b[31m"))));
}

TEST(Sparkline, ShowsTheNewestAndLeavesGaps) {
  const Value series = Json(R"({"v":[0, 1, null, 0.5, 2]})");
  EXPECT_EQ(Sparkline(series.Find("v")->list(), 3, 1, {.unicode = true}), " ▅█");
  EXPECT_EQ(Sparkline(series.Find("v")->list(), 10, 1, {}), "_# =#");
  EXPECT_EQ(Sparkline({}, 10, 1, {}), "");
}

}  // namespace
}  // namespace spillway::cli
