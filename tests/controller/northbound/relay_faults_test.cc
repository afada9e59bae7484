// Engines that refuse, are busy, or say what is no answer, in front of one that answers.
#include <future>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "scheduler/router_state.h"
#include "tests/controller/northbound/relay_rig.h"
#include "tests/net/raw_client.h"

namespace spillway {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;

const std::string kAnswer =
    R"({"choices":[{"index":0,"message":{"content":"hi"},"finish_reason":"stop"}],)"
    R"("usage":{"prompt_tokens":10,"completion_tokens":5}})";
const std::string kEvent = "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"a\"}}]}\n\n";
const std::string kError =
    R"({"error":{"message":"out of memory","type":"server_error","param":null,"code":null}})";
const std::string kErrorEvent = absl::StrCat("data: ", kError, "\n\n");
const std::string kDone = "data: [DONE]\n\n";

std::string Chat(const std::string& more = "") {
  return absl::StrCat(R"({"model":"big","messages":[{"role":"user","content":"hello"}])", more,
                      "}");
}
const std::string kStreamed = R"(,"stream":true)";

// `spare` serves the model of `big` too, and is asked first: NVIDIA comes last.
class EngineFaults : public testing::Test {
 protected:
  void SetUp() override {
    PoolSpec pool = *rig_.world()["big"].spec;
    pool.name = "spare";
    pool.vendor = "habana";
    rig_.world().Add(std::move(pool));
    rig_.api().api().dispatcher()->SetEngine({PoolId{2}, 0}, RelayRig::Address(spare_));
    rig_.Publish();
    rig_.big.Say({{.body = kAnswer}});
  }
  static std::string Header(const Received& answer, std::string_view name) {
    return std::string(answer.headers.Get(name));
  }
  Value RecordOf(const Received& answer) {
    return rig_.Record(Header(answer, "x-spillway-decision"));
  }
  static std::string Text(const Value& record, std::string_view key) {
    const Value* found = record.Find(key);
    return found == nullptr ? "none" : found->is_null() ? "null" : found->text();
  }

  FakeEngine spare_;
  RelayRig rig_;
};

std::string AnswerOf(std::size_t bytes) {
  return absl::StrCat(R"({"choices":[{"index":0,"message":{"content":")", std::string(bytes, 'a'),
                      R"("},"finish_reason":"stop"}],)",
                      R"("usage":{"prompt_tokens":10,"completion_tokens":5}})");
}

