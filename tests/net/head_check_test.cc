#include "net/head_check.h"

#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace spillway {
namespace {

using State = RequestHeadCheck::State;
using testing::ElementsAre;

struct Case {
  std::string name;
  std::string head;
  int status;
  HeadFault fault;
};

// What `check` says of bytes that come in pieces of `step`.
State FeedInSteps(RequestHeadCheck* check, const std::string& bytes, std::size_t step) {
  for (std::size_t size = step; size < bytes.size(); size += step) {
    // A fresh copy: the verdict must not hang on where the bytes stood before.
    const std::string sofar = bytes.substr(0, size);
    if (const State state = check->Feed(sofar); state != State::kMore) return state;
  }
  return check->Feed(bytes);
}

std::string Get(const std::string& fields) { return "GET / HTTP/1.1\r\n" + fields + "\r\n"; }
std::string Line(const std::string& line) { return line + "\r\nHost: a\r\n\r\n"; }
std::string Body(const std::string& fields) {
  return "POST /x HTTP/1.1\r\nHost: a\r\n" + fields + "\r\n";
}
std::string Fields(int count) {
  std::string out = "Host: a\r\n";
  for (int i = 1; i < count; ++i) out += "f" + std::to_string(i) + ": v\r\n";
  return out;
}
std::string Nul(std::string text) {
  for (char& c : text) c = c == '@' ? '\0' : c;
  return text;
}

std::vector<Case> Refused() {
  const auto te = HeadFault::kTransferEncoding;
  const auto cl = HeadFault::kContentLength;
  const auto host = HeadFault::kHost;
  const auto target = HeadFault::kTarget;
  const auto line = HeadFault::kRequestLine;
  const auto name = HeadFault::kFieldName;
  return {
      // What Boost.Beast 1.81 lets through.
      {"ObsFold", Get("Host: a\r\nX: one\r\n two\r\n"), 400, HeadFault::kFolding},
      {"ObsFoldByTab", Get("Host: a\r\nX: one\r\n\ttwo\r\n"), 400, HeadFault::kFolding},
      {"FoldRightAfterRequestLine", Get(" X: y\r\nHost: a\r\n"), 400, HeadFault::kFolding},
      {"NoHost", Get(""), 400, host},
      {"TwoHosts", Get("Host: a\r\nHost: a\r\n"), 400, host},
      {"TwoHostsInOtherCase", Get("Host: a\r\nhOST: b\r\n"), 400, host},
      {"EmptyHost", Get("Host: \r\n"), 400, host},
      {"XChunked", Body("Transfer-Encoding: xchunked\r\n"), 400, te},
      {"EmptyTransferEncoding", Body("Transfer-Encoding:\r\n"), 400, te},
      {"IdentityTransferEncoding", Body("Transfer-Encoding: identity\r\n"), 400, te},
      {"ChunkedDeflate", Body("Transfer-Encoding: chunked, deflate\r\n"), 400, te},
      {"DeflateChunked", Body("Transfer-Encoding: deflate, chunked\r\n"), 400, te},
      {"ChunkedChunked", Body("Transfer-Encoding: chunkedchunked\r\n"), 400, te},
      {"ChunkedTwiceInAList", Body("Transfer-Encoding: chunked, chunked\r\n"), 400, te},
      {"ChunkedTwice", Body("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n"), 400,
       te},
      {"QuotedChunked", Body("Transfer-Encoding: \"chunked\"\r\n"), 400, te},
      {"ChunkedWithParameter", Body("Transfer-Encoding: chunked;q=1\r\n"), 400, te},
      {"ChunkedWithVerticalTab",
       Body("Transfer-Encoding: \x0b"
            "chunked\r\n"),
       400, HeadFault::kFieldValue},
      {"ChunkedInHttp10", "POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n", 400,
       te},
      {"LengthThenChunked", Body("Content-Length: 3\r\nTransfer-Encoding: chunked\r\n"), 400, cl},
      {"ChunkedThenLength", Body("Transfer-Encoding: chunked\r\nContent-Length: 3\r\n"), 400, cl},
      {"NonAsciiTarget", Line("GET /\xc3\xa4 HTTP/1.1"), 400, target},
      // Lengths.
      {"TwoLengths", Body("Content-Length: 3\r\nContent-Length: 4\r\n"), 400, cl},
      {"TheSameLengthTwice", Body("Content-Length: 3\r\nContent-Length: 3\r\n"), 400, cl},
      {"ListOfLengths", Body("Content-Length: 3, 3\r\n"), 400, cl},
      {"EmptyLength", Body("Content-Length:\r\n"), 400, cl},
      {"SignedLength", Body("Content-Length: +3\r\n"), 400, cl},
      {"NegativeLength", Body("Content-Length: -1\r\n"), 400, cl},
      {"HexLength", Body("Content-Length: 0x10\r\n"), 400, cl},
      {"LengthThatOverflows", Body("Content-Length: 18446744073709551617\r\n"), 400, cl},
      {"LengthWithBlank", Body("Content-Length: 1 2\r\n"), 400, cl},
      // Host and the form of the target.
      {"HostWithUser", Get("Host: u@a\r\n"), 400, host},
      {"HostWithBlank", Get("Host: a b\r\n"), 400, host},
      {"HostWithSlash", Get("Host: a/b\r\n"), 400, host},
      {"HostList", Get("Host: a, b\r\n"), 400, host},
      {"HostNonAscii", Get("Host: \xc3\xa4\r\n"), 400, host},
      {"HostPortTooLarge", Get("Host: a:65536\r\n"), 400, host},
      {"HostPortNoNumber", Get("Host: a:b\r\n"), 400, host},
      {"HostPortEmpty", Get("Host: a:\r\n"), 400, host},
      {"HostOnlyPort", Get("Host: :80\r\n"), 400, host},
      {"HostOpenBracket", Get("Host: [::1\r\n"), 400, host},
      {"HostBracketWord", Get("Host: [nope]\r\n"), 400, host},
      {"HostBeyondBracket", Get("Host: [::1]x\r\n"), 400, host},
      {"OtherHostInTarget", "GET http://b/ HTTP/1.1\r\nHost: a\r\n\r\n", 400, host},
      {"OtherPortInTarget", "GET http://a:1/ HTTP/1.1\r\nHost: a\r\n\r\n", 400, host},
      {"AuthorityForm", Line("GET a:80 HTTP/1.1"), 400, target},
      {"OtherScheme", Line("GET ftp://a/ HTTP/1.1"), 400, target},
      {"UserInTarget", Line("GET http://u@a/ HTTP/1.1"), 400, target},
      {"NoHostInTarget", Line("GET http:///x HTTP/1.1"), 400, target},
      {"QueryWithoutPath", Line("GET http://a?x HTTP/1.1"), 400, target},
      {"AsteriskForGet", Line("GET * HTTP/1.1"), 400, target},
      {"RelativeTarget", Line("GET x HTTP/1.1"), 400, target},
      {"Fragment", Line("GET /#x HTTP/1.1"), 400, target},
      {"Backslash", Line("GET /a\\b HTTP/1.1"), 400, target},
      {"HalfPercent", Line("GET /%4 HTTP/1.1"), 400, target},
      {"PercentWithoutHex", Line("GET /%zz HTTP/1.1"), 400, target},
      {"NulInTarget", Nul(Line("GET /@ HTTP/1.1")), 400, target},
      {"TabInTarget", Line("GET /\t HTTP/1.1"), 400, target},
      {"DelInTarget", Line("GET /\x7f HTTP/1.1"), 400, target},
      // The request line.
      {"Empty", "\r\n\r\n", 400, line},
      {"OneWord", Line("GET"), 400, line},
      {"NoVersion", Line("GET /"), 400, line},
      {"TwoBlanks", Line("GET  / HTTP/1.1"), 400, line},
      {"TwoBlanksBeforeVersion", Line("GET /  HTTP/1.1"), 400, line},
      {"BlankAtTheEnd", Line("GET / HTTP/1.1 "), 400, line},
      {"BlankBefore", Line(" GET / HTTP/1.1"), 400, line},
      {"TabForBlank", Line("GET\t/ HTTP/1.1"), 400, line},
      {"LowerCaseProtocol", Line("GET / http/1.1"), 400, line},
      {"LongVersion", Line("GET / HTTP/1.10"), 400, line},
      {"ShortVersion", Line("GET / HTTP/1"), 400, line},
      {"MethodNoToken", Line("G(T / HTTP/1.1"), 400, line},
      {"Http09", Line("GET / HTTP/0.9"), 505, HeadFault::kVersion},
      {"Http12", Line("GET / HTTP/1.2"), 505, HeadFault::kVersion},
      {"Http20", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505, HeadFault::kVersion},
      {"Trace", Line("TRACE / HTTP/1.1"), 405, HeadFault::kMethod},
      {"Connect", Line("CONNECT a:80 HTTP/1.1"), 405, HeadFault::kMethod},
      {"LowerCaseMethod", Line("get / HTTP/1.1"), 501, HeadFault::kMethod},
      {"UnknownMethod", Line("BREW / HTTP/1.1"), 501, HeadFault::kMethod},
      // Fields.
      {"BlankBeforeColon", Get("Host : a\r\n"), 400, name},
      {"TabBeforeColon", Get("Host\t: a\r\n"), 400, name},
      {"NoColon", Get("Host: a\r\nnonsense\r\n"), 400, name},
      {"NoName", Get("Host: a\r\n: x\r\n"), 400, name},
      {"NonAsciiName", Get("Host: a\r\n\xc3\xa4: x\r\n"), 400, name},
      {"NulInName", Nul(Get("Host: a\r\nx@: x\r\n")), 400, name},
      {"ParenthesisInName", Get("Host: a\r\nx(: x\r\n"), 400, name},
      {"NulInValue", Nul(Get("Host: a\r\nX: a@b\r\n")), 400, HeadFault::kFieldValue},
      {"DelInValue", Get("Host: a\r\nX: \x7f\r\n"), 400, HeadFault::kFieldValue},
      {"BellInValue", Get("Host: a\r\nX: \x07\r\n"), 400, HeadFault::kFieldValue},
      {"ConnectionNoList", Get("Host: a\r\nConnection: a b\r\n"), 400, HeadFault::kFieldValue},
      {"Trailer", Body("Transfer-Encoding: chunked\r\nTrailer: X\r\n"), 400, HeadFault::kTrailer},
      {"ContentEncoding", Body("Content-Encoding: gzip\r\nContent-Length: 1\r\n"), 415,
       HeadFault::kContentEncoding},
      {"Expect", Body("Expect: a-miracle\r\n"), 417, HeadFault::kExpect},
      // Line ends.
      {"BareLf", "GET / HTTP/1.1\nHost: a\n\n", 400, HeadFault::kLineEnd},
      {"BareLfInFields", "GET / HTTP/1.1\r\nHost: a\nX: y\r\n\r\n", 400, HeadFault::kLineEnd},
      {"BareLfAtTheEnd", "GET / HTTP/1.1\r\nHost: a\r\n\n", 400, HeadFault::kLineEnd},
      {"BareCrInValue", Get("Host: a\r\nX: a\rb\r\n"), 400, HeadFault::kLineEnd},
      {"BareCrInRequestLine", Line("GET /\r HTTP/1.1"), 400, HeadFault::kLineEnd},
      {"TwoCrs", "GET / HTTP/1.1\r\r\nHost: a\r\n\r\n", 400, HeadFault::kLineEnd},
      // Sizes.
      {"TargetTooLong", Line("GET /" + std::string(8192, 'a') + " HTTP/1.1"), 414,
       HeadFault::kTargetTooLong},
      {"EndlessMethod", std::string(9000, 'A'), 414, HeadFault::kTargetTooLong},
      {"FieldTooLong", Get("Host: a\r\nX: " + std::string(16384, 'x') + "\r\n"), 431,
       HeadFault::kHeadTooLong},
      {"EndlessField", "GET / HTTP/1.1\r\nX: " + std::string(20000, 'x'), 431,
       HeadFault::kHeadTooLong},
      {"TooManyFields", Get(Fields(101)), 431, HeadFault::kTooManyFields},
      // The first fault counts.
      {"FaultBeforeTooLong", Get("Host : a\r\nX: " + std::string(20000, 'x') + "\r\n"), 400, name},
  };
}

class RefusedHead : public testing::TestWithParam<Case> {};

TEST_P(RefusedHead, WhateverTheSplit) {
  const Case& c = GetParam();
  const std::size_t most = std::min<std::size_t>(c.head.size(), 40);
  for (std::size_t step = 1; step <= most; ++step) {
    if (c.head.size() > 1000 && step % 13 != 0) continue;  // Long ones: a few steps say it.
    RequestHeadCheck check;
    ASSERT_EQ(FeedInSteps(&check, c.head, step), State::kRefused) << "in steps of " << step;
    EXPECT_EQ(check.refusal().status, c.status) << check.refusal().why;
    EXPECT_EQ(FaultName(check.refusal().fault), FaultName(c.fault)) << check.refusal().why;
  }
  RequestHeadCheck check;
  ASSERT_EQ(check.Feed(c.head), State::kRefused);
  EXPECT_EQ(FaultName(check.refusal().fault), FaultName(c.fault)) << check.refusal().why;
}

INSTANTIATE_TEST_SUITE_P(All, RefusedHead, testing::ValuesIn(Refused()),
                         [](const auto& row) { return row.param.name; });

TEST(RequestHeadCheck, SaysWhatAHeadMeansWhateverTheSplit) {
  const std::string bytes =
      "POST /a/b%20c?x=1 HTTP/1.1\r\nHost: [::1]:8080\r\nContent-Length:  12 \r\nTE: a, "
      "trailers\r\n"
      "expect: 100-Continue\r\nConnection: keep-alive, Close\r\nX-Empty:\r\n\r\n";
  for (std::size_t step = 1; step <= bytes.size(); ++step) {
    RequestHeadCheck check;
    ASSERT_EQ(FeedInSteps(&check, bytes, step), State::kDone) << check.refusal().why;
    const RequestHead& head = check.head();
    EXPECT_EQ(check.length(), bytes.size());
    EXPECT_EQ(head.method, Method::kPost);
    EXPECT_EQ(head.Target(bytes), "/a/b%20c?x=1");
    EXPECT_EQ(head.framing.content_length, 12u);
    EXPECT_FALSE(head.framing.chunked);
    EXPECT_TRUE(head.takes_trailers);
    EXPECT_TRUE(head.expects_continue);
    EXPECT_FALSE(head.keep_alive());
    ASSERT_EQ(head.fields.size(), 6u);
    EXPECT_EQ(NameOf(bytes, head.fields[1]), "Content-Length");
    EXPECT_EQ(ValueOf(bytes, head.fields[1]), "12");
    EXPECT_EQ(ValueOf(bytes, head.fields[5]), "");
  }
}

TEST(RequestHeadCheck, LeavesWhatFollowsTheHead) {
  const std::string one = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
  RequestHeadCheck check;
  EXPECT_EQ(check.Feed(one + "GET /two HTTP/1.1\n"), State::kDone);
  EXPECT_EQ(check.length(), one.size());
}

TEST(RequestHeadCheck, StartsAnewAfterReset) {
  RequestHeadCheck check;
  ASSERT_EQ(check.Feed(Body("Transfer-Encoding: chunked\r\nConnection: close\r\nTE: trailers\r\n")),
            State::kDone);
  EXPECT_TRUE(check.head().framing.chunked);
  check.Reset();
  ASSERT_EQ(check.Feed(Get("Host: b\r\n")), State::kDone);
  EXPECT_FALSE(check.head().framing.chunked);
  EXPECT_TRUE(check.head().keep_alive());
  EXPECT_FALSE(check.head().takes_trailers);
  EXPECT_EQ(check.head().fields.size(), 1u);
}

TEST(RequestHeadCheck, TakesAbsoluteFormOfItsOwnHost) {
  const auto target = [](const std::string& form) {
    const std::string bytes = "GET " + form + " HTTP/1.1\r\nHost: Example.org:81\r\n\r\n";
    RequestHeadCheck check;
    EXPECT_EQ(check.Feed(bytes), State::kDone) << check.refusal().why;
    return std::string(check.head().Target(bytes));
  };
  EXPECT_EQ(target("http://example.org:81/a?b"), "/a?b");
  EXPECT_EQ(target("HTTPS://example.org:81/"), "/");
  EXPECT_EQ(target("http://example.org:81"), "/");
}

TEST(RequestHeadCheck, TakesWhatIsStrangeButClear) {
  for (const std::string& head :
       {Line("OPTIONS * HTTP/1.1"), Line("GET /?a={b|c}^`d HTTP/1.1"), Line("GET / HTTP/1.0"),
        Get("Host: my_host.local:0\r\n"), Get("Host: a\r\nX: \xc3\xa4\t y\r\n"), Get(Fields(100)),
        Get("Host:a\r\n"), Line("GET /" + std::string(8191, 'a') + " HTTP/1.1"),
        Body("Transfer-Encoding: CHUNKED\r\n"), Body("Content-Length: 000\r\n"),
        Get("Host: a\r\nConnection: , ,\r\n")}) {
    RequestHeadCheck check;
    EXPECT_EQ(check.Feed(head), State::kDone) << check.refusal().why << "\n" << head.substr(0, 80);
  }
}

TEST(RequestHeadCheck, Http10DoesNotKeepAliveNorExpect) {
  RequestHeadCheck check;
  ASSERT_EQ(check.Feed("POST / HTTP/1.0\r\nHost: a\r\nExpect: 100-continue\r\n"
                       "Connection: keep-alive\r\nContent-Length: 1\r\n\r\n"),
            State::kDone);
  EXPECT_FALSE(check.head().keep_alive());
  EXPECT_FALSE(check.head().expects_continue);
}

// A head of exactly the bound is taken, one byte more is not.
TEST(RequestHeadCheck, BoundIsExact) {
  const std::string frame = "GET / HTTP/1.1\r\nHost: a\r\nX: \r\n\r\n";
  const auto with = [&](std::size_t size) {
    std::string head = frame;
    return head.insert(head.size() - 4, std::string(size - frame.size(), 'x'));
  };
  RequestHeadCheck fits, over;
  EXPECT_EQ(fits.Feed(with(kMaxHeadBytes)), State::kDone);
  EXPECT_EQ(over.Feed(with(kMaxHeadBytes + 1)), State::kRefused);
  EXPECT_EQ(over.refusal().fault, HeadFault::kHeadTooLong);
}

TEST(FaultName, IsAWordForEach) {
  std::vector<std::string_view> names;
  for (std::size_t i = 0; i < kHeadFaults; ++i)
    names.push_back(FaultName(static_cast<HeadFault>(i)));
  EXPECT_EQ(names.front(), "none");
  EXPECT_EQ(names.back(), "status_line");
  EXPECT_EQ(static_cast<std::size_t>(HeadFault::kStatusLine) + 1, kHeadFaults);
  std::sort(names.begin(), names.end());
  EXPECT_EQ(std::unique(names.begin(), names.end()), names.end());
}

TEST(ForEachElement, SkipsEmptyOnes) {
  std::vector<std::string> seen;
  ForEachElement(" a ,, b,c , ", [&](std::string_view one) { seen.emplace_back(one); });
  EXPECT_THAT(seen, ElementsAre("a", "b", "c"));
}

}  // namespace
}  // namespace spillway
