#pragma once

#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <sstream>
#include <string>
#include <vector>

#include "bench/router_traffic.h"

// The programs under test: started here, each alone on one core, and asked what they used.
namespace spillway::bench {

inline void PinTo(int core) {
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(static_cast<std::size_t>(core), &set);
  ::sched_setaffinity(0, sizeof set, &set);
}

// A port that nobody has at this moment.
inline std::uint16_t FreePort() {
  Engine probe;
  return probe.port();
}

// A proxy and its children.
class Proxy {
 public:
  // `headers`: lines that its requests need beside those of all. `pass_time`: takes a moment;
  // called until it listens.
  Proxy(std::string name, std::string command, std::uint16_t port, int core, std::string headers,
        const std::function<void()>& pass_time)
      : name_(std::move(name)), headers_(std::move(headers)), port_(port), pid_(::fork()) {
    if (pid_ == 0) {
      ::prctl(PR_SET_PDEATHSIG, SIGKILL);
      ::setpgid(0, 0);
      PinTo(core);
      const std::string exec = "exec " + command;
      ::execl("/bin/sh", "sh", "-c", exec.c_str(), nullptr);
      ::_exit(127);
    }
    ::setpgid(pid_, pid_);
    for (const auto end = Clock::now() + std::chrono::seconds(30); Clock::now() < end;) {
      const int fd = ConnectTo(port_);
      if (fd >= 0) {
        ::close(fd);
        return;
      }
      pass_time();
    }
    std::fprintf(stderr, "%s did not listen on port %u within 30 s: %s\n", name_.c_str(), port_,
                 command.c_str());
    std::exit(1);
  }
  ~Proxy() {
    ::kill(-pid_, SIGTERM);
    for (int i = 0; i < 200 && ::waitpid(pid_, nullptr, WNOHANG) == 0; ++i) ::usleep(10'000);
    ::kill(-pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }
  Proxy(const Proxy&) = delete;

  const std::string& name() const { return name_; }
  std::uint16_t port() const { return port_; }
  const std::string& headers() const { return headers_; }

  // Seconds on the processor, user and system, of all its processes. To the nanosecond where the
  // kernel keeps schedstat, else to its tick.
  double CpuSeconds() const {
    double seconds = 0;
    for (const int pid : Pids()) seconds += CpuOf(pid);
    return seconds;
  }
  double ResidentMib() const {
    double pages = 0;
    for (const int pid : Pids()) {
      std::ifstream file("/proc/" + std::to_string(pid) + "/statm");
      double total = 0, resident = 0;
      if (file >> total >> resident) pages += resident;
    }
    return pages * static_cast<double>(::sysconf(_SC_PAGESIZE)) / (1 << 20);
  }

 private:
  const std::string name_, headers_;
  const std::uint16_t port_;
  const int pid_;

  // Of its process group.
  std::vector<int> Pids() const {
    std::vector<int> pids;
    for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
      const int pid = std::atoi(entry.path().filename().c_str());
      if (pid > 0 && ::getpgid(pid) == pid_) pids.push_back(pid);
    }
    return pids;
  }
  static double CpuOf(int pid) {
    double nanos = 0;
    std::error_code gone;
    const std::string tasks = "/proc/" + std::to_string(pid) + "/task";
    for (const auto& task : std::filesystem::directory_iterator(tasks, gone)) {
      std::ifstream file(task.path() / "schedstat");
      double on_cpu = 0;
      if (file >> on_cpu) nanos += on_cpu;
    }
    return nanos > 0 ? nanos / 1e9 : TicksOf(pid);
  }
  static double TicksOf(int pid) {
    std::ifstream file("/proc/" + std::to_string(pid) + "/stat");
    std::stringstream text;
    text << file.rdbuf();
    const std::string stat = text.str();
    std::istringstream fields(stat.substr(std::min(stat.rfind(')'), stat.size())));
    std::string skipped;
    for (int i = 0; i < 12; ++i) fields >> skipped;  // state to cmajflt
    double user = 0, system = 0;
    fields >> user >> system;
    return (user + system) / static_cast<double>(::sysconf(_SC_CLK_TCK));
  }
};

inline std::string WriteFile(const std::filesystem::path& path, const std::string& text) {
  std::ofstream(path) << text;
  return path.string();
}

// http-no-delay: without it HAProxy holds the events of a stream back and sends them in clumps.
// Plain proxies in front of the engine, as their manuals advise for one upstream with kept
// connections; nothing is logged.
inline std::string NginxCommand(const std::filesystem::path& folder, std::uint16_t port,
                                std::uint16_t engine) {
  const std::string at = folder.string();
  const std::string config =
      WriteFile(folder / "nginx.conf",
                "daemon off; master_process off; worker_processes 1; pid " + at +
                    "/nginx.pid;\n"
                    "error_log " +
                    at +
                    "/nginx.log crit;\n"
                    "events { worker_connections 4096; }\n"
                    "http {\n access_log off; keepalive_requests 1000000000; tcp_nodelay on;\n"
                    " client_body_temp_path " +
                    at + "/b; proxy_temp_path " + at +
                    "/p;\n"
                    " fastcgi_temp_path " +
                    at + "/f; uwsgi_temp_path " + at + "/u; scgi_temp_path " + at +
                    "/s;\n"
                    " client_body_buffer_size 64k;\n"
                    " upstream engine { server 127.0.0.1:" +
                    std::to_string(engine) +
                    "; keepalive 256;"
                    " keepalive_requests 1000000000; }\n"
                    " server { listen 127.0.0.1:" +
                    std::to_string(port) +
                    ";\n"
                    "  location / { proxy_pass http://engine; proxy_http_version 1.1;"
                    " proxy_set_header Connection \"\"; proxy_buffering off; } }\n}\n");
  return "nginx -e " + at + "/nginx.log -c " + config;
}

inline std::string HaproxyCommand(const std::filesystem::path& folder, std::uint16_t port,
                                  std::uint16_t engine) {
  const std::string config = WriteFile(
      folder / "haproxy.cfg",
      "global\n nbthread 1\n maxconn 4096\n"
      "defaults\n mode http\n option http-keep-alive\n http-reuse always\n option http-no-delay\n"
      " timeout connect 5s\n timeout client 75s\n timeout server 60s\n timeout http-request 10s\n"
      "frontend in\n bind 127.0.0.1:" +
          std::to_string(port) +
          "\n default_backend engine\n"
          "backend engine\n server one 127.0.0.1:" +
          std::to_string(engine) + "\n");
  return "haproxy -db -q -f " + config;
}

inline std::string CaddyCommand(const std::filesystem::path& folder, std::uint16_t port,
                                std::uint16_t engine) {
  const std::string config = WriteFile(
      folder / "Caddyfile",
      "{\n admin off\n auto_https off\n log default {\n  output discard\n "
      "}\n}\n"
      "http://127.0.0.1:" +
          std::to_string(port) +
          " {\n bind 127.0.0.1\n reverse_proxy 127.0.0.1:" + std::to_string(engine) +
          " {\n  flush_interval -1\n  transport http {\n   keepalive_idle_conns_per_host 256\n"
          "  }\n }\n}\n");
  return "env HOME=" + folder.string() + " XDG_CONFIG_HOME=" + folder.string() +
         " XDG_DATA_HOME=" + folder.string() + " caddy run --adapter caddyfile --config " + config +
         " 2>/dev/null";
}

// Tells the Portkey gateway where the engine is: it has no configuration for that.
inline std::string PortkeyHeaders(std::uint16_t engine) {
  return "x-portkey-provider: openai\r\nx-portkey-custom-host: http://127.0.0.1:" +
         std::to_string(engine) + "/v1\r\n";
}

}  // namespace spillway::bench
