// What a routed request costs, next to plain proxies: requests a second, latency, CPU and memory
// of a program on one core, over one engine that answers from memory. Clients and engine share
// another core.
//
//   router [--rounds 5] [--seconds 2] [--only haproxy,nginx,caddy,portkey,relay,spillway] [--work
//   stream]
//          [--target 'NAME=COMMAND'] ...
//
// COMMAND starts a program that serves OpenAI's API; {port} and {engine} in it become the port to
// listen on (127.0.0.1) and the engine's HOST:PORT. Rounds are interleaved, so that what disturbs
// the machine disturbs all alike; the table shows medians, and ratios to HAProxy's.
#include <cstdlib>
#include <optional>

#include "bench/router_proxies.h"
#include "fmt/format.h"

namespace spillway::bench {
namespace {

struct Figures {
  double rate = 0, p50 = 0, p99 = 0, cpu = 0, mib = 0,
         pieces = 0;  // 1/s; us; us; CPU seconds per 1,000; MiB
  std::uint64_t errors = 0;
};

struct Options {
  int rounds = 5;
  double seconds = 2;
  std::string only;  // names of programs; "": all
  std::string work;  // part of a workload's name
  std::vector<std::pair<std::string, std::string>> targets;
};

double Median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values.empty() ? 0 : values[values.size() / 2];
}

Figures MedianOf(const std::vector<Figures>& rounds) {
  Figures out;
  for (double Figures::*const field : {&Figures::rate, &Figures::p50, &Figures::p99, &Figures::cpu,
                                       &Figures::mib, &Figures::pieces}) {
    std::vector<double> values;
    for (const Figures& one : rounds) values.push_back(one.*field);
    out.*field = Median(std::move(values));
  }
  for (const Figures& one : rounds) out.errors += one.errors;
  return out;
}

// One workload against one proxy: a fifth of the time to warm up, then what is counted.
Figures RunRound(Loop& loop, Engine& engine, const Proxy& proxy, const Workload& work,
                 double seconds) {
  Tally warm_up, tally;
  std::vector<std::unique_ptr<ClientPeer>> clients;
  const auto run = [&](Tally& into, double span) {
    clients.clear();
    for (int i = 0; i < work.clients; ++i) {
      clients.push_back(std::make_unique<ClientPeer>(
          ConnectTo(proxy.port()), RequestText(work.body, proxy.headers()), into));
      loop.Add(*clients.back());
      clients.back()->Ask();
    }
    const auto end = Clock::now() + std::chrono::duration_cast<Clock::duration>(
                                        std::chrono::duration<double>(span));
    loop.RunUntil(end, [&] { engine.Tick(); });
  };
  run(warm_up, seconds / 5);
  const double cpu = proxy.CpuSeconds();
  const auto start = Clock::now();
  run(tally, seconds);
  const double took = MicrosSince(start) / 1e6;
  Figures out;
  const auto answers = static_cast<double>(tally.answers);
  out.cpu = (proxy.CpuSeconds() - cpu) / answers * 1000;
  out.rate = answers / took;
  out.p50 = tally.micros.Percentile(50);
  out.p99 = tally.micros.Percentile(99);
  out.mib = proxy.ResidentMib();
  out.pieces = static_cast<double>(tally.pieces) / answers;
  out.errors = tally.errors;
  clients.clear();
  loop.RunUntil(Clock::now() + std::chrono::milliseconds(50), [&] { engine.Tick(); });
  engine.Sweep();
  return out;
}

void Replace(std::string* text, const std::string& what, const std::string& with) {
  for (auto at = text->find(what); at != text->npos; at = text->find(what, at + with.size())) {
    text->replace(at, what.size(), with);
  }
}

void Print(const Workload& work, const std::vector<std::unique_ptr<Proxy>>& proxies,
           const std::map<std::string, std::vector<Figures>>& rounds) {
  fmt::print("\n{}, {} clients\n{:<12}{:>12}{:>10}{:>10}{:>14}{:>8}{:>8}{:>8}{:>8}\n", work.name,
             work.clients, "", "requests/s", "p50 us", "p99 us", "CPU s/1,000", "MiB", "pieces",
             "CPU x", "rate x");
  std::optional<Figures> base;
  if (const auto at = rounds.find("haproxy"); at != rounds.end()) base = MedianOf(at->second);
  for (const auto& proxy : proxies) {
    const Figures one = MedianOf(rounds.at(proxy->name()));
    fmt::print("{:<12}{:>12.0f}{:>10.0f}{:>10.0f}{:>14.4f}{:>8.1f}{:>8.1f}{:>8.2f}{:>8.2f}{}\n",
               proxy->name(), one.rate, one.p50, one.p99, one.cpu, one.mib, one.pieces,
               base ? one.cpu / base->cpu : 0, base ? one.rate / base->rate : 0,
               one.errors ? fmt::format("  {} errors", one.errors) : "");
  }
}

int Run(Options options, const std::filesystem::path& here) {
  const long cores = ::sysconf(_SC_NPROCESSORS_ONLN);
  if (cores < 2) return fmt::print(stderr, "router: needs two cores\n"), 1;
  PinTo(0);
  char folder[] = "/tmp/spillway-router-XXXXXX";
  if (!::mkdtemp(folder)) Die("mkdtemp");
  Loop loop;
  Engine engine;
  loop.Add(engine);
  const auto wanted = [&](const std::string& name) {
    return options.only.empty() ||
           ("," + options.only + ",").find("," + name + ",") != std::string::npos;
  };
  std::vector<std::unique_ptr<Proxy>> proxies;
  const auto start = [&](const std::string& name, std::uint16_t port, const std::string& command,
                         const std::string& program = "", const std::string& headers = "") {
    if (!wanted(name)) return;
    const std::string needed = program.empty() ? command.substr(0, command.find(' ')) : program;
    if (std::system(("command -v " + needed + " >/dev/null").c_str()) != 0) {
      fmt::print("{} is left out: {} is not here\n", name, needed);
      return;
    }
    // A router asks its engines how they are before it begins.
    proxies.push_back(std::make_unique<Proxy>(name, command, port, 1, headers, [&] {
      loop.RunUntil(Clock::now() + std::chrono::milliseconds(10), [&] { engine.Tick(); });
    }));
  };
  const std::string at = "127.0.0.1:" + std::to_string(engine.port());
  std::uint16_t port = FreePort();
  start("haproxy", port, HaproxyCommand(folder, port, engine.port()));
  port = FreePort();
  start("nginx", port, NginxCommand(folder, port, engine.port()));
  port = FreePort();
  start("caddy", port, CaddyCommand(folder, port, engine.port()), "caddy");
  port = FreePort();
  const std::string portkey = SPILLWAY_SOURCE_DIR
      "/bench/peers/portkey/node_modules/@portkey-ai/gateway/build/start-server.js";
  start("portkey", port,
        "node " + portkey + " --headless --port=" + std::to_string(port) + " >/dev/null 2>&1",
        portkey, PortkeyHeaders(engine.port()));
  port = FreePort();
  start("relay", port,
        (here / "parts/router_relay").string() + " 127.0.0.1:" + std::to_string(port) + " " + at);
  port = FreePort();
  start("spillway", port,
        std::string(SPILLWAY_SOURCE_DIR "/bench/router-serve ") +
            (here.parent_path() / "spillway").string() + " " + std::to_string(port) + " " + at);
  for (auto& [name, command] : options.targets) {
    port = FreePort();
    Replace(&command, "{port}", std::to_string(port));
    Replace(&command, "{engine}", at);
    start(name, port, command);
  }
  for (const Workload& work : Workloads()) {
    if (work.name.find(options.work) == std::string::npos) continue;
    std::map<std::string, std::vector<Figures>> rounds;
    for (int i = 0; i < options.rounds; ++i) {
      for (const auto& proxy : proxies) {
        rounds[proxy->name()].push_back(RunRound(loop, engine, *proxy, work, options.seconds));
      }
    }
    Print(work, proxies, rounds);
    std::fflush(stdout);
  }
  proxies.clear();
  std::filesystem::remove_all(folder);
  return 0;
}

}  // namespace
}  // namespace spillway::bench

int main(int argc, char** argv) {
  spillway::bench::Options options;
  if (std::getenv("SPILLWAY_BENCH_SMOKE") != nullptr) {
    options.rounds = 1;
    options.seconds = 0.2;
  }
  for (int i = 1; i + 1 < argc; i += 2) {
    const std::string name = argv[i], value = argv[i + 1];
    if (name == "--rounds") options.rounds = std::atoi(value.c_str());
    if (name == "--seconds") options.seconds = std::atof(value.c_str());
    if (name == "--only") options.only = value;
    if (name == "--work") options.work = value;
    if (const auto cut = value.find('='); name == "--target" && cut != value.npos) {
      options.targets.emplace_back(value.substr(0, cut), value.substr(cut + 1));
    }
  }
  return spillway::bench::Run(options, std::filesystem::canonical("/proc/self/exe").parent_path());
}
