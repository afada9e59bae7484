#include "formats/openai_scan.h"

#include <algorithm>
#include <random>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "formats/json_writer.h"
#include "formats/value.h"

namespace spillway {
namespace {

using testing::HasSubstr;

// With a prompt and a model, so that only what is tested matters.
std::string Chat(std::string_view more) {
  return R"({"model":"m","messages":[{"role":"user","content":"hi"}])" +
         (more.empty() ? std::string() : "," + std::string(more)) + "}";
}

OpenAiRequest Scan(std::string_view body, OpenAiCall call = OpenAiCall::kChat) {
  OpenAiRequest out;
  const auto fault = ScanOpenAiRequest(call, body, &out);
  EXPECT_FALSE(fault) << body << ": " << (fault ? fault->message : "");
  return out;
}

std::string ParamOf(std::string_view body, OpenAiCall call = OpenAiCall::kChat) {
  OpenAiRequest out;
  const auto fault = ScanOpenAiRequest(call, body, &out);
  return fault ? fault->param : "(none)";
}

TEST(OpenAiScan, FindsWhatARouterMustKnow) {
  const std::string body = R"({
    "messages": [{"role": "system", "content": "Be brief."},
                 {"role": "user", "content": [{"type": "text", "text": "Hi"},
                   {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}]}],
    "model": "qwen2-7b", "stream": true, "stream_options": {"include_usage": true},
    "max_tokens": 100, "max_completion_tokens": 50, "n": 2, "user": "u-1",
    "tools": [{"type": "function", "function": {"name": "f"}}],
    "response_format": {"type": "json_object"}, "logprobs": true, "seed": 7,
    "metadata": {"x": "y", "spillway.max_cost_usd": "0.01", "spillway.ttft_ms": "800",
                 "spillway.tpot_ms": "50", "spillway.pool": "cpu"}})";
  const OpenAiRequest got = Scan(body);
  EXPECT_EQ(got.model.view(), "qwen2-7b");
  EXPECT_EQ(got.model_range.In(body), R"("qwen2-7b")");
  EXPECT_TRUE(got.stream && got.include_usage && got.tools && got.response_format && got.logprobs);
  EXPECT_EQ(got.max_tokens, 100);
  EXPECT_EQ(got.OutputBound(), 100) << "an engine may read one of the two only";
  EXPECT_EQ(got.n, 2);
  EXPECT_EQ(got.user.view(), "u-1");
  EXPECT_EQ(got.messages, 2u);
  // system, Be brief., user, text, Hi, image_url; and of the tool: type, function, function, name,
  // f.
  EXPECT_EQ(got.text_bytes, 6u + 9 + 4 + 4 + 2 + 9 + 4 + 8 + 8 + 4 + 1);
  EXPECT_EQ(got.media_bytes, 26u);
  ASSERT_TRUE(got.max_cost_usd && got.ttft_ms && got.tpot_ms && got.pool);
  EXPECT_EQ(got.max_cost_usd->view(), "0.01");
  EXPECT_EQ(got.ttft_ms->view(), "800");
  EXPECT_EQ(got.tpot_ms->view(), "50");
  EXPECT_EQ(got.pool->view(), "cpu");
}

TEST(OpenAiScan, AnswersThatAreMadeButNotGivenCount) {
  OpenAiRequest got;
  EXPECT_FALSE(ScanOpenAiRequest(OpenAiCall::kCompletions,
                                 R"({"model":"m","prompt":"x","n":2,"best_of":8})", &got));
  EXPECT_EQ(got.n, 2);
  EXPECT_EQ(got.best_of, 8);
  EXPECT_TRUE(ScanOpenAiRequest(OpenAiCall::kCompletions,
                                R"({"model":"m","prompt":"x","best_of":"many"})", &got));
  EXPECT_EQ(Scan(Chat(R"("best_of":"many")")).best_of, 1) << "chats have none: not ours to read";
}

