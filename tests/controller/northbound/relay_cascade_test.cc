// Cascades through the whole northbound side: a small model first, held and judged.
#include <atomic>
#include <future>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "tests/controller/northbound/relay_rig.h"
#include "tests/net/raw_client.h"

namespace spillway {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

// 10 and 5 tokens: of the small model 0.00002 USD, of the big one 0.0002 USD.
std::string Answer(const std::string& by, const std::string& finish,
                   const std::string& content = "hi", const std::string& logprobs = "null") {
  return absl::StrCat(R"({"model":")", by, R"(","choices":[{"index":0,"message":{"content":")",
                      content, R"("},"logprobs":)", logprobs, R"(,"finish_reason":")", finish,
                      R"("}],"usage":{"prompt_tokens":10,"completion_tokens":5}})");
}
std::string Events(const std::string& by, const std::string& finish) {
  return absl::StrCat(R"(data: {"model":")", by,
                      R"(","choices":[{"index":0,"delta":{"content":"a"}}]})", "\n\n",
                      R"(data: {"choices":[{"index":0,"delta":{"content":"b"},)",
                      R"("finish_reason":")", finish, "\"}]}\n\n");
}
const std::string kUsage =
    "data: {\"choices\":[],\"usage\":{\"prompt_tokens\":10,\"completion_tokens\":5}}\n\n";
const std::string kDone = "data: [DONE]\n\n";

std::string Chat(const std::string& more = "") {
  return absl::StrCat(R"({"model":"big","messages":[{"role":"user","content":"hello"}])",
                      more.empty() ? "" : ",", more, "}");
}
FakeEngine::Said Json(std::string body) { return {.body = std::move(body)}; }
FakeEngine::Said Stream(std::string body) {
  return {.type = "text/event-stream", .body = std::move(body)};
}

class Cascades : public testing::Test {
 protected:
  void SetUp() override {
    Use({.finish_reason = {FinishReason::kLength}});
    rig_.big.Say({Json(Answer("big", "stop"))});
  }
  void Use(EscalateWhen when) {
    rig_.world().policy.cascades = {{.name = "small-first",
                                     .when = {.model = {"big"}},
                                     .first = "small",
                                     .escalate_when = std::move(when)}};
    rig_.Publish();
  }
  static std::string Header(const Received& answer, std::string_view name) {
    return std::string(answer.headers.Get(name));
  }
  static std::string Cascade(const Value& record, std::string_view key) {
    const Value* cascade = record.Find("cascade");
    const Value* found = cascade != nullptr && cascade->is_map() ? cascade->Find(key) : nullptr;
    return found == nullptr ? "none" : found->is_null() ? "null" : found->text();
  }

  RelayRig rig_;
};

TEST_F(Cascades, AnAnswerThatWillDoIsTheClients) {
  const std::string body = Answer("small", "stop");
  rig_.small.Say({Json(body)});
  const Received answer = rig_.Ask(Chat());
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.body, body);
  EXPECT_EQ(Header(answer, "x-spillway-pool"), "small");
  EXPECT_EQ(Header(answer, "x-spillway-cascade"), "small-first");
  EXPECT_EQ(answer.headers.Find("x-spillway-escalated"), std::nullopt);
  EXPECT_EQ(Header(answer, "x-spillway-cost-usd"), "0.000020000");
  EXPECT_THAT(rig_.small.asked(), ElementsAre(HasSubstr(R"("model":"small")")));
  EXPECT_THAT(rig_.big.asked(), IsEmpty());
  const Value record = rig_.Record(Header(answer, "x-spillway-decision"));
  EXPECT_EQ(record.Find("model")->text(), "small");
  EXPECT_EQ(Cascade(record, "attempt"), "1");
  EXPECT_EQ(Cascade(record, "escalated"), "null");
  EXPECT_EQ(Cascade(record, "other"), "null");
}

