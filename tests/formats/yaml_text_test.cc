#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include "absl/strings/str_cat.h"
#include "formats/value.h"
#include "formats/yaml_writer.h"
#include "tests/formats/random_tree.h"

namespace spillway {
namespace {

using testing::HasSubstr;

std::string Error(std::string_view text) {
  const auto value = ParseYamlDocuments(text, "f.yaml");
  return value.ok() ? "accepted" : std::string(value.status().message());
}
std::string AsJson(std::string_view text) {
  const auto value = ParseYaml(text, "f.yaml");
  return value.ok() ? WriteJson(*value) : std::string(value.status().message());
}

TEST(ParseYaml, ScalarsFollowVersionOneTwo) {
  EXPECT_EQ(AsJson("[true, False, ~, null, 5, -5, +5, 1.50, 1e3, x, \"5\", 'true', !!str 5]"),
            R"([true,false,null,null,5,-5,5,1.50,1e3,"x","5","true","5"])");
  // What YAML 1.1 would turn into something else stays a word.
  EXPECT_EQ(AsJson("[no, on, 010, 0x1F, 1_000, 1:30, .inf, .nan, .5, 5., 2026-07-20]"),
            R"(["no","on","010","0x1F","1_000","1:30",".inf",".nan",".5","5.","2026-07-20"])");
}

TEST(ParseYaml, OddExponentsComeOutAsReadersOfJsonTakeThem) {
  EXPECT_EQ(AsJson("[-66E-666666666666, 0e99999999999, 1.50e+03, 1e-400]"),
            "[0.0,0.0,1.50e+03,1e-400]");
  EXPECT_TRUE(ParseJson(AsJson("[0e99999999999, 1e-999]")).ok());
}

TEST(ParseYaml, OnlyUnquotedOldBooleansAreDoubtful) {
  const auto value = ParseYaml("[no, \"no\", On, nope, true]", "f.yaml");
  ASSERT_TRUE(value.ok());
  std::vector<bool> doubtful;
  for (const Value& item : value->list()) doubtful.push_back(item.is_doubtful());
  EXPECT_THAT(doubtful, testing::ElementsAre(true, false, true, false, false));
}

TEST(ParseYaml, KeysAreWordsWhateverTheyLookLike) {
  EXPECT_EQ(AsJson("on: 1\n5: 2\n1.50: 3\n\"a b\": 4\ntrue: 5"),
            R"({"on":1,"5":2,"1.50":3,"a b":4,"true":5})");
}

TEST(ParseYaml, PlacesCountFromOne) {
  const auto value = ParseYaml("a: 1\nb:\n  - {c: é, d: 2}\n", "f.yaml");
  ASSERT_TRUE(value.ok());
  const Member& b = value->map()[1];
  EXPECT_EQ(b.mark.line, 2u);
  EXPECT_EQ(b.mark.column, 1u);
  const Member& d = b.value.list()[0].map()[1];
  EXPECT_EQ(d.mark.line, 3u);
  EXPECT_EQ(d.mark.column, 13u);  // bytes
  EXPECT_EQ(d.value.mark().column, 16u);
}

TEST(ParseYamlDocuments, SeparatesAndSkipsEmptyOnes) {
  const auto documents = ParseYamlDocuments("# only words\n---\na: 1\n--- {b: 2}\n---\n...\n", "f");
  ASSERT_TRUE(documents.ok()) << documents.status();
  ASSERT_EQ(documents->size(), 2u);
  EXPECT_EQ(WriteJson((*documents)[0]), R"({"a":1})");
  EXPECT_EQ(WriteJson((*documents)[1]), R"({"b":2})");
  EXPECT_EQ(Error(""), "f.yaml: the text is empty");
  EXPECT_EQ(Error(" null\n"), "f.yaml: is null, where a document is wanted");
  EXPECT_EQ(Error("# nothing\n---\n"), "f.yaml: the text is empty");
  EXPECT_EQ(AsJson("a: 1\n---\nb: 2"), "f.yaml:3:1: more than one document, where one is meant");
}

TEST(ParseYaml, AliasesAreExpanded) {
  EXPECT_EQ(AsJson("a: &x {k: [1, 2]}\nb: *x\nc: [*x, &y z, *y]"),
            R"({"a":{"k":[1,2]},"b":{"k":[1,2]},"c":[{"k":[1,2]},"z","z"]})");
}

struct BadYaml {
  std::string_view text, error;
};
class BadYamlTable : public testing::TestWithParam<BadYaml> {};
TEST_P(BadYamlTable, IsRefusedWithItsPlace) {
  EXPECT_EQ(Error(GetParam().text), absl::StrCat("f.yaml:", std::string(GetParam().error)));
}
INSTANTIATE_TEST_SUITE_P(
    All, BadYamlTable,
    testing::Values(
        BadYaml{"a: 1\nb: 2\na: 3", "3:1: key `a` stands here twice"},
        BadYaml{"x: {a: 1, \"a\": 2}", "1:11: key `a` stands here twice"},
        BadYaml{"a: &a [*a]", "1:8: this alias stands inside the value that it names"},
        BadYaml{"a: &a {b: {c: *a}}", "1:15: this alias stands inside the value that it names"},
        BadYaml{"a: *b", "1:4: this alias names no anchor above it"},
        BadYaml{"a: &x {k: 1}\nb:\n  <<: *x",
                "3:3: merge keys (`<<`) are not supported: write the keys out"},
        BadYaml{"? [a]\n: b", "1:3: a key must be a word, not a list, a map, nothing or an alias"},
        BadYaml{"~: b", "1:1: a key must be a word, not a list, a map, nothing or an alias"},
        BadYaml{"a: !!binary aGk=", "1:4: tag `tag:yaml.org,2002:binary` is not supported"},
        BadYaml{"a: !gpu {b: 1}", "1:4: tag `!gpu` is not supported"},
        BadYaml{"a: b: c",
                "1:5: a `:` stands where none can: wrong indentation, or text with a `: ` that "
                "needs quotes"},
        BadYaml{"a: b\n\tb: 1", "2:1: a tab in the indentation: use spaces"},
        BadYaml{"\"a\" \"b\"",
                "1:5: something stands after the end of the document (documents are separated by "
                "a line `---`)"},
        BadYaml{"a: 1e999", "1:4: number 1e999 is too large"},
        BadYaml{"a: 1\nb: \xff", "2:1: not valid UTF-8"},
        BadYaml{"a: \"x\\N\"", "1:4: an escape makes no valid UTF-8: use \\u"},
        BadYaml{"\"\\_\": 1", "1:1: an escape makes no valid UTF-8: use \\u"},
        BadYaml{"a: \x01", "1:4: control character 1"}));

TEST(ParseYaml, MultiplyingAliasesAreStopped) {
  std::string bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
  for (int i = 1; i < 12; ++i) {
    absl::StrAppend(&bomb, "a", i, ": &a", i, " [");
    for (int k = 0; k < 10; ++k) absl::StrAppend(&bomb, k ? ", " : "", "*a", i - 1);
    bomb += "]\n";
  }
  EXPECT_THAT(Error(bomb), HasSubstr("anchors and aliases expand to more than 10000 values"));
  // Not one large copy, but many small ones.
  std::string many = "a: &a [x, x, x, x, x, x, x, x, x, x]\nb: [";
  for (int k = 0; k < 1000; ++k) many += "*a, ";
  EXPECT_THAT(Error(many + "*a]"), HasSubstr("f.yaml:2:"));
}

TEST(ParseYaml, DepthAndSizeAreBounded) {
  const auto nested = [](int depth) {
    return std::string(static_cast<std::size_t>(depth), '[') +
           std::string(static_cast<std::size_t>(depth), ']');
  };
  std::string deep_block;
  for (int i = 0; i < 500'000; ++i) deep_block += "- ";
  EXPECT_EQ(Error(nested(64)), "accepted");
  EXPECT_THAT(Error(nested(65)), HasSubstr("f.yaml:1:65: lists and maps stand in each other"));
  EXPECT_NE(Error(std::string(1 << 20, '[')), "accepted");
  EXPECT_THAT(Error(deep_block), HasSubstr("more than 64 deep"));
  EXPECT_THAT(Error("a: " + std::string(1 << 20, 'x')),
              HasSubstr("f.yaml: the text is 1048579 bytes long, at most 1048576 are taken"));
}

TEST(ParseYaml, DocumentsAreBounded) {
  const auto many = [](int count) {
    std::string text;
    for (int i = 0; i < count; ++i) text += "--- a\n";
    return text;
  };
  EXPECT_EQ(Error(many(64)), "accepted");
  EXPECT_EQ(Error(many(65)), "f.yaml:65:1: more than 64 documents");
  EXPECT_EQ(Error(many(170'000)), "f.yaml:65:1: more than 64 documents");
}

// LoadAll of yaml-cpp 0.7 does not come back from some of these.
TEST(ParseYaml, BrokenTextsEnd) {
  for (const char* text : {"]",
                           "}",
                           "a: 1\n]",
                           "[a}",
                           "{a]",
                           "---\n---\n]",
                           "? ? :",
                           "- - : -",
                           ",",
                           "%",
                           "%YAML 9.9\n---\na",
                           "&",
                           "*",
                           "!",
                           "|",
                           ">",
                           "\"",
                           "'",
                           "a: |\n b\nc",
                           "[a, b",
                           "{a: b",
                           "{",
                           "[",
                           ":",
                           "- :",
                           "--- ---",
                           "...",
                           "... ...",
                           "&a",
                           "&a &b c",
                           "!a !b c",
                           "{,}",
                           "[,]",
                           "{a: 1,,}",
                           "@",
                           "`"}) {
    const std::string error = Error(text);
    EXPECT_FALSE(error.empty()) << text;
  }
}

TEST(WriteYaml, IsForPeople) {
  const auto tree = ParseJson(
      R"({"name":"a-1","nodes":2,"list":[1,{"a":1,"b":[[]]},[2,3]],"map":{"k":"no","e":{}},"t":"1.5"})");
  ASSERT_TRUE(tree.ok());
  EXPECT_EQ(
      WriteYaml(*tree),
      "name: a-1\nnodes: 2\nlist:\n  - 1\n  - a: 1\n    b:\n      - []\n  -\n    - 2\n    - 3\n"
      "map:\n  k: \"no\"\n  e: {}\nt: \"1.5\"\n");
}

TEST(WriteYaml, LongKeysReadBackToo) {
  for (const std::size_t length : {998u, 1001u, 5000u}) {
    Value map = Value::MakeMap();
    map.Set(std::string(length, 'k'), Value::MakeInteger(1));
    map.Set(std::string(length, '"'), map);
    Value list = Value::MakeList({map, map});
    const auto again = ParseYaml(WriteYaml(list), "again");
    ASSERT_TRUE(again.ok()) << length << ": " << again.status();
    EXPECT_EQ(*again, list) << length;
  }
}

TEST(WriteYaml, ReadsBackEqual) {
  for (std::uint64_t seed = 0; seed < 3000; ++seed) {
    std::mt19937_64 draw(seed);
    const Value tree = RandomTree(draw, 0);
    if (tree.is_null()) continue;  // an empty document
    const std::string text = WriteYaml(tree);
    const auto again = ParseYaml(text, "again");
    ASSERT_TRUE(again.ok()) << "seed " << seed << ": " << again.status() << "\n" << text;
    ASSERT_EQ(*again, tree) << "seed " << seed << ":\n" << text << WriteJson(*again);
  }
}

}  // namespace
}  // namespace spillway