TEST(OpenAiScan, SeveralTextsAreCountedAndTheLongestIsKnown) {
  const auto scan = [](OpenAiCall call, const std::string& body) {
    OpenAiRequest got;
    const auto fault = ScanOpenAiRequest(call, body, &got);
    EXPECT_FALSE(fault) << fault->message;
    return got;
  };
  const OpenAiRequest texts =
      scan(OpenAiCall::kEmbeddings, R"({"model":"m","input":["a","bbbbb","cc"]})");
  EXPECT_EQ(texts.messages, 3u);
  EXPECT_EQ(texts.TextSize(), 8u);
  EXPECT_EQ(texts.longest_text, 5u);
  const OpenAiRequest ids =
      scan(OpenAiCall::kCompletions, R"({"model":"m","prompt":[[1,2,3],[4]]})");
  EXPECT_EQ(ids.messages, 2u);
  EXPECT_EQ(ids.TextSize(), 16u);
  EXPECT_EQ(ids.longest_text, 12u);
  EXPECT_EQ(scan(OpenAiCall::kCompletions, R"({"model":"m","prompt":[1,2,3]})").messages, 1u);
  EXPECT_EQ(scan(OpenAiCall::kCompletions, R"({"model":"m","prompt":"one"})").messages, 1u);
  std::string many = R"({"model":"m","input":["x")";
  for (std::size_t i = 0; i < kMostTexts; ++i) many += R"(,"x")";
  OpenAiRequest got;
  const auto fault = ScanOpenAiRequest(OpenAiCall::kEmbeddings, many + "]}", &got);
  ASSERT_TRUE(fault);
  EXPECT_EQ(fault->param, "input");
}

TEST(OpenAiScan, WhatIsNotThereIsNot) {
  const OpenAiRequest got = Scan(Chat(""));
  EXPECT_FALSE(got.stream || got.include_usage || got.tools || got.response_format || got.logprobs);
  EXPECT_EQ(got.OutputBound(), std::nullopt);
  EXPECT_EQ(got.n, 1);
  EXPECT_FALSE(got.max_cost_usd || got.ttft_ms || got.pool);
  EXPECT_EQ(got.prefix.count, 0u);
}

TEST(OpenAiScan, NullIsAsGoodAsLeftOut) {
  const OpenAiRequest got = Scan(
      Chat(R"("stream":null,"stream_options":null,"max_tokens":null,"max_completion_tokens":null,)"
           R"("n":null,"tools":null,"response_format":null,"metadata":null,"user":null)"));
  EXPECT_FALSE(got.stream || got.tools || got.response_format);
  EXPECT_EQ(got.n, 1);
  EXPECT_EQ(got.OutputBound(), std::nullopt);
}

TEST(OpenAiScan, SmallPrint) {
  EXPECT_FALSE(Scan(Chat(R"("response_format":{"type":"text"})")).response_format);
  EXPECT_FALSE(Scan(Chat(R"("tools":[])")).tools);
  EXPECT_TRUE(Scan(Chat(R"("functions":[{"name":"f"}])")).tools);
  EXPECT_FALSE(Scan(Chat(R"("logprobs":false)")).logprobs);
  EXPECT_EQ(Scan(Chat(R"("max_tokens":0)")).max_tokens, 0);
  const std::string escaped = R"({"m\u006fdel":"a\/b","messages":[]})";
  const OpenAiRequest got = Scan(escaped);
  EXPECT_EQ(got.model.view(), "a/b");
  EXPECT_EQ(got.model_range.In(escaped), R"("a\/b")");
}

TEST(OpenAiScan, CountsPromptsOfOtherCalls) {
  const auto completions = [](std::string_view prompt) {
    return Scan(R"({"model":"m","prompt":)" + std::string(prompt) + "}", OpenAiCall::kCompletions);
  };
  EXPECT_EQ(completions(R"("abc")").text_bytes, 3u);
  EXPECT_EQ(completions(R"("abc")").messages, 1u);
  EXPECT_EQ(completions(R"(["abc","de"])").messages, 2u);
  EXPECT_EQ(completions("[1,2,3]").given_tokens, 3u);
  EXPECT_EQ(completions("[1,2,3]").messages, 1u);
  EXPECT_EQ(completions("[[1,2],[3]]").given_tokens, 3u);
  EXPECT_EQ(completions("[[1,2],[3]]").messages, 2u);
  EXPECT_EQ(Scan(R"({"input":"\u00e9\n","model":"m"})", OpenAiCall::kEmbeddings).text_bytes, 3u);
  // Another call's prompt is an unknown field.
  EXPECT_EQ(Scan(Chat(R"("prompt":7,"input":{})")).text_bytes, 6u);
}

struct Bad {
  std::string body, param;
};

