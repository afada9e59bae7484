#include "controller/serve.h"

#include <arpa/inet.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "controller/serve_log.h"
#include "net/client.h"
#include "tests/support/fake_adapter.h"
#include "tests/support/notify_socket.h"
#include "tests/support/temporary_folder.h"

namespace spillway {
namespace {

using testing::HasSubstr;

constexpr const char* kFleet = R"(
kind: Fleet
pools:
  - name: local
    adapter: {type: process}
    kind: cpu
    node: {cpus: 4, memory: 8GiB}
    billing: committed
    price: {node_hour: 0.10 USD}
    power: {idle: 40 W, busy: 120 W, tariff: 0.12 USD/kWh}
    runtimes: {none: "1"}
)";

TEST(StoppedLate, SaysHowManyWereToldAndHowManyWereCut) {
  EXPECT_EQ(
      StoppedLate(3, 0, absl::Seconds(10)),
      "still under way after 10s: 3 requests, which were told (`shutting_down`); no connection "
      "was cut");
  EXPECT_EQ(
      StoppedLate(1, 1, absl::Milliseconds(500)),
      "still under way after 500ms: 1 request, which was told (`shutting_down`); 1 connection "
      "did not end even so and was cut");
  EXPECT_THAT(StoppedLate(0, 2, absl::Seconds(1)), HasSubstr("2 connections did not end"));
}

// SHA-256 of `good key`.
constexpr const char* kGoodKey = "c9ec1141134a19b629a55455de2fcac7ee6f4d30b16fdbb403eb7d38daa37283";

std::string ServerWith(const std::string& sha256, const std::string& role) {
  return "kind: Server\nkeys: [{name: web, sha256: " + sha256 + ", tenant: a, role: " + role +
         "}]\n---\n";
}

std::string Read(const std::string& path) {
  std::ifstream in(path);
  std::string text;
  std::getline(in, text, '\0');
  return text;
}

// Everything real but the adapters: their runs end at once.
class Fakes final : public ServedAdapters {
 public:
  explicit Fakes(AdapterSink& sink) : process_(&sink), modelled_(&sink) {
    process_.EndAtOnce();
    modelled_.EndAtOnce();
  }
  Host::Adapters ByType() override {
    return {{"process", {&process_, nullptr}}, {"modelled", {&modelled_, nullptr}}};
  }
  absl::Status Check(const FleetSpec& fleet) const override {
    const auto is_keyless = [](const PoolSpec& pool) { return pool.name == "keyless"; };
    return std::any_of(fleet.pools.begin(), fleet.pools.end(), is_keyless)
               ? absl::NotFoundError("keyless")
               : absl::OkStatus();
  }
  absl::Status AwaitEngines() override { return absl::OkStatus(); }
  void StopEngines() override {}

 private:
  FakeAdapter process_, modelled_;
};

// RunServe in a thread of its own, ended by a signal as an operator ends it.
class Serving {
 public:
  explicit Serving(std::string config = kFleet) { Write(std::move(config)); }
  ~Serving() {
    if (thread_.joinable()) Stop().IgnoreError();
  }

  void Write(const std::string& config) { std::ofstream(folder_.Of("config.yaml")) << config; }
  ServeOptions Options() const {
    ServeOptions options;
    options.config_path = folder_.Of("config.yaml");
    options.state_dir = StateDir();
    options.catalog_dir = SPILLWAY_SOURCE_DIR "/configs/catalog";
    options.listen = "127.0.0.1:0";
    options.machine.cpus = MilliCpus(4000);
    options.machine.memory = Bytes(std::int64_t{8} << 30);
    options.machine.vendor = "intel";
    options.version = "9.9";
    options.threads = 1;
    options.adapters =
        [](const AdapterNeeds& needs) -> absl::StatusOr<std::unique_ptr<ServedAdapters>> {
      return std::make_unique<Fakes>(needs.sink);
    };
    return options;
  }
  std::string StateDir() const { return folder_.Of("state"); }
  std::string AddressPath() const { return StateDir() + "/address"; }

