// Compares the head check with an independent parser, Boost.Beast: whatever we accept, Beast must
// accept too and read the same way. (The reverse does not hold, and that is the point.)
#include <boost/beast/core/error.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>

#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "net/head_check.h"

namespace spillway {
namespace {

namespace beast = boost::beast;

// A request put together from plausible and hostile pieces.
std::string RandomHead(std::mt19937_64& draw) {
  const auto pick = [&](const std::vector<std::string>& from) {
    return from[draw() % from.size()];
  };
  std::string head =
      pick({"GET", "POST", "PUT", "DELETE", "HEAD", "OPTIONS", "G T", "TRACE"}) +
      pick({" ", " ", " ", " ", "  ", "\t"}) +
      pick({"/", "/a/b", "/?q=1", "/%41", "http://a/x", "*", "/\xc3\xa4", "/\x01"}) +
      pick({" HTTP/1.1", " HTTP/1.1", " HTTP/1.1", " HTTP/1.0", " HTTP/1.2"}) +
      pick({"\r\n", "\r\n", "\r\n", "\r\n", "\n"}) +
      pick({"Host: a\r\n", "Host: a\r\n", "Host: a\r\n", "host: A:80\r\n", "Host : a\r\n"});
  for (auto fields = draw() % 4; fields > 0; --fields) {
    head += pick({"Content-Length: 5\r\n", "Transfer-Encoding: chunked\r\n", "X: y\r\n",
                  "X: y\r\n z\r\n", "Transfer-Encoding: xchunked\r\n", "Content-Length: 5, 5\r\n",
                  "Connection: close\r\n", "Connection: keep-alive\r\n", "Accept: */*\r\n",
                  "X-\xff: y\r\n", "Empty:\r\n"});
  }
  return head + pick({"\r\n", "\r\n", "\r\n", "\n"});
}

TEST(BeastOracle, ReadsWhatWeAcceptAsWeDo) {
  constexpr int kHeads = 20'000;
  std::mt19937_64 draw(20'240'131);
  int accepted = 0, only_beast = 0;
  for (int i = 0; i < kHeads; ++i) {
    const std::string bytes = RandomHead(draw);
    RequestHeadCheck check;
    const bool ours = check.Feed(bytes) == RequestHeadCheck::State::kDone;
    beast::http::request_parser<beast::http::string_body> parser;
    beast::error_code error;
    const std::size_t used = parser.put(boost::asio::buffer(bytes), error);
    const bool theirs = !error && parser.is_header_done();
    only_beast += theirs && !ours;
    if (!ours) continue;
    ++accepted;
    ASSERT_TRUE(theirs) << error.message() << " in\n" << bytes;
    const RequestHead& head = check.head();
    const auto& message = parser.get();
    EXPECT_EQ(used, check.length());
    EXPECT_EQ(std::string(message.method_string()), MethodName(head.method));
    EXPECT_EQ(message.version(), 10u + static_cast<unsigned>(head.minor_version));
    const std::string target(message.target());
    if (target[0] == '/') {
      EXPECT_EQ(target, head.Target(bytes));
    }
    EXPECT_EQ(parser.chunked(), head.framing.chunked);
    const auto length = parser.content_length();
    EXPECT_EQ(length.has_value(), head.framing.content_length.has_value()) << bytes;
    if (length && head.framing.content_length) {
      EXPECT_EQ(*length, *head.framing.content_length);
    }
    ASSERT_EQ(std::distance(message.begin(), message.end()),
              static_cast<std::ptrdiff_t>(head.fields.size()));
    for (const Headers::Span& span : head.fields) {
      const std::string name(NameOf(bytes, span));
      EXPECT_EQ(
          message.count(name),
          1u + (std::count_if(head.fields.begin(), head.fields.end(),
                              [&](const auto& other) { return NameOf(bytes, other) == name; }) -
                1u));
    }
  }
  EXPECT_GT(accepted, kHeads / 50);
  EXPECT_GT(only_beast, kHeads / 50);  // The holes are real: the check in front is needed.
}

}  // namespace
}  // namespace spillway