TEST(OpenAiScan, NamesTheFieldToBlame) {
  const std::vector<Bad> cases{
      {R"({"messages":[]})", "model"},
      {R"({"model":"m"})", "messages"},
      {R"({"model":7,"messages":[]})", "model"},
      {R"({"model":null,"messages":[]})", "model"},
      {R"({"model":"","messages":[]})", "model"},
      {R"({"model":"a\u0000b","messages":[]})", "model"},
      {R"({"model":"\ud800","messages":[]})", "model"},
      {"{\"model\":\"\xff\",\"messages\":[]}", "model"},
      {R"({"model":")" + std::string(257, 'm') + R"(","messages":[]})", "model"},
      {R"({"model":"m","model":"n","messages":[]})", "model"},
      {R"({"model":"m","mod\u0065l":"n","messages":[]})", "model"},
      {R"({"model":"m","Model":"n","messages":[]})", "model"},
      {R"({"model":"m","messages":"hi"})", "messages"},
      {Chat(R"("stream":"true")"), "stream"},
      {Chat(R"("stream":1)"), "stream"},
      {Chat(R"("stream":true,"stream":false)"), "stream"},
      {Chat(R"("stream_options":true)"), "stream_options"},
      {Chat(R"("stream_options":{"include_usage":1})"), "stream_options.include_usage"},
      {Chat(R"("stream_options":{"include_usage":true,"include_usage":false})"),
       "stream_options.include_usage"},
      {Chat(R"("max_tokens":-1)"), "max_tokens"},
      {Chat(R"("max_tokens":1.5)"), "max_tokens"},
      {Chat(R"("max_tokens":"9")"), "max_tokens"},
      {Chat(R"("max_tokens":99999999999999999999)"), "max_tokens"},
      {Chat(R"("max_completion_tokens":1e3)"), "max_completion_tokens"},
      {Chat(R"("n":0)"), "n"},
      {Chat(R"("n":129)"), "n"},
      {Chat(R"("tools":{})"), "tools"},
      {Chat(R"("response_format":"json")"), "response_format"},
      {Chat(R"("metadata":[])"), "metadata"},
      {Chat(R"("metadata":{"spillway.pool":7})"), "metadata.spillway.pool"},
      {Chat(R"("metadata":{"spillway.ttft_ms":null})"), "metadata.spillway.ttft_ms"},
      {Chat(R"("metadata":{"spillway.pool":"a","spillway.pool":"b"})"), "metadata.spillway.pool"},
      {Chat(R"("metadata":{"spillway.max_cost":"1"})"), "metadata.spillway.max_cost"},
      {Chat(R"("metadata":{"spillway.":"1"})"), "metadata.spillway."},
      {Chat(R"("user":{})"), "user"},
      {"[]", ""},
      {"", ""},
      {Chat("") + "x", ""},
      {R"({"model":"m","messages":[)", ""},
  };
  for (const Bad& one : cases) EXPECT_EQ(ParamOf(one.body), one.param) << one.body;
  OpenAiRequest out;
  const auto fault =
      ScanOpenAiRequest(OpenAiCall::kChat, Chat(R"("stream_options":{"include_usage":1})"), &out);
  EXPECT_THAT(fault->message, HasSubstr("`/stream_options/include_usage`: expected true or false"));
}

TEST(OpenAiScan, SaysWhereABodyCannotBeRead) {
  const auto told = [](const std::string& body) {
    OpenAiRequest out;
    return ScanOpenAiRequest(OpenAiCall::kChat, body, &out)->message;
  };
  EXPECT_THAT(told(R"({"model":"m","messages":[)"), HasSubstr("byte 25: it ends too early"));
  EXPECT_THAT(told(R"({"temperature":NaN})"), HasSubstr("byte 15: expected a value"));
}

// A budget that is misspelt must not be none.
TEST(OpenAiScan, SaysWhichHintWasMeant) {
  const auto told = [](const std::string& metadata) {
    OpenAiRequest out;
    const auto fault =
        ScanOpenAiRequest(OpenAiCall::kChat, Chat(R"("metadata":{)" + metadata + "}"), &out);
    return fault ? fault->message : std::string("(none)");
  };
  EXPECT_THAT(told(R"("spillway.max_cost_us":"1")"),
              HasSubstr("(did you mean `spillway.max_cost_usd`?)"));
  EXPECT_THAT(told(R"("spillway.poool":"a")"), HasSubstr("(did you mean `spillway.pool`?)"));
  EXPECT_THAT(told(R"("spillway.dreams":"a")"),
              HasSubstr("there are spillway.max_cost_usd, spillway.ttft_ms, spillway.tpot_ms, "));
  EXPECT_LT(told("\"spillway." + std::string(5000, 'x') + "\":1").size(), 250u);
  EXPECT_EQ(told(R"("spillways":"a","my.spillway.pool":"b")"), "(none)");
}

