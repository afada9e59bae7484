#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include <boost/asio/basic_stream_socket.hpp>
#include <boost/asio/basic_waitable_timer.hpp>
#include <boost/asio/execution_context.hpp>
#include <boost/asio/ip/tcp.hpp>

#include "net/recycle.h"
#include "net/transport.h"
#include "net/upstream.h"
#include "net/wake_up.h"

// Inside the client side of relays: what belongs to one thread. Not for others to include.
namespace spillway {

class UpstreamOrigin {
 public:
  BaseUrl url;
  UpstreamOptions options;
  std::string fields;                // Header lines of every request, Host first.
  std::shared_ptr<TlsSettings> tls;  // Null: plain.
};

// An open connection to an engine and its memory, which goes with it from one request to the next.
class UpstreamConnection {
 public:
  using Tcp = net::ip::tcp;
  using Socket = net::basic_stream_socket<Tcp, Executor>;
  static constexpr std::size_t kSmallest = 8 * 1024;
  static constexpr std::size_t kLargest = 64 * 1024;

  explicit UpstreamConnection(Executor executor) : plain(executor) {}

  Socket plain;
  std::unique_ptr<Transport> tls;  // Instead of `plain`, where not null.
  std::string out;                 // Head of the request.
  std::vector<char> in;            // Received, used in [begin, end).
  std::size_t begin = 0, end = 0;
  bool grow = false;  // The last read filled all the room there was.
  absl::Duration idle_until;

  void Abort();
  bool Stale();  // While it is idle: it has ended, or the engine says what nobody asked for.
  bool AtEnd();  // It has ended, and all that came was read.
  // Room for at least one byte. Grows when what came last filled all of it.
  net::mutable_buffer Room();
  void Filled(std::size_t bytes) {
    end += bytes;
    grow = end == in.size();
  }
  std::size_t held() const { return end - begin; }
};

// What the lane knows of a request under way.
class UpstreamWatch {
 public:
  virtual ~UpstreamWatch() = default;
  virtual void Overdue() = 0;
  virtual void Look() = 0;  // At each sweep.
  WakeUp wake;  // Fired when addresses are known, by Overdue(), or at the end of the thread.
  absl::Duration until = absl::InfiniteDuration();
  std::list<UpstreamWatch*, Recycled<UpstreamWatch*>>::iterator place;
};

// Kept connections to one origin, and its addresses.
struct UpstreamPool {
  std::shared_ptr<const UpstreamOrigin> origin;
  std::vector<std::unique_ptr<UpstreamConnection>> idle;  // The last one was used last.
  std::vector<net::ip::tcp::endpoint> addresses;          // At most 8.
  absl::Duration addresses_until;
  ErrorCode lookup_error;
  bool looking_up = false;
  std::size_t calls = 0;  // Under way.
};

// One for each io_context that relays, made when it is first asked for. All on its thread.
class UpstreamLane final : public net::execution_context::service {
 public:
  static inline net::execution_context::id id;

  explicit UpstreamLane(net::io_context& context);
  static UpstreamLane& Of(Executor executor);

  Executor executor() { return context_.get_executor(); }
  UpstreamPool& PoolFor(const std::shared_ptr<const UpstreamOrigin>& origin);

  void Add(UpstreamWatch& watch);
  void Remove(UpstreamWatch& watch) { active_.erase(watch.place); }
  // The moment at which something that may take `span` from now on is overdue; as in Lane.
  absl::Duration Until(absl::Duration span) const { return now_ + kSweep + span; }
  absl::Duration now() const { return now_; }

  std::unique_ptr<UpstreamConnection> TakeIdle(UpstreamPool& pool);
  void Keep(UpstreamPool& pool, std::unique_ptr<UpstreamConnection> connection);
  // Addresses of the pool's origin go into the pool; then every watch of `waiting` is woken.
  void LookUp(UpstreamPool& pool);

  // Lets its thread end: closes what is kept and stops the clock, until somebody relays again.
  static void Rest(net::io_context& context);

  UpstreamStats stats;
  std::function<absl::Duration()> clock;

 private:
  static constexpr absl::Duration kSweep = absl::Milliseconds(25);
  static constexpr int kSlow =
      40;  // After as many sweeps without a request one a second is enough.
  using Timer = net::basic_waitable_timer<std::chrono::steady_clock,
                                          net::wait_traits<std::chrono::steady_clock>, Executor>;

  net::io_context& context_;
  std::optional<Timer> timer_;
  std::list<UpstreamWatch*, Recycled<UpstreamWatch*>> active_;
  std::unordered_map<const UpstreamOrigin*, UpstreamPool> pools_;
  absl::Duration now_;
  absl::Duration check_idle_at_;
  int quiet_sweeps_ = 0;
  enum class Ticking : std::uint8_t { kNo, kSlowly, kYes } ticking_ = Ticking::kNo;

  void shutdown() noexcept override;
  void Tick();
  void Sweep();
  void SweepIdle();
  void SweepPool(UpstreamPool& pool);
};

}  // namespace spillway
