#include "controller/systemd_notices.h"

#include <unistd.h>

#include <cstdlib>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "tests/support/notify_socket.h"
#include "tests/support/temporary_folder.h"

namespace spillway {
namespace {

using testing::AllOf;
using testing::HasSubstr;

class SystemdNoticesTest : public testing::Test {
 protected:
  ~SystemdNoticesTest() override {
    for (const char* name : {"WATCHDOG_USEC", "WATCHDOG_PID"}) ::unsetenv(name);
  }
  std::string Heard() const { return socket_.Next(); }

 private:
  testing_support::TemporaryFolder folder_;
  testing_support::NotifySocket socket_{folder_.Of("notify")};
};

TEST_F(SystemdNoticesTest, HearsWhatTheControllerDoes) {
  SystemdNotices manager;
  manager.Ready();
  EXPECT_THAT(Heard(), HasSubstr("READY=1"));
  manager.Reloading();  // Type=notify-reload asks for the time too
  EXPECT_THAT(Heard(), AllOf(HasSubstr("RELOADING=1"), HasSubstr("MONOTONIC_USEC=")));
  manager.Stopping();
  EXPECT_THAT(Heard(), HasSubstr("STOPPING=1"));
  manager.Alive();
  EXPECT_EQ(Heard(), "WATCHDOG=1");
}

TEST_F(SystemdNoticesTest, WaitsForASignOfLifeOnlyIfItSaysSo) {
  EXPECT_EQ(SystemdNotices::AlivePeriod(), std::nullopt);
  ::setenv("WATCHDOG_USEC", "30000000", 1);
  EXPECT_EQ(SystemdNotices::AlivePeriod(), absl::Seconds(15));
  ::setenv("WATCHDOG_PID", absl::StrCat(::getpid() + 1).c_str(), 1);
  EXPECT_EQ(SystemdNotices::AlivePeriod(), std::nullopt) << "that is somebody else's";
}

TEST(SystemdNoticesWithoutSystemd, SaysNothing) {
  SystemdNotices manager;
  manager.Ready();
  manager.Alive();
}

}  // namespace
}  // namespace spillway
