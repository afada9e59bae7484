#include "cli/manual.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "cli/commands.h"

namespace spillway::cli {
namespace {

using testing::HasSubstr;
using testing::Not;

std::string PageOf(const std::string& file) {
  for (const ManualPage& page : ManualPages()) {
    if (page.file == file) return page.text;
  }
  return "";
}

TEST(Manual, HasAPageForEveryCommand) {
  const std::size_t shown = static_cast<std::size_t>(std::count_if(
      Commands().begin(), Commands().end(), [](const CommandSpec& c) { return !c.hidden; }));
  EXPECT_EQ(ManualPages().size(), shown + 1);
  EXPECT_THAT(PageOf("spillway-policy-put.1"),
              HasSubstr("spillway-policy-put \\- put a policy in force"));
}

TEST(Manual, SaysOptionsExamplesAndExitCodes) {
  const std::string page = PageOf("spillway-submit.1");
  EXPECT_THAT(page, HasSubstr("\\fB\\-\\-start\\-within\\fR \\fITIME\\fR"));
  EXPECT_THAT(page, HasSubstr(".SH EXAMPLES"));
  EXPECT_THAT(page, HasSubstr(".SH EXIT STATUS"));
  EXPECT_THAT(PageOf("spillway.1"), HasSubstr("SPILLWAY_TOKEN"));
}

// A line that begins with a dot or an apostrophe would be taken for a request of roff's.
TEST(Manual, NoTextIsTakenForARequest) {
  for (const ManualPage& page : ManualPages()) {
    std::istringstream lines(page.text);
    for (std::string line; std::getline(lines, line);) {
      if (line.empty()) ADD_FAILURE() << page.file << " has an empty line";
      if (line.starts_with("'")) ADD_FAILURE() << page.file << ": " << line;
      if (line.starts_with(".")) {
        const std::string request = line.substr(0, line.find(' '));
        EXPECT_THAT((std::vector<std::string>{".TH", ".SH", ".TP", ".PP", ".B", ".I", ".BR"}),
                    testing::Contains(request))
            << page.file << ": " << line;
      }
    }
  }
}

TEST(Manual, IsWrittenIntoAFolder) {
  const auto folder = std::filesystem::path(testing::TempDir()) / "manual" / "man1";
  ASSERT_TRUE(WriteManual(folder.string()).ok());
  EXPECT_TRUE(std::filesystem::exists(folder / "spillway-serve.1"));
  std::filesystem::remove_all(folder.parent_path());
  EXPECT_THAT(std::string(WriteManual("/proc/nowhere").message()), HasSubstr("cannot write"));
}

}  // namespace
}  // namespace spillway::cli