TEST(OpenAiScan, RefusesEveryBodyThatIsCutShort) {
  const std::string body = Chat(R"("stream_options":{"include_usage":true},"n":2,"tools":[{}])");
  for (std::size_t size = 0; size < body.size(); ++size) {
    EXPECT_NE(ParamOf(body.substr(0, size)), "(none)") << size;
  }
  EXPECT_EQ(ParamOf(body), "(none)");
}

// ---- splicing -----------------------------------------------------------------------------------

std::string Spliced(std::string_view body, std::string_view model, bool usage) {
  const OpenAiRequest scanned = Scan(body);
  const SplicedBody spliced(body, scanned, {model, usage});
  EXPECT_EQ(spliced.Text().size(), spliced.size());
  return spliced.Text();
}

TEST(SplicedBody, ChangesOnlyWhatItIsTold) {
  const std::string body = Chat(R"("temperature":0.10)");
  EXPECT_EQ(Spliced(body, "", false), body);
  EXPECT_EQ(Spliced(body, "m", false), body);
  EXPECT_EQ(Spliced(R"( {"model" : "m","messages":[]})", "up/\"x\"", false),
            R"( {"model" : "up/\"x\"","messages":[]})");
}

TEST(SplicedBody, AsksForUsageHoweverTheOptionsStand) {
  const auto options = [](std::string_view text) {
    return Spliced(Chat(R"("stream_options":)" + std::string(text)), "", true);
  };
  EXPECT_EQ(options("null"), Chat(R"("stream_options":{"include_usage":true})"));
  EXPECT_EQ(options("{ }"), Chat(R"("stream_options":{"include_usage":true })"));
  EXPECT_EQ(options(R"({"a":1})"), Chat(R"("stream_options":{"include_usage":true,"a":1})"));
  EXPECT_EQ(options(R"({"include_usage":false,"a":1})"),
            Chat(R"("stream_options":{"include_usage":true,"a":1})"));
  EXPECT_EQ(options(R"({"include_usage": null})"),
            Chat(R"("stream_options":{"include_usage": true})"));
  EXPECT_EQ(options(R"({"include_usage":true})"),
            Chat(R"("stream_options":{"include_usage":true})"));
  EXPECT_EQ(Spliced(R"( { "model":"m","messages":[]})", "", true),
            R"( {"stream_options":{"include_usage":true}, "model":"m","messages":[]})");
}

TEST(SplicedBody, AsksForLogprobsWhereTheClientDidNot) {
  const auto asked = [](const std::string& body, std::string_view model, bool usage) {
    const OpenAiRequest scanned = Scan(body);
    return SplicedBody(body, scanned, {model, usage, "true"}).Text();
  };
  EXPECT_EQ(asked(R"({"model":"m","messages":[]})", "", false),
            R"({"logprobs":true,"model":"m","messages":[]})");
  EXPECT_EQ(asked(Chat(R"("logprobs" : false)"), "", false), Chat(R"("logprobs" : true)"));
  // All three at once, two of them at the same place; and in another order.
  EXPECT_EQ(
      asked(R"({"model":"m","messages":[]})", "up", true),
      R"({"stream_options":{"include_usage":true},"logprobs":true,"model":"up","messages":[]})");
  EXPECT_EQ(
      asked(R"({"logprobs":null,"messages":[],"model":"m","stream_options":{}})", "up", true),
      R"({"logprobs":true,"messages":[],"model":"up","stream_options":{"include_usage":true}})");
}

TEST(ScanOpenAiRequest, SaysWhereTheFormatOfTheAnswerStands) {
  const std::string body = Chat(R"("response_format" : {"type":"json_object"} ,"x":1)");
  const OpenAiRequest scanned = Scan(body);
  EXPECT_EQ(scanned.response_format_range.In(body), R"({"type":"json_object"})");
  EXPECT_EQ(Scan(Chat(R"("response_format":null)")).response_format_range, ByteRange());
}

