#include "cli/console.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>

#include "cli/exit_code.h"

namespace spillway::cli {
namespace {

using testing::StartsWith;

struct Written {
  std::ostringstream out, err;
  Console console{out, err, {}, {}};
};

TEST(Console, NameFormatGivesOneIdALine) {
  Written to;
  to.console.format = OutputFormat::kName;
  to.console.Print(
      ParseJson(R"({"object": "list", "data": [{"id": "job-1", "name": "x"}, {"name": "pool"}]})")
          .value());
  EXPECT_EQ(to.out.str(), "job-1\npool\n");
}

TEST(Console, JsonAndYamlReadBackEqual) {
  const Value document = ParseJson(R"({"a": [1, "no", null], "b": {"c": "0.10"}})").value();
  Written json, yaml;
  json.console.format = OutputFormat::kJson;
  json.console.Print(document);
  EXPECT_EQ(ParseJson(json.out.str()).value(), document);
  yaml.console.format = OutputFormat::kYaml;
  yaml.console.Print(document);
  EXPECT_EQ(ParseYaml(yaml.out.str(), "out").value(), document);
}

TEST(Console, SeveralYamlDocumentsAreOneStream) {
  Written to;
  to.console.format = OutputFormat::kYaml;
  to.console.Print(ParseJson(R"({"id": "job-1"})").value());
  to.console.Print(ParseJson(R"({"id": "job-2"})").value());
  const auto documents = ParseYamlDocuments(to.out.str(), "out").value();
  ASSERT_EQ(documents.size(), 2u);
  EXPECT_EQ(documents[1].Find("id")->string(), "job-2");
}

TEST(Console, JsonTextIsPrintedAsAskedFor) {
  const std::string text = R"({"name": "x", "usd": 0.10})";
  Written json, yaml, name;
  json.console.format = OutputFormat::kJson;
  EXPECT_EQ(json.console.PrintJson(text), kExitOk);
  EXPECT_EQ(json.out.str(), text);
  yaml.console.format = OutputFormat::kYaml;
  EXPECT_EQ(yaml.console.PrintJson(text), kExitOk);
  EXPECT_EQ(ParseYaml(yaml.out.str(), "out").value(), ParseJson(text).value());
  EXPECT_EQ(yaml.out.str().find('{'), std::string::npos) << yaml.out.str();
  name.console.format = OutputFormat::kName;
  EXPECT_EQ(name.console.PrintJson(text), kExitOk);
  EXPECT_EQ(name.out.str(), "x\n");
}

TEST(Console, WordsGoToTheErrorStreamAndProgressOnlyToAPerson) {
  Written to;
  EXPECT_EQ(to.console.Fail(absl::NotFoundError("no such thing")), kExitNotFound);
  to.console.Say("working");
  EXPECT_EQ(to.out.str(), "");
  EXPECT_EQ(to.err.str(), "error: no such thing\n");
  to.console.error_screen.live = true;
  to.console.Say("working");
  EXPECT_EQ(to.err.str(), "error: no such thing\nworking\n");
}

TEST(ParseFormat, KnowsTheDocumentedOnes) {
  EXPECT_EQ(ParseFormat("wide"), OutputFormat::kWide);
  EXPECT_EQ(ParseFormat("name"), OutputFormat::kName);
  EXPECT_EQ(ParseFormat("xml"), std::nullopt);
}

TEST(ExitCodeOf, TellsTheKindsOfTroubleApart) {
  EXPECT_EQ(ExitCodeOf(200), kExitOk);
  EXPECT_EQ(ExitCodeOf(201), kExitOk);
  EXPECT_EQ(ExitCodeOf(400), kExitUsage);
  EXPECT_EQ(ExitCodeOf(401), kExitUnauthorised);
  EXPECT_EQ(ExitCodeOf(404), kExitNotFound);
  EXPECT_EQ(ExitCodeOf(409), kExitConflict);
  EXPECT_EQ(ExitCodeOf(412), kExitConflict);
  EXPECT_EQ(ExitCodeOf(422), kExitNegative);
  EXPECT_EQ(ExitCodeOf(429), kExitUnavailable);
  EXPECT_EQ(ExitCodeOf(500), kExitInternal);
  EXPECT_EQ(ExitCodeOf(503), kExitUnavailable);
  EXPECT_EQ(ExitCodeOf(absl::StatusCode::kUnavailable), kExitUnavailable);
  EXPECT_EQ(ExitCodeOf(absl::StatusCode::kInvalidArgument), kExitUsage);
  EXPECT_EQ(ExitCodeOf(absl::StatusCode::kInternal), kExitInternal);
}

}  // namespace
}  // namespace spillway::cli