// With their head, read into their place, or piece by piece.
TEST_F(EngineFaults, AnswersOfAnyLengthArriveWhole) {
  Dispatcher& dispatcher = *rig_.api().api().dispatcher();
  for (const std::size_t bytes : {10, 9'000, 70'000, 262'000, 262'144, 300'000, 1'000'000}) {
    const std::string said = AnswerOf(bytes);
    spare_.Say({{.body = said}});
    const Received answer = rig_.Ask(Chat());
    EXPECT_EQ(answer.status, 200) << bytes;
    EXPECT_EQ(answer.body == said, true) << bytes;
    EXPECT_NE(Header(answer, "x-spillway-cost-usd"), "") << bytes;
    const Value record = RecordOf(answer);
    EXPECT_EQ(Text(record, "end"), "answered") << bytes;
    EXPECT_EQ(Text(record, "prompt_tokens"), "10") << bytes;
    while (dispatcher.stats().held_bytes > 0) absl::SleepFor(absl::Milliseconds(1));
  }
}

TEST_F(EngineFaults, AnAnswerThatThereIsNoRoomForGoesOnAsItComes) {
  Dispatcher& dispatcher = *rig_.api().api().dispatcher();
  const std::string said = AnswerOf(200'000);
  spare_.Say({{.body = said}});
  const std::size_t taken = dispatcher.options().held_bytes - 100'000;
  ASSERT_TRUE(dispatcher.HoldBytes(taken));
  const Received answer = rig_.Ask(Chat());
  EXPECT_EQ(answer.body == said, true);
  EXPECT_EQ(Header(answer, "x-spillway-cost-usd"), "");
  EXPECT_EQ(Text(RecordOf(answer), "prompt_tokens"), "10");
  while (dispatcher.stats().held_bytes > taken) absl::SleepFor(absl::Milliseconds(1));
  dispatcher.FreeBytes(taken);
}

TEST_F(EngineFaults, AnEngineThatRefusesUsIsReplaced) {
  for (const int status : {301, 307, 401, 403, 404, 405, 501}) {
    spare_.Say({{.status = status, .body = R"({"error":{"message":"bad key"}})"}});
    const Received answer = rig_.Ask(Chat());
    EXPECT_EQ(answer.status, 200) << status;
    EXPECT_EQ(answer.body, kAnswer) << status;
    const Value record = RecordOf(answer);
    ASSERT_THAT(record.Find("attempts")->list(), SizeIs(2)) << status;
    EXPECT_EQ(Text(record.Find("attempts")->list()[0], "fault"), "error") << status;
  }
  EXPECT_THAT(spare_.asked(), SizeIs(7));
}

TEST_F(EngineFaults, AKeyThatEveryEngineRefusesIsNotTheClients) {
  const FakeEngine::Said refused{.status = 401, .body = R"({"error":{"message":"bad key"}})"};
  spare_.Say({refused});
  rig_.big.Say({refused});
  const Received answer = rig_.Ask(Chat());
  EXPECT_EQ(answer.status, 502);
  EXPECT_THAT(answer.body, HasSubstr(R"("code":"engine_refused")"));
  EXPECT_THAT(answer.body, HasSubstr("it answered 401"));
  EXPECT_EQ(Text(RecordOf(answer), "end"), "failed");
}

TEST_F(EngineFaults, WhatIsWrongWithTheRequestIsTheClients) {
  for (const int status : {400, 413, 422}) {
    spare_.Say({{.status = status, .body = kError}});
    const auto answer = rig_.api().NewClient().Post("/v1/chat/completions", Chat());
    ASSERT_TRUE(answer.ok());
    EXPECT_EQ(answer->status, status);
    EXPECT_EQ(answer->body, kError);
  }
  EXPECT_THAT(rig_.big.asked(), IsEmpty());
}

// Neither the ledger nor a tenant's budget is to grow by what nobody answered.
TEST_F(EngineFaults, ARefusedRequestCostsNoTokensAndSavesNothing) {
  spare_.Say({{.status = 400, .body = kError}});
  const Received answer = rig_.Ask(Chat());
  EXPECT_EQ(Header(answer, "x-spillway-cost-usd"), "0.000000000");
  EXPECT_EQ(answer.headers.Find("x-spillway-baseline-cost-usd"), std::nullopt);
  const Value record = RecordOf(answer);
  EXPECT_EQ(Text(record, "end"), "refused");
  EXPECT_EQ(Text(record, "cost_usd"), "0.000000000");
  EXPECT_EQ(Text(record, "baseline_cost_usd"), "null");
}

TEST_F(EngineFaults, APageOfHtmlIsNoAnswer) {
  spare_.Say({{.type = "text/html; charset=utf-8", .body = "<html>sign in</html>"}});
  EXPECT_EQ(rig_.Ask(Chat()).body, kAnswer);
  EXPECT_EQ(rig_.Ask(Chat(kStreamed)).body, kAnswer);
}

// Said with 200 and with 502: a client of OpenAI's API could read none of them.
TEST_F(EngineFaults, WhatIsNoObjectOfTheApiIsNoAnswer) {
  for (const std::string& said :
       {std::string(), std::string("null"), std::string(R"({"choices":[)"), kEvent + kDone}) {
    SCOPED_TRACE(said);
    spare_.Say({{.body = said}});
    const Received answer = rig_.Ask(Chat());
    EXPECT_EQ(answer.status, 200);
    EXPECT_EQ(answer.body, kAnswer);
    const Value record = RecordOf(answer);
    EXPECT_EQ(Text(record.Find("attempts")->list()[0], "fault"), "error");
    EXPECT_EQ(Text(record, "output_tokens"), "5");
    rig_.api().rig().clock().Advance(absl::Minutes(1));
  }
  spare_.Say({{.body = "{"}});
  rig_.big.Say({{.status = 502, .type = "text/html", .body = "<h1>Bad Gateway: 10.0.0.7</h1>"}});
  const Received lost = rig_.Ask(Chat());
  EXPECT_EQ(lost.status, 502);
  EXPECT_THAT(lost.body, HasSubstr(R"("code":"engine_lost")"));
  EXPECT_THAT(lost.body, Not(HasSubstr("10.0.0.7")));
}

// What is strange but an object passes; it may be right for somebody.
TEST_F(EngineFaults, AnObjectThatIsNotUnderstoodPassesAsItCame) {
  for (const std::string said :
       {R"({"data":[{"embedding":[0.5]}],"usage":[]})", R"({"choices":7})", "{}",
        R"({"choices":[{"message":{"content":"hi"}}],"error":{"message":"cut short"}})"}) {
    spare_.Say({{.body = said}});
    const Received answer = rig_.Ask(Chat());
    EXPECT_EQ(answer.status, 200) << said;
    EXPECT_EQ(answer.body, said);
  }
}

TEST_F(EngineFaults, AnErrorThatIsSaidWith200IsNoAnswer) {
  spare_.Say({{.body = kError}});
  EXPECT_EQ(rig_.Ask(Chat()).body, kAnswer);
  rig_.big.Say({{.body = kError}});
  const Received failed = rig_.Ask(Chat());
  EXPECT_EQ(failed.status, 502);
  EXPECT_EQ(failed.body, kError);
  EXPECT_EQ(Text(RecordOf(failed), "end"), "failed");

  const std::string wrong = R"({"error":{"message":"too long","type":"BadRequestError"}})";
  spare_.Say({{.body = wrong}});
  const auto refused = rig_.api().NewClient().Post("/v1/chat/completions", Chat());
  ASSERT_TRUE(refused.ok());
  EXPECT_EQ(refused->status, 400);
  EXPECT_EQ(refused->body, wrong);
}

TEST_F(EngineFaults, AStreamThatBeginsWithAnErrorIsNoAnswer) {
  spare_.Say({{.type = "text/event-stream", .body = kErrorEvent + kDone}});
  rig_.big.Say({{.type = "text/event-stream", .body = kEvent + kDone}});
  const Received answer = rig_.Ask(Chat(kStreamed));
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.body, kEvent + kDone);
  EXPECT_EQ(Text(RecordOf(answer).Find("attempts")->list()[0], "fault"), "error");

  // Where nobody does better, the engine's words are the answer.
  rig_.big.Say({{.type = "text/event-stream", .body = kErrorEvent + kDone}});
  const Received failed = rig_.Ask(Chat(kStreamed));
  EXPECT_EQ(failed.status, 502);
  EXPECT_EQ(failed.body, kError);
}

// What comes in one piece is read in one: the error is told, not the piece of an answer before it.
TEST_F(EngineFaults, AnErrorBehindTheBeginningOfAnAnswerIsTheOneThatIsTold) {
  const FakeEngine::Said failed{.type = "text/event-stream",
                                .body = ": hello\n\n" + kEvent + kErrorEvent + kDone};
  spare_.Say({failed});
  rig_.big.Say({failed});
  const Received answer = rig_.Ask(Chat(kStreamed));
  EXPECT_EQ(answer.status, 502);
  EXPECT_EQ(answer.body, kError);

  const std::string wrong = R"({"error":{"message":"too long","type":"BadRequestError"}})";
  spare_.Say({{.type = "text/event-stream", .body = kEvent + "data: " + wrong + "\n\n"}});
  const auto refused = rig_.api().NewClient().Post("/v1/chat/completions", Chat(kStreamed));
  ASSERT_TRUE(refused.ok());
  EXPECT_EQ(refused->status, 400);
  EXPECT_EQ(refused->body, wrong);
}

// The same words from any engine: none is asked again, and none is to blame.
TEST_F(EngineFaults, AStreamThatBeginsWithTheClientsErrorIsItsAnswer) {
  const std::string wrong =
      R"({"error":{"message":"too long","type":"BadRequestError","param":null,"code":400}})";
  spare_.Say({{.type = "text/event-stream", .body = "data: " + wrong + "\n\n" + kDone}});
  for (int i = 0; i < RouterState::kFaultsToEject + 1; ++i) {
    const auto answer = rig_.api().NewClient().Post("/v1/chat/completions", Chat(kStreamed));
    ASSERT_TRUE(answer.ok());
    EXPECT_EQ(answer->status, 400);
    EXPECT_EQ(answer->headers.Get("Content-Type"), "application/json");
    EXPECT_EQ(answer->body, wrong);
  }
  EXPECT_THAT(rig_.big.asked(), IsEmpty());
  const Received last = rig_.Ask(Chat(kStreamed));
  const Value record = RecordOf(last);
  EXPECT_EQ(Text(record, "end"), "refused");
  EXPECT_EQ(Text(record.Find("attempts")->list()[0], "fault"), "none");
}

// It takes the request, sends a head or not even that, and then nothing.
TEST_F(EngineFaults, AnEngineThatHangsIsReplacedInTheTimeThatItsPoolGivesIt) {
  PoolSpec hasty = *rig_.world()["spare"].spec;
  hasty.adapter.timeouts = {.first_byte = absl::Milliseconds(100),
                            .whole = absl::Milliseconds(100)};
  rig_.world()["spare"].spec = std::make_shared<const PoolSpec>(hasty);
  rig_.Publish();
  spare_.Produce([](BodyStream& out) -> Awaitable<void> {
    const bool begun = co_await out.Write("data: ");  // no event yet
    EXPECT_TRUE(begun);
    co_await out.Wait(absl::Seconds(30));
  });
  rig_.big.Say({{.type = "text/event-stream", .body = kEvent + kDone}});
  const Received streamed = rig_.Ask(Chat(kStreamed));
  EXPECT_EQ(streamed.status, 200);
  EXPECT_EQ(Text(RecordOf(streamed).Find("attempts")->list()[0], "fault"), "timeout");
}

TEST_F(EngineFaults, AnAnswerThatStallsIsBrokenOffInTheTimeThatItsPoolGivesIt) {
  PoolSpec hasty = *rig_.world()["spare"].spec;
  hasty.adapter.timeouts = {.idle = absl::Milliseconds(100)};
  rig_.world()["spare"].spec = std::make_shared<const PoolSpec>(hasty);
  rig_.Publish();
  spare_.Produce([](BodyStream& out) -> Awaitable<void> {
    const bool begun = co_await out.Write(kEvent);
    EXPECT_TRUE(begun);
    co_await out.Wait(absl::Seconds(30));
  });
  const Received answer = rig_.Ask(Chat(kStreamed));
  EXPECT_THAT(answer.body, HasSubstr("its answer stalled for too long"));
  EXPECT_EQ(Text(RecordOf(answer), "end"), "broken_off");
}

TEST_F(EngineFaults, AStreamThatFailsAndSaysDoneIsNoWholeAnswer) {
  // In pieces, so that the first one is the client's before the error comes.
  spare_.Produce([](BodyStream& out) -> Awaitable<void> {
    const bool begun = co_await out.Write(kEvent);
    EXPECT_TRUE(begun);
    co_await out.Wait(absl::Milliseconds(50));
    const bool ended = co_await out.WriteLast(kErrorEvent + kDone);
    EXPECT_TRUE(ended);
  });
  const Received answer = rig_.Ask(Chat(kStreamed));
  EXPECT_EQ(answer.body, kEvent + kErrorEvent) << "and no [DONE]";
  EXPECT_EQ(Text(RecordOf(answer), "end"), "broken_off");
}

// Whether the rest comes with [DONE] or later, and however the engine goes on.
TEST_F(EngineFaults, WithDoneTheAnswerIsOver) {
  const std::string more = kEvent + kErrorEvent;
  spare_.Say({{.type = "text/event-stream", .body = kEvent + kDone + more}});
  EXPECT_EQ(rig_.Ask(Chat(kStreamed)).body, kEvent + kDone);
  const auto later = [&](BodyStream& out) -> Awaitable<void> {
    bool sent = co_await out.Write(kEvent + kDone);
    co_await out.Wait(absl::Milliseconds(50));
    if (sent) sent = co_await out.WriteLast(more);
    EXPECT_TRUE(sent);
  };
  const auto lost = [](BodyStream& out) -> Awaitable<void> {
    const bool sent = co_await out.Write(kEvent + kDone);
    co_await out.Wait(absl::Milliseconds(sent ? 50 : 0));
    throw std::runtime_error("no last chunk");
  };
  for (const BodyProducer& producer : {BodyProducer(later), BodyProducer(lost)}) {
    spare_.Produce(producer);
    const Received answer = rig_.Ask(Chat(kStreamed));
    EXPECT_EQ(answer.body, kEvent + kDone);
    const Value record = RecordOf(answer);
    EXPECT_EQ(Text(record, "end"), "answered");
    EXPECT_EQ(Text(record.Find("attempts")->list()[0], "fault"), "none");
  }
}

// It says more and more, or nothing without an end: the client does not wait for it.
TEST_F(EngineFaults, AnEngineThatDoesNotEndBehindDoneIsCutOff) {
  for (const bool silent : {false, true}) {
    std::promise<void> gone;
    spare_.Produce([&](BodyStream& out) -> Awaitable<void> {
      bool sent = co_await out.Write(kEvent + kDone);
      while (sent && !out.gone()) {
        co_await out.Wait(absl::Milliseconds(10));
        if (!silent) sent = co_await out.Write(kEvent);
      }
      gone.set_value();
    });
    const Received answer = rig_.Ask(Chat(kStreamed));
    EXPECT_EQ(answer.body, kEvent + kDone);
    EXPECT_EQ(Text(RecordOf(answer), "end"), "answered");
    EXPECT_EQ(gone.get_future().wait_for(std::chrono::seconds(20)), std::future_status::ready);
  }
}

// Its answer would be for nothing.
TEST_F(EngineFaults, AStreamWithoutOutputByItsUsageIsCountedByItsDeltas) {
  const std::string usage =
      "data: {\"choices\":[],\"usage\":{\"prompt_tokens\":10,\"completion_tokens\":0}}\n\n";
  spare_.Say({{.type = "text/event-stream", .body = kEvent + kEvent + kEvent + usage + kDone}});
  const Value record = RecordOf(rig_.Ask(Chat(kStreamed)));
  EXPECT_EQ(Text(record, "prompt_tokens"), "10");
  EXPECT_EQ(Text(record, "output_tokens"), "3");
}

TEST_F(EngineFaults, AnEncodedAnswerIsToldAsThat) {
  spare_.Say({{.body = "\x1f\x8b", .encoding = "gzip"}});
  rig_.big.Say({{.body = "\x1f\x8b", .encoding = "gzip"}});
  const Received answer = rig_.Ask(Chat());
  EXPECT_EQ(answer.status, 502);
  EXPECT_THAT(answer.body,
              HasSubstr("its answer has Content-Encoding gzip, which nobody asked for"));
  EXPECT_THAT(answer.body, HasSubstr("switch compression off"));
}

TEST_F(EngineFaults, AnEventThatIsTooLongIsToldInSoManyWords) {
  spare_.Produce([](BodyStream& out) -> Awaitable<void> {
    const bool begun = co_await out.Write(kEvent);
    EXPECT_TRUE(begun);
    co_await out.Wait(absl::Milliseconds(50));
    const std::string endless = "data: " + std::string((1 << 20) + 100, 'x');
    const bool sent = co_await out.Write(endless);
    co_await out.Wait(absl::Seconds(sent ? 1 : 0));
  });
  const Received answer = rig_.Ask(Chat(kStreamed));
  EXPECT_THAT(answer.body, HasSubstr("the engine was lost: an event is longer than 1 MiB"));
  EXPECT_THAT(answer.body, HasSubstr(R"("code":"engine_lost")"));
  EXPECT_EQ(Text(RecordOf(answer), "end"), "broken_off");
}

TEST_F(EngineFaults, AnEngineThatIsOverloadedIsLeftAloneForAsLongAsItAsks) {
  for (const int status : {429, 503}) {
    SCOPED_TRACE(status);
    const std::size_t before = spare_.asked().size();
    spare_.Say({{.status = status, .body = kError, .retry_after = "60"}});
    for (int i = 0; i < 5; ++i) EXPECT_EQ(rig_.Ask(Chat()).body, kAnswer);
    EXPECT_THAT(spare_.asked(), SizeIs(before + (status == 429 ? 1 : 0)));
  }
}

// Its words, with the moment that it names; whoever comes then hears of that moment at once.
TEST_F(EngineFaults, WhereAllAreOverloadedTheClientLearnsWhenToComeBack) {
  const FakeEngine::Said busy{.status = 429, .body = kError, .retry_after = "17"};
  spare_.Say({busy});
  rig_.big.Say({busy});
  const Received first = rig_.Ask(Chat());
  EXPECT_EQ(first.status, 429);
  EXPECT_EQ(first.body, kError);
  EXPECT_EQ(Header(first, "Retry-After"), "17");
  EXPECT_EQ(Header(first, "x-should-retry"), "true");

  rig_.api().rig().clock().Advance(absl::Milliseconds(2500));
  const Received second = rig_.Ask(Chat());
  EXPECT_EQ(second.status, 503);
  EXPECT_THAT(second.body, HasSubstr("every engine said that it is overloaded"));
  EXPECT_THAT(second.body, HasSubstr(R"("code":"no_capacity")"));
  EXPECT_EQ(Header(second, "Retry-After"), "15");
  EXPECT_THAT(rig_.big.asked(), SizeIs(1));
}

// It says no time: a second, for which the only engine's requests wait.
TEST_F(EngineFaults, WhoWaitsIsServedOnceTheBackOffIsOver) {
  rig_.world().inputs.pools[2].endpoints[0].up = false;
  rig_.Publish();
  rig_.big.Say({{.status = 503, .body = kError}, {.body = kAnswer}});
  EXPECT_EQ(rig_.Ask(Chat()).status, 503);
  std::future<Received> asked = std::async(std::launch::async, [this] { return rig_.Ask(Chat()); });
  Dispatcher& dispatcher = *rig_.api().api().dispatcher();
  for (int i = 0; i < 5000 && dispatcher.waiting() == 0; ++i) absl::SleepFor(absl::Milliseconds(1));
  ASSERT_EQ(dispatcher.waiting(), 1u);
  rig_.api().rig().clock().Advance(absl::Seconds(1));
  EXPECT_EQ(asked.get().body, kAnswer);
}

// The controller's own end, in mid-stream.
TEST_F(EngineFaults, AStreamThatOutlastsTheGraceIsToldSo) {
  rig_.world().inputs.pools[2].endpoints[0].up = false;
  rig_.Publish();
  rig_.big.Produce([](BodyStream& out) -> Awaitable<void> {
    const bool begun = co_await out.Write(kEvent);
    EXPECT_TRUE(begun);
    for (Woken woken = Woken::kTimeout; woken != Woken::kGone;)
      woken = co_await out.Wait(absl::Seconds(1));
  });
  const std::string body = Chat(kStreamed);
  RawClient client(rig_.port());
  ASSERT_TRUE(client.Send(absl::StrCat(
      "POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nContent-Length: ", body.size(),
      "\r\n\r\n", body)));
  EXPECT_THAT(client.Until(kEvent), HasSubstr("200 OK"));
  rig_.api().Drain(absl::Milliseconds(1));
  const std::string rest = client.Rest();
  EXPECT_THAT(rest, HasSubstr(R"("code":"shutting_down")"));
  EXPECT_THAT(rest, testing::EndsWith("0\r\n\r\n")) << "ended in good order";
  rig_.api().api().dispatcher()->Stop();
  for (int i = 0; i < 400; ++i) {
    const auto found = rig_.api().host().archive().FindRequest(MakeRequestId(1, 1));
    if (found.ok()) {
      EXPECT_EQ((*found)->end, RequestEnd::kCutOff);
      EXPECT_EQ((*found)->attempts.back().fault, ForwardFault::kNone);
      return;
    }
    absl::SleepFor(absl::Milliseconds(5));
  }
  ADD_FAILURE() << "it was never booked";
}

}  // namespace
}  // namespace spillway