TEST_F(Cascades, OneThatWillNotIsNeverSeenAndBothAreBooked) {
  rig_.small.Say({Json(Answer("small", "length"))});
  const Received answer = rig_.Ask(Chat());
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.body, Answer("big", "stop"));
  EXPECT_EQ(Header(answer, "x-spillway-pool"), "big");
  EXPECT_EQ(Header(answer, "x-spillway-escalated"), "finish_reason");
  EXPECT_EQ(Header(answer, "x-spillway-cost-usd"), "0.000220000");
  EXPECT_EQ(Header(answer, "x-spillway-baseline-cost-usd"), "0.000200000");
  EXPECT_THAT(rig_.big.asked(), ElementsAre(Chat()));

  const Value second = rig_.Record(Header(answer, "x-spillway-decision"));
  EXPECT_EQ(Cascade(second, "attempt"), "2");
  EXPECT_EQ(Cascade(second, "escalated"), "finish_reason");
  EXPECT_EQ(Cascade(second, "first_cost_usd"), "0.000020000");
  EXPECT_EQ(second.Find("cost_usd")->text(), "0.000200000");
  const Value first = rig_.Record(Cascade(second, "other"));
  EXPECT_EQ(Cascade(first, "attempt"), "1");
  EXPECT_EQ(Cascade(first, "escalated"), "finish_reason");
  EXPECT_EQ(Cascade(first, "other"), Header(answer, "x-spillway-decision"));
  EXPECT_EQ(first.Find("answered_by")->text(), "small");
  EXPECT_EQ(first.Find("cost_usd")->text(), "0.000020000");
  EXPECT_EQ(first.Find("output_tokens")->text(), "5");
}

TEST_F(Cascades, LogprobsAreAskedForAndTakenOutAgain) {
  Use({.mean_logprob_below = -1.0});
  const auto said = [](const char* logprob) {
    return Answer("small", "stop", "hi",
                  absl::StrCat(R"({"content":[{"logprob":)", logprob, "}]}"));
  };
  rig_.small.Say(
      {Json(said("-0.5")), Json(said("-1.5")), Json(said("-0.5")), Json(Answer("small", "stop"))});
  const Received sure = rig_.Ask(Chat());
  EXPECT_EQ(sure.body, Answer("small", "stop")) << "as if nobody had asked";
  EXPECT_THAT(rig_.small.asked()[0], HasSubstr(R"("logprobs":true)"));
  const Received unsure = rig_.Ask(Chat());
  EXPECT_EQ(Header(unsure, "x-spillway-escalated"), "logprob");
  EXPECT_THAT(rig_.big.asked(), ElementsAre(Chat())) << "nobody judges the second answer";
  EXPECT_EQ(rig_.Ask(Chat(R"("logprobs":true)")).body, said("-0.5")) << "the client asked itself";
  EXPECT_EQ(Header(rig_.Ask(Chat()), "x-spillway-escalated"), "no_logprobs");
}

TEST_F(Cascades, CompletionsAskForLogprobsInTheirOwnForm) {
  Use({.mean_logprob_below = -1.0});
  rig_.small.Say({Json(R"({"choices":[{"text":"a","logprobs":{"token_logprobs":[-0.1]}}]})")});
  const Received answer = rig_.Ask(R"({"model":"big","prompt":"hello"})", "/v1/completions");
  EXPECT_EQ(answer.body, R"({"choices":[{"text":"a","logprobs":null}]})");
  EXPECT_THAT(rig_.small.asked(), ElementsAre(HasSubstr(R"("logprobs":1,)")));
}

TEST_F(Cascades, JsonThatIsNotWhatWasAskedForEscalates) {
  Use({.schema_unmet = true});
  const std::string wanted = R"("response_format":{"type":"json_schema","json_schema":{"name":"x",)"
                             R"("schema":{"type":"object","required":["a"]}}})";
  rig_.small.Say({Json(Answer("small", "stop", R"({\"a\":1})")),
                  Json(Answer("small", "stop", R"({\"b\":1})")), Json(Answer("small", "stop"))});
  EXPECT_EQ(Header(rig_.Ask(Chat(wanted)), "x-spillway-pool"), "small");
  EXPECT_EQ(Header(rig_.Ask(Chat(wanted)), "x-spillway-escalated"), "schema");
  EXPECT_EQ(Header(rig_.Ask(Chat()), "x-spillway-pool"), "small") << "nobody asked for JSON";
}

TEST_F(Cascades, AStreamIsHeldAndThenComesWhole) {
  rig_.small.Say({Stream(Events("small", "stop") + kUsage + kDone)});
  const Received answer = rig_.Ask(Chat(R"("stream":true)"));
  EXPECT_EQ(Header(answer, "Content-Type"), "text/event-stream");
  EXPECT_EQ(answer.body, Events("small", "stop") + kDone) << "without the usage that we asked for";
  EXPECT_EQ(Header(answer, "x-spillway-cost-usd"), "0.000020000") << "it is known already";
}

