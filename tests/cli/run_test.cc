#include "cli/run.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>
#include <streambuf>

#include "cli/commands.h"
#include "cli/exit_code.h"
#include "formats/value.h"

namespace spillway::cli {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

// A disk without room: takes what fits into its buffer, and loses it.
class FullDisk final : public std::streambuf {
 public:
  FullDisk() { setp(buffer_, buffer_ + sizeof buffer_); }

 private:
  int overflow(int) override { return traits_type::eof(); }
  int sync() override { return pptr() == pbase() ? 0 : -1; }
  char buffer_[16];
};

struct Ended {
  int code = 0;
  std::string out, err;
};

Ended RunWith(const std::vector<std::string>& words, std::ostream& out, std::string format = "",
              bool reader_left = false) {
  std::ostringstream err;
  Ended ended;
  ended.code =
      RunProgram(words, {out, err, [](int, ColourWish) { return Screen(); },
                         [&](const char* name) {
                           return name == std::string("SPILLWAY_OUTPUT") ? format : std::string();
                         },
                         [=] { return reader_left; }});
  ended.err = err.str();
  return ended;
}

Ended RunHere(const std::vector<std::string>& words, const std::string& format = "") {
  std::ostringstream out;
  Ended ended = RunWith(words, out, format);
  ended.out = out.str();
  return ended;
}

TEST(RunProgram, SaysThatWhatItPrintedDidNotArrive) {
  FullDisk disk;
  std::ostream out(&disk);
  const Ended ended = RunWith({"version"}, out);
  EXPECT_EQ(ended.code, kExitUnwritten);
  EXPECT_THAT(ended.err, HasSubstr("error: what was printed could not be written"));
}

TEST(RunProgram, IsQuietWhereTheReaderHadEnough) {
  FullDisk disk;
  std::ostream out(&disk);
  const Ended ended = RunWith({"version"}, out, "", /*reader_left=*/true);
  EXPECT_EQ(ended.code, kExitUnwritten);
  EXPECT_THAT(ended.err, IsEmpty());
}

TEST(RunProgram, KeepsTheCodeOfWhatWentWrongBefore) {
  FullDisk disk;
  std::ostream out(&disk);
  EXPECT_EQ(RunWith({}, out).code, kExitUsage);  // prints the overview, which does not arrive
}

TEST(RunProgram, NothingPrintedIsNothingLost) {
  FullDisk disk;
  std::ostream out(&disk);
  const Ended ended = RunWith({"no-such-command"}, out);
  EXPECT_EQ(ended.code, kExitUsage);
  EXPECT_THAT(ended.err, Not(HasSubstr("could not be written")));
}

TEST(RunProgram, VersionInEveryFormat) {
  EXPECT_EQ(ParseJson(RunHere({"version", "-o", "json"}).out).value().Find("api")->string(), "v1");
  const Ended yaml = RunHere({"version", "--output", "yaml"});
  EXPECT_EQ(yaml.code, kExitOk);
  EXPECT_THAT(yaml.out, HasSubstr("api: v1\n"));
}

TEST(RunProgram, TextIsNotPassedOffAsADocument) {
  for (const std::vector<std::string>& words :
       {std::vector<std::string>{"help"}, {"completion", "bash"}}) {
    for (const char* format : {"json", "yaml", "name"}) {
      std::vector<std::string> asked = words;
      asked.insert(asked.end(), {"-o", format});
      const Ended ended = RunHere(asked);
      EXPECT_EQ(ended.code, kExitUsage) << words.front() << " " << format;
      EXPECT_THAT(ended.out, IsEmpty());
      EXPECT_THAT(ended.err, HasSubstr("prints text"));
    }
    EXPECT_EQ(RunHere(words, "yaml").code, kExitOk) << "$SPILLWAY_OUTPUT is a wish in general";
  }
}

TEST(RunProgram, RefusesAnUnknownFormat) {
  const Ended ended = RunHere({"version", "--output", "xml"});
  EXPECT_EQ(ended.code, kExitUsage);
  EXPECT_THAT(ended.err, HasSubstr("`xml` is none of table, wide, json, yaml, name"));
}

}  // namespace
}  // namespace spillway::cli
