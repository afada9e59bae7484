// What it costs to ask engines how they are: endpoints in one child process, each with a page of
// metrics like vLLM's, scraped every so often by EndpointWatch in this one.
//
//   scrape [--endpoints 100] [--every-ms 50] [--seconds 10] [--page-kb 32]
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include <atomic>
#include <cstdlib>

#include "absl/time/clock.h"
#include "adapters/openai/endpoint_watch.h"
#include "bench/router_traffic.h"
#include "fmt/format.h"

namespace spillway::bench {
namespace {

std::string MetricsPage(std::size_t size) {
  std::string page;
  for (int i = 0; page.size() < size; ++i) {
    page += fmt::format(
        "vllm:e2e_request_latency_seconds_bucket{{engine=\"0\",le=\"{}.0\",model_name=\"m\"}} "
        "0.0\n",
        i);
    if (i == 100) {
      page +=
          "vllm:num_requests_running{engine=\"0\",model_name=\"m\"} 3.0\n"
          "vllm:num_requests_waiting{engine=\"0\",model_name=\"m\"} 1.0\n"
          "vllm:kv_cache_usage_perc{engine=\"0\",model_name=\"m\"} 0.25\n";
    }
  }
  return page;
}

// Answers any number of GETs on one connection.
class PagePeer final : public Peer {
 public:
  PagePeer(int fd, const std::string& page) : Peer(fd), page_(page) {}
  void Readable(Loop&) override {
    if (!Receive()) return;
    while (in_.find("\r\n\r\n") != in_.npos) {
      const bool metrics = in_.starts_with("GET /metrics");
      const std::string body = metrics ? page_ : R"({"data":[{"id":"m"}]})";
      Send(fmt::format("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", body.size()) + body);
      in_.erase(0, in_.find("\r\n\r\n") + 4);
    }
  }

 private:
  const std::string& page_;
};

class PageServer final : public Peer {
 public:
  explicit PageServer(const std::string& page) : Peer(Engine::Listen()), page_(page) {}
  void Readable(Loop& loop) override {
    for (int fd; (fd = ::accept4(this->fd(), nullptr, nullptr, SOCK_NONBLOCK)) >= 0;) {
      peers_.push_back(std::make_unique<PagePeer>(fd, page_));
      loop.Add(*peers_.back());
    }
  }

 private:
  const std::string& page_;
  std::vector<std::unique_ptr<PagePeer>> peers_;
};

double CpuSeconds() {
  rusage used{};
  ::getrusage(RUSAGE_SELF, &used);
  const auto seconds = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) / 1e6;
  };
  return seconds(used.ru_utime) + seconds(used.ru_stime);
}

int Run(int endpoints, int every_ms, double seconds, std::size_t page_kb) {
  const std::string page = MetricsPage(page_kb * 1024);
  std::vector<std::unique_ptr<PageServer>> servers;
  std::vector<WatchedEndpoint> watched;
  for (int i = 0; i < endpoints; ++i) {
    servers.push_back(std::make_unique<PageServer>(page));
    WatchedEndpoint one;
    one.url = fmt::format("http://127.0.0.1:{}/v1", PortOf(servers.back()->fd()));
    one.kind = FindEngineKind("vllm");
    watched.push_back(one);
  }
  const int child = ::fork();
  if (child == 0) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    Loop loop(/*may_sleep=*/true);
    for (const auto& server : servers) loop.Add(*server);
    loop.RunUntil(Clock::now() + std::chrono::hours(1), [] {});
    ::_exit(0);
  }
  std::atomic<std::uint64_t> told{0}, known{0};
  WatchOptions options;
  options.metrics = absl::Milliseconds(every_ms);
  {
    const auto watch =
        EndpointWatch::Start(watched, options, [&](std::size_t, const EndpointSignals& signals) {
          told += 1;
          known += signals.up && signals.load.running == 3;
        });
    if (!watch.ok()) return fmt::print(stderr, "{}\n", std::string(watch.status().message())), 1;
    absl::SleepFor(absl::Seconds(1));
    const double cpu = CpuSeconds();
    const std::uint64_t before = told, known_before = known;
    const auto start = Clock::now();
    absl::SleepFor(absl::Seconds(seconds));
    const double took = MicrosSince(start) / 1e6;
    const double cores = (CpuSeconds() - cpu) / took;
    const auto pages = static_cast<double>(told - before);
    fmt::print(
        "{} endpoints every {} ms, pages of {} kB: {:.0f} a second ({:.1f} % fresh), {:.3f} cores, "
        "{:.1f} us each\n",
        endpoints, every_ms, page_kb, pages / took,
        100 * static_cast<double>(known - known_before) / pages, cores, cores * took / pages * 1e6);
  }
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
  return 0;
}

}  // namespace
}  // namespace spillway::bench

int main(int argc, char** argv) {
  int endpoints = 100, every_ms = 50, page_kb = 32;
  double seconds = std::getenv("SPILLWAY_BENCH_SMOKE") != nullptr ? 1 : 10;
  for (int i = 1; i + 1 < argc; i += 2) {
    const std::string name = argv[i];
    if (name == "--endpoints") endpoints = std::atoi(argv[i + 1]);
    if (name == "--every-ms") every_ms = std::atoi(argv[i + 1]);
    if (name == "--seconds") seconds = std::atof(argv[i + 1]);
    if (name == "--page-kb") page_kb = std::atoi(argv[i + 1]);
  }
  return spillway::bench::Run(endpoints, every_ms, seconds, static_cast<std::size_t>(page_kb));
}