  bool Start(ServeOptions options) {
    over_ = false;
    thread_ = std::thread([this, options = std::move(options)] {
      status_ = RunServe(options);
      over_ = true;
    });
    for (int i = 0; i < 4000 && !over_; ++i) {
      if (std::filesystem::exists(AddressPath())) return true;
      absl::SleepFor(absl::Milliseconds(5));
    }
    return false;
  }
  bool Start() { return Start(Options()); }
  absl::Status Stop(int signal = SIGTERM) {
    if (!over_) ::kill(::getpid(), signal);
    thread_.join();
    return status_;
  }

  Client NewClient() {
    std::string url = Read(AddressPath());
    url.pop_back();
    auto client = Client::ForUrl(url);
    EXPECT_TRUE(client.ok()) << url;
    return *std::move(client);
  }
  std::string Get(const std::string& target) {
    auto response = NewClient().Get(target);
    return response.ok() ? response->body : std::string(response.status().message());
  }
  // With a key; the status of the answer, -1 where none came.
  int StatusOf(const std::string& target, const std::string& key) {
    auto client = NewClient();
    auto response =
        client.Send({.target = target, .headers = {{"Authorization", "Bearer " + key}}});
    return response.ok() ? response->status : -1;
  }
  bool Comes(const std::string& target, const std::string& words) {
    for (int i = 0; i < 2000; ++i) {
      if (Get(target).find(words) != std::string::npos) return true;
      absl::SleepFor(absl::Milliseconds(5));
    }
    return false;
  }
  int Submit() {
    auto response = NewClient().Post("/api/v1/jobs", R"({"run":{"command":["true"]}})");
    return response.ok() ? response->status : -1;
  }

