#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "core/event.h"
#include "core/text.h"
#include "tests/controller/northbound/api_rig.h"
#include "tests/controller/northbound/some_keys.h"
#include "tests/net/raw_client.h"

namespace spillway {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr const char* kReaderA = "reader-of-a";
constexpr const char* kA = "submitter-of-a";
constexpr const char* kB = "submitter-of-b";
constexpr const char* kOps = "operator";

Headers With(std::string_view key) {
  return {{"Authorization", absl::StrCat("Bearer ", ToAbsl(key))}};
}

class KeysApi : public testing::Test {
 protected:
  void SetUp() override {
    rig_.Start();
    const auto keys = SomeKeys();
    ASSERT_TRUE(keys.ok()) << keys.status();
    rig_.api().SetKeys(*keys);
  }

  std::string Submit(std::string_view key) {
    const Received received = rig_.Post("/api/v1/jobs", ApiRig::kLocal, With(key));
    EXPECT_EQ(received.status, 201) << received.body;
    return received.Text("id");
  }
  // `id` of each entry of a list.
  std::vector<std::string> Ids(const std::string& target, std::string_view key) {
    const Received list = rig_.Get(target, With(key));
    EXPECT_EQ(list.status, 200) << list.body;
    std::vector<std::string> ids;
    if (list.status != 200) return ids;
    for (const Value& entry : list.json.Find("data")->list())
      ids.push_back(entry.Find("id")->string());
    return ids;
  }

