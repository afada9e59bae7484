#include "controller/carbon_watch.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/status.h"
#include "formats/file_text.h"
#include "formats/units.h"
#include "net/client.h"

namespace spillway {
namespace {

constexpr std::size_t kLargest = 1 << 20;
constexpr absl::Duration kPatience = absl::Seconds(10);

std::string NameOf(const CarbonSource& source) {
  return absl::StrCat("carbon intensity of site ", source.site, " (",
                      source.file.empty() ? source.url : source.file, ")");
}

}  // namespace

absl::StatusOr<std::string> FetchCarbon(const CarbonSource& source) {
  if (!source.file.empty()) return ReadTextFile(source.file, kLargest);
  // The path goes into the target: a base URL has none of a query.
  const std::size_t host = source.url.find("//") + 2;
  const std::size_t path = std::min(source.url.find('/', host), source.url.size());
  ClientOptions options;
  options.connect = options.total = kPatience;
  options.response_limit = kLargest;
  SPILLWAY_ASSIGN_OR_RETURN(Client client,
                            Client::ForUrl(source.url.substr(0, path), std::move(options)));
  const std::string target = source.url.substr(path);
  SPILLWAY_ASSIGN_OR_RETURN(HttpResponse response, client.Get(target.empty() ? "/" : target));
  if (response.status != 200)
    return absl::UnavailableError(absl::StrCat("it answered ", response.status));
  return std::move(response.body);
}

CarbonWatch::CarbonWatch(std::vector<CarbonSource> sources, const Clock& clock, Fetch fetch,
                         Tell tell, Log log)
    : clock_(clock), fetch_(std::move(fetch)), tell_(std::move(tell)), log_(std::move(log)) {
  for (CarbonSource& source : sources) watched_.push_back({.source = std::move(source)});
}

CarbonWatch::~CarbonWatch() { Stop(); }

void CarbonWatch::Start() {
  if (watched_.empty()) return;
  thread_ = std::thread([this] {
    for (;;) {
      const absl::Time next = Poll();
      std::unique_lock lock(mutex_);
      const absl::Duration wait =
          std::clamp(next - clock_.Now(), absl::Milliseconds(100), absl::Minutes(10));
      wake_.wait_for(lock, absl::ToChronoMilliseconds(wait), [this] { return stopping_; });
      if (stopping_) return;
    }
  });
}

void CarbonWatch::Stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
  if (thread_.joinable()) thread_.join();
}

absl::Time CarbonWatch::Poll() {
  absl::Time next = absl::InfiniteFuture();
  for (Watched& watched : watched_) {
    if (watched.due <= clock_.Now()) Ask(watched);
    next = std::min(next, watched.due);
  }
  return next;
}

void CarbonWatch::Ask(Watched& watched) {
  const auto text = fetch_(watched.source);
  const absl::Time now = clock_.Now();
  watched.due = now + watched.source.every;
  const auto reading = text.ok() ? ParseCarbonReading(*text, watched.source.zone, now)
                                 : absl::StatusOr<CarbonReading>(text.status());
  if (!reading.ok() && !std::exchange(watched.failing, true))
    log_(true, absl::StrCat(NameOf(watched.source), " cannot be read: ", reading.status().message(),
                            "; the last figure stays"));
  if (reading.ok()) {
    if (std::exchange(watched.failing, false))
      log_(false, absl::StrCat(NameOf(watched.source), " can be read again"));
    Take(watched, *reading);
  }
  const bool stale = watched.reading && now - watched.reading->as_of > watched.source.stale_after;
  if (stale && !watched.stale)
    log_(true, absl::StrCat(NameOf(watched.source), " is of ", Format(watched.reading->as_of),
                            ", more than ", Format(watched.source.stale_after), " old"));
  const std::lock_guard lock(mutex_);
  watched.stale = stale;
}

void CarbonWatch::Take(Watched& watched, const CarbonReading& reading) {
  const bool news = !watched.reading || watched.reading->intensity != reading.intensity;
  {
    const std::lock_guard lock(mutex_);
    watched.reading = reading;
  }
  if (news)
    tell_({.site = watched.source.site, .intensity = reading.intensity, .as_of = reading.as_of});
}

std::vector<CarbonWatch::Standing> CarbonWatch::standings() const {
  const std::lock_guard lock(mutex_);
  std::vector<Standing> all;
  for (const Watched& w : watched_) all.push_back({w.source.site, w.reading, w.stale});
  return all;
}

}  // namespace spillway