 private:
  testing_support::TemporaryFolder folder_;
  std::thread thread_;
  std::atomic<bool> over_{true};
  absl::Status status_;
};

TEST(Serve, SaysWhereItListensOnceItIsReadyAndTakesThatBackAtTheEnd) {
  Serving serving;
  ASSERT_TRUE(serving.Start()) << serving.Stop();
  EXPECT_THAT(Read(serving.AddressPath()),
              testing::MatchesRegex("http://127\\.0\\.0\\.1:[0-9]+\n"));
  EXPECT_EQ(serving.Get("/readyz"), "ready\n");
  EXPECT_EQ(serving.Submit(), 201);
  EXPECT_THAT(serving.Get("/metrics"), HasSubstr("version=\"9.9\""));
  struct stat about {};
  ASSERT_EQ(::stat(serving.StateDir().c_str(), &about), 0);
  EXPECT_EQ(about.st_mode & 0777, 0700u);
  EXPECT_TRUE(serving.Stop().ok());
  EXPECT_FALSE(std::filesystem::exists(serving.AddressPath()));
}

TEST(Serve, GoesOnWhereItStoppedAndLeavesForeignFilesAlone) {
  Serving serving;
  std::filesystem::create_directory(serving.StateDir());
  std::ofstream(serving.StateDir() + "/notes.txt") << "mine";
  ASSERT_TRUE(serving.Start()) << serving.Stop();
  EXPECT_EQ(serving.Submit(), 201);
  EXPECT_TRUE(serving.Stop(SIGINT).ok());
  ASSERT_TRUE(serving.Start()) << serving.Stop();
  EXPECT_THAT(serving.Get("/api/v1/jobs"), HasSubstr("\"id\":\"job-"));
  EXPECT_TRUE(serving.Stop().ok());
  EXPECT_EQ(Read(serving.StateDir() + "/notes.txt"), "mine");
}

TEST(Serve, ReloadsPolicyAndPricesAndKeepsTheLastGoodOnes) {
  const std::string named = std::string(kFleet) + "---\nkind: Policy\nname: ";
  Serving serving(named + "first\n");
  ASSERT_TRUE(serving.Start()) << serving.Stop();
  EXPECT_THAT(serving.Get("/api/v1/policy"), HasSubstr("\"name\":\"first\""));
  serving.Write(named +
                "second\n---\nkind: Prices\nprices:\n"
                "  - {pool: local, from: 2020-01-01T00:00:00Z, node_hour: 0.30 USD}\n");
  ::kill(::getpid(), SIGHUP);
  const auto comes = [&](const std::string& target, const std::string& words) {
    for (int i = 0; i < 2000; ++i) {
      if (serving.Get(target).find(words) != std::string::npos) return true;
      absl::SleepFor(absl::Milliseconds(5));
    }
    return false;
  };
  EXPECT_TRUE(comes("/api/v1/policy", "\"name\":\"second\""));
  EXPECT_TRUE(comes("/api/v1/pools/local/price", "0.300000000"));
  serving.Write(named + "third\nclaim: {order: sideways}\n");
  ::kill(::getpid(), SIGHUP);
  EXPECT_TRUE(comes("/metrics", "spillway_config_last_reload_successful 0"));
  EXPECT_THAT(serving.Get("/api/v1/policy"), HasSubstr("\"name\":\"second\""));
  EXPECT_TRUE(serving.Stop().ok());
}

TEST(Serve, AReloadTakesInTheWholeFileOrNothingOfIt) {
  Serving serving;
  ASSERT_TRUE(serving.Start()) << serving.Stop();
  const auto with = [](const std::string& name) {
    return "  - name: " + name + R"(
    adapter: {type: modelled}
    device: nvidia-a10g-24g
    node: {cpus: 4, memory: 16GiB, devices: 1}
    billing: metered
    price: {node_hour: 1 USD}
    runtimes: {cuda: "12.4"}
)";
  };
  const std::string more = kFleet + with("more");
  serving.Write(more + with("keyless"));
  ::kill(::getpid(), SIGHUP);
  EXPECT_TRUE(serving.Comes("/metrics", "\nspillway_config_last_reload_successful 0"));
  EXPECT_THAT(serving.Get("/api/v1/pools/more"), HasSubstr("\"status\":404"));
  serving.Write(more);
  ::kill(::getpid(), SIGHUP);
  EXPECT_TRUE(serving.Comes("/api/v1/pools/more", "\"name\":\"more\""));
  EXPECT_TRUE(serving.Comes("/metrics", "\nspillway_config_last_reload_successful 1"));
  EXPECT_TRUE(serving.Stop().ok());
}

TEST(Serve, WithKeysOthersMayReachItAndAReloadTakesAKeyBack) {
  Serving serving(ServerWith(kGoodKey, "reader") + kFleet);
  ServeOptions options = serving.Options();
  options.listen = "0.0.0.0:0";
  ASSERT_TRUE(serving.Start(options)) << serving.Stop();
  EXPECT_EQ(serving.StatusOf("/api/v1/pools", "good key"), 200);
  EXPECT_EQ(serving.StatusOf("/api/v1/pools", "other key"), 401);
  EXPECT_EQ(serving.Get("/healthz"), "ok\n");
  // Without any keys everybody who reaches this address could do everything.
  serving.Write(std::string("kind: Server\nlisten: 127.0.0.1:0\n---\n") + kFleet);
  ::kill(::getpid(), SIGHUP);
  EXPECT_TRUE(serving.Comes("/metrics", "spillway_config_last_reload_successful 0"));
  EXPECT_EQ(serving.StatusOf("/api/v1/pools", "good key"), 200);
  EXPECT_EQ(serving.StatusOf("/api/v1/pools", "other key"), 401);
  serving.Write(ServerWith(std::string(64, 'a'), "reader") + kFleet);
  ::kill(::getpid(), SIGHUP);
  EXPECT_TRUE(serving.Comes("/metrics", "\nspillway_config_last_reload_successful 1"));
  EXPECT_EQ(serving.StatusOf("/api/v1/pools", "good key"), 401);
  EXPECT_TRUE(serving.Stop().ok());
}

