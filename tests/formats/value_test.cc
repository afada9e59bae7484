#include "formats/value.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "formats/findings.h"

namespace spillway {
namespace {

Value Json(std::string_view text) {
  auto value = ParseJson(text);
  EXPECT_TRUE(value.ok()) << value.status() << "\n" << text;
  return value.ok() ? *std::move(value) : Value();
}

TEST(Value, KnowsItsKindAndRefusesToConvert) {
  EXPECT_EQ(Value().kind(), Value::Kind::kNull);
  EXPECT_EQ(Value::MakeInteger(-3).AsInt64(), -3);
  EXPECT_EQ(Value::MakeInteger(-3).AsUint64(), std::nullopt);
  EXPECT_EQ(Value::MakeUnsigned(18446744073709551615u).AsInt64(), std::nullopt);
  EXPECT_EQ(Value::MakeUnsigned(18446744073709551615u).AsUint64(), 18446744073709551615u);
  EXPECT_EQ(Value::MakeReal(1.0).AsInt64(), std::nullopt);
  EXPECT_EQ(Value::MakeInteger(2).real(), 2.0);
  EXPECT_EQ(Value::MakeUnsigned(18446744073709551615u).real(), 18446744073709551616.0);
}

TEST(Value, RealsKeepTheirOwnText) {
  EXPECT_EQ(Value::MakeReal(0.1).text(), "0.1");
  EXPECT_EQ(Value::MakeReal(0.1, "0.10").text(), "0.10");
}

TEST(Value, MapsAreEqualInAnyOrderOfTheirKeys) {
  EXPECT_EQ(Json(R"({"a":1,"b":[1,2]})"), Json(R"({"b":[1,2],"a":1})"));
  EXPECT_FALSE(Json(R"({"a":1})") == Json(R"({"a":1,"b":1})"));
  EXPECT_FALSE(Json("[1,2]") == Json("[2,1]"));
  EXPECT_FALSE(Json("1") == Json("1.0"));
}

TEST(Value, SetReplacesInPlace) {
  Value map = Json(R"({"a":1,"b":2})");
  map.Set("a", Value::MakeString("x"));
  map.Set("c", Value());
  EXPECT_EQ(WriteJson(map), R"({"a":"x","b":2,"c":null})");
  EXPECT_TRUE(map.Remove("b"));
  EXPECT_FALSE(map.Remove("b"));
  EXPECT_EQ(WriteJson(map), R"({"a":"x","c":null})");
}

// The test cases of RFC 7396, appendix A.
struct PatchCase {
  std::string_view original, patch, result;
};
class MergePatchTable : public testing::TestWithParam<PatchCase> {};
TEST_P(MergePatchTable, IsThatOfTheRfc) {
  const PatchCase& c = GetParam();
  EXPECT_EQ(WriteJson(MergePatch(Json(c.original), Json(c.patch))), c.result);
}
INSTANTIATE_TEST_SUITE_P(
    Rfc7396, MergePatchTable,
    testing::Values(PatchCase{R"({"a":"b"})", R"({"a":"c"})", R"({"a":"c"})"},
                    PatchCase{R"({"a":"b"})", R"({"b":"c"})", R"({"a":"b","b":"c"})"},
                    PatchCase{R"({"a":"b"})", R"({"a":null})", R"({})"},
                    PatchCase{R"({"a":"b","b":"c"})", R"({"a":null})", R"({"b":"c"})"},
                    PatchCase{R"({"a":["b"]})", R"({"a":"c"})", R"({"a":"c"})"},
                    PatchCase{R"({"a":"c"})", R"({"a":["b"]})", R"({"a":["b"]})"},
                    PatchCase{R"({"a":{"b":"c"}})", R"({"a":{"b":"d","c":null}})",
                              R"({"a":{"b":"d"}})"},
                    PatchCase{R"({"a":[{"b":"c"}]})", R"({"a":[1]})", R"({"a":[1]})"},
                    PatchCase{R"(["a","b"])", R"(["c","d"])", R"(["c","d"])"},
                    PatchCase{R"({"a":"b"})", R"(["c"])", R"(["c"])"},
                    PatchCase{R"({"a":"foo"})", "null", "null"},
                    PatchCase{R"({"a":"foo"})", R"("bar")", R"("bar")"},
                    PatchCase{R"({"e":null})", R"({"a":1})", R"({"e":null,"a":1})"},
                    PatchCase{"[1,2]", R"({"a":"b","c":null})", R"({"a":"b"})"},
                    PatchCase{"{}", R"({"a":{"bb":{"ccc":null}}})", R"({"a":{"bb":{}}})"}));

TEST(DiffPatch, MakesOneTreeOutOfTheOther) {
  const Value from = Json(R"({"a":1,"b":{"c":[1],"d":2},"e":{"f":1}})");
  const Value to = Json(R"({"b":{"c":[1],"d":3,"g":{"h":1}},"e":5})");
  const Value patch = DiffPatch(from, to);
  EXPECT_EQ(MergePatch(from, patch), to);
  EXPECT_EQ(WriteJson(patch), R"({"a":null,"b":{"d":3,"g":{"h":1}},"e":5})");
  EXPECT_EQ(WriteJson(DiffPatch(to, to)), "{}");
}

TEST(WriteJson, PrettyPutsEachMemberOnItsLine) {
  EXPECT_EQ(WriteJson(Json(R"({"a":[1,{}],"b":{"c":"x\ny"},"d":[]})"), true),
            "{\n  \"a\": [\n    1,\n    {}\n  ],\n  \"b\": {\n    \"c\": \"x\\ny\"\n  },\n"
            "  \"d\": []\n}");
}

TEST(WriteJson, NumbersAreAlwaysJson) {
  EXPECT_EQ(WriteJson(Value::MakeReal(1.5, "+1.50")), "1.5");
  EXPECT_EQ(WriteJson(Value::MakeReal(1.5, "1.50")), "1.50");
  EXPECT_EQ(WriteJson(Value::MakeReal(1.0 / 0.0)), "null");
}

TEST(InputError, CountsWhatItDoesNotKeep) {
  InputError error("f.yaml");
  EXPECT_TRUE(error.ToStatus().ok());
  for (std::uint32_t i = 0; i < 25; ++i) error.Add({"/a", i + 1, 2, "wrong"});
  EXPECT_EQ(error.size(), 25u);
  EXPECT_EQ(error.findings().size(), InputError::kMaxFindings);
  EXPECT_THAT(std::string(error.ToStatus().message()),
              testing::AllOf(testing::StartsWith("f.yaml:1:2: wrong\nf.yaml:2:2: wrong\n"),
                             testing::EndsWith("f.yaml:20:2: wrong\nand 5 more")));
}

TEST(InputError, FindingsSurviveTheStatus) {
  InputError error;
  error.Add({"/a~1b/0", 3, 14, "has \n lines: and 5:colons"});
  error.Add({"", 0, 0, ""});
  const absl::Status status = error.ToStatus();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(FindingsOf(status), error.findings());
  EXPECT_THAT(FindingsOf(absl::InternalError("x")), testing::IsEmpty());
}

TEST(InputError, PlacesReadAsPeopleExpect) {
  const InputFinding finding{"/needs", 3, 7, "wrong"};
  EXPECT_EQ(Describe(finding, "job.yaml"), "job.yaml:3:7: wrong");
  EXPECT_EQ(Describe(finding, ""), "/needs: wrong");
  EXPECT_EQ(Describe({"", 3, 7, "wrong"}, ""), "line 3, column 7: wrong");
  EXPECT_EQ(Describe({"", 0, 0, "wrong"}, "job.yaml"), "job.yaml: wrong");
}

}  // namespace
}  // namespace spillway
