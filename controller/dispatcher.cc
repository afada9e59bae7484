#include "controller/dispatcher.h"

#include <algorithm>
#include <chrono>
#include <utility>

namespace spillway {
namespace {

constexpr std::int64_t kRetryCost = 5;  // each request earns one, a retry costs this many
constexpr std::int64_t kRetryReserve = 10 * kRetryCost;
constexpr std::size_t kMostEndpoints = 0xfff0;
constexpr std::size_t kShapesKept = 256;  // of each thread

// Each answer to a prompt has it in its context.
std::int64_t ContextOf(const LiveRequest& request) {
  return request.prompt_tokens * std::max(request.record.features.choices, 1);
}

std::uint64_t NextInstance() {
  static std::atomic<std::uint64_t> last{0};
  return ++last;
}

void Raise(std::atomic<std::int32_t>& peak, std::int32_t now) {
  for (std::int32_t seen = peak.load(); now > seen && !peak.compare_exchange_weak(seen, now);) {
  }
}

void Earn(std::atomic<std::int64_t>& budget) {
  if (budget.load(std::memory_order_relaxed) < kRetryReserve)
    budget.fetch_add(1, std::memory_order_relaxed);
}

std::int32_t Sequences(const LiveEndpoint& live) {
  return live.running.load() + live.waiting.load();
}

}  // namespace

// What one thread keeps so that routing takes no lock and allocates nothing.
struct Dispatcher::Thread {
  std::uint64_t instance = 0, version = 0;
  std::shared_ptr<const Force> force;
  // All of a request that its shape depends on.
  struct Sort {
    std::string tenant, model, pin;
    std::vector<std::string> models;
    explicit Sort(const RequestFeatures& of)
        : tenant(of.tenant), model(of.model), pin(of.pin), models(of.models) {}
    bool IsOf(const RequestFeatures& other) const {
      return model == other.model && tenant == other.tenant && pin == other.pin &&
             models == other.models;
    }
  };
  std::vector<std::pair<Sort, std::shared_ptr<const RequestShape>>> shapes;
  Router router;

