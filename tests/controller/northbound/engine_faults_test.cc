#include "controller/northbound/engine_faults.h"

#include <gtest/gtest.h>

namespace spillway {
namespace {

TEST(EngineFaultsRead, WhoIsToBlame) {
  for (const int ours : {101, 301, 304, 401, 403, 404, 405, 501})
    EXPECT_TRUE(RefusesUs(ours)) << ours;
  for (const int other : {200, 204, 400, 402, 406, 409, 413, 422, 429, 500, 502, 503})
    EXPECT_FALSE(RefusesUs(other)) << other;
  EXPECT_EQ(FaultOf(429), ForwardFault::kOverloaded);
  EXPECT_EQ(FaultOf(503), ForwardFault::kOverloaded);
  EXPECT_EQ(FaultOf(500), ForwardFault::kError);
}

TEST(EngineFaultsRead, BackOffIsBounded) {
  const auto of = [](std::string_view value) {
    Headers headers;
    headers.Add("Retry-After", value);
    return BackOffOf(headers);
  };
  EXPECT_EQ(BackOffOf(Headers()), absl::Seconds(1));
  EXPECT_EQ(of("7"), absl::Seconds(7));
  EXPECT_EQ(of("0"), absl::Seconds(1));
  EXPECT_EQ(of("-5"), absl::Seconds(1));
  EXPECT_EQ(of("86400"), absl::Seconds(60));
  EXPECT_EQ(of("Wed, 21 Oct 2026 07:28:00 GMT"), absl::Seconds(1));
}

TEST(EngineFaultsRead, WhatIsWrongWithTheRequestIsSaidByCodeOrType) {
  const auto of = [](std::string_view inside) {
    return ClientsFault(std::string(R"({"error":{)") + std::string(inside) + "}}");
  };
  EXPECT_EQ(of(R"("message":"m","type":"BadRequestError","param":null,"code":400)"), 400);
  EXPECT_EQ(of(R"("code":"422")"), 422);
  EXPECT_EQ(of(R"("type":"invalid_request_error","code":"context_length_exceeded")"), 400);
  for (const char* engines :
       {R"("type":"server_error","code":null)", R"("code":500)", R"("code":429)", R"("code":401)",
        R"("type":"invalid_request_error","code":503)",
        R"("type":"invalid_request_error","code":401)", R"("message":"code 400")"})
    EXPECT_EQ(of(engines), std::nullopt) << engines;
  for (const char* none : {"", "{}", R"({"error":"bad request"})", R"({"error":{"code":400)", "[]"})
    EXPECT_EQ(ClientsFault(none), std::nullopt) << none;
}

TEST(EngineFaultsRead, ClientsAreToldNoAddresses) {
  for (const UpstreamFault fault :
       {UpstreamFault::kConnect, UpstreamFault::kSend, UpstreamFault::kClosed,
        UpstreamFault::kNoFirstByte, UpstreamFault::kStalled, UpstreamFault::kUntrusted,
        UpstreamFault::kTooLong, UpstreamFault::kAborted, UpstreamFault::kRequest,
        UpstreamFault::kEncoded}) {
    const std::string words =
        WhyLost({.fault = fault, .why = "connect to 10.0.0.7:8000: Connection refused"});
    EXPECT_GT(words.size(), 10u);
    EXPECT_EQ(words.find("10.0.0.7"), words.npos) << words;
  }
}

}  // namespace
}  // namespace spillway
