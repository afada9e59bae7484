#include "controller/northbound/api.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/controller/northbound/api_rig.h"

namespace spillway {
namespace {

using testing::HasSubstr;

TEST(JobsApi, ASubmittedJobIsThereAndSaysWhere) {
  ApiRig rig;
  rig.Start();
  const Received created = rig.Post("/api/v1/jobs", ApiRig::kLocal);
  ASSERT_EQ(created.status, 201) << created.body;
  const std::string path(created.headers.Get("Location"));
  EXPECT_EQ(path, "/api/v1/jobs/" + created.Text("id"));
  EXPECT_EQ(created.Text("pool"), "local");
  EXPECT_EQ(created.headers.Get("x-spillway-decision"), created.Text("decision"));
  const Received shown = rig.Get(path);
  EXPECT_EQ(shown.status, 200);
  EXPECT_EQ(shown.Text("id"), created.Text("id"));
  EXPECT_EQ(shown.Text("tenant"), "default");
  EXPECT_EQ(rig.Get("/api/v1/decisions/" + created.Text("decision")).Text("chosen"), "local");
}

TEST(JobsApi, DecisionsCarryTheNameOfTheirJob) {
  ApiRig rig;
  rig.Start();
  const std::string nobody_can =
      R"({"name":"too-large","run":{"command":["true"]},"needs":{"memory":"9TiB"}})";
  rig.Post("/api/v1/jobs", R"({"name":"nightly-eval","run":{"command":["true"]}})");
  rig.Post("/api/v1/jobs", nobody_can);
  rig.Post("/api/v1/jobs", ApiRig::kLocal);
  const Received listed = rig.Get("/api/v1/decisions?order=asc");
  const auto& all = listed.json.Find("data")->list();
  ASSERT_EQ(all.size(), 3u);
  EXPECT_EQ(all[0].Find("name")->string(), "nightly-eval");
  EXPECT_EQ(all[1].Find("name")->string(), "too-large");  // it never became a job
  EXPECT_EQ(all[2].Find("name"), nullptr);
  EXPECT_EQ(rig.Get("/api/v1/decisions/" + all[0].Find("id")->string()).Text("name"),
            "nightly-eval");
}

struct BadBody {
  std::string name, body, pointer;
};
class JobsApiRefuses : public testing::TestWithParam<BadBody> {};
TEST_P(JobsApiRefuses, WithAPointerAndKeepsNothing) {
  ApiRig rig;
  rig.Start();
  const Received refused = rig.Post("/api/v1/jobs", GetParam().body);
  EXPECT_EQ(refused.status, 400) << refused.body;
  EXPECT_EQ(refused.headers.Get("Content-Type"), "application/problem+json");
  EXPECT_EQ(refused.headers.Get("x-should-retry"), "false");
  EXPECT_EQ(refused.Text("code"), "malformed");
  EXPECT_EQ(refused.Text("type"), "/problems/malformed");
  EXPECT_EQ(refused.Text("trace_id"), refused.headers.Get("x-request-id"));
  const Value* errors = refused.json.Find("errors");
  ASSERT_NE(errors, nullptr) << refused.body;
  EXPECT_EQ(errors->list()[0].Find("pointer")->string(), GetParam().pointer);
  EXPECT_TRUE(rig.Get("/api/v1/jobs").json.Find("data")->list().empty());
}
INSTANTIATE_TEST_SUITE_P(
    All, JobsApiRefuses,
    testing::Values(
        BadBody{"NoJson", "{", ""}, BadBody{"Null", "null", ""}, BadBody{"AList", "[]", ""},
        BadBody{"AWord", "\"run\"", ""}, BadBody{"NoCommand", R"({"name":"x"})", ""},
        BadBody{"UnknownKey", R"({"run":{"command":["true"]},"memroy":1})", "/memroy"},
        BadBody{"NoUnit", R"({"run":{"command":["true"]},"needs":{"memory":1}})", "/needs/memory"},
        BadBody{"ReadOnly", R"({"run":{"command":["true"]},"tenant":"root"})", "/tenant"},
        BadBody{"Negative", R"({"run":{"command":["true"]},"needs":{"cpus":-1}})", "/needs/cpus"},
        BadBody{"TwiceTheKey", R"({"run":{"command":["true"]},"name":"a","name":"b"})", ""}),
    [](const auto& row) { return row.param.name; });

// Names that only this controller can judge, in every place of a job that holds some.
TEST(JobsApi, NamesThatNothingBearsAreRefusedWithTheNearest) {
  ApiRig rig;
  rig.rig().config()->catalog.classes["resnet50-inference"] = {};
  rig.Start();
  struct Case {
    std::string part, pointer, near;
  };
  for (
      const Case& c : std::vector<Case>{
          {R"("pool":"locl")", "/pool", "local"},
          {R"("demand":{"class":"resnet-inference","units":1})", "/demand/class",
           "resnet50-inference"},
          {R"("demand":{"seconds":1,"on":"nvidia-l4-24"})", "/demand/on", "nvidia-l4-24g"},
          {R"("alternatives":[{"on":{"name":"a10"},"demand":{"class":"resnet51-inference","units":1}}])",
           "/alternatives/0/demand/class", "resnet50-inference"}}) {
    const std::string body = R"({"run":{"command":["true"]},)" + c.part + "}";
    for (const std::string path : {"/api/v1/jobs", "/api/v1/decisions:dry-run"}) {
      const Received refused = rig.Post(path, body);
      EXPECT_EQ(refused.status, 400) << path << body << refused.body;
      if (refused.status != 400) continue;
      EXPECT_EQ(refused.json.Find("errors")->list()[0].Find("pointer")->string(), c.pointer);
      EXPECT_THAT(refused.Text("detail"), HasSubstr("did you mean `" + c.near + "`?"));
    }
  }
  EXPECT_EQ(rig.Post("/api/v1/jobs", R"({"run":{"command":["true"]},"pool":"local","demand":)"
                                     R"({"class":"resnet50-inference","units":1}})")
                .status,
            201);
}

TEST(JobsApi, APinnedJobSaysSo) {
  ApiRig rig;
  rig.Start();
  const Received created =
      rig.Post("/api/v1/jobs", R"({"run":{"command":["true"]},"pool":"xeon-amx"})");
  EXPECT_EQ(created.Text("pin"), "xeon-amx");
  EXPECT_EQ(created.Text("pool"), "xeon-amx");
}

TEST(JobsApi, WhatNoPoolCouldEverDoIsRefusedWithEveryReason) {
  ApiRig rig;
  rig.Start();
  const Received refused =
      rig.Post("/api/v1/jobs", R"({"run":{"command":["true"]},"needs":{"memory":"9TiB"}})");
  EXPECT_EQ(refused.status, 422);
  EXPECT_EQ(refused.Text("code"), "no_capable_pool");
  const auto& candidates = refused.json.Find("candidates")->list();
  ASSERT_EQ(candidates.size(), 5u);
  EXPECT_EQ(candidates[0].Find("code")->string(), "memory");
  EXPECT_THAT(candidates[0].Find("why")->string(), HasSubstr("9 TiB"));
  // The refusal is kept as a decision, and can be read again.
  const std::string decision(refused.headers.Get("x-spillway-decision"));
  EXPECT_EQ(rig.Get("/api/v1/decisions/" + decision).Text("outcome"), "refused");
}

TEST(JobsApi, BodiesBeyondTheBoundAreNotRead) {
  ApiRig rig;
  rig.Start();
  const Received refused = rig.Post("/api/v1/jobs", std::string((256 << 10) + 1, ' '));
  EXPECT_EQ(refused.status, 413);
  EXPECT_EQ(refused.Text("code"), "too_large");
}

// Whatever somebody says of his work stands in records, lists and pages: it is bounded at the door.
TEST(JobsApi, LabelsAreFew) {
  ApiRig rig;
  rig.Start();
  const auto labels = [&](int count) {
    std::string body =
        R"({"run":{"command":["true"]},"needs":{"cpus":0.1,"memory":"32MiB"},"labels":{)";
    for (int i = 0; i < count; ++i)
      absl::StrAppend(&body, i == 0 ? "" : ",", "\"l", i, "\":\"<b>", i, "</b>\"");
    return rig.Post("/api/v1/jobs", body + "}}");
  };
  const Received many = labels(10'000);
  EXPECT_EQ(many.status, 400);
  EXPECT_THAT(many.body, HasSubstr("has 10000 entries, at most 32 are taken"));
  EXPECT_EQ(labels(33).status, 400);
  EXPECT_TRUE(rig.Get("/api/v1/jobs").json.Find("data")->list().empty());
  const Received some = labels(32);
  EXPECT_EQ(some.status, 201);
  EXPECT_EQ(some.json.Find("labels")->map().size(), 32u);
  EXPECT_EQ(some.json.Find("labels")->Find("l7")->string(), "<b>7</b>");
}

TEST(JobsApi, TheSameKeyIsGivenTheSameBytes) {
  ApiRig rig;
  rig.Start();
  const Headers key{{"Idempotency-Key", "k-1"}};
  const Received first = rig.Post("/api/v1/jobs", ApiRig::kLocal, key);
  const Received second = rig.Post("/api/v1/jobs", ApiRig::kLocal, key);
  EXPECT_EQ(first.status, 201);
  EXPECT_EQ(second.status, 201);
  EXPECT_EQ(first.body, second.body);
  EXPECT_EQ(first.headers.Get("Location"), second.headers.Get("Location"));
  EXPECT_FALSE(first.headers.Find("Idempotency-Replayed"));
  EXPECT_EQ(second.headers.Get("Idempotency-Replayed"), "true");
  EXPECT_EQ(rig.Get("/api/v1/jobs").json.Find("data")->list().size(), 1u);

  const Received other = rig.Post(
      "/api/v1/jobs", R"({"run":{"command":["false"]},"needs":{"sites":["office"]}})", key);
  EXPECT_EQ(other.status, 422);
  EXPECT_EQ(other.Text("code"), "key_reused");
}

TEST(JobsApi, AReplayedRefusalIsTheSameProblem) {
  ApiRig rig;
  rig.Start();
  const std::string body = R"({"run":{"command":["true"]},"needs":{"memory":"9TiB"}})";
  const Headers key{{"Idempotency-Key", "k-2"}};
  const Received first = rig.Post("/api/v1/jobs", body, key);
  const Received second = rig.Post("/api/v1/jobs", body, key);
  EXPECT_EQ(first.status, 422);
  EXPECT_EQ(second.status, 422);
  EXPECT_EQ(first.body, second.body);
  EXPECT_EQ(second.headers.Get("Content-Type"), "application/problem+json");
}

TEST(JobsApi, AKeyWhoseFirstRequestIsUnderWayIsToldToComeBack) {
  ApiRig rig;
  rig.Start();
  rig.rig().store().Hold();
  const Headers key{{"Idempotency-Key", "k-3"}};
  Received first;
  std::thread waiting([&] { first = rig.Post("/api/v1/jobs", ApiRig::kLocal, key); });
  ASSERT_TRUE(rig.rig().store().WaitUntilHeld());
  const Received second = rig.Post("/api/v1/jobs", ApiRig::kLocal, key);
  EXPECT_EQ(second.status, 409);
  EXPECT_EQ(second.Text("code"), "key_in_progress");
  EXPECT_EQ(second.headers.Get("Retry-After"), "1");
  EXPECT_EQ(second.headers.Get("x-should-retry"), "true");
  rig.rig().store().Release();
  waiting.join();
  EXPECT_EQ(first.status, 201);
}

TEST(JobsApi, ManyAtOnceWithOneKeyAreOneJob) {
  ApiRig rig;
  rig.Start();
  constexpr int kCallers = 20;
  std::vector<Received> received(kCallers);
  std::vector<std::thread> callers;
  for (Received& mine : received) {
    callers.emplace_back([&rig, &mine] {
      const Headers key{{"Idempotency-Key", "k-many"}};
      // As a client does that is told to come back.
      do {
        mine = rig.Post("/api/v1/jobs", ApiRig::kLocal, key);
        EXPECT_EQ(mine.headers.Get("Retry-After"), mine.status == 409 ? "1" : "");
      } while (mine.status == 409 && mine.Text("code") == "key_in_progress");
    });
  }
  for (std::thread& caller : callers) caller.join();
  int first = 0;
  for (const Received& one : received) {
    EXPECT_EQ(one.status, 201) << one.body;
    EXPECT_EQ(one.body, received[0].body);
    first += !one.headers.Find("Idempotency-Replayed");
  }
  EXPECT_EQ(first, 1);
  EXPECT_EQ(rig.Get("/api/v1/jobs").json.Find("data")->list().size(), 1u);
}

TEST(JobsApi, KeysThatAreTooLongAreRefused) {
  ApiRig rig;
  rig.Start();
  const std::string key(256, 'k');
  const Received refused = rig.Post("/api/v1/jobs", ApiRig::kLocal, {{"Idempotency-Key", key}});
  EXPECT_EQ(refused.status, 400);
  EXPECT_EQ(refused.Text("code"), "invalid_parameter");
}

TEST(JobsApi, WhenTooMuchWaitsSubmissionsAreSentAway) {
  ApiRig rig({.waiting_submissions = 0});
  rig.Start();
  const Received refused = rig.Post("/api/v1/jobs", ApiRig::kLocal);
  EXPECT_EQ(refused.status, 503);
  EXPECT_EQ(refused.Text("code"), "queue_full");
  EXPECT_EQ(refused.headers.Get("Retry-After"), "1");
  EXPECT_EQ(refused.headers.Get("x-should-retry"), "true");
}

TEST(JobsApi, ListsGoOnFromPageToPage) {
  ApiRig rig;
  rig.Start();
  std::vector<std::string> ids;
  for (int i = 0; i < 5; ++i) ids.push_back(rig.Submit(ApiRig::kLocal));
  std::string target = "/api/v1/jobs?limit=2&order=asc";
  std::vector<std::string> seen;
  for (int pages = 0; pages < 10; ++pages) {
    const Received page = rig.Get(target);
    ASSERT_EQ(page.status, 200) << page.body;
    for (const Value& job : page.json.Find("data")->list())
      seen.push_back(job.Find("id")->string());
    EXPECT_EQ(page.Text("last_id"), seen.back());
    const std::string link(page.headers.Get("Link"));
    EXPECT_EQ(page.json.Find("has_more")->boolean(), !link.empty());
    if (link.empty()) break;
    EXPECT_THAT(link, HasSubstr(">; rel=\"next\""));
    target = link.substr(1, link.find('>') - 1);
  }
  EXPECT_EQ(seen, ids);
  EXPECT_EQ(rig.Get("/api/v1/jobs").Text("first_id"), ids.back());
}

TEST(JobsApi, ListsTakeFilters) {
  ApiRig rig;
  rig.Start();
  const std::string ended = rig.Submit(ApiRig::kLocal);
  rig.Submit(R"({"name":"other","run":{"command":["true"]},"needs":{"sites":["office"]}})");
  ASSERT_TRUE(rig.process().WaitForLaunches(2));
  rig.process().Ended({ApiRig::IdOf(ended), 1}, 0);
  const auto count = [&](const std::string& query) {
    return rig.Get("/api/v1/jobs?" + query).json.Find("data")->list().size();
  };
  while (rig.Get("/api/v1/jobs/" + ended).Text("state") != "succeeded") std::this_thread::yield();
  EXPECT_EQ(count("state=succeeded"), 1u);
  EXPECT_EQ(count("state=succeeded,starting"), 2u);
  EXPECT_EQ(count("name=other"), 1u);
  EXPECT_EQ(count("pool=local"), 2u);
  EXPECT_EQ(count("pool=a10"), 0u);
  EXPECT_EQ(count("tenant=nobody"), 0u);
}

TEST(Filters, ByAPoolThatNeverWasAreRefused) {
  ApiRig rig;
  rig.Start();
  for (const std::string path : {"/api/v1/jobs", "/api/v1/ledger"}) {
    const Received refused = rig.Get(path + "?pool=loca");
    EXPECT_EQ(refused.status, 400) << refused.body;
    EXPECT_EQ(refused.Text("code"), "invalid_parameter");
    EXPECT_THAT(refused.Text("detail"), HasSubstr("did you mean `local`?"));
    EXPECT_EQ(rig.Get(path + "?pool=local").status, 200);
  }
}

class BadQuery : public testing::TestWithParam<std::string> {};
TEST_P(BadQuery, IsRefused) {
  ApiRig rig;
  rig.Start();
  const Received refused = rig.Get("/api/v1/jobs?" + GetParam());
  EXPECT_EQ(refused.status, 400) << refused.body;
  EXPECT_EQ(refused.Text("code"), "invalid_parameter");
}
INSTANTIATE_TEST_SUITE_P(All, BadQuery,
                         testing::Values("limit=0", "limit=101", "limit=x", "limit=1&limit=2",
                                         "order=up", "after=dec-000001", "state=idle",
                                         "stat=queued", "watch=maybe", "resource_version=-1",
                                         "name="));

TEST(JobsApi, CancelIsAnsweredWithTheJobAndTwiceIsNoError) {
  ApiRig rig;
  rig.Start();
  const std::string id = rig.Submit(ApiRig::kLocal);
  const Received cancelled = rig.Post("/api/v1/jobs/" + id + "/cancel");
  EXPECT_EQ(cancelled.status, 200);
  EXPECT_EQ(cancelled.Text("cancelling"), "true");
  ASSERT_TRUE(rig.process().WaitForCancels(1));
  rig.process().Ended({ApiRig::IdOf(id), 1}, 0);
  while (rig.Get("/api/v1/jobs/" + id).Text("finished_at").empty()) std::this_thread::yield();
  EXPECT_EQ(rig.Post("/api/v1/jobs/" + id + "/cancel").status, 200);
  EXPECT_EQ(rig.Post("/api/v1/jobs/job-999999/cancel").status, 404);
}

TEST(JobsApi, WhatIsNotThereIsNotFound) {
  ApiRig rig;
  rig.Start();
  for (const char* path : {"/api/v1/jobs/job-999999", "/api/v1/jobs/x", "/api/v1/jobs/job-1/logs",
                           "/api/v1/jobs/job-1/events"}) {
    const Received missing = rig.Get(path);
    EXPECT_EQ(missing.status, 404) << path;
    EXPECT_EQ(missing.Text("instance"), path);
  }
}

TEST(JobsApi, AnUnchangedJobIsNotSentAgain) {
  ApiRig rig;
  rig.Start();
  const std::string path = "/api/v1/jobs/" + rig.Submit(ApiRig::kLocal);
  const Received first = rig.Get(path);
  const std::string etag(first.headers.Get("ETag"));
  EXPECT_EQ(rig.Get(path, {{"If-None-Match", etag}}).status, 304);
  EXPECT_EQ(rig.Get(path, {{"If-None-Match", "\"other\", W/" + etag}}).status, 304);
  EXPECT_EQ(rig.Get(path, {{"If-None-Match", "\"other\""}}).status, 200);
}

TEST(JobsApi, HeadTellsWhatGetWouldWithoutTheBody) {
  ApiRig rig;
  rig.Start();
  const std::string path = "/api/v1/jobs/" + rig.Submit(ApiRig::kLocal);
  const Received head = rig.Send(Method::kHead, path);
  EXPECT_EQ(head.status, 200);
  EXPECT_TRUE(head.body.empty());
  EXPECT_EQ(head.headers.Get("ETag"), rig.Get(path).headers.Get("ETag"));
}

TEST(NamesThisMachine, IsFalseForNamesThatOnlyPointHere) {
  for (const char* host : {"evil.example", "evil.example:80", "127.0.0.1.evil.example", "10.0.0.1",
                           "", "localhost.evil"}) {
    EXPECT_FALSE(NamesThisMachine(host)) << host;
  }
  for (const char* host :
       {"localhost", "localhost:8080", "127.0.0.1", "127.0.0.1:80", "[::1]:8080", "[::1]"}) {
    EXPECT_TRUE(NamesThisMachine(host)) << host;
  }
}

TEST(JobsApi, PagesOfOtherSitesCannotSubmit) {
  ApiRig rig;
  rig.Start();
  const Received refused =
      rig.Post("/api/v1/jobs", ApiRig::kLocal, {{"Origin", "https://evil.example"}});
  EXPECT_EQ(refused.status, 403);
  EXPECT_EQ(refused.Text("code"), "cross_origin");
  const std::string own = "http://" + rig.address();
  EXPECT_EQ(rig.Post("/api/v1/jobs", ApiRig::kLocal, {{"Origin", own}}).status, 201);
}

TEST(JobsApi, ADryRunLeavesNoTrace) {
  ApiRig rig;
  rig.Start();
  const Received answer = rig.Post("/api/v1/decisions:dry-run", ApiRig::kLocal);
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.Text("chosen"), "local");
  EXPECT_TRUE(answer.json.Find("id")->is_null());
  EXPECT_EQ(rig.Post("/api/v1/decisions:dry-run",
                     R"({"run":{"command":["true"]},"needs":{"memory":"9TiB"}})")
                .Text("outcome"),
            "refused");
  EXPECT_EQ(rig.Post("/api/v1/decisions:dry-run", "{}").status, 400);
  EXPECT_TRUE(rig.Get("/api/v1/jobs").json.Find("data")->list().empty());
  EXPECT_TRUE(rig.Get("/api/v1/decisions").json.Find("data")->list().empty());
}

}  // namespace
}  // namespace spillway
