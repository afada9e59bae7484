#include "tests/adapters/worked_example.h"

#include <fstream>
#include <sstream>

#include "absl/strings/match.h"
#include "gmock/gmock.h"
#include "tests/adapters/fake_host.h"
#include "tests/adapters/temporary_folder.h"

namespace spillway {
namespace {

using testing::IsEmpty;
using testing::SizeIs;

const AttemptKey kKey{JobId(45), 1};

class WorkedExample : public testing::Test {
 protected:
  static command::Launch Launch(std::uint64_t epoch,
                                std::vector<std::string> command = {"infer", "in.png"}) {
    auto work = std::make_shared<Work>();
    work->run.command = std::move(command);
    return {.key = kKey, .epoch = epoch, .work = work};
  }
  void Device(const std::string& what, const std::string& text) {
    std::ofstream(folder_ / ("job-000045.1" + what)) << text;
  }
  std::string Read(const std::string& what) {
    const auto text = ReadWholeFile(AT_FDCWD, folder_ / ("job-000045.1" + what), 1000);
    return text.ok() ? *text : "missing";
  }
  const event::AttemptEnded& End() { return std::get<event::AttemptEnded>(sink_.said.back()); }

  TemporaryFolder folder_;
  ListSink sink_;
  SpoolAdapter adapter_{folder_.path(), sink_};
};

TEST_F(WorkedExample, TellsStartAndEndOnce) {
  ASSERT_TRUE(adapter_.Start(1, {}).ok());
  adapter_.Launch(Launch(1));
  EXPECT_EQ(Read(".job"), "infer\nin.png");
  adapter_.Look();
  EXPECT_THAT(sink_.said, IsEmpty());
  Device(".started", "");
  adapter_.Look();
  adapter_.Look();
  ASSERT_THAT(sink_.said, SizeIs(1));
  Device(".exit", "3\n");
  adapter_.Look();
  adapter_.Look();
  ASSERT_THAT(sink_.said, SizeIs(2));
  EXPECT_EQ(End().fault, Fault::kOwn);
  EXPECT_EQ(End().exit_code, 3);
}

TEST_F(WorkedExample, SeenAttemptStartsNothingEvenForTheNextController) {
  adapter_.Start(1, {}).IgnoreError();
  adapter_.Launch(Launch(1));
  SpoolAdapter next(folder_.path(), sink_);
  next.Start(2, {kKey}).IgnoreError();
  next.Launch(Launch(2, {"other"}));
  EXPECT_EQ(Read(".job"), "infer\nin.png");
  Device(".exit", "0");
  next.Look();
  EXPECT_EQ(End().fault, Fault::kNone);
}

TEST_F(WorkedExample, OldEpochIsRefusedWithoutAWord) {
  adapter_.Start(5, {}).IgnoreError();
  adapter_.Launch(Launch(4));
  EXPECT_EQ(Read(".job"), "missing");
  EXPECT_THAT(sink_.said, IsEmpty());
}

TEST_F(WorkedExample, KnownAttemptWithoutTraceIsLostAndNeverStarts) {
  adapter_.Start(2, {kKey}).IgnoreError();
  EXPECT_EQ(End().fault, Fault::kInfrastructure);
  adapter_.Launch(Launch(2));
  EXPECT_EQ(Read(".job"), "");
}

TEST_F(WorkedExample, CancelReachesTheDevice) {
  adapter_.Start(1, {}).IgnoreError();
  adapter_.Cancel({.key = kKey, .epoch = 1});
  EXPECT_EQ(Read(".cancel"), "missing");  // nothing of that name runs
  adapter_.Launch(Launch(1));
  adapter_.Cancel({.key = kKey, .epoch = 1});
  EXPECT_EQ(Read(".cancel"), "");
  Device(".exit", "1");
  adapter_.Look();
  EXPECT_EQ(End().fault, Fault::kCancelled);
}

TEST_F(WorkedExample, PageShowsTheSameLines) {
  const auto text = [](const std::string& name) {
    std::ostringstream all;
    all << std::ifstream(std::string(SPILLWAY_SOURCE_DIR) + "/" + name).rdbuf();
    return all.str();
  };
  const std::string header = text("tests/adapters/worked_example.h");
  const std::size_t from = header.find("// page begins\n") + 15, to = header.find("// page ends");
  ASSERT_LT(from, to);
  EXPECT_TRUE(absl::StrContains(text("docs/extend/adapter.md"), header.substr(from, to - from)))
      << "docs/extend/adapter.md and tests/adapters/worked_example.h differ";
}

}  // namespace
}  // namespace spillway
