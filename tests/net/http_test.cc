#include "net/http.h"

#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "net/response_text.h"
#include "net/target.h"

namespace spillway {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

TEST(Headers, FindsNamesInAnyCaseAndKeepsOrder) {
  Headers headers{{"A", "1"}, {"b", "2"}, {"a", "3"}};
  EXPECT_EQ(headers.Find("A"), "1");
  EXPECT_EQ(headers.Get("B"), "2");
  EXPECT_EQ(headers.Find("c"), std::nullopt);
  EXPECT_EQ(headers.Get("c"), "");
  EXPECT_EQ(headers.Count("a"), 2u);
  headers.Set("A", "4");
  ASSERT_EQ(headers.size(), 2u);
  EXPECT_EQ(headers[0].name, "b");
  EXPECT_EQ(headers[1].value, "4");
  headers.Remove("B");
  EXPECT_EQ(headers.size(), 1u);
}

TEST(Headers, CopiesStandAlone) {
  Headers one{{"name", "a value that is too long for any small buffer"}};
  const Headers copy = one;
  one.Set("name", "other");
  EXPECT_EQ(copy.Get("name"), "a value that is too long for any small buffer");
  const Headers moved = std::move(one);
  EXPECT_EQ(moved.Get("name"), "other");
}

// The memory of lists that are gone serves others.
TEST(Headers, NothingIsLeftOfTheListBefore) {
  for (int i = 0; i < 300; ++i) {
    Headers headers;
    ASSERT_TRUE(headers.empty());
    ASSERT_FALSE(headers.Find("secret"));
    headers.Add("secret", std::string(static_cast<std::size_t>(i) * 100, 'x'));
    Headers other{{"a", "1"}};
    other = headers;
    EXPECT_EQ(other.Count("secret"), 1u);
    EXPECT_FALSE(other.Find("a"));
    const Headers& self = other;
    other = self;
    EXPECT_EQ(other.Get("secret").size(), static_cast<std::size_t>(i) * 100);
    headers = Headers();
    EXPECT_TRUE(headers.empty());
    other = headers;
    EXPECT_EQ(other.size(), 0u);
    other.Remove("secret");
    EXPECT_EQ(other.Get("secret"), "");
  }
}

TEST(SafeField, RefusesWhatCouldEndTheLine) {
  EXPECT_TRUE(SafeField("x-a", "b c\t\xc3\xa4"));
  EXPECT_TRUE(SafeField("x", ""));
  for (const std::string& value :
       {std::string("a\r\nb"), std::string("a\nb"), std::string("a\rb"), std::string("a\0b", 3),
        std::string("\x7f"), std::string(" a"), std::string("a\t")}) {
    EXPECT_FALSE(SafeField("x", value)) << testing::PrintToString(value);
  }
  for (const char* name : {"", "a b", "a:", "a\r\n", "\xc3\xa4"})
    EXPECT_FALSE(SafeField(name, "v"));
}

TEST(Method, NamesReadBack) {
  for (const Method m : {Method::kGet, Method::kHead, Method::kPost, Method::kPut, Method::kPatch,
                         Method::kDelete, Method::kOptions}) {
    EXPECT_EQ(ParseMethod(MethodName(m)), m);
  }
  EXPECT_EQ(ParseMethod("Get"), std::nullopt);
}

TEST(ValidRequestId, TakesShortPlainWords) {
  EXPECT_TRUE(ValidRequestId("aZ0._-"));
  EXPECT_TRUE(ValidRequestId(std::string(64, 'a')));
  for (const std::string& id :
       {std::string(), std::string(65, 'a'), std::string("a b"), std::string("a\r\nX: y"),
        std::string("a/b"), std::string("\xc3\xa4")}) {
    EXPECT_FALSE(ValidRequestId(id)) << id;
  }
}

TEST(ProblemResponse, IsJsonWhateverTheDetail) {
  const HttpResponse response = ProblemResponse(404, "not_found", "no job `\"a\\b\"\n`");
  EXPECT_EQ(response.status, 404);
  EXPECT_EQ(response.headers.Get("content-type"), "application/problem+json");
  EXPECT_EQ(
      response.body,
      "{\"type\":\"about:blank\",\"title\":\"Not Found\",\"status\":404,\"code\":\"not_found\","
      "\"detail\":\"no job `\\\"a\\\\b\\\"`\"}");
}

struct Target {
  std::vector<std::string> path;
  std::vector<QueryParam> query;
};
Target Parsed(std::string_view text) {
  Target out;
  EXPECT_EQ(ParseTarget(text, &out.path, &out.query), "") << text;
  return out;
}
std::string_view WhyRefused(std::string_view text) {
  Target out;
  return ParseTarget(text, &out.path, &out.query);
}

TEST(ParseTarget, SplitsBeforeItDecodes) {
  EXPECT_THAT(Parsed("/").path, IsEmpty());
  EXPECT_THAT(Parsed("*").path, IsEmpty());
  EXPECT_THAT(Parsed("/a/").path, ElementsAre("a", ""));
  EXPECT_THAT(Parsed("//a").path, ElementsAre("", "a"));
  EXPECT_THAT(Parsed("/v1/models/a%2Fb").path, ElementsAre("v1", "models", "a/b"));
  EXPECT_THAT(Parsed("/decisions:dry-run").path, ElementsAre("decisions:dry-run"));
  EXPECT_THAT(Parsed("/a+b%20c/%c3%A4").path, ElementsAre("a+b c", "\xc3\xa4"));
}

TEST(ParseTarget, ReadsTheQuery) {
  EXPECT_THAT(Parsed("/x?a=1&b&c=&a=2+3%2B&=z&&d=e=f?g").query,
              ElementsAre(QueryParam{"a", "1"}, QueryParam{"b", ""}, QueryParam{"c", ""},
                          QueryParam{"a", "2 3+"}, QueryParam{"", "z"}, QueryParam{"d", "e=f?g"}));
  HttpRequest request;
  request.query = Parsed("/?a=1&a=2").query;
  EXPECT_EQ(request.Query("a"), "1");
  EXPECT_EQ(request.Query("b"), std::nullopt);
}

TEST(ParseTarget, RefusesTraversalInEverySpelling) {
  for (const char* target : {"/..", "/a/../b", "/.", "/%2e%2e/a", "/.%2E", "/%2e", "/a/..?x"}) {
    EXPECT_THAT(std::string(WhyRefused(target)), HasSubstr("`.` or `..`")) << target;
  }
  EXPECT_EQ(WhyRefused("/..."), "");
  EXPECT_EQ(WhyRefused("/..a"), "");
}

TEST(ParseTarget, RefusesWhatIsNoText) {
  for (const char* target :
       {"/%00", "/a%0d%0a", "/%7f", "/%ff", "/%c0%af", "/%c3", "/%ed%a0%80", "/%f4%90%80%80",
        "/%e0%80%80", "/%f8%88%80%80%80", "/?a=%00", "/?%c3=1", "/%c3%28"}) {
    EXPECT_THAT(std::string(WhyRefused(target)), HasSubstr("UTF-8")) << target;
  }
  EXPECT_THAT(Parsed("/%f0%9f%8c%8a").path, ElementsAre("\xf0\x9f\x8c\x8a"));
}

TEST(ParseTarget, IsBounded) {
  std::string deep, wide = "/?a=1";
  for (int i = 0; i < 64; ++i) deep += "/x";
  for (int i = 1; i < 100; ++i) wide += "&a=1";
  EXPECT_EQ(WhyRefused(deep), "");
  EXPECT_NE(WhyRefused(deep + "/x"), "");
  EXPECT_EQ(WhyRefused(wide), "");
  EXPECT_NE(WhyRefused(wide + "&a=1"), "");
}

TEST(PercentEncode, ReadsBack) {
  EXPECT_EQ(PercentEncode("a/b c~\xc3\xa4"), "a%2Fb%20c~%C3%A4");
  EXPECT_THAT(Parsed("/" + PercentEncode("../a b%?&=+")).path, ElementsAre("../a b%?&=+"));
}

ResponseFrame Frame() {
  ResponseFrame frame;
  frame.body = ResponseFrame::Body::kLength;
  frame.length = 2;
  frame.date = "Sun, 06 Nov 1994 08:49:37 GMT";
  frame.id = "r1";
  return frame;
}

TEST(AppendResponseHead, WritesStatusFieldsAndFraming) {
  std::string out;
  ASSERT_TRUE(AppendResponseHead(JsonResponse(201, "{}"), Frame(), &out));
  EXPECT_EQ(out,
            "HTTP/1.1 201 Created\r\nContent-Type: application/json\r\nContent-Length: 2\r\n"
            "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\nx-request-id: r1\r\n\r\n");
}

TEST(AppendResponseHead, FramingIsNotTheHandlersBusiness) {
  HttpResponse response = TextResponse(200, "ab");
  for (const char* name : {"content-LENGTH", "Transfer-Encoding", "connection", "Keep-Alive",
                           "Date", "X-Request-ID", "trailer"}) {
    response.headers.Add(name, "forged");
  }
  std::string out;
  ASSERT_TRUE(AppendResponseHead(response, Frame(), &out));
  EXPECT_THAT(out, Not(HasSubstr("forged")));
}

TEST(AppendResponseHead, RefusesInjection) {
  HttpResponse response;
  response.headers.Add("Location", "/a\r\nSet-Cookie: x");
  std::string out = "before";
  EXPECT_FALSE(AppendResponseHead(response, Frame(), &out));
  EXPECT_EQ(out, "before");
  for (const int status : {0, 100, 199, 600, -1}) {
    EXPECT_FALSE(AppendResponseHead(TextResponse(status, ""), Frame(), &out)) << status;
  }
}

TEST(AppendResponseHead, EachKindOfBodyHasItsFields) {
  const auto with = [](ResponseFrame::Body body, bool close) {
    ResponseFrame frame = Frame();
    frame.body = body;
    frame.close = close;
    std::string out;
    EXPECT_TRUE(AppendResponseHead(HttpResponse{}, frame, &out));
    return out;
  };
  EXPECT_THAT(with(ResponseFrame::Body::kChunked, false),
              HasSubstr("Transfer-Encoding: chunked\r\n"));
  EXPECT_THAT(with(ResponseFrame::Body::kNone, false), Not(HasSubstr("Content-Length")));
  EXPECT_THAT(with(ResponseFrame::Body::kToClose, true), HasSubstr("Connection: close\r\n"));
}

TEST(AppendChunkSize, IsHex) {
  std::string out;
  AppendChunkSize(500, &out);
  EXPECT_EQ(out, "1f4\r\n");
}

}  // namespace
}  // namespace spillway
