#include "adapters/modelled/engine_server.h"

#include <cmath>
#include <cstring>
#include <regex>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/escaping.h"
#include "absl/strings/str_join.h"
#include "net/sse.h"
#include "tests/adapters/modelled/engine_rig.h"
#include "tests/net/raw_client.h"
#include "tests/net/test_server.h"

// A modelled engine, over real HTTP. Speed is not what is tested: steps take nothing, or for ever.
namespace spillway {
namespace {

using testing::ElementsAre;
using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

std::vector<std::string> DataOf(const std::string& stream) {
  SseParser parser;
  EXPECT_TRUE(parser.Feed(stream).ok());
  std::vector<std::string> data;
  while (const auto event = parser.Next()) data.push_back(event->data);
  return data;
}
// What a stream's events say together.
std::string TextOf(const std::string& stream, const std::string& choice = "0") {
  std::string text;
  for (const std::string& data : DataOf(stream)) {
    if (NumberAt(data, {"choices", "0", "index"}) != std::stoi(choice)) continue;
    const Value said = At(data, {"choices", "0", "delta", "content"});
    if (said.is_string()) text += said.string();
  }
  return text;
}

TEST(ModelledEngine, AnswersAChatWithExactUsage) {
  EngineRig rig;
  const HttpResponse got = rig.Chat("");
  ASSERT_EQ(got.status, 200) << got.body;
  const std::string text = TextAt(got.body, {"choices", "0", "message", "content"});
  EXPECT_GT(WordsIn(text), 0);
  EXPECT_EQ(NumberAt(got.body, {"usage", "completion_tokens"}), WordsIn(text));
  EXPECT_EQ(NumberAt(got.body, {"usage", "prompt_tokens"}), 11);
  EXPECT_EQ(NumberAt(got.body, {"usage", "total_tokens"}), WordsIn(text) + 11);
  EXPECT_EQ(TextAt(got.body, {"choices", "0", "finish_reason"}), "stop");
  EXPECT_EQ(TextAt(got.body, {"object"}), "chat.completion");
  EXPECT_THAT(TextAt(got.body, {"id"}), StartsWith("chatcmpl-"));
  EXPECT_EQ(TextAt(got.body, {"model"}), "m");
}

TEST(ModelledEngine, SaysExactlyAsMuchAsItIsToldTo) {
  EngineRig rig;
  const HttpResponse got = rig.Chat(R"("ignore_eos":true,"max_tokens":37)");
  EXPECT_EQ(WordsIn(TextAt(got.body, {"choices", "0", "message", "content"})), 37);
  EXPECT_EQ(TextAt(got.body, {"choices", "0", "finish_reason"}), "length");
  const HttpResponse newer =
      rig.Chat(R"("ignore_eos":true,"max_tokens":9,"max_completion_tokens":5)");
  EXPECT_EQ(NumberAt(newer.body, {"usage", "completion_tokens"}), 5);
}

TEST(ModelledEngine, LengthsSpreadAroundTheirMean) {
  ModelledEngineOptions options;
  options.mean_output = 40;
  EngineRig rig(TestModel(), options);
  std::vector<std::int64_t> lengths;
  double sum = 0;
  for (int seed = 0; seed < 300; ++seed) {
    const HttpResponse got = rig.Chat(absl::StrCat("\"seed\":", seed));
    lengths.push_back(NumberAt(got.body, {"usage", "completion_tokens"}));
    sum += static_cast<double>(lengths.back());
  }
  EXPECT_NEAR(sum / 300, 40, 8);
  const auto [least, most] = std::minmax_element(lengths.begin(), lengths.end());
  EXPECT_LT(*least, 20);
  EXPECT_GT(*most, 80);
}

TEST(ModelledEngine, TheSameRequestGetsTheSameAnswerFromAnyReplica) {
  EngineRig one, other;
  const auto text = [](EngineRig& rig, const std::string& more) {
    return TextAt(rig.Chat(more).body, {"choices", "0", "message", "content"});
  };
  EXPECT_EQ(text(one, ""), text(other, ""));
  EXPECT_EQ(text(one, R"("seed":5)"), text(other, R"("seed":5)"));
  EXPECT_NE(text(one, ""), text(one, R"("seed":5)"));
  ModelledEngineOptions options;
  options.seed = 2;
  EngineRig third(TestModel(), options);
  EXPECT_NE(text(one, ""), text(third, ""));
}

TEST(ModelledEngine, StreamsTheBytesThatClientsKnow) {
  EngineRig rig;
  std::string stream = rig.StreamChat(
      R"(,"stream_options":{"include_usage":true},"ignore_eos":true,"max_tokens":2)");
  stream = std::regex_replace(stream, std::regex("chatcmpl-[0-9a-f]{16}"), "ID");
  stream = std::regex_replace(stream, std::regex("\"created\":[0-9]+"), "\"created\":0");
  const std::string text = TextAt(rig.Chat(R"("ignore_eos":true,"max_tokens":2)").body,
                                  {"choices", "0", "message", "content"});
  const std::string head =
      R"(data: {"id":"ID","object":"chat.completion.chunk","created":0,"model":"m","choices":[)";
  const auto event = [&](const std::string& delta, const std::string& reason) {
    return absl::StrCat(head, "{\"index\":0,\"delta\":{", delta, "},\"logprobs\":null,",
                        "\"finish_reason\":", reason, "}],\"usage\":null}\n\n");
  };
  const std::string first = text.substr(0, text.find(' ')), second = text.substr(text.find(' '));
  EXPECT_EQ(
      stream,
      absl::StrCat(event("\"role\":\"assistant\",\"content\":\"\"", "null"),
                   event("\"content\":\"" + first + "\"", "null"),
                   event("\"content\":\"" + second + "\"", "null"), event("", "\"length\""), head,
                   R"(],"usage":{"prompt_tokens":11,"completion_tokens":2,"total_tokens":13}})",
                   "\n\n", "data: [DONE]\n\n"));
}

TEST(ModelledEngine, AStreamSaysWhatTheWholeAnswerSays) {
  EngineRig rig;
  const std::string stream = rig.StreamChat("");
  EXPECT_EQ(TextOf(stream), TextAt(rig.Chat("").body, {"choices", "0", "message", "content"}));
  EXPECT_THAT(stream, Not(HasSubstr("usage")));
  EXPECT_THAT(stream, EndsWith("data: [DONE]\n\n"));
}

TEST(ModelledEngine, LongStreamsComeWhole) {
  EngineRig rig;
  const std::string stream =
      rig.StreamChat(R"(,"n":4,"ignore_eos":true,"max_tokens":1000,"logprobs":true)");
  for (const char* choice : {"0", "1", "2", "3"}) EXPECT_EQ(WordsIn(TextOf(stream, choice)), 1000);
  EXPECT_GT(stream.size(), std::size_t{256} << 10);  // more than is written at once
  EXPECT_THAT(stream, EndsWith("data: [DONE]\n\n"));
}

TEST(ModelledEngine, GivesSeveralAnswers) {
  EngineRig rig;
  const HttpResponse got = rig.Chat(R"("n":3)");
  std::int64_t words = 0;
  std::set<std::string> texts;
  for (const char* i : {"0", "1", "2"}) {
    const std::string text = TextAt(got.body, {"choices", i, "message", "content"});
    words += WordsIn(text);
    texts.insert(text);
  }
  EXPECT_EQ(texts.size(), 3u);
  EXPECT_EQ(NumberAt(got.body, {"usage", "completion_tokens"}), words);
  EXPECT_EQ(NumberAt(got.body, {"usage", "prompt_tokens"}), 11);  // once
}

TEST(ModelledEngine, CompletesTextsAndTokens) {
  EngineRig rig;
  const HttpResponse got = rig.Post(
      "/v1/completions", R"({"prompt":["01234567","a"],"max_tokens":4,"logprobs":1,"n":2})");
  ASSERT_EQ(got.status, 200) << got.body;
  EXPECT_EQ(TextAt(got.body, {"object"}), "text_completion");
  EXPECT_EQ(NumberAt(got.body, {"usage", "prompt_tokens"}), 3);
  EXPECT_EQ(At(got.body, {"choices"}).list().size(), 4u);
  const std::string text = TextAt(got.body, {"choices", "3", "text"});
  std::string joined;
  std::size_t offset = 0;
  const Value tokens = At(got.body, {"choices", "3", "logprobs", "tokens"});
  ASSERT_EQ(static_cast<std::int64_t>(tokens.list().size()), WordsIn(text));
  for (std::size_t i = 0; i < tokens.list().size(); ++i) {
    const std::string place = std::to_string(i);
    EXPECT_EQ(NumberAt(got.body, {"choices", "3", "logprobs", "text_offset", place}),
              static_cast<std::int64_t>(joined.size()));
    EXPECT_LE(At(got.body, {"choices", "3", "logprobs", "token_logprobs", place}).real(), 0);
    joined += tokens.list()[i].string();
  }
  EXPECT_EQ(joined, text);
  EXPECT_EQ(offset, 0u);
  EXPECT_EQ(NumberAt(rig.Post("/v1/completions", R"({"prompt":[[1,2,3],[4,5]]})").body,
                     {"usage", "prompt_tokens"}),
            5);
  const std::string stream =
      rig.Stream("/v1/completions", R"({"prompt":"a","stream":true,"max_tokens":3})");
  EXPECT_THAT(stream, HasSubstr("\"choices\":[{\"index\":0,\"text\":\""));
  EXPECT_THAT(stream, EndsWith("data: [DONE]\n\n"));
}

TEST(ModelledEngine, CallsAToolIfTheClientInsists) {
  EngineRig rig;
  const std::string tools =
      R"("tools":[{"type":"function","function":{"name":"look","parameters":{}}},)"
      R"({"type":"function","function":{"name":"say"}}])";
  const HttpResponse maybe = rig.Chat(tools);
  EXPECT_NE(TextAt(maybe.body, {"choices", "0", "message", "content"}), "(none)");
  EXPECT_GT(NumberAt(maybe.body, {"usage", "prompt_tokens"}), 11);  // tools are read, too

  const HttpResponse got =
      rig.Chat(tools + R"(,"tool_choice":{"type":"function","function":{"name":"say"}})");
  const std::vector<std::string> call = {"choices", "0", "message", "tool_calls", "0", "function"};
  auto name = call, arguments = call;
  name.push_back("name");
  arguments.push_back("arguments");
  EXPECT_EQ(TextAt(got.body, name), "say");
  EXPECT_TRUE(ParseJson(TextAt(got.body, arguments)).ok()) << got.body;
  EXPECT_EQ(TextAt(got.body, {"choices", "0", "finish_reason"}), "tool_calls");

  std::string said;
  for (const std::string& data :
       DataOf(rig.StreamChat("," + tools + R"(,"tool_choice":"required")"))) {
    const std::string piece =
        TextAt(data, {"choices", "0", "delta", "tool_calls", "0", "function", "arguments"});
    if (piece != "(none)") said += piece;
  }
  EXPECT_TRUE(ParseJson(said).ok()) << said;
}

TEST(ModelledEngine, SaysJsonWhereJsonIsWanted) {
  EngineRig rig;
  const HttpResponse got = rig.Chat(R"("response_format":{"type":"json_object"})");
  const std::string text = TextAt(got.body, {"choices", "0", "message", "content"});
  EXPECT_TRUE(ParseJson(text).ok()) << text;
}

TEST(ModelledEngine, Embeds) {
  EngineRig rig(TestModel(kAtOnce, ModelKind::kEmbedding));
  const HttpResponse got = rig.Post("/v1/embeddings", R"({"model":"m","input":["one","two"]})");
  ASSERT_EQ(got.status, 200) << got.body;
  EXPECT_EQ(NumberAt(got.body, {"usage", "prompt_tokens"}), 2);
  EXPECT_EQ(NumberAt(got.body, {"data", "1", "index"}), 1);
  const Value one = At(got.body, {"data", "0", "embedding"});
  ASSERT_EQ(one.list().size(), 8u);
  EXPECT_FALSE(one == At(got.body, {"data", "1", "embedding"}));
  double square = 0;
  for (const Value& x : one.list()) square += x.real() * x.real();
  EXPECT_NEAR(square, 1, 1e-5);

  const HttpResponse packed =
      rig.Post("/v1/embeddings", R"({"input":"one","encoding_format":"base64"})");
  std::string bytes;
  ASSERT_TRUE(absl::Base64Unescape(TextAt(packed.body, {"data", "0", "embedding"}), &bytes));
  ASSERT_EQ(bytes.size(), 32u);
  for (std::size_t i = 0; i < 8; ++i) {
    float x = 0;
    std::memcpy(&x, bytes.data() + 4 * i, 4);
    EXPECT_FLOAT_EQ(x, static_cast<float>(one.list()[i].real()));
  }
  const HttpResponse fewer = rig.Post("/v1/embeddings", R"({"input":"one","dimensions":3})");
  EXPECT_EQ(At(fewer.body, {"data", "0", "embedding"}).list().size(), 3u);
}

TEST(ModelledEngine, ListsItsModel) {
  EngineRig rig;
  EXPECT_EQ(TextAt(rig.Get("/v1/models").body, {"data", "0", "id"}), "m");
  EXPECT_EQ(NumberAt(rig.Get("/v1/models").body, {"data", "0", "max_model_len"}), 1024);
  EXPECT_EQ(TextAt(rig.Get("/v1/models/m").body, {"id"}), "m");
  const HttpResponse none = rig.Get("/v1/models/other");
  EXPECT_EQ(none.status, 404);
  EXPECT_EQ(TextAt(none.body, {"error", "code"}), "model_not_found");
  EXPECT_EQ(rig.Get("/health").status, 200);
  EXPECT_EQ(TextAt(rig.Get("/version").body, {"version"}), "0");
  EXPECT_EQ(rig.Get("/v2").status, 404);
  EXPECT_EQ(rig.Get("/_faults").status, 404);  // not switched on
}

// ---- refusals

struct Wrong {
  std::string name, target, body;
  int status;
  std::string code, param;
};
class EngineRefuses : public testing::TestWithParam<Wrong> {};

TEST_P(EngineRefuses, InOpenAisForm) {
  EngineRig rig;
  const HttpResponse got = rig.Post(GetParam().target, GetParam().body);
  EXPECT_EQ(got.status, GetParam().status) << got.body;
  const Value error = At(got.body, {"error"});
  ASSERT_TRUE(error.is_map()) << got.body;
  std::vector<std::string> keys;
  for (const Member& member : error.map()) keys.push_back(member.key);
  EXPECT_THAT(keys, ElementsAre("message", "type", "param", "code"));
  EXPECT_EQ(TextAt(got.body, {"error", "code"}), GetParam().code);
  EXPECT_EQ(TextAt(got.body, {"error", "param"}), GetParam().param);
  EXPECT_EQ(rig.engine().gauges().waiting + rig.engine().gauges().running, 0);
}

const char* const kChat = "/v1/chat/completions";
INSTANTIATE_TEST_SUITE_P(
    All, EngineRefuses,
    testing::Values(
        Wrong{"NoJson", kChat, "{", 400, "(none)", "(none)"},
        Wrong{"NoObject", kChat, "[]", 400, "(none)", "(none)"},
        Wrong{"NoMessages", kChat, R"({"model":"m"})", 400, "(none)", "messages"},
        Wrong{"EmptyMessages", kChat, R"({"messages":[]})", 400, "(none)", "messages"},
        Wrong{"NoRole", kChat, R"({"messages":[{"content":"a"}]})", 400, "(none)", "messages[0]"},
        Wrong{"Image", kChat,
              R"({"messages":[{"role":"user","content":[{"type":"image_url","image_url":{}}]}]})",
              400, "(none)", "messages[0]"},
        Wrong{"OtherModel", kChat, R"({"model":"x","messages":[{"role":"user","content":"a"}]})",
              404, "model_not_found", "model"},
        Wrong{"NoTokens", kChat, EngineRig::ChatBody(R"("max_tokens":0)"), 400, "(none)",
              "max_tokens"},
        Wrong{"TooManyTokens", kChat, EngineRig::ChatBody(R"("max_tokens":1014)"), 400,
              "context_length_exceeded", "messages"},
        Wrong{"LongPrompt", "/v1/completions", "{\"prompt\":\"" + std::string(4096, 'a') + "\"}",
              400, "context_length_exceeded", "prompt"},
        Wrong{"Hot", kChat, EngineRig::ChatBody(R"("temperature":3)"), 400, "(none)",
              "temperature"},
        Wrong{"TooManyAnswers", kChat, EngineRig::ChatBody(R"("n":129)"), 400, "(none)", "n"},
        Wrong{"OptionsOfNoStream", kChat,
              EngineRig::ChatBody(R"("stream_options":{"include_usage":true})"), 400, "(none)",
              "stream_options"},
        Wrong{"NamelessTool", kChat, EngineRig::ChatBody(R"("tools":[{}])"), 400, "(none)",
              "tools"},
        Wrong{"NoPrompt", "/v1/completions", "{}", 400, "(none)", "prompt"},
        Wrong{"NoEmbeddings", "/v1/embeddings", R"({"input":"a"})", 400, "(none)", "model"},
        Wrong{"NoSuchPath", "/v1/images", "{}", 404, "not_found", "(none)"}),
    [](const auto& row) { return row.param.name; });

TEST(ModelledEngine, TakesAPromptThatJustFits) {
  EngineRig rig;
  EXPECT_EQ(rig.Chat(R"("max_tokens":1013,"ignore_eos":true)").status, 200);
  EXPECT_EQ(rig.Post("/v1/completions", "{\"prompt\":\"" + std::string(4092, 'a') + "\"}").status,
            200);
}

TEST(ModelledEngine, RefusesBodiesThatAreTooLarge) {
  EngineRig rig;
  RawClient client(rig.port());
  ASSERT_TRUE(
      client.Send("POST /v1/completions HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999\r\n"
                  "\r\n"));
  const std::string got = client.Response();
  EXPECT_THAT(got, StartsWith("HTTP/1.1 413 "));
  EXPECT_THAT(got, HasSubstr("{\"error\":{\"message\":"));
}

// ---- bounds

bool Runs(EngineRig& rig, int running, int waiting) {
  return Eventually([&] {
    const EngineGauges now = rig.engine().gauges();
    return now.running == running && now.waiting == waiting;
  });
}
std::string PostText(const std::string& body) {
  return absl::StrCat("POST /v1/chat/completions HTTP/1.1\r\nHost: a\r\nContent-Length: ",
                      body.size(), "\r\n\r\n", body);
}

TEST(ModelledEngine, AFullQueueSaysComeBack) {
  for (const int status : {503, 429}) {
    EngineModel model = TestModel(kNever);
    model.limits.max_sequences = 1;
    model.limits.max_waiting = 1;
    ModelledEngineOptions options;
    options.full_status = status;
    EngineRig rig(std::move(model), options);
    RawClient first(rig.port()), second(rig.port());
    ASSERT_TRUE(first.Send(PostText(EngineRig::ChatBody(""))));
    ASSERT_TRUE(Runs(rig, 1, 0));
    ASSERT_TRUE(second.Send(PostText(EngineRig::ChatBody(""))));
    ASSERT_TRUE(Runs(rig, 1, 1));
    const HttpResponse third = rig.Chat("");
    EXPECT_EQ(third.status, status);
    EXPECT_EQ(third.headers.Get("retry-after"), "1");
    EXPECT_EQ(TextAt(third.body, {"error", "code"}), "engine_overloaded");
    // More answers than can wait is no reason to come back.
    EXPECT_EQ(rig.Chat(R"("n":2)").status, 400);
  }
}

class ClientOfEngineLeaves : public testing::TestWithParam<const char*> {};
TEST_P(ClientOfEngineLeaves, AndFreesItsPlace) {
  EngineRig rig(TestModel(kNever));
  RawClient client(rig.port());
  ASSERT_TRUE(client.Send(PostText(EngineRig::ChatBody(GetParam()))));
  ASSERT_TRUE(Runs(rig, 2, 0));
  EXPECT_GT(rig.engine().gauges().kv_blocks_used, 0);
  client.Close();
  EXPECT_TRUE(Runs(rig, 0, 0));
  EXPECT_EQ(rig.engine().gauges().kv_blocks_used, 0);
  EXPECT_THAT(rig.Get("/metrics").body, HasSubstr("finished_reason=\"abort\"} 2\n"));
}
INSTANTIATE_TEST_SUITE_P(All, ClientOfEngineLeaves,
                         testing::Values(R"("n":2)", R"("n":2,"stream":true)"));

TEST(ModelledEngine, ManyClientsAtOnceEachGetTheirAnswer) {
  EngineRig rig;
  std::vector<std::thread> threads;
  std::vector<std::string> wrong(8);
  for (std::size_t t = 0; t < wrong.size(); ++t) {
    threads.emplace_back([&, t] {
      Client client = *Client::ForUrl(rig.engine().origin());
      for (std::size_t i = 1; i <= 20; ++i) {
        const std::size_t wanted = 1 + (t * 31 + i * 7) % 60;
        const auto got = client.Post(kChat, EngineRig::ChatBody(absl::StrCat(
                                                "\"ignore_eos\":true,\"max_tokens\":", wanted)));
        const std::int64_t found =
            got.ok() ? NumberAt(got->body, {"usage", "completion_tokens"}) : -1;
        if (found != static_cast<std::int64_t>(wanted))
          absl::StrAppend(&wrong[t], wanted, " but ", found, "; ");
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(absl::StrJoin(wrong, ""), "");
  EXPECT_TRUE(Runs(rig, 0, 0));
}

TEST(ModelledEngine, DrainingLetsAnswersFinish) {
  EngineModel model = TestModel();
  model.times = std::make_shared<EvenSteps>(absl::Milliseconds(1));
  EngineRig rig(std::move(model));
  RawClient client(rig.port());
  ASSERT_TRUE(client.Send(
      PostText(EngineRig::ChatBody(R"("stream":true,"ignore_eos":true,"max_tokens":200)"))));
  client.Until("data: ");
  EXPECT_TRUE(rig.engine().Drain(absl::Seconds(60)));
  EXPECT_THAT(client.Rest(), HasSubstr("data: [DONE]\n\n"));
}

}  // namespace
}  // namespace spillway