TEST_F(Cascades, OfAStreamThatWillNotDoTheClientSeesNothing) {
  rig_.small.Say({Stream(Events("small", "length") + kUsage + kDone)});
  rig_.big.Say({Stream(Events("big", "length") + kUsage + kDone)});
  const Received answer =
      rig_.Ask(Chat(R"("stream":true,"stream_options":{"include_usage":true})"));
  EXPECT_EQ(answer.body, Events("big", "length") + kUsage + kDone);
  EXPECT_EQ(Header(answer, "x-spillway-escalated"), "finish_reason");
  EXPECT_EQ(Cascade(rig_.Record(Header(answer, "x-spillway-decision")), "first_cost_usd"),
            "0.000020000");
}

TEST_F(Cascades, AFirstModelThatFailsCostsNoAnswer) {
  const std::pair<FakeEngine::Said, const char*> cases[] = {
      {{.status = 500, .body = "{}"}, "failed"},
      {{.status = 400, .body = R"({"error":{"message":"no such field"}})"}, "failed"},
      {Json("nonsense"), "unreadable"},
      {Json(Answer("small", "stop", std::string(std::size_t{1} << 20, 'x'))), "unreadable"},
  };
  for (const auto& [said, why] : cases) {
    rig_.small.Say({said});
    const Received answer = rig_.Ask(Chat());
    EXPECT_EQ(answer.status, 200) << why;
    EXPECT_EQ(answer.body, Answer("big", "stop")) << why;
    EXPECT_EQ(Header(answer, "x-spillway-escalated"), why);
  }
}

TEST_F(Cascades, StreamsThatBreakOrNeverEndAreNotTakenForGood) {
  rig_.big.Say({Stream(Events("big", "stop") + kDone)});
  const std::string cut = Events("small", "stop"),
                    error = "data: {\"error\":{\"message\":\"x\"}}\n\n";
  for (const std::string& body : {cut, cut + error + kDone, "data: nonsense\n\n" + kDone}) {
    rig_.small.Say({Stream(body)});
    const Received answer = rig_.Ask(Chat(R"("stream":true)"));
    EXPECT_EQ(answer.body, Events("big", "stop") + kDone);
    EXPECT_EQ(Header(answer, "x-spillway-escalated"), "failed");
  }
  std::string endless;
  while (endless.size() < (std::size_t{2} << 20)) endless += Events("small", "stop");
  rig_.small.Say({Stream(endless)});
  EXPECT_EQ(Header(rig_.Ask(Chat(R"("stream":true)")), "x-spillway-escalated"), "unreadable");
}

TEST_F(Cascades, OfAHeldStreamDoneIsTheEnd) {
  rig_.small.Say({Stream(Events("small", "stop") + kDone + Events("more", "length"))});
  const Received answer = rig_.Ask(Chat(R"("stream":true)"));
  EXPECT_EQ(answer.body, Events("small", "stop") + kDone);
}

TEST_F(Cascades, AFirstModelThatIsDownIsNotWaitedFor) {
  rig_.world()["small"].endpoints[0].up = false;
  rig_.Publish();
  const Received answer = rig_.Ask(Chat());
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(Header(answer, "x-spillway-escalated"), "not_routed");
  EXPECT_EQ(Header(answer, "x-spillway-cost-usd"), "0.000200000");
}

TEST_F(Cascades, IfTheSecondFailsTheErrorSaysWhatTheFirstCost) {
  rig_.small.Say({Json(Answer("small", "length"))});
  const std::string kBroken =
      R"({"error":{"message":"broken","type":"server_error","param":null,"code":null}})";
  rig_.big.Say({{.status = 503, .body = kBroken}});
  const Received answer = rig_.Ask(Chat());
  EXPECT_EQ(answer.status, 503);
  EXPECT_EQ(answer.body, kBroken);
  EXPECT_EQ(Header(answer, "x-spillway-cost-usd"), "0.000020000");
}