struct Wrong {
  std::string name, config, listen, says;
};
class ServeRefuses : public testing::TestWithParam<Wrong> {};
TEST_P(ServeRefuses, BeforeAnythingIsTouched) {
  Serving serving(GetParam().config);
  ServeOptions options = serving.Options();
  options.listen.reset();
  if (!GetParam().listen.empty()) options.listen = GetParam().listen;
  EXPECT_FALSE(serving.Start(options));
  const absl::Status status = serving.Stop();
  EXPECT_TRUE(absl::IsInvalidArgument(status)) << status;
  EXPECT_THAT(std::string(status.message()), HasSubstr(GetParam().says));
  EXPECT_FALSE(std::filesystem::exists(serving.StateDir()));
}
INSTANTIATE_TEST_SUITE_P(
    All, ServeRefuses,
    testing::Values(Wrong{"NoFleet", "kind: Server\n", "127.0.0.1:0", "Fleet"},
                    Wrong{"OpenToOthers", kFleet, "0.0.0.0:0", "needs `keys:`"},
                    Wrong{"NoAddress", kFleet, "here", "HOST:PORT"},
                    Wrong{"KeyOfNoRole", ServerWith(std::string(64, 'a'), "submiter") + kFleet,
                          "127.0.0.1:0", "did you mean `submitter`"},
                    Wrong{"KeyThatIsNoHash", ServerWith("secret", "submitter") + kFleet,
                          "127.0.0.1:0", "SHA-256"},
                    Wrong{"PolicyThatCannotWork",
                          std::string(kFleet) +
                              "---\nkind: Policy\nrules:\n"
                              "  - {name: all, when: {}, claim: [{kind: cpu}]}\n"
                              "  - {name: never, when: {}, claim: [{kind: cpu}]}\n",
                          "127.0.0.1:0", "policy: rules[1]"}),
    [](const auto& row) { return row.param.name; });

// systemd's side of it, with a watchdog that is fed while the control strand answers.
TEST(Serve, TellsTheSystemdNoticesWhenItIsReadyAliveReloadingAndStopping) {
  const testing_support::TemporaryFolder folder;
  const testing_support::NotifySocket manager(folder.Of("notify"));
  ::setenv("WATCHDOG_USEC", "100000", 1);
  Serving serving;
  ASSERT_TRUE(serving.Start());
  EXPECT_TRUE(manager.Hears("READY=1"));
  EXPECT_TRUE(manager.Hears("WATCHDOG=1"));
  ::kill(::getpid(), SIGHUP);
  EXPECT_TRUE(manager.Hears("RELOADING=1"));
  EXPECT_TRUE(manager.Hears("READY=1"));
  EXPECT_TRUE(serving.Stop().ok());
  EXPECT_TRUE(manager.Hears("STOPPING=1"));
  ::unsetenv("WATCHDOG_USEC");
}

TEST(Serve, RunsOnceAtATimeInAProcess) {
  Serving serving;
  ASSERT_TRUE(serving.Start()) << serving.Stop();
  EXPECT_TRUE(absl::IsFailedPrecondition(RunServe(serving.Options())));
  EXPECT_EQ(serving.Get("/healthz"), "ok\n");
  EXPECT_TRUE(serving.Stop().ok());
}

TEST(Serve, AnAddressThatIsTakenIsToldAndNoAddressIsLeftBehind) {
  const int taken = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in at{};
  at.sin_family = AF_INET;
  at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof at;
  ASSERT_EQ(::bind(taken, reinterpret_cast<sockaddr*>(&at), size), 0);
  ASSERT_EQ(::listen(taken, 1), 0);
  ASSERT_EQ(::getsockname(taken, reinterpret_cast<sockaddr*>(&at), &size), 0);
  Serving serving;
  ServeOptions options = serving.Options();
  options.listen = absl::StrCat("127.0.0.1:", ntohs(at.sin_port));
  EXPECT_FALSE(serving.Start(options));
  EXPECT_TRUE(absl::IsUnavailable(serving.Stop()));
  EXPECT_FALSE(std::filesystem::exists(serving.AddressPath()));
  ::close(taken);
}

}  // namespace
}  // namespace spillway
