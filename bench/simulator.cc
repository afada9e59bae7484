// How quick is the simulator's queue of events? The hold model at 1,000 to 1,000,000 pending events
// against std::priority_queue over the same events in the same order, and where they were built in,
// against ns-3's schedulers and SimGrid: in one run, round by round, medians of CPU time.
//   simulator [ROUNDS]        5 if not said; SPILLWAY_BENCH_SMOKE is set: briefly
#include "bench/hold.h"

#include <fmt/core.h>

#include <algorithm>
#include <boost/random/exponential_distribution.hpp>
#include <boost/random/mersenne_twister.hpp>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <queue>
#include <string>
#include <utility>
#include <vector>

#include "bench/measure.h"
#include "simulator/event_queue.h"

namespace spillway::bench {
namespace {

using Event = TimedEvent<std::uint64_t>;

struct Later {
  bool operator()(const Event& a, const Event& b) const { return b < a; }
};
class StandardQueue {
 public:
  void Push(std::int64_t time, EventClass event_class, std::uint64_t payload) {
    events_.push({time, static_cast<std::uint64_t>(event_class) << 56 | next_++, payload});
  }
  Event Pop() {
    const Event first = events_.top();
    events_.pop();
    return first;
  }

 private:
  std::priority_queue<Event, std::vector<Event>, Later> events_;
  std::uint64_t next_ = 0;
};

// Holds a second, once the queue has settled.
template <class Queue>
double Hold(const std::string& kind, std::int64_t pending, std::int64_t holds) {
  Queue queue;
  Delays delays(kind);
  for (std::int64_t i = 0; i < pending; ++i) {
    queue.Push(delays.Next(), static_cast<EventClass>(i % 6), static_cast<std::uint64_t>(i));
  }
  const auto hold = [&](std::int64_t times) {
    for (; times > 0; --times) {
      const Event event = queue.Pop();
      queue.Push(event.time + delays.Next(), event.event_class(), event.payload);
    }
  };
  hold(holds / 4 + pending);
  const double start = SecondsComputed();
  hold(holds);
  return static_cast<double>(holds) / (SecondsComputed() - start);
}

struct QueueFigures {
  double wait = 0;        // mean, in services
  double per_second = 0;  // customers
};
// One queue, one server, 0.8 full: the same draws as SimGrid's program.
QueueFigures OneServer(std::int64_t customers) {
  boost::random::mt19937_64 arrival_draws(1), service_draws(2);
  boost::random::exponential_distribution<> between(0.8), service(1.0);
  const auto after = [](double seconds) { return static_cast<std::int64_t>(seconds * 1e9); };
  EventQueue<std::uint64_t> queue;
  std::deque<std::int64_t> line;  // arrivals of those that wait, behind the one that is served
  bool busy = false;
  double waited = 0;
  std::int64_t arrived = 0;
  const auto serve = [&](std::int64_t now, std::int64_t since) {
    waited += static_cast<double>(now - since) * 1e-9;
    queue.Push(now + after(service(service_draws)), EventClass::kStep, 0);
  };
  const double start = SecondsComputed();
  queue.Push(after(between(arrival_draws)), EventClass::kArrival, 0);
  while (!queue.empty()) {
    const Event event = queue.Pop();
    if (event.event_class() == EventClass::kArrival) {
      if (++arrived < customers)
        queue.Push(event.time + after(between(arrival_draws)), EventClass::kArrival, 0);
      if (std::exchange(busy, true)) {
        line.push_back(event.time);
      } else {
        serve(event.time, event.time);
      }
    } else if (line.empty()) {
      busy = false;
    } else {
      serve(event.time, line.front());
      line.pop_front();
    }
  }
  const auto all = static_cast<double>(customers);
  return {waited / all, all / (SecondsComputed() - start)};
}

// What another program prints; empty if it fails.
std::string OutputOf(const std::string& command) {
  std::FILE* const pipe = ::popen(command.c_str(), "r");
  if (pipe == nullptr) return "";
  std::string out;
  for (int c; (c = std::fgetc(pipe)) != EOF;) out += static_cast<char>(c);
  return ::pclose(pipe) == 0 ? out : "";
}

struct Rounds {
  int count = 5;
  bool smoke = false;
  std::int64_t Few(std::int64_t n) const { return smoke ? n / 20 : n; }
};

double Median(Samples& samples) { return samples.Percentile(50); }

void AgainstTheStandard(const Rounds& rounds) {
  fmt::print("hold model: millions of holds a second\n{:<12} {:>9} {:>9} {:>15} {:>7}\n", "delays",
             "pending", "ladder", "priority_queue", "ratio");
  for (const char* const kind : {"exponential", "uniform", "bimodal"}) {
    for (const std::int64_t pending : {1'000, 100'000, 1'000'000}) {
      if (rounds.smoke && pending > 100'000) continue;
      Samples ours(9), theirs(9), ratios(9);
      for (int round = 0; round < rounds.count; ++round) {
        const double a = Hold<EventQueue<std::uint64_t>>(kind, pending, rounds.Few(2'000'000));
        const double b = Hold<StandardQueue>(kind, pending, rounds.Few(2'000'000));
        ours.Add(a / 1e6);
        theirs.Add(b / 1e6);
        ratios.Add(a / b);
      }
      fmt::print("{:<12} {:>9} {:>9.1f} {:>15.1f} {:>7.2f}\n", kind, pending, Median(ours),
                 Median(theirs), Median(ratios));
    }
  }
}

void AgainstNs3(const Rounds& rounds) {
  const std::string program = SPILLWAY_NS3_HOLD;
  if (program.empty()) {
    fmt::print("\nns-3: skipped, not found when this was configured (libns3-dev)\n");
    return;
  }
  constexpr std::int64_t kPending = 100'000;
  Samples ours(9), theirs(9), ratios(9);
  std::string best;
  for (int round = 0; round < rounds.count; ++round) {
    const std::string out =
        OutputOf(fmt::format("'{}' {} {}", program, kPending, rounds.Few(1'000'000)));
    double quickest = 0;
    for (std::size_t at = 0; at < out.size(); at = out.find('\n', at) + 1) {
      const std::size_t space = out.find(' ', at);
      const double holds = std::atof(out.c_str() + space + 1);
      if (holds > quickest) best = out.substr(at, space - at);
      quickest = std::max(quickest, holds);
    }
    if (quickest == 0) {
      fmt::print("\nns-3: skipped, {} failed\n", program);
      return;
    }
    const double a =
        Hold<EventQueue<std::uint64_t>>("exponential", kPending, rounds.Few(2'000'000));
    ours.Add(a / 1e6);
    theirs.Add(quickest / 1e6);
    ratios.Add(a / quickest);
  }
  fmt::print(
      "\nns-3's best scheduler ({}) at {} pending, exponential: {:.1f} against {:.1f} "
      "million holds a second, ratio {:.1f}\n",
      best, kPending, Median(ours), Median(theirs), Median(ratios));
}

void AgainstSimGrid(const Rounds& rounds) {
  const std::string program = SPILLWAY_SIMGRID_QUEUE;
  if (program.empty()) {
    fmt::print("SimGrid: skipped, not found when this was configured (bench/README.md)\n");
    return;
  }
  Samples ours(9), theirs(9), ratios(9);
  double our_wait = 0, their_wait = 0;
  for (int round = 0; round < rounds.count; ++round) {
    const std::string out = OutputOf(fmt::format("'{}' {}", program, rounds.Few(400'000)));
    double speed = 0;
    if (std::sscanf(out.c_str(), "%lf %lf", &their_wait, &speed) != 2) {
      fmt::print("SimGrid: skipped, {} failed\n", program);
      return;
    }
    const QueueFigures own = OneServer(rounds.Few(2'000'000));
    our_wait = own.wait;
    ours.Add(own.per_second / 1e6);
    theirs.Add(speed / 1e6);
    ratios.Add(own.per_second / speed);
  }
  fmt::print(
      "SimGrid, M/M/1 at 0.8 (mean wait {:.2f} against {:.2f}; 4 in theory): {:.1f} against "
      "{:.2f} million customers a second, ratio {:.0f}\n",
      our_wait, their_wait, Median(ours), Median(theirs), Median(ratios));
}

}  // namespace
}  // namespace spillway::bench

int main(int argc, char** argv) {
  using namespace spillway::bench;
  Rounds rounds;
  rounds.smoke = std::getenv("SPILLWAY_BENCH_SMOKE") != nullptr;
  if (rounds.smoke) rounds.count = 1;
  if (argc > 1) rounds.count = std::max(1, std::atoi(argv[1]));
  AgainstTheStandard(rounds);
  AgainstNs3(rounds);
  AgainstSimGrid(rounds);
}