// A tree of the body with the two fields as they shall be.
Value Expected(Value body, std::string_view model, bool usage) {
  body.Set("model", Value::MakeString(model));
  if (!usage) return body;
  Value* const options = body.Find("stream_options");
  Value wanted = options && options->is_map() ? *options : Value::MakeMap();
  wanted.Set("include_usage", Value::MakeBool(true));
  body.Set("stream_options", std::move(wanted));
  return body;
}

void SortMembers(Value& value) {
  if (value.is_list()) {
    for (Value& item : value.list()) SortMembers(item);
  }
  if (!value.is_map()) return;
  for (Member& member : value.map()) SortMembers(member.value);
  std::sort(value.map().begin(), value.map().end(),
            [](const Member& a, const Member& b) { return a.key < b.key; });
}

TEST(SplicedBody, ParsesToTheSameButForTheChangedFields) {
  std::mt19937_64 draw(11);
  const std::vector<std::string> options{"",
                                         R"("stream_options":null)",
                                         R"("stream_options":{})",
                                         R"("stream_options" : { "x":[1] })",
                                         R"("stream_options":{"include_usage":false})",
                                         R"("stream_options":{"x":{},"include_usage":null,"y":1})"};
  for (int round = 0; round < 500; ++round) {
    std::vector<std::string> members{R"("model": "old")", R"("messages":[{"content":"{\"}"}])",
                                     R"("stream":true)", R"("z":{"model":"inner"})"};
    if (const std::string& one = options[draw() % options.size()]; !one.empty()) {
      members.push_back(one);
    }
    std::shuffle(members.begin(), members.end(), draw);
    std::string body = draw() % 2 ? "{" : " {\n ";
    for (std::size_t i = 0; i < members.size(); ++i) body += (i ? " ," : "") + members[i];
    body += "}";
    const bool usage = draw() % 2;
    auto spliced = ParseJson(Spliced(body, "new", usage));
    ASSERT_TRUE(spliced.ok()) << "seed 11, round " << round << ": " << body;
    Value expected = Expected(*ParseJson(body), "new", usage);
    SortMembers(expected);
    SortMembers(*spliced);
    EXPECT_EQ(*spliced, expected) << "seed 11, round " << round << ": " << body;
  }
}

// ---- prefix hashes ------------------------------------------------------------------------------

PrefixHashes HashesOf(const std::vector<std::string>& texts) {
  std::string body = R"({"model":"m","messages":[)";
  for (const std::string& text : texts) {
    if (body.back() == '}') body += ",";
    body += R"({"content":")" + text + "\"}";
  }
  return Scan(body + "]}").prefix;
}

TEST(PrefixHashes, GrowWithAConversation) {
  const std::string a(1500, 'a'), b(900, 'b'), c(3000, 'c');
  const PrefixHashes one = HashesOf({a}), two = HashesOf({a, b}), other = HashesOf({c, b});
  EXPECT_EQ(one.count, 1u);
  EXPECT_EQ(two.count, 2u);
  EXPECT_EQ(two.hashes[0], one.hashes[0]);
  EXPECT_NE(two.hashes[1], two.hashes[0]);
  EXPECT_NE(other.hashes[0], one.hashes[0]);
}

TEST(PrefixHashes, ChainTellsTheSameBlockAtAnotherPlace) {
  const std::string block(1024, 'x'), first(1024, 'y');
  EXPECT_NE(HashesOf({block}).hashes[0], HashesOf({first + block}).hashes[1]);
}

TEST(PrefixHashes, DoNotDependOnHowTheTextIsCut) {
  const std::string text(5000, 'q');
  PrefixHashes whole;
  PrefixHasher(&whole).Add(text);
  for (const std::size_t step : {1u, 7u, 1023u, 1024u, 1025u, 3000u}) {
    PrefixHashes pieces;
    PrefixHasher hasher(&pieces);
    for (std::size_t at = 0; at < text.size(); at += step) {
      hasher.Add(std::string_view(text).substr(at, step));
    }
    EXPECT_EQ(pieces.count, 4u) << step;
    EXPECT_EQ(pieces.hashes, whole.hashes) << step;
  }
}

TEST(PrefixHashes, StopAtThirtyTwo) {
  const PrefixHashes many = HashesOf({std::string(100'000, 'z')});
  EXPECT_EQ(many.count, PrefixHashes::kMost);
  EXPECT_EQ(many.hashes, HashesOf({std::string(40'000, 'z')}).hashes);
}

}  // namespace
}  // namespace spillway
