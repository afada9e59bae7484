// Durable submissions a second over HTTP: a real `spillway serve`, 16 connections that each post a
// job with an Idempotency-Key and wait for the 201. The floor in the same run, on the same disk: a
// bare loop that writes the very same rows (event, work, job, decision, answer, counters) into a
// table of the same schema, in groups of the size that the server committed.
//
// The pool is cordoned, so jobs queue: what is measured is the way in. Server, load and kernel
// share the machine; the floor has it alone.
//
// Usage: submit [SECONDS [CONNECTIONS [FOLDER]]]
#include <fcntl.h>
#include <fmt/core.h>
#include <netinet/in.h>
#include <poll.h>
#include <sqlite3.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>
#include <vector>

#include "bench/measure.h"

namespace spillway::bench {
namespace {

namespace fs = std::filesystem;

[[noreturn]] void Fail(const std::string& what) {
  fmt::print(stderr, "submit: {}\n", what);
  std::exit(1);
}

constexpr std::string_view kConfig = R"(kind: Fleet
pools:
  - name: local
    adapter: {type: process}
    kind: cpu
    node: {cpus: 1, memory: 1GiB}
    billing: committed
    price: {node_hour: 0.05 USD, as_of: 2026-07-20, source: bench}
    power: {idle: 20 W, busy: 65 W, tariff: 0.30 USD/kWh}
    site: {name: here, kind: edge, round_trip: 1ms}
    runtimes: {none: "1"}
  - name: spill
    adapter: {type: modelled}
    device: nvidia-a10g-24g
    kind: gpu
    node: {cpus: 4, memory: 16GiB, devices: 1}
    billing: metered
    price: {node_hour: 1.006 USD, as_of: 2026-07-20, source: bench}
    site: {name: cloud, kind: cloud, round_trip: 8ms}
    runtimes: {cuda: "12.4"}
)";

// One request over and over; only the key changes.
std::string RequestOf(const std::string& path, const std::string& key, const std::string& body) {
  return fmt::format(
      "POST {} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n{}Content-Length: "
      "{}\r\n\r\n{}",
      path, key.empty() ? "" : fmt::format("Idempotency-Key: {}\r\n", key), body.size(), body);
}
const std::string kJob =
    R"({"name":"thumbnails","run":{"command":["convert","in.png","-resize","320","out.png"],"env":{"LC_ALL":"C"}},)"
    R"("needs":{"cpus":1,"memory":"512MiB"},"demand":{"seconds":30},"objective":{"start_within":"30s"},)"
    R"("priority":5,"labels":{"team":"web"}})";

// A connection with at most one request in flight.
class Client {
 public:
  explicit Client(int port) : fd_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<std::uint16_t>(port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (connect(fd_, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0)
      Fail("cannot connect");
  }
  int fd() const { return fd_; }
  void Send(const std::string& request) {
    answer_.clear();
    if (write(fd_, request.data(), request.size()) != static_cast<ssize_t>(request.size()))
      Fail("cannot send");
  }
  // Reads what is there; true when the answer is whole.
  bool Receive() {
    char buffer[16384];
    const ssize_t n = read(fd_, buffer, sizeof buffer);
    if (n <= 0) Fail("the server closed a connection");
    answer_.append(buffer, static_cast<std::size_t>(n));
    const auto head = answer_.find("\r\n\r\n");
    if (head == std::string::npos) return false;
    auto length = answer_.find("Content-Length: ");
    if (length == std::string::npos) length = answer_.find("content-length: ");
    if (length == std::string::npos || length > head)
      Fail("an answer without a length: " + answer_.substr(0, head));
    return answer_.size() >= head + 4 + std::strtoul(answer_.c_str() + length + 16, nullptr, 10);
  }
  void AwaitAnswer() {
    while (!Receive()) {
    }
  }
  int status() const { return std::atoi(answer_.c_str() + 9); }
  const std::string& answer() const { return answer_; }

 private:
  int fd_;
  std::string answer_;
};

class Server {
 public:
  explicit Server(const fs::path& folder) : state_(folder / "state") {
    const fs::path config = folder / "config.yaml";
    std::ofstream(config) << kConfig;
    pid_ = fork();
    if (pid_ == 0) {
      const int log = open((folder / "serve.log").c_str(), O_CREAT | O_WRONLY | O_TRUNC, 0600);
      dup2(log, 1);
      dup2(log, 2);
      execl(SPILLWAY_PROGRAM, "spillway", "serve", "--config", config.c_str(), "--state",
            state_.c_str(), "--listen", "127.0.0.1:0", nullptr);
      _exit(127);
    }
    for (int i = 0; i < 200 && port_ == 0; ++i) {
      usleep(50'000);
      std::ifstream address(state_ / "address");
      std::string line;
      if (std::getline(address, line)) port_ = std::atoi(line.c_str() + line.rfind(':') + 1);
      if (waitpid(pid_, nullptr, WNOHANG) == pid_) break;
    }
    if (port_ == 0) Fail("the server did not start: see " + (folder / "serve.log").string());
  }
  int port() const { return port_; }
  fs::path database() const { return state_ / "spillway.db"; }
  void Stop() {
    kill(pid_, SIGTERM);
    waitpid(pid_, nullptr, 0);
  }

 private:
  fs::path state_;
  pid_t pid_ = 0;
  int port_ = 0;
};

double MetricOf(int port, const std::string& name) {
  Client client(port);
  client.Send("GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n");
  client.AwaitAnswer();
  const auto at = client.answer().find("\n" + name + " ");
  return at == std::string::npos ? 0 : std::atof(client.answer().c_str() + at + name.size() + 2);
}

struct Measured {
  double per_second = 0, p50_ms = 0, p99_ms = 0, group = 1;
  int count = 0;
};
Measured Load(int port, int connections, double seconds) {
  Client operator_client(port);
  for (const char* pool : {"local", "spill"}) {
    operator_client.Send(RequestOf(fmt::format("/api/v1/pools/{}/cordon", pool), "", ""));
    operator_client.AwaitAnswer();
    if (operator_client.status() / 100 != 2) Fail("cannot cordon: " + operator_client.answer());
  }
  const std::string commits = "spillway_store_commit_duration_seconds_count";
  const double before = MetricOf(port, commits);
  std::vector<Client> clients;
  std::vector<pollfd> polls;
  std::vector<Clock::time_point> sent(static_cast<std::size_t>(connections));
  for (int i = 0; i < connections; ++i) {
    clients.emplace_back(port);
    polls.push_back({clients.back().fd(), POLLIN, 0});
  }
  Samples latency(1 << 20);
  int next_key = 0;
  const auto start = Clock::now();
  const auto send = [&](std::size_t i) {
    sent[i] = Clock::now();
    clients[i].Send(RequestOf("/api/v1/jobs", fmt::format("key-{}", next_key++), kJob));
  };
  for (std::size_t i = 0; i < clients.size(); ++i) send(i);
  Measured measured;
  while (MicrosSince(start) < seconds * 1e6) {
    poll(polls.data(), polls.size(), 1000);
    for (std::size_t i = 0; i < clients.size(); ++i) {
      if (!(polls[i].revents & POLLIN) || !clients[i].Receive()) continue;
      if (clients[i].status() != 201) Fail("not a 201: " + clients[i].answer());
      latency.Add(MicrosSince(sent[i]) / 1e3);
      ++measured.count;
      send(i);
    }
  }
  measured.per_second = measured.count / (MicrosSince(start) / 1e6);
  measured.p50_ms = latency.Percentile(50);
  measured.p99_ms = latency.Percentile(99);
  measured.group = std::max(1.0, measured.count / std::max(1.0, MetricOf(port, commits) - before));
  return measured;
}

// ---- The floor: the same rows, written by a loop that does nothing else.

struct Table {
  std::string name, insert;
  std::vector<std::vector<std::string>> rows;
  std::vector<std::vector<bool>> is_text, is_null;
};
void Exec(sqlite3* db, const std::string& sql) {
  if (sqlite3_exec(db, sql.c_str(), nullptr, nullptr, nullptr) != SQLITE_OK)
    Fail(sql + ": " + sqlite3_errmsg(db));
}
Table Read(sqlite3* db, const std::string& name, const std::string& order) {
  Table table{.name = name};
  sqlite3_stmt* select = nullptr;
  sqlite3_prepare_v2(db, ("SELECT * FROM " + name + " ORDER BY " + order).c_str(), -1, &select,
                     nullptr);
  const int columns = sqlite3_column_count(select);
  std::string marks;
  for (int i = 0; i < columns; ++i) marks += i ? ",?" : "?";
  table.insert = "INSERT OR REPLACE INTO " + name + " VALUES(" + marks + ")";
  while (sqlite3_step(select) == SQLITE_ROW) {
    auto& row = table.rows.emplace_back();
    auto& text = table.is_text.emplace_back();
    auto& null = table.is_null.emplace_back();
    for (int i = 0; i < columns; ++i) {
      const auto* bytes = reinterpret_cast<const char*>(sqlite3_column_text(select, i));
      row.emplace_back(bytes ? bytes : "");
      text.push_back(sqlite3_column_type(select, i) == SQLITE_TEXT);
      null.push_back(sqlite3_column_type(select, i) == SQLITE_NULL);
    }
  }
  sqlite3_finalize(select);
  return table;
}
void Insert(sqlite3_stmt* insert, const Table& table, std::size_t r) {
  for (std::size_t i = 0; i < table.rows[r].size(); ++i) {
    const int at = static_cast<int>(i) + 1;
    const std::string& value = table.rows[r][i];
    if (table.is_null[r][i]) {
      sqlite3_bind_null(insert, at);
    } else if (table.is_text[r][i]) {
      sqlite3_bind_text(insert, at, value.data(), static_cast<int>(value.size()), SQLITE_STATIC);
    } else {
      sqlite3_bind_int64(insert, at, std::strtoll(value.c_str(), nullptr, 10));
    }
  }
  if (sqlite3_step(insert) != SQLITE_DONE) Fail("floor: cannot insert into " + table.name);
  sqlite3_reset(insert);
}

double Floor(const fs::path& recorded, const fs::path& fresh, std::size_t group) {
  sqlite3 *from = nullptr, *to = nullptr;
  sqlite3_open(recorded.c_str(), &from);
  sqlite3_open(fresh.c_str(), &to);
  Exec(to,
       "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA temp_store=MEMORY; PRAGMA "
       "cache_size=-65536");
  sqlite3_stmt* schema = nullptr;
  sqlite3_prepare_v2(
      from, "SELECT sql FROM sqlite_master WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite_%'", -1,
      &schema, nullptr);
  while (sqlite3_step(schema) == SQLITE_ROW)
    Exec(to, reinterpret_cast<const char*>(sqlite3_column_text(schema, 0)));
  sqlite3_finalize(schema);
  std::vector<Table> tables{Read(from, "works", "job"), Read(from, "jobs", "id"),
                            Read(from, "decisions", "id"), Read(from, "answers", "rowid")};
  Table events = Read(
      from, "events WHERE kind IN (SELECT kind FROM events WHERE number IN (SELECT id FROM jobs))",
      "number");
  events.insert = "INSERT OR REPLACE INTO events VALUES(?,?,?,?)";
  tables.push_back(std::move(events));
  const Table counters = Read(from, "counters", "id");
  sqlite3_close(from);
  std::size_t jobs = tables[1].rows.size();
  for (const Table& table : tables) jobs = std::min(jobs, table.rows.size());
  if (jobs == 0) Fail("floor: the server recorded nothing");
  std::vector<sqlite3_stmt*> inserts(tables.size() + 1);
  for (std::size_t i = 0; i < tables.size(); ++i)
    sqlite3_prepare_v2(to, tables[i].insert.c_str(), -1, &inserts[i], nullptr);
  sqlite3_prepare_v2(to, counters.insert.c_str(), -1, &inserts.back(), nullptr);
  const auto start = Clock::now();
  for (std::size_t r = 0; r < jobs; r += group) {
    Exec(to, "BEGIN IMMEDIATE");
    for (std::size_t i = r; i < std::min(r + group, jobs); ++i) {
      for (std::size_t t = 0; t < tables.size(); ++t) Insert(inserts[t], tables[t], i);
    }
    Insert(inserts.back(), counters, 0);
    Exec(to, "COMMIT");
  }
  const double seconds = MicrosSince(start) / 1e6;
  for (sqlite3_stmt* insert : inserts) sqlite3_finalize(insert);
  sqlite3_close(to);
  return static_cast<double>(jobs) / seconds;
}

int Main(double seconds, int connections, const fs::path& parent) {
  std::string name = (parent / "spillway-bench-XXXXXX").string();
  if (mkdtemp(name.data()) == nullptr) Fail("cannot make a folder in " + parent.string());
  const fs::path folder = name;
  Server server(folder);
  const Measured measured = Load(server.port(), connections, seconds);
  server.Stop();
  const auto group = static_cast<std::size_t>(std::max(1.0, measured.group + 0.5));
  const double floor = Floor(server.database(), folder / "floor.db", group);
  fmt::print("{} connections, {} submissions, {:.1f} to a commit\n", connections, measured.count,
             measured.group);
  fmt::print("spillway, durable, over HTTP  {:>9.0f} /s   p50 {:.2f} ms   p99 {:.2f} ms\n",
             measured.per_second, measured.p50_ms, measured.p99_ms);
  fmt::print("bare loop, the same rows      {:>9.0f} /s\n", floor);
  fmt::print("ratio                         {:>9.2f}      (at least 0.50)\n",
             measured.per_second / floor);
  fmt::print(
      "against slurmrestd's 809 /s   {:>9.1f} x    (at least 10; measured apart, at 16 "
      "connections)\n",
      measured.per_second / 809);
  fs::remove_all(folder);
  return 0;
}

}  // namespace
}  // namespace spillway::bench

int main(int argc, char** argv) {
  const bool smoke = std::getenv("SPILLWAY_BENCH_SMOKE") != nullptr;
  std::vector<std::string> args;
  for (int i = 1; i < argc; ++i) {
    if (argv[i][0] != '-') args.emplace_back(argv[i]);
  }
  const double seconds = args.empty() ? (smoke ? 1 : 10) : std::atof(args[0].c_str());
  const int connections = args.size() > 1 ? std::atoi(args[1].c_str()) : 16;
  return spillway::bench::Main(seconds, connections, args.size() > 2 ? args[2] : ".");
}
