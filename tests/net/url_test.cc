#include "net/url.h"

#include <gtest/gtest.h>

namespace spillway {
namespace {

TEST(ParseBaseUrl, ReadsOriginAndPrefix) {
  EXPECT_EQ(*ParseBaseUrl("http://127.0.0.1:8080"), (BaseUrl{false, "127.0.0.1", 8080, ""}));
  EXPECT_EQ(*ParseBaseUrl("http://example.org/"), (BaseUrl{false, "example.org", 80, ""}));
  EXPECT_EQ(*ParseBaseUrl("HTTPS://example.org/a/b/"), (BaseUrl{true, "example.org", 443, "/a/b"}));
  EXPECT_EQ(*ParseBaseUrl("http://[::1]:9"), (BaseUrl{false, "::1", 9, ""}));
}

TEST(ParseBaseUrl, RefusesWhatIsNoOrigin) {
  for (const char* text :
       {"", "127.0.0.1:8080", "ftp://a", "http://", "http://u:p@a", "http://a?x", "http://a#x",
        "http://a:0", "http://a:70000", "http://a b", "//a", "/x", "http://%61"}) {
    const auto parsed = ParseBaseUrl(text);
    ASSERT_FALSE(parsed.ok()) << text;
    EXPECT_EQ(parsed.status().code(), absl::StatusCode::kInvalidArgument);
  }
}

TEST(BaseUrl, AuthorityNamesThePortOnlyWhereItIsNeeded) {
  EXPECT_EQ(ParseBaseUrl("http://a:80")->Authority(), "a");
  EXPECT_EQ(ParseBaseUrl("https://a:80")->Authority(), "a:80");
  EXPECT_EQ(ParseBaseUrl("http://[::1]:8080")->Authority(), "[::1]:8080");
}

TEST(ParseHostPort, ReadsNamesAndAddresses) {
  EXPECT_EQ(*ParseHostPort("127.0.0.1:8080"), (HostPort{"127.0.0.1", 8080}));
  EXPECT_EQ(*ParseHostPort("[::1]:0"), (HostPort{"::1", 0}));
  EXPECT_EQ(*ParseHostPort("localhost:65535"), (HostPort{"localhost", 65535}));
}

TEST(ParseHostPort, RefusesTheRest) {
  for (const char* text : {"", ":80", "a", "a:", "a:x", "a:65536", "a:-1", "::1:80", "[a]:80",
                           "[]:1", "a:+1", "a: 1"}) {
    EXPECT_FALSE(ParseHostPort(text).ok()) << text;
  }
}

}  // namespace
}  // namespace spillway
