// One queue with one server (M/M/1, 0.8 full) in SimGrid, for bench/simulator.cc to run beside
// ours:
//   simgrid_queue CUSTOMERS
// prints the mean wait in services and customers a second. An actor for arrivals and one that
// serves, with a semaphore between them: without mailboxes and network, which cost it more.
#include <boost/random/exponential_distribution.hpp>
#include <boost/random/mersenne_twister.hpp>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <simgrid/s4u.hpp>

#include "bench/hold.h"

int main(int argc, char** argv) {
  namespace sg4 = simgrid::s4u;
  sg4::Engine engine(&argc, argv);
  if (argc != 2) return 2;
  const long customers = std::atol(argv[1]);
  if (customers < 1) return 2;
  auto* const zone = sg4::create_full_zone("zone");
  sg4::Host* const host = zone->create_host("host", 1e9);
  zone->seal();

  boost::random::mt19937_64 arrival_draws(1), service_draws(2);
  boost::random::exponential_distribution<> between(0.8), service(1.0);
  const sg4::SemaphorePtr waiting = sg4::Semaphore::create(0);
  std::deque<double> arrived;
  double waited = 0;
  sg4::Actor::create("arrivals", host, [&] {
    for (long i = 0; i < customers; ++i) {
      sg4::this_actor::sleep_for(between(arrival_draws));
      arrived.push_back(sg4::Engine::get_clock());
      waiting->release();
    }
  });
  sg4::Actor::create("server", host, [&] {
    for (long i = 0; i < customers; ++i) {
      waiting->acquire();
      waited += sg4::Engine::get_clock() - arrived.front();
      arrived.pop_front();
      sg4::this_actor::sleep_for(service(service_draws));
    }
  });
  const double start = spillway::bench::SecondsComputed();
  engine.run();
  const double seconds = spillway::bench::SecondsComputed() - start;
  std::printf("%.3f %.0f\n", waited / static_cast<double>(customers),
              static_cast<double>(customers) / seconds);
}
