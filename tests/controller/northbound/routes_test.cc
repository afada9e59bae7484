#include "controller/northbound/route.h"

#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "controller/northbound/api.h"
#include "formats/policy_text.h"
#include "formats/pool_text.h"
#include "formats/work_text.h"
#include "tests/controller/northbound/openapi_check.h"

namespace spillway {
namespace {

using testing::ElementsAre;

TEST(Routes, AreThoseOfTheDescriptionAndNoOthers) {
  std::set<std::string> routes;
  for (const Route& route : Routes()) {
    routes.insert(std::string(MethodName(route.method)) + " " + std::string(route.pattern) + " " +
                  std::string(route.operation));
  }
  EXPECT_EQ(routes, OpenapiFile().Operations());
  EXPECT_EQ(routes.size(), Routes().size());
}

TEST(Routes, WhatChangesSomethingNeedsMoreThanAReader) {
  for (const Route& route : Routes()) {
    if (route.method == Method::kGet || route.operation == "dryRun") continue;
    EXPECT_GE(route.role, Role::kSubmitter) << route.operation;
  }
}

TEST(Routes, OnlyThoseThatReadABodyTakeOne) {
  for (const Route& route : Routes()) {
    const bool is_prompt = route.pattern.starts_with("/v1/");
    const std::size_t most =
        route.method == Method::kGet ? 0 : std::size_t{1} << (is_prompt ? 25 : 20);
    EXPECT_LE(route.body_limit, most) << route.operation;
  }
}

TEST(FindRoute, GivesTheNamesInThePath) {
  const Match match = FindRoute(Method::kPost, {"api", "v1", "jobs", "job-000001", "cancel"});
  ASSERT_NE(match.route, nullptr);
  EXPECT_EQ(match.route->operation, "cancelJob");
  EXPECT_THAT(match.args, ElementsAre("job-000001"));
  EXPECT_EQ(FindRoute(Method::kPost, {"api", "v1", "decisions:dry-run"}).route->operation,
            "dryRun");
  EXPECT_EQ(FindRoute(Method::kGet, {}).route->operation, "getIndex");
}

TEST(FindRoute, NamesOfModelsMayHaveSlashes) {
  const Match match = FindRoute(Method::kGet, {"v1", "models", "Org", "Name"});
  ASSERT_NE(match.route, nullptr);
  EXPECT_EQ(match.route->operation, "getModel");
  EXPECT_THAT(match.args, ElementsAre("Org/Name"));
  EXPECT_THAT(FindRoute(Method::kGet, {"v1", "models", "Org/Name"}).args, ElementsAre("Org/Name"));
  EXPECT_EQ(FindRoute(Method::kGet, {"v1", "models", "Org", ""}).route, nullptr);
  EXPECT_EQ(FindRoute(Method::kGet, {"v1", "models", ""}).route, nullptr);
  EXPECT_EQ(FindRoute(Method::kGet, {"api", "v1", "jobs", "a", "b"}).route, nullptr)
      << "only there";
}

TEST(FindRoute, HeadIsTakenWhereGetIs) {
  EXPECT_EQ(FindRoute(Method::kHead, {"healthz"}).route->operation, "getHealth");
  EXPECT_EQ(FindRoute(Method::kHead, {"api", "v1", "decisions:dry-run"}).route, nullptr);
}

TEST(FindRoute, TellsWhichMethodsAPathTakes) {
  const Match match = FindRoute(Method::kDelete, {"api", "v1", "jobs"});
  EXPECT_EQ(match.route, nullptr);
  EXPECT_EQ(match.allowed, "POST, GET, HEAD");
  EXPECT_EQ(FindRoute(Method::kGet, {"api", "v1"}).allowed, "");
  EXPECT_EQ(FindRoute(Method::kGet, {"api", "v1", "jobs", ""}).allowed, "");
  EXPECT_EQ(FindRoute(Method::kGet, {"api", "v1", "jobs", "a", "b"}).allowed, "");
}

// What the description shows must be taken by the readers.
TEST(Openapi, ItsExamplesCanBeRead) {
  int read = 0;
  for (const auto& [operation, text] : OpenapiFile().RequestExamples()) {
    if (operation == "submitJob" || operation == "dryRun") {
      EXPECT_TRUE(ParseWork(text, {}).ok()) << ParseWork(text, {}).status();
      ++read;
    } else if (operation == "setPolicy") {
      EXPECT_TRUE(ParsePolicy(text).ok()) << ParsePolicy(text).status();
      ++read;
    }
  }
  EXPECT_EQ(read, 4);
}

}  // namespace
}  // namespace spillway
