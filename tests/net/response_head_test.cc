#include "net/response_head.h"

#include <string>

#include <gtest/gtest.h>

namespace spillway {
namespace {

using State = ResponseHeadCheck::State;

TEST(ResponseHeadCheck, SaysWhatAHeadMeansWhateverTheSplit) {
  const std::string bytes = "HTTP/1.1 404 Not Found\r\nContent-Length: 5\r\nX: y\r\n\r\n";
  for (std::size_t step = 1; step <= bytes.size(); ++step) {
    ResponseHeadCheck check;
    State state = State::kMore;
    for (std::size_t size = step; state == State::kMore; size += step) {
      state = check.Feed(std::string(bytes, 0, size) + (size > bytes.size() ? "hello" : ""));
    }
    ASSERT_EQ(state, State::kDone) << check.refusal().why;
    EXPECT_EQ(check.head().status, 404);
    EXPECT_EQ(check.head().framing.content_length, 5u);
    EXPECT_EQ(check.head().fields.size(), 2u);
    EXPECT_TRUE(check.head().keep_alive());
    EXPECT_EQ(check.length(), bytes.size());
  }
}

TEST(ResponseHeadCheck, KnowsWhichAnswersHaveNoBody) {
  for (const auto& [line, has_body] :
       {std::pair{"HTTP/1.1 200 OK", true}, std::pair{"HTTP/1.1 200", true},
        std::pair{"HTTP/1.1 204 ", false}, std::pair{"HTTP/1.1 304 Not Modified", false},
        std::pair{"HTTP/1.0 101 x", false}}) {
    ResponseHeadCheck check;
    ASSERT_EQ(check.Feed(std::string(line) + "\r\n\r\n"), State::kDone) << line;
    EXPECT_EQ(check.head().may_have_body(), has_body) << line;
  }
}

TEST(ResponseHeadCheck, RefusesWhatCannotBeFramed) {
  const std::string ok = "HTTP/1.1 200 OK\r\n";
  for (const auto& [bytes, fault] : {
           std::pair{std::string("HTTP/2 200 OK\r\n"), HeadFault::kStatusLine},
           std::pair{std::string("HTTP/1.2 200 OK\r\n"), HeadFault::kStatusLine},
           std::pair{std::string("HTTP/1.1 20 OK\r\n"), HeadFault::kStatusLine},
           std::pair{std::string("HTTP/1.1 099 OK\r\n"), HeadFault::kStatusLine},
           std::pair{std::string("HTTP/1.1 600 OK\r\n"), HeadFault::kStatusLine},
           std::pair{std::string("HTTP/1.1 2000\r\n"), HeadFault::kStatusLine},
           std::pair{std::string("ICY 200 OK\r\n"), HeadFault::kStatusLine},
           std::pair{std::string("HTTP/1.1 200 \x01\r\n"), HeadFault::kStatusLine},
           std::pair{ok + "Content-Length: 1\r\nContent-Length: 1\r\n", HeadFault::kContentLength},
           std::pair{ok + "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
                     HeadFault::kContentLength},
           std::pair{ok + "Transfer-Encoding: gzip, chunked\r\n", HeadFault::kTransferEncoding},
           std::pair{std::string("HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"),
                     HeadFault::kTransferEncoding},
           std::pair{ok + "A: b\r\n c\r\n", HeadFault::kFolding},
           std::pair{ok + "A: b\nC: d\r\n", HeadFault::kLineEnd},
           std::pair{ok + "A : b\r\n", HeadFault::kFieldName},
           std::pair{ok + "A: " + std::string(20'000, 'x'), HeadFault::kHeadTooLong},
           std::pair{std::string(10'000, 'H'), HeadFault::kTargetTooLong},
       }) {
    ResponseHeadCheck check;
    EXPECT_EQ(check.Feed(bytes), State::kRefused) << bytes.substr(0, 60);
    EXPECT_EQ(FaultName(check.refusal().fault), FaultName(fault)) << bytes.substr(0, 60);
  }
}

}  // namespace
}  // namespace spillway
