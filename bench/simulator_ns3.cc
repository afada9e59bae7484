// ns-3's own event schedulers under the hold model, for bench/simulator.cc to run beside ours:
//   ns3_hold PENDING HOLDS
// prints a line for each scheduler: its name, and holds a second. The schedulers are called
// directly, without the rest of ns-3, and their events have no code: less than any simulation of it
// has to do. Its list, which is searched from the front, is left out.
#include <ns3/calendar-scheduler.h>
#include <ns3/heap-scheduler.h>
#include <ns3/map-scheduler.h>
#include <ns3/object.h>
#include <ns3/priority-queue-scheduler.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>

#include "bench/hold.h"

namespace spillway::bench {
namespace {

template <class Scheduler>
void Hold(const char* name, std::int64_t pending, std::int64_t holds) {
  const ns3::Ptr<Scheduler> queue = ns3::CreateObject<Scheduler>();
  Delays delays("exponential");
  std::uint32_t next = 0;
  const auto push = [&](std::uint64_t time) {
    ns3::Scheduler::Event event{};
    event.key.m_ts = time;
    event.key.m_uid = next++;
    queue->Insert(event);
  };
  const auto hold = [&](std::int64_t times) {
    for (; times > 0; --times) {
      const std::uint64_t now = queue->RemoveNext().key.m_ts;
      push(now + static_cast<std::uint64_t>(delays.Next()));
    }
  };
  for (std::int64_t i = 0; i < pending; ++i) push(static_cast<std::uint64_t>(delays.Next()));
  hold(holds / 4 + pending);
  const double start = SecondsComputed();
  hold(holds);
  std::printf("%s %.0f\n", name, static_cast<double>(holds) / (SecondsComputed() - start));
}

}  // namespace
}  // namespace spillway::bench

int main(int argc, char** argv) {
  using namespace spillway::bench;
  if (argc != 3) return 2;
  const std::int64_t pending = std::atoll(argv[1]), holds = std::atoll(argv[2]);
  if (pending < 1 || holds < 1) return 2;
  Hold<ns3::MapScheduler>("map", pending, holds);
  Hold<ns3::HeapScheduler>("heap", pending, holds);
  Hold<ns3::CalendarScheduler>("calendar", pending, holds);
  Hold<ns3::PriorityQueueScheduler>("priority-queue", pending, holds);
}
