// What clients of OpenAI's API meet before and after their requests are routed.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "tests/controller/northbound/relay_rig.h"
#include "tests/net/raw_client.h"

namespace spillway {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

class OpenAiEdge : public testing::Test {
 protected:
  void SetUp() override {
    rig_.Publish();
    rig_.big.Say({{.body = R"({"choices":[],"usage":{"prompt_tokens":1,"completion_tokens":1}})"}});
  }
  std::string Answer(const std::string& line, const std::string& fields) {
    RawClient client(rig_.port());
    client.Send(absl::StrCat(line, " HTTP/1.1\r\nHost: localhost\r\n", fields, "\r\n"));
    return client.Response();
  }

  RelayRig rig_;
};

// The official clients read `error.message`, and show nothing of another form.
TEST_F(OpenAiEdge, WhatTheServerItselfRefusesIsAnOpenAiError) {
  struct Case {
    int status;
    std::string line, fields, code;
  };
  const std::string post = "POST /v1/chat/completions";
  for (const Case& c : {
           Case{404, "POST /v1/responses", "Content-Length: 0\r\n", "unknown_url"},
           Case{405, "PUT /v1/chat/completions", "Content-Length: 0\r\n", "method_not_allowed"},
           Case{413, post, "Content-Length: 40000000\r\n", "body_too_long"},
           Case{400, post, "Content-Length: x\r\n", ""},
           Case{431, post, absl::StrCat("X-Long: ", std::string(70'000, 'x'), "\r\n"), ""},
       }) {
    const std::string answer = Answer(c.line, c.fields);
    EXPECT_THAT(answer, StartsWith(absl::StrCat("HTTP/1.1 ", c.status, " "))) << c.line;
    EXPECT_THAT(answer, HasSubstr("Content-Type: application/json\r\n")) << c.status;
    EXPECT_THAT(answer, HasSubstr("\r\n\r\n{\"error\":{\"message\":\"")) << c.status;
    EXPECT_THAT(answer, HasSubstr("\"type\":\"invalid_request_error\"")) << c.status;
    EXPECT_THAT(answer, HasSubstr(absl::StrCat("\"code\":\"", c.code))) << c.status;
  }
}

TEST_F(OpenAiEdge, ElsewhereTheyAreProblems) {
  for (const std::string line : {"POST /v10/chat", "POST /api/v1/jobs", "POST /api/v1/nothing"}) {
    const std::string answer = Answer(line, "Content-Length: x\r\n");
    EXPECT_THAT(answer, StartsWith("HTTP/1.1 400 ")) << line;
    EXPECT_THAT(answer, HasSubstr("Content-Type: application/problem+json\r\n")) << line;
  }
}

// As the server says it when a head or a body does not come in time.
TEST_F(OpenAiEdge, WhatComesTooSlowlyIsCalledThat) {
  for (const std::string word : {"head_timeout", "body_timeout"}) {
    const HttpResponse problem = rig_.api().api().OnRefused(408, word, "it did not come in time");
    EXPECT_THAT(problem.body, HasSubstr(R"("title":"The request came too slowly")"));
    EXPECT_THAT(problem.body, HasSubstr(R"("type":"/problems/too_slow")"));
    EXPECT_THAT(problem.body, HasSubstr("(" + word + ")"));
    EXPECT_EQ(problem.headers.Get("x-should-retry"), "true");
    const HttpResponse error =
        rig_.api().api().OnRefusedAt("/v1/chat/completions", 408, word, "it did not come in time");
    EXPECT_THAT(error.body, HasSubstr(absl::StrCat(R"("code":")", word)));
    EXPECT_EQ(error.headers.Get("x-should-retry"), "true");
  }
  EXPECT_THAT(rig_.api().api().OnRefused(431, "head_too_long", "too long").body,
              HasSubstr(R"("title":"The request is malformed")"));
}

// A bug of ours is `internal`; a version that nobody asked us to speak is none.
TEST_F(OpenAiEdge, AnUnknownVersionIsTheClientsMistake) {
  RawClient client(rig_.port());
  client.Send("GET /api/v1/jobs HTTP/2.0\r\nHost: localhost\r\n\r\n");
  const std::string answer = client.Response();
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 505 "));
  EXPECT_THAT(answer, HasSubstr("\"code\":\"malformed\""));
  EXPECT_THAT(answer, HasSubstr("(version)"));
  EXPECT_THAT(answer, HasSubstr("x-should-retry: false"));
}

// In metadata and in the head alike; what cannot be read is told, not dropped.
TEST_F(OpenAiEdge, ObjectivesThatCannotBeReadAreRefused) {
  const auto ask = [this](const std::string& metadata, const std::string& fields) {
    const std::string body =
        absl::StrCat(R"({"model":"big","messages":[],"metadata":{)", metadata, "}}");
    RawClient client(rig_.port());
    client.Send(absl::StrCat("POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\n", fields,
                             "Content-Length: ", body.size(), "\r\n\r\n", body));
    return client.Response();
  };
  EXPECT_THAT(ask("", "x-slo-tpot-ms: 50\r\n"), StartsWith("HTTP/1.1 200 "));
  EXPECT_THAT(ask(R"("spillway.tpot_ms":"50")", ""), StartsWith("HTTP/1.1 200 "));
  for (const std::string wrong : {"abc", "0", "1.5", "86400001", ""}) {
    SCOPED_TRACE(wrong);
    EXPECT_THAT(ask("", absl::StrCat("x-slo-ttft-ms: ", wrong, "\r\n")),
                HasSubstr("header x-slo-ttft-ms: wants milliseconds"));
    EXPECT_THAT(ask(absl::StrCat(R"("spillway.tpot_ms":")", wrong, "\""), ""),
                HasSubstr("metadata.spillway.tpot_ms: wants milliseconds"));
  }
  EXPECT_THAT(ask(R"("spillway.max_cost":"1")", ""), StartsWith("HTTP/1.1 400 "));
}

TEST_F(OpenAiEdge, ADecisionIsThereAsSoonAsItsAnswerIs) {
  for (int i = 0; i < 5; ++i) {
    const Received answer =
        rig_.Ask(R"({"model":"big","messages":[{"role":"user","content":"hello"}]})");
    ASSERT_EQ(answer.status, 200);
    const std::string id(answer.headers.Get("x-spillway-decision"));
    EXPECT_EQ(rig_.api().Get("/api/v1/decisions/" + id).status, 200) << id;
  }
  EXPECT_EQ(rig_.api().Get("/api/v1/decisions/req-1-999999").status, 404);
}

}  // namespace
}  // namespace spillway
