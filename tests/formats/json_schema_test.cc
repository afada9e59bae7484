#include "formats/json_schema.h"

#include <string>

#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"

namespace spillway {
namespace {

bool Meets(const std::string& schema, const std::string& text) {
  const auto wanted = WantedJson::Read(
      absl::StrCat(R"({"type":"json_schema","json_schema":{"name":"x","schema":)", schema, "}}"));
  EXPECT_TRUE(wanted) << schema;
  return wanted && wanted->IsMetBy(text);
}

struct Case {
  const char *schema, *met, *unmet;
};
class Keyword : public testing::TestWithParam<Case> {};
TEST_P(Keyword, TellsTextsApart) {
  const Case& c = GetParam();
  EXPECT_TRUE(Meets(c.schema, c.met)) << c.schema << " " << c.met;
  EXPECT_FALSE(Meets(c.schema, c.unmet)) << c.schema << " " << c.unmet;
}
INSTANTIATE_TEST_SUITE_P(
    All, Keyword,
    testing::Values(
        Case{"{}", "{}", "{"}, Case{"true", "1", "1 2"}, Case{R"({"type":"object"})", "{}", "[]"},
        Case{R"({"type":"array"})", "[]", "{}"}, Case{R"({"type":"string"})", "\"a\"", "1"},
        Case{R"({"type":"number"})", "1.5", "\"1.5\""}, Case{R"({"type":"integer"})", "2.0", "2.5"},
        Case{R"({"type":"boolean"})", "true", "0"}, Case{R"({"type":"null"})", "null", "false"},
        Case{R"({"type":["string","null"]})", "null", "1"},
        Case{R"({"enum":["a",1,{"b":[]}]})", R"({"b":[]})", "2"},
        Case{R"({"enum":[1]})", "1.0", "true"}, Case{R"({"const":[1]})", "[1]", "[2]"},
        Case{R"({"required":["a"]})", R"({"a":null})", R"({"b":1})"},
        Case{R"({"properties":{"a":{"type":"string"}}})", R"({"a":"","b":1})", R"({"a":1})"},
        Case{R"({"properties":{"a":{}},"additionalProperties":false})", R"({"a":1})",
             R"({"a":1,"b":1})"},
        Case{R"({"additionalProperties":{"type":"integer"}})", R"({"a":1})", R"({"a":"1"})"},
        Case{R"({"patternProperties":{"^a":{}},"additionalProperties":false})", R"({"a":1})", "{"},
        Case{R"({"items":{"type":"integer"}})", "[1,2]", "[1,\"2\"]"},
        Case{R"({"prefixItems":[{"type":"string"}],"items":false})", R"(["a"])", R"(["a",1])"},
        Case{R"({"minItems":1,"maxItems":2})", "[1,2]", "[]"},
        Case{R"({"maxItems":2})", "[1,2]", "[1,2,3]"},
        Case{R"({"minLength":2})", R"("äö")", R"("ä")"},
        Case{R"({"maxLength":1})", R"("ä")", R"("äö")"}, Case{R"({"minimum":2})", "2", "1.9"},
        Case{R"({"maximum":2})", "2", "2.1"}, Case{R"({"exclusiveMinimum":2})", "2.1", "2"},
        Case{R"({"exclusiveMaximum":2})", "1", "2"},
        Case{R"({"anyOf":[{"type":"string"},{"type":"null"}]})", "null", "1"},
        Case{R"({"allOf":[{"minimum":1},{"maximum":2}]})", "1", "3"},
        Case{R"({"oneOf":[{"minimum":1},{"minimum":2}]})", "1", "3"},
        Case{R"({"not":{"type":"string"}})", "1", R"("")"},
        Case{R"({"$defs":{"a/b":{"type":"integer"}},"items":{"$ref":"#/$defs/a~1b"}})", "[1]",
             "[\"\"]"},
        Case{R"({"properties":{"next":{"$ref":"#"}},"additionalProperties":false})",
             R"({"next":{"next":{}}})", R"({"next":{"nest":{}}})"}));

TEST(WantedJson, IsWholeJsonAndNothingAround) {
  EXPECT_FALSE(Meets("{}", ""));
  EXPECT_FALSE(Meets("{}", "Sure! {}"));
  EXPECT_FALSE(Meets("{}", "```json\n{}\n```"));
  EXPECT_FALSE(Meets("{}", R"({"a":1,"a":2})")) << "which of them is meant?";
  EXPECT_TRUE(Meets("{}", " {}\n"));
}

TEST(WantedJson, ReferencesThatLeadNowhereOrRoundInCirclesAreNotMet) {
  EXPECT_FALSE(Meets(R"({"$ref":"#"})", "1"));
  EXPECT_FALSE(Meets(R"({"$ref":"#/$defs/none"})", "1"));
  EXPECT_FALSE(Meets(R"({"$ref":"https://example.com/schema"})", "1"));
  EXPECT_FALSE(Meets(R"({"$ref":1})", "1"));
  EXPECT_FALSE(Meets(R"({"a":{"$ref":"#/b"},"b":{"$ref":"#/a"},"$ref":"#/a"})", "1"));
}

// Twenty references to twice the one before: 2^20 ways, of which no more than the bound are walked.
TEST(WantedJson, DoesNotWalkASchemaThatDoublesWithEachLevel) {
  std::string schema = R"({"$ref":"#/l19","l0":{"type":"integer"})";
  for (int i = 1; i < 20; ++i)
    absl::StrAppend(&schema, R"(,"l)", i, R"(":{"allOf":[{"$ref":"#/l)", i - 1,
                    R"("},{"$ref":"#/l)", i - 1, R"("}]})");
  EXPECT_FALSE(Meets(schema + "}", "1"));
}

TEST(WantedJson, KnowsTheFormsOfResponseFormat) {
  EXPECT_FALSE(WantedJson::Read(R"({"type":"text"})"));
  EXPECT_FALSE(WantedJson::Read("{}"));
  EXPECT_FALSE(WantedJson::Read("[]"));
  EXPECT_FALSE(WantedJson::Read(R"({"type":"json_schema"})"));
  EXPECT_FALSE(WantedJson::Read(R"({"type":"json_schema","json_schema":{"schema":7}})"));
  const auto any = WantedJson::Read(R"({"type":"json_schema","json_schema":{"name":"x"}})");
  ASSERT_TRUE(any);
  EXPECT_TRUE(any->IsMetBy("7"));
  const auto object = WantedJson::Read(R"({"type":"json_object"})");
  ASSERT_TRUE(object);
  EXPECT_TRUE(object->IsMetBy("{}"));
  EXPECT_FALSE(object->IsMetBy("7"));
  // As llama.cpp writes it.
  const auto narrow = WantedJson::Read(R"({"type":"json_object","schema":{"required":["a"]}})");
  ASSERT_TRUE(narrow);
  EXPECT_FALSE(narrow->IsMetBy("{}"));
}

}  // namespace
}  // namespace spillway
