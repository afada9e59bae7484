#include "formats/file_text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <string>

#include "tests/support/temporary_folder.h"

namespace spillway {
namespace {

using testing::HasSubstr;
using testing_support::TemporaryFolder;

std::string Words(const absl::Status& status) { return std::string(status.message()); }

TEST(FileText, WhatWasWrittenIsRead) {
  const TemporaryFolder folder;
  const std::string path = folder.path() + "/text";
  const std::string text("two\nlines and a zero \0 byte", 27);
  ASSERT_TRUE(WriteTextFile(path, text).ok());
  EXPECT_EQ(*ReadTextFile(path), text);
  ASSERT_TRUE(WriteTextFile(path, "short").ok());
  EXPECT_EQ(*ReadTextFile(path), "short");
  ASSERT_TRUE(ReplaceTextFile(path, text).ok());
  EXPECT_EQ(*ReadTextFile(path), text);
}

TEST(FileText, ReadingSaysWhatIsWrong) {
  const TemporaryFolder folder;
  const std::string path = folder.path() + "/text";
  EXPECT_EQ(ReadTextFile(path).status().code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(Words(ReadTextFile(folder.path()).status()), HasSubstr("it is a folder"));
  ASSERT_TRUE(WriteTextFile(path, "12345").ok());
  EXPECT_TRUE(ReadTextFile(path, 5).ok());
  EXPECT_EQ(Words(ReadTextFile(path, 4).status()), path + ": the file is longer than 4 bytes");
}

// Whoever has the old file open goes on to see the old text: the new one is another file.
TEST(FileText, ReplacingIsOneStepAndLeavesNothingBeside) {
  const TemporaryFolder folder;
  const std::string path = folder.path() + "/text", other = folder.path() + "/other-name";
  ASSERT_TRUE(WriteTextFile(path, "old").ok());
  std::filesystem::create_hard_link(path, other);
  ASSERT_TRUE(ReplaceTextFile(path, "new").ok());
  EXPECT_EQ(*ReadTextFile(path), "new");
  EXPECT_EQ(*ReadTextFile(other), "old");
  EXPECT_FALSE(std::filesystem::exists(folder.path() + "/.text.part"));
}

TEST(FileText, WhatCannotBeReplacedStaysAndNothingLiesBeside) {
  const TemporaryFolder folder;
  const std::string path = folder.path() + "/taken";
  std::filesystem::create_directories(path + "/by-a-folder");
  const absl::Status status = ReplaceTextFile(path, "new");
  EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(Words(status), HasSubstr("writing " + path + ": "));
  EXPECT_FALSE(std::filesystem::exists(folder.path() + "/.taken.part"));
  EXPECT_THAT(Words(ReplaceTextFile(folder.path() + "/none/text", "new")),
              HasSubstr("No such file or directory"));
}

TEST(FileText, AFullDiskIsSaid) {
  EXPECT_THAT(Words(WriteTextFile("/dev/full", "text")), HasSubstr("No space left on device"));
}

}  // namespace
}  // namespace spillway