  const std::shared_ptr<const RequestShape>& ShapeFor(const RequestFeatures& features) {
    for (const auto& [sort, shape] : shapes) {
      if (sort.IsOf(features)) return shape;
    }
    if (shapes.size() >= kShapesKept) shapes.clear();
    auto shape = std::make_shared<const RequestShape>(MakeRequestShape(*force->view, features));
    return shapes.emplace_back(Sort(features), std::move(shape)).second;
  }
};

Dispatcher::Dispatcher(Options options, const Clock& clock, RequestSink& sink)
    : options_(options), clock_(clock), sink_(sink), instance_(NextInstance()) {
  for (auto& budget : retry_budgets_) budget = kRetryReserve;
}

Dispatcher::~Dispatcher() { Stop(); }

void Dispatcher::Start(std::uint64_t epoch) {
  epoch_ = epoch;
  flusher_ = std::thread([this] { FlushLoop(); });
}

void Dispatcher::Stop() {
  {
    const std::lock_guard lock(ended_mutex_);
    stopping_ = true;
    ended_wake_.notify_all();
  }
  if (flusher_.joinable()) flusher_.join();
  Flush(/*hurry=*/true);
}

// --- What is in force ---------------------------------------------------------------------------

void Dispatcher::Publish(std::shared_ptr<const RouterInputs> inputs) {
  if (!inputs) return;
  {
    const std::lock_guard lock(force_mutex_);
    if (force_ && Number(force_->view->id()) >= Number(inputs->id)) return;
  }
  auto view = RouterView::Make(std::move(inputs));
  if (!view.ok()) return;  // the brain compiled the same policy over the same pools
  auto force = std::make_shared<Force>();
  force->view = *std::move(view);
  for (const ViewEndpoint& endpoint : force->view->endpoints())
    force->live.push_back(&FindOrMake(endpoint.key));
  {
    const std::lock_guard lock(force_mutex_);
    if (force_ && Number(force_->view->id()) >= Number(force->view->id())) return;
    force_ = std::move(force);
    version_.fetch_add(1, std::memory_order_release);
  }
  WakeAll();
}

std::shared_ptr<const RouterView> Dispatcher::view() const {
  const Thread& thread = ThisThread();
  return thread.force ? thread.force->view : nullptr;
}

Dispatcher::Thread& Dispatcher::ThisThread() const {
  static thread_local Thread thread;
  const std::uint64_t version = version_.load(std::memory_order_acquire);
  if (thread.instance == instance_ && thread.version == version) return thread;
  thread.shapes.clear();
  const std::lock_guard lock(force_mutex_);
  thread.instance = instance_;
  thread.version = version;
  thread.force = force_;
  return thread;
}

LiveEndpoint* Dispatcher::Find(EndpointKey key) const {
  const std::lock_guard lock(endpoints_mutex_);
  const auto found = endpoints_.find(key);
  return found == endpoints_.end() ? nullptr : found->second.get();
}

LiveEndpoint& Dispatcher::FindOrMake(EndpointKey key) {
  const std::lock_guard lock(endpoints_mutex_);
  auto& endpoint = endpoints_[key];
  if (!endpoint) {
    const std::size_t serial = std::min(endpoints_.size(), kMostEndpoints);
    endpoint = std::make_unique<LiveEndpoint>(key, static_cast<std::uint16_t>(serial));
  }
  return *endpoint;
}

void Dispatcher::SetEngine(EndpointKey key, EngineAddress address) {
  FindOrMake(key).SetAddress(std::make_shared<const EngineAddress>(std::move(address)));
}

void Dispatcher::OnAsk(EndpointKey key) {
  LiveEndpoint& endpoint = FindOrMake(key);
  endpoint.peak.store(Sequences(endpoint));
  Raise(endpoint.peak, Sequences(endpoint));  // one that was taken in between
}

void Dispatcher::OnSigns(EndpointKey key, const EngineSigns& signs) {
  LiveEndpoint& endpoint = FindOrMake(key);
  // Ours that it calls running may wait for their first token still: only what is beyond our sum
  // is of others, who may use the engine too.
  const std::int32_t seen = signs.running.value_or(0) + signs.waiting.value_or(0);
  const std::int32_t others = std::max(seen - endpoint.peak.load(), 0);
  const std::int32_t waiting =
      std::clamp(signs.waiting.value_or(0) - endpoint.waiting.load(), 0, others);
  const std::int32_t before = endpoint.others_waiting.exchange(waiting) +
                              endpoint.others_running.exchange(others - waiting);
  endpoint.seen_at.store(absl::ToUnixNanos(clock_.Now()));
  if (before > others && waiters_count_.load() > 0) WakeFor(key, before - others);
}

int Dispatcher::InFlight(EndpointKey key) const {
  const LiveEndpoint* endpoint = Find(key);
  if (endpoint == nullptr) return 0;
  return Sequences(*endpoint);
}

// --- One request --------------------------------------------------------------------------------

std::unique_ptr<LiveRequest> Dispatcher::Begin(RequestFeatures features) {
  if (unbooked_.load(std::memory_order_relaxed) >= options_.unbooked) return nullptr;
  if (!ThisThread().force) return nullptr;
  auto request = std::make_unique<LiveRequest>();
  const std::uint64_t count = begun_.fetch_add(1, std::memory_order_relaxed) + 1;
  request->record.id = MakeRequestId(epoch_, count);
  request->record.draw = count;
  request->record.features = std::move(features);
  return request;
}

void Dispatcher::Read(Thread& thread, LiveRequest& request) {
  std::uint16_t serial = 0;
  const int cached = prefixes_.CachedBlocks(request.record.features.prefix, serial);
  const absl::Time now = clock_.Now();
  const std::int64_t fresh_from = absl::ToUnixNanos(now - options_.fresh);
  request.record.readings.clear();
  request.record.readings.reserve(request.shape->endpoints.size());
  for (const std::uint32_t place : request.shape->endpoints) {
    const LiveEndpoint& live = *thread.force->live[place];
    EndpointLoad load{.running = live.running.load(),
                      .waiting = live.waiting.load(),
                      .waiting_tokens = live.waiting_tokens.load(std::memory_order_relaxed),
                      .context_tokens = live.context_tokens.load(std::memory_order_relaxed)};
    if (live.seen_at.load(std::memory_order_relaxed) >= fresh_from) {
      load.waiting += live.others_waiting.load(std::memory_order_relaxed);
      load.running += live.others_running.load(std::memory_order_relaxed);
    }
    if (live.full_until.load(std::memory_order_relaxed) > absl::ToUnixNanos(now)) {
      const int most = thread.force->view->endpoints()[place].concurrency;
      load.running = std::max({load.running, most - load.waiting, 1});
    }
    if (live.serial == serial) load.cached_blocks = cached;
    request.record.readings.push_back({place, load});
  }
}

std::atomic<std::int64_t>& Dispatcher::BudgetOf(const LiveRequest& request) {
  const auto& models = request.shape->models;
  const auto model = models.empty() ? 0 : static_cast<std::size_t>(models.front());
  return retry_budgets_[model % retry_budgets_.size()];
}

Routed Dispatcher::Route(LiveRequest& request) {
  Thread& thread = ThisThread();
  request.view = thread.force->view;
  request.shape = thread.ShapeFor(request.record.features);
  request.record.view = request.view->id();
  if (request.ticket == 0) Earn(BudgetOf(request));  // once, however often it looks again
  Read(thread, request);
  const RoutePlan& route =
      thread.router.Choose(*request.view, *request.shape, request.record.features,
                           request.record.readings, request.record.draw);
  request.record.order = route.order;
  request.record.code = route.code;
  request.prompt_tokens = route.prompt_tokens;
  request.tried = 0;
  request.limits = {.ttft = route.ttft_limit, .tpot = route.tpot_limit};
  request.expected.endpoint = Expectation::kNowhere;
  if (route.chosen >= 0) {
    const RoutedPool& chosen = route.pools[static_cast<std::size_t>(route.chosen)];
    request.expected = {chosen.endpoint, chosen.estimate, chosen.raw_ttft, chosen.raw_tpot};
  }
  std::copy(route.tiers.begin(), route.tiers.end(), request.tiers.begin());
  request.record.spilled_from = route.spilled_from;
  request.record.spilled_code = route.spilled_code;
  return route.outcome;
}

bool Dispatcher::Take(LiveRequest& request) {
  Thread& thread = ThisThread();
  const bool again = !request.record.attempts.empty();
  while (request.tried < request.record.order.size()) {
    const std::uint32_t place = request.record.order[request.tried++];
    const ViewEndpoint& there = request.view->endpoints()[place];
    LiveEndpoint* live =
        thread.force->view == request.view ? thread.force->live[place] : Find(there.key);
    if (live == nullptr) continue;
    request.address = live->address();
    if (!request.address) continue;
    std::atomic<std::int64_t>& budget = BudgetOf(request);
    if (again && budget.fetch_sub(kRetryCost) < kRetryCost) {
      budget.fetch_add(kRetryCost);
      refused_retries_.fetch_add(1, std::memory_order_relaxed);
      return false;
    }
    if (again) retries_.fetch_add(1, std::memory_order_relaxed);
    const int sequences = request.record.features.sequences();
    const Served* served = there.Find(request.shape->models);
    request.endpoint = live;
    request.there = &there;
    request.model = request.view->models()[static_cast<std::size_t>(served->model)].name;
    const auto upstream = request.address->upstream.find(request.model);
    request.upstream_model =
        upstream == request.address->upstream.end() ? request.model : upstream->second;
    request.first_token = false;
    live->waiting.fetch_add(sequences);
    Raise(live->peak, Sequences(*live));
    live->waiting_tokens.fetch_add(request.prompt_tokens, std::memory_order_relaxed);
    in_flight_.fetch_add(1, std::memory_order_relaxed);
    request.mark = live->clock.Enter(clock_.Now(), sequences);
    request.record.attempts.push_back({there.key, ForwardFault::kNone});
    NoteFailover(*request.view,
                 absl::MakeConstSpan(request.tiers).first(request.record.order.size()),
                 request.tried - 1, request.record);
    return true;
  }
  return false;
}

void Dispatcher::OnFirstToken(LiveRequest& request) {
  if (request.endpoint == nullptr || request.first_token) return;
  request.first_token = true;
  const int sequences = request.record.features.sequences();
  LiveEndpoint& live = *request.endpoint;
  live.waiting.fetch_sub(sequences, std::memory_order_relaxed);
  live.waiting_tokens.fetch_sub(request.prompt_tokens, std::memory_order_relaxed);
  live.running.fetch_add(sequences, std::memory_order_relaxed);
  live.context_tokens.fetch_add(ContextOf(request), std::memory_order_relaxed);
  prefixes_.Remember(request.record.features.prefix, live.serial);
}

void Dispatcher::Release(LiveRequest& request) {
  if (request.endpoint == nullptr) return;
  const int sequences = request.record.features.sequences();
  LiveEndpoint& live = *request.endpoint;
  // In one order with the count of those who wait: who begins to wait and then looks once more has
  // either seen what is freed here, or is woken for it.
  if (request.first_token) {
    live.running.fetch_sub(sequences);
    live.context_tokens.fetch_sub(ContextOf(request), std::memory_order_relaxed);
  } else {
    live.waiting.fetch_sub(sequences);
    live.waiting_tokens.fetch_sub(request.prompt_tokens, std::memory_order_relaxed);
  }
  in_flight_.fetch_sub(1, std::memory_order_relaxed);
  request.record.held = live.clock.Leave(clock_.Now(), sequences, request.mark);
  request.endpoint = nullptr;
  if (waiters_count_.load() > 0) WakeFor(live.key, sequences);
}

void Dispatcher::GiveUp(LiveRequest& request, ForwardFault fault) {
  const bool taken = request.endpoint != nullptr;
  Release(request);
  if (!request.record.attempts.empty()) {
    ForwardAttempt& lost = request.record.attempts.back();
    lost.fault = fault;
    if (taken) lost.held = request.record.held;
    SettleLost(*request.view, lost);
  }
  request.record.held = {};
}

void Dispatcher::BackOff(const LiveRequest& request, absl::Duration span) {
  if (request.endpoint == nullptr) return;
  request.endpoint->full_until.store(absl::ToUnixNanos(clock_.Now() + span),
                                     std::memory_order_relaxed);
}

absl::Duration Dispatcher::BackOffLeft(const LiveRequest& request,
                                       const EndpointReading& reading) const {
  const LiveEndpoint* live = Find(request.view->endpoints()[reading.endpoint].key);
  if (live == nullptr) return absl::ZeroDuration();
  const absl::Time until = absl::FromUnixNanos(live->full_until.load(std::memory_order_relaxed));
  return std::max(until - clock_.Now(), absl::ZeroDuration());
}

absl::Duration Dispatcher::UntilBackOffEnds(const LiveRequest& request) const {
  absl::Duration least = absl::InfiniteDuration();
  for (const EndpointReading& reading : request.record.readings) {
    const absl::Duration left = BackOffLeft(request, reading);
    if (left > absl::ZeroDuration()) least = std::min(least, left);
  }
  return least;
}

absl::Duration Dispatcher::UntilAnyIsAsked(const LiveRequest& request) const {
  absl::Duration least = absl::InfiniteDuration();
  for (const EndpointReading& reading : request.record.readings)
    least = std::min(least, BackOffLeft(request, reading));
  return request.record.readings.empty() ? absl::ZeroDuration() : least;
}

void Dispatcher::Settle(LiveRequest& request) {
  Release(request);
  request.record.answered_by = request.model;
  SettleRequest(*request.view, *request.shape, request.record, &request.expected);
}

void Dispatcher::End(LiveRequest& request, RequestEnd end, int status) {
  Release(request);
  request.record.end = end;
  request.record.status = status;
  request.record.ended = clock_.Now();
  ended_count_.fetch_add(1, std::memory_order_relaxed);
  const bool urgent = end == RequestEnd::kFailed || end == RequestEnd::kBrokenOff;
  const std::lock_guard lock(ended_mutex_);
  ended_.push_back(request.kept);
  unbooked_.store(ended_.size(), std::memory_order_relaxed);
  urgent_ |= urgent;
  if (urgent || ended_.size() == options_.chunk) ended_wake_.notify_one();
}

// --- Waiting for room ---------------------------------------------------------------------------

bool Dispatcher::Waiter::CouldUse(EndpointKey key) const {
  const std::uint32_t place = view->PlaceOf(key);
  const auto& able = shape->endpoints;
  return std::find(able.begin(), able.end(), place) != able.end();
}

bool Dispatcher::Wait(const std::shared_ptr<Waker>& waker, LiveRequest& request) {
  const std::lock_guard lock(waiters_mutex_);
  if (waiters_.size() >= options_.waiting) return false;
  if (request.ticket == 0) request.ticket = ++last_ticket_;
  waiters_[request.ticket] = {waker, request.view, request.shape,
                              request.record.features.sequences()};
  waiters_count_.store(waiters_.size());
  return true;
}

bool Dispatcher::StopWaiting(const std::shared_ptr<Waker>& waker) {
  const std::lock_guard lock(waiters_mutex_);
  const auto erased =
      std::erase_if(waiters_, [&](const auto& entry) { return entry.second.waker == waker; });
  waiters_count_.store(waiters_.size());
  return erased > 0;
}

// Which endpoint freed is forgotten by now: whoever shares one with it is asked to look.
void Dispatcher::PassOn(const LiveRequest& request) {
  if (waiters_count_.load() == 0 || !request.shape) return;
  for (const std::uint32_t place : request.shape->endpoints)
    WakeFor(request.view->endpoints()[place].key, 1);
}

EngineTime Dispatcher::TimeFor(const LiveRequest& request) {
  const PoolSpec& pool = *request.view->pools()[request.there->pool].spec;
  const Served* served = request.there->Find(request.shape->models);
  return EngineTimeFor(pool.adapter.timeouts, served != nullptr && served->correction.observed,
                       request.record.features, request.limits, request.expected.estimate);
}

// As many as fit into what was freed, in the order in which they came; one at least, since an
// engine that is idle takes any number.
void Dispatcher::WakeFor(EndpointKey freed, int places) {
  std::vector<std::shared_ptr<Waker>> woken;
  {
    const std::lock_guard lock(waiters_mutex_);
    for (auto at = waiters_.begin(); at != waiters_.end() && (woken.empty() || places > 0);) {
      Waiter& waiter = at->second;
      if (!waiter.CouldUse(freed) || (!woken.empty() && waiter.sequences > places)) {
        ++at;
        continue;
      }
      places -= waiter.sequences;
      woken.push_back(std::move(waiter.waker));
      at = waiters_.erase(at);
    }
    waiters_count_.store(waiters_.size());
  }
  for (const auto& waker : woken) waker->Wake();
}

void Dispatcher::WakeAll() {
  std::map<std::uint64_t, Waiter> all;
  {
    const std::lock_guard lock(waiters_mutex_);
    all.swap(waiters_);
    waiters_count_.store(0);
  }
  for (const auto& [ticket, waiter] : all) waiter.waker->Wake();
}

// --- To the brain -------------------------------------------------------------------------------

void Dispatcher::Flush(bool hurry) {
  std::vector<std::shared_ptr<const Request>> ended;
  {
    const std::lock_guard lock(ended_mutex_);
    ended.swap(ended_);
    urgent_ = false;
    unbooked_.store(0, std::memory_order_relaxed);
  }
  for (std::size_t at = 0; at < ended.size(); at += event::kMostRequests) {
    const std::size_t end = std::min(ended.size(), at + event::kMostRequests);
    sink_.Book({{ended.begin() + static_cast<std::ptrdiff_t>(at),
                 ended.begin() + static_cast<std::ptrdiff_t>(end)}},
               hurry);
  }
}

bool Dispatcher::HasBegun(RequestId id) const {
  return id > MakeRequestId(epoch_, 0) &&
         id <= MakeRequestId(epoch_, begun_.load(std::memory_order_relaxed));
}

void Dispatcher::FlushSoon() {
  const std::lock_guard lock(ended_mutex_);
  if (ended_.empty()) return;
  urgent_ = true;
  ended_wake_.notify_one();
}

// What has ended goes to the disk once a period. Long before that, while their memory is still
// near, whole chunks are counted, packed and booked.
void Dispatcher::FlushLoop() {
  const auto period = absl::ToChronoNanoseconds(options_.period);
  std::unique_lock lock(ended_mutex_);
  auto due = std::chrono::steady_clock::now() + period;
  while (!stopping_) {
    ended_wake_.wait_until(
        lock, due, [this] { return stopping_ || urgent_ || ended_.size() >= options_.chunk; });
    const bool hurry = stopping_ || urgent_ || std::chrono::steady_clock::now() >= due;
    if (hurry) due = std::chrono::steady_clock::now() + period;
    if (ended_.empty()) continue;
    lock.unlock();
    Flush(hurry);
    lock.lock();
  }
}

bool Dispatcher::HoldBytes(std::size_t bytes) {
  if (held_bytes_.fetch_add(bytes, std::memory_order_relaxed) + bytes <= options_.held_bytes)
    return true;
  FreeBytes(bytes);
  return false;
}

void Dispatcher::FreeBytes(std::size_t bytes) {
  held_bytes_.fetch_sub(bytes, std::memory_order_relaxed);
}

Dispatcher::Stats Dispatcher::stats() const {
  return {.begun = begun_.load(std::memory_order_relaxed),
          .ended = ended_count_.load(std::memory_order_relaxed),
          .retries = retries_.load(std::memory_order_relaxed),
          .refused_retries = refused_retries_.load(std::memory_order_relaxed),
          .in_flight = in_flight_.load(std::memory_order_relaxed),
          .waiting = waiting(),
          .unbooked = unbooked_.load(std::memory_order_relaxed),
          .held_bytes = held_bytes_.load(std::memory_order_relaxed)};
}

}  // namespace spillway
