#include "net/upstream_lane.h"

#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include <boost/asio/ip/basic_resolver.hpp>

#include "absl/strings/str_cat.h"
#include "core/status.h"
#include "net/client_exchange.h"

namespace spillway {
namespace {

using Tcp = net::ip::tcp;
using Resolver = net::ip::basic_resolver<Tcp, Executor>;
constexpr absl::Duration kAddressesHold = absl::Seconds(30);
constexpr absl::Duration kCheckIdle = absl::Seconds(1);
constexpr std::size_t kMaxAddresses = 8;

absl::Duration SteadyNow() {
  return absl::FromChrono(std::chrono::steady_clock::now().time_since_epoch());
}

}  // namespace

absl::StatusOr<std::shared_ptr<const UpstreamOrigin>> MakeUpstreamOrigin(BaseUrl url,
                                                                         UpstreamOptions options) {
  auto origin = std::make_shared<UpstreamOrigin>();
  origin->fields = absl::StrCat("Host: ", url.Authority(),
                                "\r\nUser-Agent: spillway\r\nAccept-Encoding: identity\r\n");
  SPILLWAY_RETURN_IF_ERROR(AppendRequestFields(options.headers, &origin->fields));
  if (url.tls) {
    SPILLWAY_ASSIGN_OR_RETURN(origin->tls, MakeTlsSettings(options.verify_tls, options.ca_file));
  }
  origin->url = std::move(url);
  origin->options = std::move(options);
  return origin;
}

// ---- connections --------------------------------------------------------------------------------

void UpstreamConnection::Abort() {
  if (tls) return tls->Abort();
  ErrorCode ignored;
  plain.close(ignored);
}

bool UpstreamConnection::Stale() {
  if (tls) return tls->Stale();
  char byte = 0;
  const auto got = ::recv(plain.native_handle(), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
  return got >= 0 || (errno != EAGAIN && errno != EWOULDBLOCK);
}

bool UpstreamConnection::AtEnd() {
  char byte = 0;
  const auto got = ::recv(plain.native_handle(), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
  return got == 0 || (got < 0 && errno != EAGAIN && errno != EWOULDBLOCK);
}

net::mutable_buffer UpstreamConnection::Room() {
  if (begin > 0) {
    std::copy(in.begin() + static_cast<std::ptrdiff_t>(begin),
              in.begin() + static_cast<std::ptrdiff_t>(end), in.begin());
    end -= std::exchange(begin, 0);
  }
  const bool full = end == in.size();
  if (full || (grow && in.size() < kLargest)) in.resize(std::max(kSmallest, 2 * in.size()));
  return net::buffer(in.data() + end, in.size() - end);
}

// ---- the lane -----------------------------------------------------------------------------------

UpstreamLane::UpstreamLane(net::io_context& context)
    : net::execution_context::service(context), clock(SteadyNow), context_(context) {
  timer_.emplace(context_.get_executor());
}

UpstreamLane& UpstreamLane::Of(Executor executor) {
  return net::use_service<UpstreamLane>(executor.context());
}

// The io_context is ending: whatever waits in its queue is destroyed after this, and with it the
// coroutines that were using connections.
void UpstreamLane::shutdown() noexcept {
  timer_.reset();
  for (UpstreamWatch* const watch : active_) watch->wake.Fire(executor());
  for (auto& [origin, pool] : pools_) pool.idle.clear();
}

void UpstreamLane::Rest(net::io_context& context) {
  if (!net::has_service<UpstreamLane>(context)) return;
  UpstreamLane& lane = net::use_service<UpstreamLane>(context);
  if (lane.timer_) lane.timer_->cancel();
  lane.ticking_ = Ticking::kNo;
  for (auto& [origin, pool] : lane.pools_) pool.idle.clear();
  lane.stats.idle = 0;
}

UpstreamPool& UpstreamLane::PoolFor(const std::shared_ptr<const UpstreamOrigin>& origin) {
  UpstreamPool& pool = pools_[origin.get()];
  if (!pool.origin) pool.origin = origin;
  return pool;
}

void UpstreamLane::Add(UpstreamWatch& watch) {
  watch.place = active_.insert(active_.end(), &watch);
  if (ticking_ != Ticking::kYes && timer_) {
    now_ = clock();
    quiet_sweeps_ = 0;
    ticking_ = Ticking::kYes;
    Tick();
  }
}

void UpstreamLane::Tick() {
  const absl::Duration period = ticking_ == Ticking::kYes ? kSweep : kCheckIdle;
  timer_->expires_after(absl::ToChronoNanoseconds(period));
  timer_->async_wait([this](const ErrorCode& error) {
    if (!error) Sweep();
  });
}

// Fast while requests are under way and for a second after; then once a second while connections
// are kept; then not at all.
void UpstreamLane::Sweep() {
  if (ticking_ == Ticking::kNo) return;
  now_ = clock();
  for (auto at = active_.begin(); at != active_.end();) {
    UpstreamWatch& watch = **at++;
    watch.Look();
    if (now_ < watch.until) continue;
    watch.until = absl::InfiniteDuration();
    watch.Overdue();
  }
  quiet_sweeps_ = active_.empty() ? quiet_sweeps_ + 1 : 0;
  if (now_ >= check_idle_at_) SweepIdle();
  ticking_ = Ticking::kYes;
  if (quiet_sweeps_ >= kSlow) ticking_ = pools_.empty() ? Ticking::kNo : Ticking::kSlowly;
  if (ticking_ != Ticking::kNo) Tick();
}

void UpstreamLane::SweepIdle() {
  check_idle_at_ = now_ + kCheckIdle;
  for (auto at = pools_.begin(); at != pools_.end();) {  // In any order: each by itself.
    SweepPool(at->second);
    const UpstreamPool& pool = at->second;
    const bool unused = pool.calls == 0 && !pool.looking_up;
    const bool orphan = unused && pool.origin.use_count() == 1;
    if (orphan) stats.idle -= pool.idle.size();
    at = orphan || (unused && pool.idle.empty()) ? pools_.erase(at) : std::next(at);
  }
}

// Connections that are too old or were closed by the engine go.
void UpstreamLane::SweepPool(UpstreamPool& pool) {
  stats.idle -= pool.idle.size();
  std::erase_if(pool.idle, [this](const std::unique_ptr<UpstreamConnection>& connection) {
    return now_ >= connection->idle_until || connection->Stale();
  });
  stats.idle += pool.idle.size();
}

std::unique_ptr<UpstreamConnection> UpstreamLane::TakeIdle(UpstreamPool& pool) {
  while (!pool.idle.empty()) {
    std::unique_ptr<UpstreamConnection> last = std::move(pool.idle.back());
    pool.idle.pop_back();
    --stats.idle;
    // What was put down within the last two sweeps is hardly dead; looking costs a system call.
    const absl::Duration rested = now_ - (last->idle_until - pool.origin->options.keep);
    if (now_ >= last->idle_until) continue;
    if (rested > 2 * kSweep && last->Stale()) continue;
    return last;
  }
  return nullptr;
}

void UpstreamLane::Keep(UpstreamPool& pool, std::unique_ptr<UpstreamConnection> connection) {
  if (pool.idle.size() >= pool.origin->options.idle_connections) return;
  connection->idle_until = now_ + pool.origin->options.keep;
  connection->begin = connection->end = 0;
  if (connection->in.size() > UpstreamConnection::kSmallest) connection->in = {};
  pool.idle.push_back(std::move(connection));
  ++stats.idle;
}

// getaddrinfo blocks a thread of Asio's own and cannot be interrupted: who waits for it may give up
// earlier.
void UpstreamLane::LookUp(UpstreamPool& pool) {
  if (std::exchange(pool.looking_up, true)) return;
  const auto resolver = std::make_shared<Resolver>(executor());
  const BaseUrl& url = pool.origin->url;
  resolver->async_resolve(
      url.host, absl::StrCat(url.port), Resolver::numeric_service,
      [this, resolver, &pool](const ErrorCode& error, const Resolver::results_type& results) {
        pool.looking_up = false;
        pool.lookup_error = error;
        pool.addresses.clear();
        for (const auto& entry : results) {
          if (pool.addresses.size() < kMaxAddresses) pool.addresses.push_back(entry.endpoint());
        }
        pool.addresses_until = now_ + kAddressesHold;
        for (UpstreamWatch* const watch : active_) watch->wake.Fire(executor());
      });
}

UpstreamStats UpstreamStatsOf(Executor executor) { return UpstreamLane::Of(executor).stats; }

void SetUpstreamClock(Executor executor, std::function<absl::Duration()> now) {
  UpstreamLane::Of(executor).clock = std::move(now);
}

}  // namespace spillway
