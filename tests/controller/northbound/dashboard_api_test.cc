#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "controller/northbound/assets.h"
#include "controller/northbound/pulse_text.h"
#include "tests/controller/northbound/api_rig.h"
#include "tests/controller/northbound/some_keys.h"

namespace spillway {
namespace {

using testing::HasSubstr;
using testing::Not;
using Events = std::vector<SseEvent>;

std::string At(const Received& received, std::initializer_list<std::string_view> path) {
  const Value* value = &received.json;
  for (const std::string_view key : path) {
    value = value->is_map() ? value->Find(key) : nullptr;
    if (value == nullptr) return "(missing)";
  }
  return value->is_null() ? "null" : value->text();
}

// The first event of that kind whose data holds `part`.
const SseEvent* FirstOf(const Events& events, std::string_view kind, std::string_view part = "") {
  for (const SseEvent& event : events) {
    if (event.event == kind && event.data.find(part) != std::string::npos) return &event;
  }
  return nullptr;
}

std::string PathOf(const Asset& asset) { return "/assets/" + std::string(asset.name); }

// Runs one job from its submission to its end.
std::string RunOne(ApiRig& rig, int attempts_before) {
  const std::string id = rig.Submit(ApiRig::kLocal);
  EXPECT_TRUE(rig.process().WaitForLaunches(attempts_before + 1));
  rig.process().Started({ApiRig::IdOf(id), 1});
  rig.rig().clock().Advance(absl::Seconds(30));
  rig.process().Ended({ApiRig::IdOf(id), 1}, 0);
  for (int i = 0; i < 2000 && rig.Get("/api/v1/jobs/" + id).Text("state") != "succeeded"; ++i)
    absl::SleepFor(absl::Milliseconds(1));
  return id;
}

TEST(Overview, SaysHowItIs) {
  ApiRig rig;
  rig.Start();
  RunOne(rig, 0);
  const Received overview = rig.Get("/api/v1/overview");
  EXPECT_EQ(overview.status, 200);
  EXPECT_EQ(At(overview, {"today", "jobs"}), "1");
  EXPECT_EQ(At(overview, {"running", "jobs"}), "0");
  EXPECT_EQ(At(overview, {"queue", "oldest_s"}), "null");
  EXPECT_NEAR(std::stod(At(overview, {"p95_s", "jobs"})), 30, 0.7);
  EXPECT_EQ(At(overview, {"p95_s", "requests"}), "null");
}

TEST(Overview, ItsMoneyIsTheLedgers) {
  ApiRig rig;
  rig.Start();
  RunOne(rig, 0);
  const Received overview = rig.Get("/api/v1/overview");
  const Received ledger = rig.Get("/api/v1/ledger?group_by=category");
  EXPECT_EQ(At(overview, {"today", "cost_usd"}), At(ledger, {"totals", "cost_usd"}));
  EXPECT_NE(At(overview, {"today", "cost_usd"}), "0.000000000");
}

// The hour that is over is read from the archive, the open one from the brain.
TEST(Overview, HoursThatAreOverStayInTheDay) {
  ApiRig rig;
  rig.Start();
  RunOne(rig, 0);
  rig.Get("/api/v1/overview");
  rig.rig().clock().Advance(absl::Hours(1));
  rig.host().Tick();
  RunOne(rig, 1);
  const Received overview = rig.Get("/api/v1/overview");
  const Received ledger = rig.Get("/api/v1/ledger?group_by=category");
  EXPECT_EQ(At(overview, {"today", "cost_usd"}), At(ledger, {"totals", "cost_usd"}));
  EXPECT_EQ(At(overview, {"today", "jobs"}), "2");
}

TEST(Overview, RatesAreWhatTheBillGrewBy) {
  ApiRig rig;
  rig.Start();
  EXPECT_EQ(At(rig.Get("/api/v1/overview"), {"usd_per_hour"}), "null");
  const std::string before =
      At(rig.Get("/api/v1/ledger?group_by=category"), {"totals", "cost_usd"});
  rig.rig().clock().Advance(absl::Seconds(36));
  const Received overview = rig.Get("/api/v1/overview");
  const double grown = std::stod(At(overview, {"today", "cost_usd"})) - std::stod(before);
  EXPECT_NEAR(std::stod(At(overview, {"usd_per_hour"})), 100 * grown, 1e-6);
}

TEST(Overview, AnotherDayBeginsAtNothing) {
  ApiRig rig;
  rig.Start();
  RunOne(rig, 0);
  rig.Get("/api/v1/overview");
  rig.rig().clock().Advance(absl::Hours(24));
  rig.host().Tick();
  const Received overview = rig.Get("/api/v1/overview");
  EXPECT_EQ(At(overview, {"today", "jobs"}), "0");
  EXPECT_EQ(At(overview, {"usd_per_hour"}), "null");
}

TEST(Overview, ReadersSeeTheMoneyOfTheirTenantOnly) {
  ApiRig rig;
  rig.Start();
  RunOne(rig, 0);
  const Received before = rig.Get("/api/v1/overview");
  rig.api().SetKeys(*SomeKeys());
  const Received other = rig.Get("/api/v1/overview", {{"Authorization", "Bearer reader-of-a"}});
  EXPECT_EQ(At(other, {"today", "cost_usd"}), "0.000000000");
  EXPECT_EQ(At(other, {"today", "idle_usd"}), "0.000000000");
  EXPECT_THAT(rig.Get("/api/v1/series", {{"Authorization", "Bearer reader-of-a"}}).body,
              Not(HasSubstr("usd_per_hour")));
  EXPECT_EQ(rig.Get("/api/v1/overview").status, 401);
  EXPECT_EQ(rig.Get("/api/v1/stream").status, 401);
}

// What a dashboard offers: the role that an answer names is the one that a change is judged by.
TEST(Overview, NamesTheRoleOfWhoAsks) {
  ApiRig rig;
  rig.Start();
  EXPECT_EQ(At(rig.Get("/api/v1/overview"), {"role"}), "operator") << "without keys";
  rig.api().SetKeys(*SomeKeys());
  const auto ask = [&](const std::string& key) {
    return rig.Get("/api/v1/overview", {{"Authorization", "Bearer " + key}});
  };
  EXPECT_EQ(At(ask("reader-of-a"), {"role"}), "reader");
  EXPECT_EQ(At(ask("submitter-of-a"), {"role"}), "submitter");
  EXPECT_EQ(At(ask("operator"), {"role"}), "operator");
  auto stream = rig.Open("/api/v1/stream", {{"Authorization", "Bearer reader-of-a"}});
  ASSERT_TRUE(stream->Until([](const Events& e) { return FirstOf(e, "overview") != nullptr; }));
  EXPECT_THAT(FirstOf(stream->events(), "overview")->data, HasSubstr(R"("role":"reader")"));
  stream->Stop();
  rig.Post("/api/v1/jobs", ApiRig::kLocal, {{"Authorization", "Bearer submitter-of-a"}});
  EXPECT_TRUE(stream->UntilOver());
}

TEST(Series, HaveAValueForEachStep) {
  ApiRig rig;
  rig.Start();
  rig.Get("/api/v1/overview");
  for (int i = 0; i < 3; ++i) {
    rig.rig().clock().Advance(absl::Seconds(10));
    rig.Get("/api/v1/overview");
  }
  const Received series = rig.Get("/api/v1/series?window_s=20");
  EXPECT_EQ(series.status, 200);
  EXPECT_THAT(series.body, HasSubstr(R"("name":"queue","pool":null,"unit":"1","values":[0,0])"));
  EXPECT_THAT(series.body, HasSubstr(R"("name":"busy_ratio","pool":"local")"));
  EXPECT_EQ(rig.Get("/api/v1/series?window_s=5").status, 400);
  EXPECT_EQ(rig.Get("/api/v1/series?window=5").status, 400);
}

TEST(Stream, BeginsWithALookAndTellsWhatFalls) {
  ApiRig rig;
  rig.Start();
  auto stream = rig.Open("/api/v1/stream");
  ASSERT_TRUE(stream->Until([](const Events& e) { return FirstOf(e, "pools") != nullptr; }));
  EXPECT_EQ(stream->events()[0].event, "overview");
  EXPECT_THAT(stream->raw(), HasSubstr("retry: 2000"));
  const std::string id = rig.Submit(ApiRig::kLocal);
  ASSERT_TRUE(stream->Until([&](const Events& e) {
    return FirstOf(e, "decision", id) != nullptr && FirstOf(e, "job", id) != nullptr;
  }));
  const Events events = stream->events();
  const std::string told = FirstOf(events, "decision", id)->data;
  EXPECT_THAT(told, HasSubstr(R"("outcome":"placed","pool":"local","code":"chosen")"));
  EXPECT_THAT(told, HasSubstr(R"("spilled":false)"));
  stream->Stop();
  rig.Submit(ApiRig::kLocal);
  EXPECT_TRUE(stream->UntilOver());
}

TEST(Stream, TellsWhatFellBeforeToo) {
  ApiRig rig;
  rig.Start();
  const std::string id = rig.Submit(ApiRig::kLocal);
  auto stream = rig.Open("/api/v1/stream");
  EXPECT_TRUE(
      stream->Until([&](const Events& e) { return FirstOf(e, "decision", id) != nullptr; }));
  EXPECT_EQ(FirstOf(stream->events(), "job"), nullptr);
  stream->Stop();
  rig.EndServer();
}

TEST(Stream, RefusedWorkIsToldWithItsName) {
  ApiRig rig;
  rig.Start();
  auto stream = rig.Open("/api/v1/stream");
  rig.Post("/api/v1/jobs",
           R"({"name":"<b>giant</b>","run":{"command":["true"]},"needs":{"memory":"900TiB"}})");
  ASSERT_TRUE(stream->Until([](const Events& e) { return FirstOf(e, "decision") != nullptr; }));
  const std::string told = FirstOf(stream->events(), "decision")->data;
  EXPECT_THAT(told, HasSubstr(R"("name":"<b>giant</b>")"));
  EXPECT_THAT(told, HasSubstr(R"("outcome":"refused","pool":null,"code":"memory")"));
  stream->Stop();
  rig.EndServer();
}

TEST(Stream, FiftyDecisionsASecondTheOthersAreCounted) {
  ApiRig rig;
  rig.Start();
  auto stream = rig.Open("/api/v1/stream");
  ASSERT_TRUE(stream->Until([](const Events& e) { return !e.empty(); }));
  for (int i = 0; i < 200; ++i) rig.Submit(ApiRig::kLocal);
  ASSERT_TRUE(stream->Until([](const Events& e) { return FirstOf(e, "dropped") != nullptr; }));
  stream->Stop();
  rig.EndServer();
}

TEST(Stream, AsManyMayReadAsThereArePlaces) {
  ApiRig rig;
  rig.Start();
  std::vector<std::shared_ptr<void>> places;
  for (std::size_t i = 0; i < rig.pulse().limits().readers; ++i) {
    places.push_back(rig.pulse().Join());
    ASSERT_NE(places.back(), nullptr);
  }
  const Received refused = rig.Get("/api/v1/stream");
  EXPECT_EQ(refused.status, 503);
  EXPECT_EQ(refused.Text("code"), "too_many_streams");
  EXPECT_EQ(refused.headers.Get("Retry-After"), "5");
  places.pop_back();
  auto stream = rig.Open("/api/v1/stream");
  EXPECT_TRUE(stream->Until([](const Events& e) { return !e.empty(); }));
  stream->Stop();
  rig.EndServer();
}

// What a browser does whose network flaps.
TEST(Stream, AThousandReconnectsLeaveNothingBehind) {
  ApiRig rig;
  rig.Start();
  for (int i = 0; i < 1000; ++i) {
    auto client = rig.NewClient();
    auto response =
        client.Stream({.target = "/api/v1/stream"}, [](std::string_view) { return false; });
    static_cast<void>(response);  // cut off by us, or turned away
    EXPECT_LE(rig.pulse().readers(), rig.pulse().limits().readers);
  }
  for (int i = 0; i < 2000 && rig.pulse().readers() > 0; ++i) absl::SleepFor(absl::Milliseconds(5));
  EXPECT_EQ(rig.pulse().readers(), 0u);
  EXPECT_EQ(rig.Get("/api/v1/overview").status, 200);
}

TEST(Health, NamesWhatIsWrongWorstFirst) {
  ApiRig rig;
  rig.Start();
  rig.Get("/api/v1/overview");
  PulseView view = *rig.pulse().view();
  EXPECT_TRUE(HealthOf(view).empty());
  auto snapshot = std::make_shared<Snapshot>(*view.snapshot);
  snapshot->pools[0].nodes_up = 0;
  snapshot->queue = {.depth = 1, .oldest = view.at - absl::Minutes(25)};
  view.snapshot = snapshot;
  view.requests_lately = 100;
  view.refused_lately = 20;
  const auto reasons = HealthOf(view);
  ASSERT_EQ(reasons.size(), 3u);
  EXPECT_EQ(reasons[0].code, "requests_refused");
  EXPECT_TRUE(reasons[0].critical);
  EXPECT_EQ(reasons[1].code, "pool_down");
  EXPECT_EQ(reasons[1].text, absl::StrCat(snapshot->pools[0].spec->name, " is down"));
  EXPECT_EQ(reasons[2].text, "the oldest job has waited for 25 min");
  for (PoolStatus& pool : snapshot->pools) pool.nodes_up = 0;
  EXPECT_EQ(HealthOf(view)[0].code, "all_down");
}

TEST(Page, IsForBrowsersAndTheIndexForPrograms) {
  ApiRig rig;
  rig.Start();
  const Received page = rig.Get("/", {{"Accept", "text/html,*/*;q=0.8"}});
  EXPECT_EQ(page.headers.Get("Content-Type"), "text/html; charset=utf-8");
  EXPECT_THAT(std::string(page.headers.Get("Content-Security-Policy")),
              testing::StartsWith("default-src 'self'; style-src 'self'"));
  EXPECT_EQ(page.headers.Get("Cache-Control"), "no-cache");
  EXPECT_EQ(page.headers.Get("Vary"), "Accept, Accept-Encoding");
  EXPECT_THAT(rig.Get("/", {{"Accept", "*/*"}}).body, HasSubstr("listPools"));
}

TEST(Page, EveryFileThatItNamesIsThere) {
  ApiRig rig;
  rig.Start();
  const std::string page(FindAsset("index.html")->plain);
  int named = 0;
  for (const Asset& asset : Assets()) {
    if (asset.name == "index.html") continue;
    ++named;
    EXPECT_THAT(page, HasSubstr(PathOf(asset)));
    const Received plain = rig.Get(PathOf(asset));
    EXPECT_EQ(plain.body, asset.plain);
    EXPECT_EQ(plain.headers.Get("Cache-Control"), "public, max-age=31536000, immutable");
    const Received again =
        rig.Get(PathOf(asset), {{"If-None-Match", std::string(plain.headers.Get("ETag"))}});
    EXPECT_EQ(again.status, 304);
  }
  EXPECT_GE(named, 2);
  EXPECT_EQ(rig.Get("/assets/app-0.js").status, 404);
  EXPECT_EQ(rig.Get("/assets/index.html").status, 404);
}

// Clients that say nothing get bytes as they are.
TEST(Page, IsCompressedForThoseWhoTakeIt) {
  const Asset& asset = Assets()[0];
  for (const auto& [said, packed] :
       std::vector<std::pair<std::string, bool>>{{"", false},
                                                 {"identity", false},
                                                 {"gzip", true},
                                                 {"br, gzip;q=0.5", true},
                                                 {"br;q=1, gzip ; q=1.0", true},
                                                 {"gzip;q=0", false},
                                                 {"gzip;q=0.000, br", false},
                                                 {"x-gzippy", false}}) {
    HttpRequest request;
    if (!said.empty()) request.headers.Add("Accept-Encoding", said);
    const HttpResponse response = AssetAnswer(request, asset);
    EXPECT_EQ(response.headers.Get("Content-Encoding"), packed ? "gzip" : "") << said;
    EXPECT_EQ(response.body, packed ? asset.packed : asset.plain) << said;
    EXPECT_EQ(response.headers.Get("Vary"), "Accept-Encoding");
  }
}

// Keys guard data; the page has none.
TEST(Page, NeedsNoKey) {
  ApiRig rig;
  rig.Start();
  rig.api().SetKeys(*SomeKeys());
  EXPECT_EQ(rig.Get("/", {{"Accept", "text/html"}}).status, 200);
  EXPECT_EQ(rig.Get(PathOf(Assets()[0])).status, 200);
}

TEST(Page, IsSmall) {
  std::size_t packed = 0;
  for (const Asset& asset : Assets()) packed += asset.packed.size();
  EXPECT_LE(packed, 100'000u);
}

}  // namespace
}  // namespace spillway
