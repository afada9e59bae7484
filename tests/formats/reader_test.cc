#include "formats/reader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"

namespace spillway {
namespace {

using testing::ElementsAre;
using testing::Pair;

enum class Colour : std::uint8_t { kRed, kGreen };
constexpr EnumNames<Colour, 2> kColourNames{{{Colour::kRed, "red"}, {Colour::kGreen, "green"}}};
constexpr const auto& NamesOf(Colour) { return kColourNames; }

struct Box {
  std::string name = "as it was";
  int count = 7;
  double weight = 0;
  bool open = false;
  Bytes size{};
  absl::Duration age{};
  Colour colour = Colour::kRed;
  std::optional<int> limit;
  std::vector<std::string> words;
  std::map<std::string, std::string> labels;
  std::vector<Box> inner;
};

void ReadBox(const Place& at, Box& box) {
  ObjectReader r(at, "a box");
  r.Required("name", box.name);
  r.Optional("count", box.count, Between(1, 64));
  r.Optional("weight", box.weight);
  r.Optional("open", box.open);
  r.Optional("size", box.size);
  r.Optional("age", box.age);
  r.Optional("colour", box.colour);
  r.Optional("limit", box.limit);
  r.Optional("words", box.words, OneOrMore(ReadName, 3));
  r.Optional("labels", box.labels, ReadLabels);
  r.Optional("inner", box.inner, Listed(ReadBox));
  r.Refuse("secret", "cannot be given");
  r.Finish();
}

struct Outcome {
  Box box;
  std::vector<std::string> found;  // "pointer line:col detail"
};
Outcome ReadYaml(std::string_view text) {
  const auto document = ParseYaml(text, "box.yaml");
  EXPECT_TRUE(document.ok()) << document.status();
  Outcome outcome;
  Reading reading("box.yaml");
  ReadBox(Place(*document, reading), outcome.box);
  for (const InputFinding& f : reading.error().findings()) {
    outcome.found.push_back(absl::StrCat(f.pointer, " ", f.line, ":", f.column, " ", f.detail));
  }
  return outcome;
}

TEST(ObjectReader, FillsWhatStandsThere) {
  const Outcome o = ReadYaml(
      "name: a\ncount: 3\nweight: 1.5\nopen: true\nsize: 1GiB\nage: 30s\ncolour: green\nlimit: 5\n"
      "words: x\nlabels: {k: v w}\ninner: [{name: b}]");
  EXPECT_THAT(o.found, testing::IsEmpty());
  EXPECT_EQ(o.box.name, "a");
  EXPECT_EQ(o.box.count, 3);
  EXPECT_EQ(o.box.weight, 1.5);
  EXPECT_TRUE(o.box.open);
  EXPECT_EQ(o.box.size, Bytes(1 << 30));
  EXPECT_EQ(o.box.age, absl::Seconds(30));
  EXPECT_EQ(o.box.colour, Colour::kGreen);
  EXPECT_EQ(o.box.limit, 5);
  EXPECT_THAT(o.box.words, ElementsAre("x"));
  EXPECT_THAT(o.box.labels, ElementsAre(Pair("k", "v w")));
  ASSERT_EQ(o.box.inner.size(), 1u);
  EXPECT_EQ(o.box.inner[0].name, "b");
}

TEST(ObjectReader, TellsEverythingAtOnceWithItsPlace) {
  const Outcome o = ReadYaml(
      "count: 65\nsize: 16\nwords: [a, B, c]\ninner:\n  - {name: x, cuont: 1}\n  - [1]\nsecret: "
      "1\n");
  EXPECT_THAT(
      o.found,
      ElementsAre(" 1:1 a box needs the key `name`", "/count 1:8 `65` is out of range: 1 to 64",
                  "/size 2:7 `16` has no unit: write a size like `16GiB`",
                  "/words/1 3:12 `B` is no name: up to 63 of a-z 0-9 . _ - beginning with a letter "
                  "or a digit",
                  "/inner/0/cuont 5:15 unknown key `cuont` (did you mean `count`?)",
                  "/inner/1 6:5 wants a map, a box, found a list", "/secret 7:9 cannot be given"));
  EXPECT_EQ(o.box.count, 7) << "what cannot be read stays as it was";
}

struct BadField {
  std::string_view text, found;
};
class BadFields : public testing::TestWithParam<BadField> {};
TEST_P(BadFields, AreRefusedInWords) {
  const Outcome o = ReadYaml(absl::StrCat("name: a\n", std::string(GetParam().text)));
  EXPECT_THAT(o.found, ElementsAre(std::string(GetParam().found)));
}
INSTANTIATE_TEST_SUITE_P(
    All, BadFields,
    testing::Values(
        BadField{"count: 1.5", "/count 2:8 wants a whole number, found a number `1.5`"},
        BadField{"count: \"5\"", "/count 2:8 wants a whole number, found a string `5`"},
        BadField{"count: 010", "/count 2:8 wants a whole number, found a string `010`"},
        BadField{"count: -1", "/count 2:8 `-1` is out of range: 1 to 64"},
        BadField{"count: 99999999999999999999",
                 "/count 2:8 wants a whole number, found a number `99999999999999999999`"},
        BadField{"count:", "/count 2:1 is empty: wants a whole number, or leave the key out"},
        BadField{"weight: -0.5", "/weight 2:9 `-0.5` is negative"},
        BadField{"weight: .nan", "/weight 2:9 wants a number, found a string `.nan`"},
        BadField{"weight: .inf", "/weight 2:9 wants a number, found a string `.inf`"},
        BadField{"open: yes", "/open 2:7 wants `true` or `false`, found a string `yes`"},
        BadField{"open: 1", "/open 2:7 wants `true` or `false`, found a number `1`"},
        BadField{"words: [no]", "/words/0 2:9 `no` may mean a boolean: write \"no\" in quotes"},
        BadField{"words: [1.10]", "/words/0 2:9 wants text: write \"1.10\" in quotes"},
        BadField{"words: [true]", "/words/0 2:9 wants text: write \"true\" in quotes"},
        BadField{"words: [\"\"]", "/words/0 2:9 is empty"},
        BadField{"words: [a, b, c, d]", "/words 2:8 has 4 items, at most 3 are taken"},
        BadField{"words: {a: 1}", "/words 2:8 wants text, found a map"},
        BadField{"size: [1]", "/size 2:7 wants text, found a list"},
        BadField{"age: 30", "/age 2:6 `30` has no unit: write a duration like `30s`"},
        BadField{"colour: gren", "/colour 2:9 unknown word `gren` (did you mean `green`?)"},
        BadField{"colour: mauve", "/colour 2:9 unknown word `mauve`: one of red, green"},
        BadField{"limit: many", "/limit 2:8 wants a whole number, found a string `many`"},
        BadField{"labels: {A: x}",
                 "/labels/A 2:13 key `A` is no name: up to 63 of a-z 0-9 . _ - "
                 "beginning with a letter or a digit"},
        BadField{"labels: {a: \"x\\ny\"}", "/labels/a 2:13 holds a control character"},
        BadField{"labels: {a: 3}", "/labels/a 2:13 wants text: write \"3\" in quotes"},
        BadField{"zzz: 1",
                 "/zzz 2:1 unknown key `zzz`: a box has name, count, weight, open, size, age, "
                 "colour, limit, words, labels, inner"},
        BadField{"a/b~c: 1",
                 "/a~1b~0c 2:1 unknown key `a/b~c`: a box has name, count, weight, "
                 "open, size, age, colour, limit, words, labels, inner"}));

TEST(ReadLabels, AreBounded) {
  std::string many = "name: a\nlabels:\n";
  for (int i = 0; i < 33; ++i) absl::StrAppend(&many, "  k", i, ": v\n");
  EXPECT_THAT(ReadYaml(many).found,
              ElementsAre("/labels 3:3 has 33 entries, at most 32 are taken"));
  EXPECT_THAT(ReadYaml(absl::StrCat("name: a\nlabels: {k: ", std::string(129, 'x'), "}")).found,
              ElementsAre("/labels/k 2:13 a label of 129 bytes, at most 128 are taken"));
}

TEST(ObjectReader, LongTextsAreNotRepeatedInMessages) {
  const Outcome o = ReadYaml(absl::StrCat("name: a\ncount: ", std::string(5000, 'x')));
  ASSERT_EQ(o.found.size(), 1u);
  EXPECT_LT(o.found[0].size(), 200u);
}

TEST(ObjectReader, ManyFindingsAreCountedAndLongKeysNotCompared) {
  std::string text = "name: a\n";
  for (int i = 0; i < 20'000; ++i) absl::StrAppend(&text, "nam", i, ": 1\n");
  const auto document = ParseYaml(text, "box.yaml");
  ASSERT_TRUE(document.ok()) << document.status();
  Reading reading("box.yaml");
  Box box;
  ReadBox(Place(*document, reading), box);
  EXPECT_EQ(reading.error().size(), 20'000u);
  EXPECT_THAT(std::string(reading.ToStatus().message()), testing::EndsWith("and 19980 more"));
  const Outcome o = ReadYaml(absl::StrCat("name: a\n? ", std::string(900'000, 'n'), "\n: 1\n"));
  ASSERT_EQ(o.found.size(), 1u);
  EXPECT_THAT(o.found[0], testing::HasSubstr("unknown key `nnnn"));
}

TEST(IsName, IsShortAndPlain) {
  EXPECT_TRUE(IsName("a"));
  EXPECT_TRUE(IsName("0.a_b-c"));
  EXPECT_TRUE(IsName(std::string(63, 'a')));
  for (const char* bad : {"", "-a", ".a", "_a", "A", "a b", "a/b", "é"}) {
    EXPECT_FALSE(IsName(bad)) << bad;
  }
  EXPECT_FALSE(IsName(std::string(64, 'a')));
}

TEST(Reading, KeepsTheKeysThatWereAskedFor) {
  const auto document = ParseYaml("name: a\ninner: [{name: b, labels: {k: v}}]", "box.yaml");
  Reading reading;
  reading.KeepKnownKeys();
  Box box;
  ReadBox(Place(*document, reading), box);
  EXPECT_THAT(reading.known_keys(),
              testing::IsSupersetOf({"name", "count", "inner", "inner[].name", "inner[].labels"}));
  EXPECT_FALSE(reading.known_keys().contains("inner[].labels.k"));
}

}  // namespace
}  // namespace spillway