  ApiRig rig_;
};

// Every path with something in place of its names.
std::string TargetOf(const Route& route) {
  std::string target(route.pattern);
  for (const char* name : {"{id}", "{name}", "{code}"})
    target = absl::StrReplaceAll(target, {{name, "x"}});
  return target;
}

TEST_F(KeysApi, EveryRouteThatIsNotPublicWantsAKey) {
  int refused = 0;
  for (const Route& route : Routes()) {
    if (route.role == Role::kPublic) continue;
    const std::string target = TargetOf(route);
    std::string words;
    for (const Headers& headers : std::vector<Headers>{
             {},
             With("nobody"),
             With("reader-of-"),
             With(std::string(5000, 'k')),
             {{"Authorization", "Basic cmVhZGVyLW9mLWE="}},
             {{"Authorization", "Bearer reader-of-a"}, {"Authorization", "Bearer reader-of-a"}},
             {{"X-Api-Key", "reader-of-a"}}}) {
      const Received answer = rig_.Send(route.method, target, "", headers);
      EXPECT_EQ(answer.status, 401) << target;
      EXPECT_EQ(answer.headers.Get("WWW-Authenticate"), "Bearer realm=\"spillway\"") << target;
      EXPECT_EQ(answer.headers.Get("x-should-retry"), "false");
      std::string said = answer.Text("detail");
      if (absl::StartsWith(target, "/v1/")) {
        const Value* error = answer.json.Find("error");
        ASSERT_NE(error, nullptr) << answer.body;
        EXPECT_EQ(error->Find("type")->string(), "authentication_error");
        EXPECT_EQ(error->Find("code")->string(), "invalid_api_key");
        said = error->Find("message")->string();
      } else {
        EXPECT_EQ(answer.Text("code"), "no_valid_key") << target;
      }
      if (words.empty()) words = said;
      EXPECT_EQ(said, words) << "what is wrong with a key is not told";
      ++refused;
    }
  }
  EXPECT_GT(refused, 100);
}

TEST_F(KeysApi, WithoutAKeyNobodyLearnsWhatThereIs) {
  for (const char* target : {"/v1/no-such-thing", "/v1", "/api/v1/no-such-thing", "/v1/a/b/c"}) {
    EXPECT_EQ(rig_.Get(target, With("nobody")).status, 401) << target;
    EXPECT_EQ(rig_.Get(target, With(kReaderA)).status, 404) << target;
  }
  EXPECT_EQ(rig_.Send(Method::kDelete, "/v1/models", "", {}).status, 401);
  EXPECT_EQ(rig_.Get("/no-such-thing").status, 404) << "that is no API";
}

TEST_F(KeysApi, EveryRouteWantsItsRole) {
  int refused = 0;
  for (const Route& route : Routes()) {
    if (route.role <= Role::kReader) continue;
    const std::string target = TargetOf(route);
    for (const auto& [key, role] : std::vector<std::pair<std::string, Role>>{
             {kReaderA, Role::kReader}, {kA, Role::kSubmitter}, {kOps, Role::kOperator}}) {
      const Received answer = rig_.Send(route.method, target, "", With(key));
      if (role >= route.role) {
        EXPECT_NE(answer.status, 401) << target;
        EXPECT_NE(answer.status, 403) << target;
        continue;
      }
      ++refused;
      EXPECT_EQ(answer.status, 403) << target << " " << key;
      EXPECT_THAT(std::string(answer.headers.Get("WWW-Authenticate")),
                  HasSubstr("insufficient_scope"));
      if (absl::StartsWith(target, "/v1/")) {
        EXPECT_EQ(answer.json.Find("error")->Find("type")->string(), "permission_error");
        continue;
      }
      EXPECT_EQ(answer.Text("code"), "role_too_low");
      EXPECT_THAT(answer.Text("detail"), HasSubstr(std::string(NameOf(route.role))));
      EXPECT_EQ(answer.body.find(key), std::string::npos) << "the key itself is told to nobody";
    }
  }
  EXPECT_GT(refused, 10);
}

TEST_F(KeysApi, PublicRoutesAskForNone) {
  for (const char* target : {"/healthz", "/readyz", "/metrics", "/openapi.yaml", "/",
                             "/problems/no_valid_key", "/problems/role_too_low"}) {
    EXPECT_EQ(rig_.Get(target).status, 200) << target;
    EXPECT_EQ(rig_.Get(target, With("nobody")).status, 200) << target;
  }
}

TEST_F(KeysApi, AKeyInTheQueryIsNone) {
  EXPECT_EQ(rig_.Get("/api/v1/pools?key=reader-of-a").status, 401);
  EXPECT_EQ(rig_.Get("/api/v1/pools", With(kReaderA)).status, 200);
}

TEST_F(KeysApi, WhoHasNoKeyIsToldBeforeHisBodyIsRead) {
  const std::string address = rig_.address();
  RawClient client(static_cast<std::uint16_t>(std::stoi(address.substr(address.rfind(':') + 1))));
  ASSERT_TRUE(client.Send(
      "POST /v1/chat/completions HTTP/1.1\r\nHost: h\r\nContent-Length: 30000000\r\n\r\n"));
  const std::string answer = client.Response();
  EXPECT_THAT(answer, HasSubstr("HTTP/1.1 401 "));
  EXPECT_THAT(answer, HasSubstr("invalid_api_key"));
}

TEST_F(KeysApi, AKeyThatWasTakenBackIsNoneFromThenOn) {
  EXPECT_EQ(rig_.Get("/api/v1/jobs", With(kA)).status, 200);
  const auto fewer = Keyring::Make({KeyOf("operator", "ops", "operator")});
  ASSERT_TRUE(fewer.ok());
  rig_.api().SetKeys(*fewer);
  EXPECT_EQ(rig_.Get("/api/v1/jobs", With(kA)).status, 401);
  EXPECT_EQ(rig_.Get("/api/v1/jobs", With(kOps)).status, 200);
}

// A page that made its own name point here has no key; proxies call the controller by any name.
TEST_F(KeysApi, WithKeysTheControllerMayHaveAnyNameAndPagesOfOthersStillMayNot) {
  Headers named = With(kA);
  named.Add("Host", "spillway.example.com");
  EXPECT_EQ(rig_.Get("/api/v1/jobs", named).status, 200);
  Headers from_page = With(kA);
  from_page.Add("Origin", "https://evil.example");
  EXPECT_EQ(rig_.Post("/api/v1/jobs", ApiRig::kLocal, from_page).Text("code"), "cross_origin");
  const Received chat = rig_.Post("/v1/chat/completions", "{}", from_page);
  EXPECT_EQ(chat.status, 403);
  EXPECT_EQ(chat.json.Find("error")->Find("code")->string(), "cross_origin");
}

// --- Tenants -------------------------------------------------------------------------------------

TEST_F(KeysApi, TheTenantComesFromTheKeyAlone) {
  Headers headers = With(kA);
  headers.Add("x-tenant", "b");
  const Received made = rig_.Post("/api/v1/jobs", ApiRig::kLocal, headers);
  EXPECT_EQ(made.Text("tenant"), "a") << made.body;
  EXPECT_EQ(rig_.Post("/api/v1/jobs", ApiRig::kLocal, With(kOps)).Text("tenant"), "ops");
}

// Without what every answer has of its own: the id of the request, and the name that was asked for.
std::string Anonymous(const Received& received, const std::string& name) {
  return absl::StrReplaceAll(received.body, {{name, "NAME"}, {received.Text("trace_id"), "TRACE"}});
}

TEST_F(KeysApi, WhatIsSomebodyElsesIsAsWhatIsNotThere) {
  const std::string job = Submit(kA);
  const std::string decision = rig_.Get("/api/v1/jobs/" + job, With(kA)).Text("decision");
  const auto same = [&](Method method, const std::string& before, const std::string& id,
                        const std::string& missing, const std::string& after) {
    const Received theirs = rig_.Send(method, before + id + after, "", With(kB));
    const Received none = rig_.Send(method, before + missing + after, "", With(kB));
    EXPECT_EQ(theirs.status, 404) << before << id << after << theirs.body;
    EXPECT_EQ(Anonymous(theirs, id), Anonymous(none, missing));
    const Received own = rig_.Send(method, before + id + after, "", With(kA));
    EXPECT_EQ(own.status, 200) << own.body;
    EXPECT_EQ(rig_.Send(method, before + id + after, "", With(kOps)).status, 200);
  };
  for (const std::string missing : {"job-999999", "nonsense"}) {
    same(Method::kGet, "/api/v1/jobs/", job, missing, "");
    same(Method::kGet, "/api/v1/jobs/", job, missing, "/logs");
    same(Method::kPost, "/api/v1/jobs/", job, missing, "/cancel");
  }
  for (const std::string missing : {"dec-999999", "nonsense"})
    same(Method::kGet, "/api/v1/decisions/", decision, missing, "");
  EXPECT_EQ(rig_.Get("/api/v1/jobs/" + job + "/events", With(kB)).status, 404);
  EXPECT_EQ(rig_.Get("/api/v1/jobs/" + job + "/logs?follow=true", With(kB)).status, 404);
}

TEST_F(KeysApi, NobodyCancelsTheWorkOfOthers) {
  const std::string job = Submit(kA);
  EXPECT_EQ(rig_.Post("/api/v1/jobs/" + job + "/cancel", "", With(kB)).status, 404);
  EXPECT_EQ(rig_.Get("/api/v1/jobs/" + job, With(kA)).Text("cancelling"), "false");
  EXPECT_EQ(rig_.Post("/api/v1/jobs/" + job + "/cancel", "", With(kOps)).status, 200);
}

TEST_F(KeysApi, ListsHoldOnesOwn) {
  const std::string of_a = Submit(kA), of_b = Submit(kB);
  EXPECT_THAT(Ids("/api/v1/jobs", kReaderA), ElementsAre(of_a));
  EXPECT_THAT(Ids("/api/v1/jobs", kB), ElementsAre(of_b));
  EXPECT_THAT(Ids("/api/v1/jobs", kOps), ElementsAre(of_b, of_a));
  EXPECT_THAT(Ids("/api/v1/jobs?tenant=a", kOps), ElementsAre(of_a));
  EXPECT_THAT(Ids("/api/v1/jobs?tenant=b", kB), ElementsAre(of_b));
  EXPECT_THAT(Ids("/api/v1/jobs?tenant=a", kB), IsEmpty());
  EXPECT_EQ(rig_.Get("/api/v1/jobs?tenant=", With(kB)).status, 400);
  EXPECT_THAT(Ids("/api/v1/jobs?limit=1&after=" + of_b, kB), IsEmpty());
  EXPECT_EQ(Ids("/api/v1/decisions", kOps).size(), 2u);
  EXPECT_EQ(Ids("/api/v1/decisions", kReaderA).size(), 1u);
  EXPECT_THAT(Ids("/api/v1/decisions?job=" + of_a, kB), IsEmpty());
}

TEST_F(KeysApi, AWatchTellsOfOnesOwn) {
  const auto stream = rig_.Open("/api/v1/jobs?watch=true", With(kB));
  ASSERT_TRUE(stream->Until([](const auto& events) { return !events.empty(); }));
  const std::string of_a = Submit(kA), of_b = Submit(kB);
  EXPECT_TRUE(stream->Until([&](const auto& events) {
    return std::any_of(events.begin(), events.end(), [&](const SseEvent& event) {
      return event.data.find(of_b) != std::string::npos;
    });
  }));
  EXPECT_EQ(stream->raw().find(of_a), std::string::npos);
  stream->Stop();
  rig_.EndServer();
}

TEST_F(KeysApi, OneKeyOfIdempotencyForEachTenant) {
  const auto submit = [&](std::string_view key) {
    Headers headers = With(key);
    headers.Add("Idempotency-Key", "once");
    return rig_.Post("/api/v1/jobs", ApiRig::kLocal, headers);
  };
  const Received of_a = submit(kA), of_b = submit(kB);
  EXPECT_EQ(of_b.status, 201);
  EXPECT_NE(of_a.Text("id"), of_b.Text("id"));
  EXPECT_EQ(submit(kA).Text("id"), of_a.Text("id"));
}

TEST_F(KeysApi, TheLedgerShowsOnesOwnCosts) {
  for (const char* key : {kA, kB}) {
    const std::string job = Submit(key);
    rig_.process().Ended({ApiRig::IdOf(job), 1}, 0);
    while (rig_.Get("/api/v1/jobs/" + job, With(key)).Text("finished_at").empty())
      std::this_thread::yield();
  }
  const auto tenants = [&](const std::string& query, std::string_view key) {
    const Received ledger = rig_.Get("/api/v1/ledger" + query, With(key));
    EXPECT_EQ(ledger.status, 200) << ledger.body;
    std::set<std::string> found;
    for (const Value& row : ledger.json.Find("rows")->list()) {
      const Value* tenant = row.Find("tenant");
      found.insert(tenant != nullptr && tenant->is_string() ? tenant->string() : "?");
    }
    return found;
  };
  EXPECT_THAT(tenants("", kReaderA), ElementsAre("a"));
  EXPECT_THAT(tenants("?tenant=b", kReaderA), IsEmpty());
  EXPECT_EQ(rig_.Get("/api/v1/ledger?tenant=", With(kReaderA)).status, 400) << "idle time";
  const auto all = tenants("", kOps);
  EXPECT_TRUE(all.contains("a") && all.contains("b"));
}

TEST_F(KeysApi, RequestsAreListedByTenantAPageAtATime) {
  constexpr int kEach = 230;
  event::RequestsEnded ended;
  for (int i = 1; i <= 3 * kEach; ++i) {
    auto request = std::make_shared<Request>();
    request->id = MakeRequestId(1, static_cast<std::uint64_t>(i));
    request->features.tenant = i % 3 == 0 ? "a" : "b";
    request->end = RequestEnd::kRefused;
    request->ended = rig_.host().clock().Now();
    ended.requests.push_back(std::move(request));
  }
  const std::string oldest = ToString(ended.requests[2]->id),
                    others = ToString(ended.requests[0]->id);
  rig_.host().Post(std::move(ended));
  while (Ids("/api/v1/requests?limit=1", kOps).empty()) std::this_thread::yield();

  std::vector<std::string> all;
  std::string after;
  int pages = 0;
  for (bool more = true; more && pages < 100; ++pages) {
    const Received page = rig_.Get("/api/v1/requests?limit=100" + after, With(kReaderA));
    ASSERT_EQ(page.status, 200) << page.body;
    for (const Value& entry : page.json.Find("data")->list()) {
      EXPECT_EQ(entry.Find("tenant")->string(), "a");
      all.push_back(entry.Find("id")->string());
    }
    more = page.Text("has_more") == "true";
    after = "&after=" + page.Text("last_id");
  }
  EXPECT_EQ(all.size(), static_cast<std::size_t>(kEach));
  EXPECT_EQ(std::set<std::string>(all.begin(), all.end()).size(), all.size());
  EXPECT_EQ(all.back(), oldest);
  EXPECT_EQ(rig_.Get("/api/v1/decisions/" + oldest, With(kReaderA)).status, 200);
  const Received theirs = rig_.Get("/api/v1/decisions/" + others, With(kReaderA));
  const Received none = rig_.Get("/api/v1/decisions/req-9-000001", With(kReaderA));
  EXPECT_EQ(theirs.status, 404);
  EXPECT_EQ(Anonymous(theirs, others), Anonymous(none, "req-9-000001"));
}

}  // namespace
}  // namespace spillway
