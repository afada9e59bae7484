// Requests hidden in other requests: a strict recorder behind the server must see none of them, and
// nothing malformed.
#include <random>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/net/raw_client.h"
#include "tests/net/test_server.h"

namespace spillway {
namespace {

using testing::AnyOf;
using testing::Each;
using testing::IsEmpty;
using testing::Not;
using testing::StartsWith;

const std::string kHidden = "GET /hidden HTTP/1.1\r\nHost: a\r\n\r\n";

std::string Head(const std::string& fields, const std::string& version = "1.1") {
  return "POST /open HTTP/" + version + "\r\nHost: a\r\n" + fields + "\r\n";
}

struct Attempt {
  std::string name;
  std::string bytes;
};

// Each carries kHidden where one of two disagreeing parsers would find it.
std::vector<Attempt> Attempts() {
  const std::string length = std::to_string(kHidden.size());
  const std::string empty = "0\r\n\r\n";
  std::vector<Attempt> out = {
      {"LengthAndChunked", Head("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n") + empty},
      {"ChunkedAndLength", Head("Transfer-Encoding: chunked\r\nContent-Length: 5\r\n") + empty},
      {"TwoLengths", Head("Content-Length: 0\r\nContent-Length: " + length + "\r\n")},
      {"LengthList", Head("Content-Length: 0, " + length + "\r\n")},
      {"LengthWithPlus", Head("Content-Length: +0\r\n")},
      {"LengthBehindBlank", Head("Content-Length : " + length + "\r\n")},
      {"LengthFolded", Head("Content-Length:\r\n " + length + "\r\n")},
      {"LengthByBareLf", Head("X: y\nContent-Length: " + length + "\r\n")},
      {"LengthByBareCr", Head("X: y\rContent-Length: " + length + "\r\n")},
      {"LengthBehindNul", Head(std::string("X: \0\r\nContent-Length: ", 23) + length + "\r\n")},
      {"ChunkedInHttp10", Head("Transfer-Encoding: chunked\r\n", "1.0") + empty},
      {"ChunkedFolded", Head("Transfer-Encoding:\r\n chunked\r\n") + empty},
      {"ChunkedBehindTab", Head("Transfer-Encoding\t: chunked\r\n") + empty},
      {"ChunkedTwice",
       Head("Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n") + empty},
      {"ChunkedByQuote", Head("Transfer-Encoding: \"chunked\"\r\n") + empty},
      {"ChunkedByVerticalTab", Head("Transfer-Encoding: \x0b"
                                    "chunked\r\n") +
                                   empty},
      {"XChunked", Head("Transfer-Encoding: xchunked\r\n") + empty},
      {"ChunkedIdentity", Head("Transfer-Encoding: chunked, identity\r\n") + empty},
      {"EmptyTransferEncoding", Head("Transfer-Encoding:\r\nContent-Length: 0\r\n")},
      {"SizeByBareLf", Head("Transfer-Encoding: chunked\r\n") + "0\n\n"},
      {"SizeWithPrefix", Head("Transfer-Encoding: chunked\r\n") + "0x0\r\n\r\n"},
      {"SizeThatOverflows", Head("Transfer-Encoding: chunked\r\n") + "100000000\r\n\r\n"},
      {"QuotedExtension", Head("Transfer-Encoding: chunked\r\n") + "0;x=\"\r\n\r\n"},
      {"ExtensionByBareLf", Head("Transfer-Encoding: chunked\r\n") + "0;\n\r\n"},
      {"DataBeyondItsSize", Head("Transfer-Encoding: chunked\r\n") + "1\r\nxx\r\n" + empty},
      {"TrailerIsARequest", Head("Transfer-Encoding: chunked\r\n") + "0\r\n"},
      {"ExpectNonsense", Head("Expect: 100-continues\r\nContent-Length: " + length + "\r\n")},
      {"UpgradeByConnect", "CONNECT a:80 HTTP/1.1\r\nHost: a\r\n\r\n"},
      {"TraceWithLength", "TRACE / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n"},
      {"OtherVersion", Head("Content-Length: 0\r\n", "1.2")},
      {"BlankLineFirst", "\r\n\r\n"},
      {"TwoHosts", Head("Host: b\r\nContent-Length: 0\r\n")},
  };
  for (Attempt& attempt : out) attempt.bytes += kHidden;
  return out;
}

class Smuggling : public testing::TestWithParam<Attempt> {};

TEST_P(Smuggling, HidesNothingWhateverTheSplit) {
  const std::string& bytes = GetParam().bytes;
  TestHandler recorder;
  const auto server = StartServer(recorder);
  for (std::size_t cut = 0; cut < bytes.size(); cut += 7) {
    RawClient client(server->port());
    client.Send(bytes.substr(0, cut));
    client.Send(bytes.substr(cut));
    client.HalfClose();
    const std::string answer = client.Rest();
    EXPECT_THAT(answer, AnyOf(StartsWith("HTTP/1.1 4"), StartsWith("HTTP/1.1 5"))) << cut;
    EXPECT_EQ(answer.find("HTTP/1.1 ", 1), answer.npos) << "more than one answer";
  }
  EXPECT_THAT(recorder.seen(), IsEmpty());
}

INSTANTIATE_TEST_SUITE_P(All, Smuggling, testing::ValuesIn(Attempts()),
                         [](const auto& row) { return row.param.name; });

// The same bytes where they are plainly a body, or plainly a second request.
TEST(SmugglingControl, HonestFramingIsRead) {
  TestHandler recorder;
  const auto server = StartServer(recorder);
  RawClient client(server->port());
  client.Send(Head("Content-Length: " + std::to_string(kHidden.size()) + "\r\n") + kHidden +
              kHidden);
  client.HalfClose();
  client.Rest();
  EXPECT_THAT(recorder.seen(), testing::ElementsAre("POST /open " + kHidden, "GET /hidden "));
}

// Hostile mixtures: whatever happens, the bytes of a body never become a request.
TEST(SmugglingControl, RandomMixturesHideNothing) {
  TestHandler recorder;
  const auto server = StartServer(recorder);
  std::mt19937_64 draw(11);
  const std::vector<std::string> pieces = {"Content-Length: 5\r\n",
                                           "Content-Length: 33\r\n",
                                           "Transfer-Encoding: chunked\r\n",
                                           "transfer-encoding: CHUNKED\r\n",
                                           "Transfer-Encoding: gzip\r\n",
                                           "Content-Length: 5 \r\n",
                                           "X: y\r\n",
                                           "X: y\r\n z\r\n",
                                           "Connection: close\r\n",
                                           "Connection: keep-alive\r\n",
                                           "X: y\n",
                                           "Trailer: X\r\n"};
  for (int i = 0; i < 400; ++i) {
    std::string fields;
    for (auto count = draw() % 4; count > 0; --count) fields += pieces[draw() % pieces.size()];
    // Read as chunks it is an endless chunk, read by length it is a body; it is no request by
    // itself.
    const std::string inside = "ffff\r\nGET /hidden HTTP/1.1\r\nHost: a\r\n\r\n";
    if (fields.find("5") == fields.npos && fields.find("33") == fields.npos &&
        fields.find("hunked") == fields.npos && fields.find("HUNKED") == fields.npos) {
      continue;  // Then it would be an honest second request.
    }
    RawClient client(server->port());
    client.Send(Head(fields) + inside);
    client.HalfClose();
    client.Rest();
  }
  EXPECT_THAT(recorder.seen(), Each(Not(StartsWith("GET /hidden"))));
}

}  // namespace
}  // namespace spillway