TEST_F(Cascades, ABudgetIsForBothAttempts) {
  rig_.small.Say({Json(Answer("small", "length"))});
  // The big one is expected to cost 0.0000X for 5 bytes and 1 token: find what it takes alone.
  const auto with = [](const char* usd) {
    return Chat(
        absl::StrCat(R"("max_tokens":1,"metadata":{"spillway.max_cost_usd":")", usd, "\"}"));
  };
  EXPECT_EQ(rig_.Ask(with("0.0001")).status, 200);
  const Received refused = rig_.Ask(with("0.000050"));
  EXPECT_EQ(refused.status, 400) << refused.body;
  EXPECT_THAT(refused.body, HasSubstr("max_cost_exceeded"));
  EXPECT_EQ(Header(refused, "x-spillway-cost-usd"), "0.000020000");
  rig_.world().policy.cascades.clear();
  rig_.Publish();
  EXPECT_EQ(rig_.Ask(with("0.000050")).status, 200) << "enough for the big one alone";
}

// The client has waited for the first attempt too: the second has what is left of the time.
TEST_F(Cascades, AnObjectiveIsForBothAttempts) {
  rig_.small.Produce([this](BodyStream& out) -> Awaitable<void> {
    rig_.api().rig().clock().Advance(absl::Milliseconds(300));
    const bool sent = co_await out.WriteLast(Events("small", "length") + kUsage + kDone);
    EXPECT_TRUE(sent);
  });
  rig_.big.Say({Stream(Events("big", "stop") + kUsage + kDone)});
  const auto left = [&](const std::string& ttft_ms) {
    const Received answer = rig_.Ask(
        Chat(absl::StrCat(R"("stream":true,"metadata":{"spillway.ttft_ms":")", ttft_ms, "\"}")));
    const std::string id = Header(answer, "x-spillway-decision");
    EXPECT_FALSE(rig_.Record(id).is_null());
    const auto found = rig_.api().host().archive().FindRequest(*ParseRequestId(id));
    EXPECT_TRUE(found.ok()) << found.status();
    return found.ok() ? (*found)->features.ttft.value_or(absl::ZeroDuration())
                      : absl::ZeroDuration();
  };
  EXPECT_EQ(left("250"), absl::Milliseconds(1)) << "nothing is left";
  EXPECT_EQ(left("2000"), absl::Milliseconds(1700));
}

TEST_F(Cascades, PinsOtherModelsAndEmbeddingsAreLeftAlone) {
  rig_.small.Say({Json(Answer("small", "length"))});
  EXPECT_EQ(Header(rig_.Ask(Chat(R"("metadata":{"spillway.pool":"big"})")), "x-spillway-cascade"),
            "");
  EXPECT_THAT(rig_.small.asked(), IsEmpty());
  const Received small =
      rig_.Ask(R"({"model":"small","messages":[{"role":"user","content":"hello"}]})");
  EXPECT_EQ(Header(small, "x-spillway-pool"), "small");
  EXPECT_EQ(Header(small, "x-spillway-cascade"), "");
}

// The engine writes on and on until its client has gone.
TEST_F(Cascades, AClientThatLeavesTakesTheFirstAttemptWithIt) {
  std::promise<void> began, gone;
  std::atomic<int> written{0};
  rig_.small.Produce([&](BodyStream& out) -> Awaitable<void> {
    const std::string event = Events("small", "stop");
    for (bool sent = true; sent;) {
      sent = co_await out.Write(event);
      if (++written == 3) began.set_value();
      const Woken woken = co_await out.Wait(absl::Milliseconds(5));
      if (woken == Woken::kGone) break;
    }
    gone.set_value();
  });
  const std::string body = Chat(R"("stream":true)");
  RawClient client(rig_.port());
  client.Send(
      absl::StrCat("POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nContent-Type: "
                   "application/json\r\nContent-Length: ",
                   body.size(), "\r\n\r\n", body));
  began.get_future().wait();
  client.Close();
  EXPECT_EQ(gone.get_future().wait_for(std::chrono::seconds(10)), std::future_status::ready);
  const Value record = rig_.Record("req-1-000001");
  EXPECT_EQ(record.Find("end")->text(), "client_gone");
  EXPECT_EQ(Cascade(record, "other"), "null");
  EXPECT_NE(record.Find("cost_usd")->text(), "0.000000000") << "what was made is booked";
  EXPECT_THAT(rig_.big.asked(), IsEmpty());
}

}  // namespace
}  // namespace spillway
