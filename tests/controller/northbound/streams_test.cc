#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "tests/controller/northbound/api_rig.h"

namespace spillway {
namespace {

using testing::HasSubstr;
using Events = std::vector<SseEvent>;

bool Has(const Events& events, std::string_view kind, std::string_view part) {
  for (const SseEvent& event : events) {
    if (event.event == kind && event.data.find(part) != std::string::npos) return true;
  }
  return false;
}

std::string Quoted(const std::string& key, const std::string& value) {
  return absl::StrCat("\"", key, "\":\"", value, "\"");
}

TEST(WatchJobs, BeginsWithAPlaceAndTellsEveryChange) {
  ApiRig rig;
  rig.Start();
  auto stream = rig.Open("/api/v1/jobs?watch=true");
  ASSERT_TRUE(stream->Until([](const Events& e) { return !e.empty(); }));
  EXPECT_EQ(stream->events()[0].event, "BOOKMARK");
  const std::string id = rig.Submit(ApiRig::kLocal);
  ASSERT_TRUE(stream->Until([&](const Events& e) { return Has(e, "ADDED", Quoted("id", id)); }));
  ASSERT_TRUE(rig.process().WaitForLaunches(1));
  rig.process().Started({ApiRig::IdOf(id), 1});
  rig.process().Ended({ApiRig::IdOf(id), 1}, 0);
  ASSERT_TRUE(stream->Until(
      [&](const Events& e) { return Has(e, "MODIFIED", Quoted("state", "succeeded")); }));
  EXPECT_TRUE(Has(stream->events(), "MODIFIED", Quoted("state", "running")));
  stream->Stop();
  rig.EndServer();
}

TEST(WatchJobs, GoesOnAfterTheLastEventThatWasSeen) {
  ApiRig rig;
  rig.Start();
  const std::string version = rig.Get("/api/v1/jobs").Text("resource_version");
  const std::string first = rig.Submit(ApiRig::kLocal);
  const std::string second = rig.Submit(ApiRig::kLocal);
  std::string last;
  {
    auto stream = rig.Open("/api/v1/jobs?watch=true&resource_version=" + version);
    ASSERT_TRUE(
        stream->Until([&](const Events& e) { return Has(e, "ADDED", Quoted("id", second)); }));
    EXPECT_TRUE(Has(stream->events(), "ADDED", Quoted("id", first)));
    for (const SseEvent& event : stream->events()) {
      if (event.data.find(first) != std::string::npos) last = event.id;
    }
    stream->Stop();
    rig.Submit(ApiRig::kLocal);  // wakes the stream, which then finds that it shall stop
  }
  auto again = rig.Open("/api/v1/jobs?watch=true", {{"Last-Event-ID", last}});
  ASSERT_TRUE(again->Until([&](const Events& e) { return Has(e, "ADDED", Quoted("id", second)); }));
  EXPECT_FALSE(Has(again->events(), "ADDED", Quoted("id", first)));
  again->Stop();
  rig.EndServer();
}

TEST(WatchJobs, TellsOnlyWhatWasAskedFor) {
  ApiRig rig;
  rig.Start();
  auto stream = rig.Open("/api/v1/jobs?watch=true&name=wanted");
  ASSERT_TRUE(stream->Until([](const Events& e) { return !e.empty(); }));
  const std::string other = rig.Submit(ApiRig::kLocal);
  const std::string wanted =
      rig.Submit(R"({"name":"wanted","run":{"command":["true"]},"needs":{"sites":["office"]}})");
  ASSERT_TRUE(
      stream->Until([&](const Events& e) { return Has(e, "ADDED", Quoted("id", wanted)); }));
  EXPECT_FALSE(Has(stream->events(), "ADDED", Quoted("id", other)));
  stream->Stop();
  rig.EndServer();
}

TEST(WatchJobs, APlaceThatIsGoneIsToldBeforeTheStreamBegins) {
  HostOptions options{.snapshot_period = absl::ZeroDuration()};
  options.feed.changes = 2;
  ApiRig rig(options);
  rig.Start();
  for (int i = 0; i < 5; ++i) rig.Submit(ApiRig::kLocal);
  const Received gone = rig.Get("/api/v1/jobs?watch=true&resource_version=1");
  EXPECT_EQ(gone.status, 410);
  EXPECT_EQ(gone.Text("code"), "too_old");
  EXPECT_EQ(rig.Get("/api/v1/jobs?watch=true&resource_version=999999").status, 410);
}

TEST(WatchJobs, NoMoreStreamsThanMayBe) {
  ApiRig rig({.snapshot_period = absl::ZeroDuration()}, {.streams = 1});
  rig.Start();
  auto stream = rig.Open("/api/v1/jobs?watch=true");
  ASSERT_TRUE(stream->Until([](const Events& e) { return !e.empty(); }));
  const Received refused = rig.Get("/api/v1/jobs?watch=true");
  EXPECT_EQ(refused.status, 503);
  EXPECT_EQ(refused.Text("code"), "too_many_streams");
  stream->Stop();
  rig.Submit(ApiRig::kLocal);
  ASSERT_TRUE(stream->UntilOver());
  while (rig.api().open_streams() > 0) std::this_thread::yield();
}

TEST(WatchJobs, QuietStreamsBeatAndMoveTheirPlace) {
  ApiRig rig({.snapshot_period = absl::ZeroDuration()}, {.heartbeat = absl::Milliseconds(1)});
  rig.Start();
  auto stream = rig.Open("/api/v1/jobs?watch=true&name=nobody");
  ASSERT_TRUE(stream->Until([](const Events& e) { return !e.empty(); }));
  const std::uint64_t job = Number(ApiRig::IdOf(rig.Submit(ApiRig::kLocal)));
  ASSERT_TRUE(stream->Until([&](const Events& e) {
    return e.back().event == "BOOKMARK" && std::stoull(e.back().id) >= job;
  }));
  EXPECT_THAT(stream->raw(), HasSubstr(": heartbeat\n"));
  stream->Stop();
  rig.EndServer();
}

TEST(WatchJob, BeginsWithTheJobAndEndsWithIt) {
  ApiRig rig;
  rig.Start();
  const std::string id = rig.Submit(ApiRig::kLocal);
  auto stream = rig.Open("/api/v1/jobs/" + id + "/events");
  ASSERT_TRUE(stream->Until([&](const Events& e) { return Has(e, "ADDED", Quoted("id", id)); }));
  rig.Submit(ApiRig::kLocal);  // somebody else's
  ASSERT_TRUE(rig.process().WaitForLaunches(2));
  rig.process().Ended({ApiRig::IdOf(id), 1}, 3);
  ASSERT_TRUE(stream->UntilOver());
  EXPECT_TRUE(Has(stream->events(), "MODIFIED", Quoted("state", "failed")));
  for (const SseEvent& event : stream->events()) EXPECT_THAT(event.data, HasSubstr(id));
  // Of a job that is over: how it ended, and the end.
  auto late = rig.Open("/api/v1/jobs/" + id + "/events");
  ASSERT_TRUE(late->UntilOver());
  EXPECT_EQ(late->events().size(), 1u);
}

TEST(Streams, EndInGoodOrderWhenTheControllerStops) {
  ApiRig rig;
  rig.Start();
  auto stream = rig.Open("/api/v1/jobs?watch=true");
  ASSERT_TRUE(stream->Until([](const Events& e) { return !e.empty(); }));
  EXPECT_TRUE(rig.Drain());  // nothing had to be cut
  ASSERT_TRUE(stream->UntilOver());
  EXPECT_EQ(stream->status(), 200);
  EXPECT_THAT(stream->raw(), HasSubstr(": the controller is stopping"));
}

TEST(JobLogs, AreTextAndEnd) {
  ApiRig rig;
  rig.Start();
  const std::string id = rig.Submit(ApiRig::kLocal);
  ASSERT_TRUE(rig.process().WaitForLaunches(1));
  const AttemptKey key{ApiRig::IdOf(id), 1};
  const std::string path = "/api/v1/jobs/" + id + "/logs";
  EXPECT_EQ(rig.Get(path).body, "");
  const std::string bytes = "a\r\nb\xff" + std::string(200'000, 'x');
  rig.process().Wrote(key, LogStream::kStdout, bytes);
  rig.process().Wrote(key, LogStream::kStderr, "oops");
  const Received out = rig.Get(path);
  EXPECT_EQ(out.body, bytes);
  EXPECT_EQ(out.headers.Get("Content-Type"), "text/plain; charset=utf-8");
  EXPECT_EQ(rig.Get(path + "?stream=stderr").body, "oops");
  EXPECT_EQ(rig.Get(path + "?attempt=1").body, bytes);
  EXPECT_EQ(rig.Get(path + "?attempt=2").status, 404);
  EXPECT_EQ(rig.Get(path + "?stream=both").status, 400);
}

TEST(JobLogs, AJobThatWaitsHasWrittenNothing) {
  ApiRig rig;
  rig.Start();
  const std::string all = R"({"run":{"command":["true"]},"needs":{"sites":["office"],"cpus":8}})";
  rig.Submit(all);
  const std::string waiting = rig.Submit(all);
  const Received out = rig.Get("/api/v1/jobs/" + waiting + "/logs");
  EXPECT_EQ(out.status, 200);
  EXPECT_EQ(out.body, "");
}

TEST(JobLogs, AFollowerSeesItAllAndTheEnd) {
  ApiRig rig;
  rig.Start();
  const std::string id = rig.Submit(ApiRig::kLocal);
  ASSERT_TRUE(rig.process().WaitForLaunches(1));
  const AttemptKey key{ApiRig::IdOf(id), 1};
  auto stream = rig.Open("/api/v1/jobs/" + id + "/logs?follow=true");
  rig.process().Wrote(key, LogStream::kStdout, "one\n");
  ASSERT_TRUE(stream->Until([](const Events& e) { return Has(e, "log", "one"); }));
  rig.process().Wrote(key, LogStream::kStdout, "gr\xc3");  // half a character ...
  rig.process().Wrote(key, LogStream::kStdout,
                      "\xbc\xc3\x9f"
                      "e\n");
  rig.process().Closed(key);
  rig.process().Ended(key, 0);
  ASSERT_TRUE(stream->UntilOver());
  std::string text;
  for (const SseEvent& event : stream->events()) text += event.data;
  EXPECT_EQ(text,
            "one\ngr\xc3\xbc\xc3\x9f"
            "e\n");
  EXPECT_EQ(stream->events().back().event, "end");
  EXPECT_EQ(stream->events().back().id, "1.12");
}

TEST(JobLogs, AFollowerGoesOnWithTheNextAttempt) {
  ApiRig rig;
  rig.Start();
  const std::string id = rig.Submit(
      R"({"run":{"command":["true"]},"needs":{"sites":["office"]},"retries":{"own":1}})");
  ASSERT_TRUE(rig.process().WaitForLaunches(1));
  const JobId job = ApiRig::IdOf(id);
  auto stream = rig.Open("/api/v1/jobs/" + id + "/logs?follow=true");
  rig.process().Wrote({job, 1}, LogStream::kStdout, "first ");
  ASSERT_TRUE(stream->Until([](const Events& e) { return Has(e, "log", "first"); }));
  rig.process().Closed({job, 1});
  rig.process().Ended({job, 1}, 1);
  rig.process().Wrote({job, 2}, LogStream::kStdout, "second");
  rig.process().Closed({job, 2});
  while (rig.process().launched().size() < 2) {
    rig.rig().clock().Advance(absl::Seconds(10));  // over the backoff
    rig.host().Tick();
    absl::SleepFor(absl::Milliseconds(1));
  }
  rig.process().Ended({job, 2}, 0);
  ASSERT_TRUE(stream->UntilOver());
  std::string text;
  for (const SseEvent& event : stream->events()) text += event.data;
  EXPECT_EQ(text, "first second");
}

TEST(JobLogs, AFollowerComesBackToItsPlace) {
  ApiRig rig;
  rig.Start();
  const std::string id = rig.Submit(ApiRig::kLocal);
  ASSERT_TRUE(rig.process().WaitForLaunches(1));
  const AttemptKey key{ApiRig::IdOf(id), 1};
  rig.process().Wrote(key, LogStream::kStdout, "0123456789");
  rig.process().Closed(key);
  rig.process().Ended(key, 0);
  while (rig.Get("/api/v1/jobs/" + id).Text("finished_at").empty()) std::this_thread::yield();
  auto stream = rig.Open("/api/v1/jobs/" + id + "/logs?follow=true", {{"Last-Event-ID", "1.7"}});
  ASSERT_TRUE(stream->UntilOver());
  EXPECT_EQ(stream->events()[0].data, "789");
}

}  // namespace
}  // namespace spillway
