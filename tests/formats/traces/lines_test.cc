#include "formats/traces/lines.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "tests/support/temporary_folder.h"

namespace spillway {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing_support::TemporaryFolder;

class Lines : public testing::Test {
 protected:
  std::vector<std::string> Of(const std::string& text) {
    const std::string path = folder_.Of("lines");
    std::ofstream(path, std::ios::binary) << text;
    auto file = LineFile::Open(path);
    EXPECT_TRUE(file.ok()) << file.status();
    std::vector<std::string> lines;
    std::string_view line;
    while (file->Next(line)) lines.emplace_back(line);
    status_ = file->status();
    last_ = file->number();
    return lines;
  }
  TemporaryFolder folder_;
  absl::Status status_;
  std::uint32_t last_ = 0;
};

TEST_F(Lines, EndWithLfOrCrLfOrTheFile) {
  EXPECT_THAT(Of("a\nb\r\n\nc"), ElementsAre("a", "b", "", "c"));
  EXPECT_EQ(last_, 4u);
  EXPECT_THAT(Of("a\n"), ElementsAre("a"));
  EXPECT_THAT(Of(""), ElementsAre());
  EXPECT_TRUE(status_.ok());
}

// The buffer is 64 KiB: lines that end at, before and behind its edge come out whole.
TEST_F(Lines, CrossTheEdgesOfTheBuffer) {
  for (const std::size_t length : {65534, 65535, 65536, 65537, 131072, 200000}) {
    const std::string line(length, 'x');
    EXPECT_THAT(Of(line + "\n" + line + "y\nz"), ElementsAre(line, line + "y", "z")) << length;
  }
}

TEST_F(Lines, AreBoundedInLength) {
  const std::string longest(LineFile::kMostBytes, 'x');
  EXPECT_THAT(Of(longest + "\nb"), ElementsAre(longest, "b"));
  EXPECT_THAT(Of("a\n" + longest + "x\nb"), ElementsAre("a"));
  EXPECT_THAT(std::string(status_.message()), HasSubstr(":2:1: the line is longer than 1048576"));
}

TEST_F(Lines, NeedAFile) {
  EXPECT_EQ(LineFile::Open(folder_.Of("none")).status().code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(LineFile::Open(folder_.path()).status().code(), absl::StatusCode::kInvalidArgument);
}

std::vector<std::string> Split(std::string_view line) {
  CsvLine csv;
  EXPECT_EQ(csv.Split(line), nullptr) << line;
  std::vector<std::string> fields;
  for (const CsvField& field : csv.fields()) fields.emplace_back(field.text);
  return fields;
}

TEST(CsvLine, SplitsAtCommasOutsideOfQuotes) {
  EXPECT_THAT(Split("a,b"), ElementsAre("a", "b"));
  EXPECT_THAT(Split(""), ElementsAre(""));
  EXPECT_THAT(Split(",a,"), ElementsAre("", "a", ""));
  EXPECT_THAT(Split("\"a,b\",c"), ElementsAre("a,b", "c"));
  EXPECT_THAT(Split("\"say \"\"hi\"\"\",\"\""), ElementsAre("say \"hi\"", ""));
  EXPECT_THAT(Split("a\"b,c"), ElementsAre("a\"b", "c"));
}

TEST(CsvLine, TellsWhereItIsBroken) {
  CsvLine csv;
  EXPECT_THAT(csv.Split("a,\"b"), HasSubstr("does not end"));
  EXPECT_EQ(csv.column(), 3u);
  EXPECT_THAT(csv.Split("\"a\"b"), HasSubstr("something follows"));
  EXPECT_THAT(csv.Split(std::string(256, ',')), HasSubstr("more than 256 fields"));
  EXPECT_EQ(csv.Split(std::string(255, ',')), nullptr);
}

TEST(CsvLine, FieldsKnowTheirColumn) {
  CsvLine csv;
  ASSERT_EQ(csv.Split("ab,\"c,d\",e"), nullptr);
  EXPECT_EQ(csv.fields()[1].column, 4u);
  EXPECT_EQ(csv.fields()[2].column, 10u);
}

}  // namespace
}  // namespace spillway
