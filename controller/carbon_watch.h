#pragma once

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "core/clock.h"
#include "core/event.h"
#include "formats/carbon_text.h"

namespace spillway {

// Asks the sources of carbon intensity in turn, on a thread of its own, and tells the brain what
// changed. A source that fails or falls behind keeps its last reading, which is said to be old.
class CarbonWatch {
 public:
  // The text behind a source; may block, for some seconds at most.
  using Fetch = std::function<absl::StatusOr<std::string>(const CarbonSource&)>;
  using Tell = std::function<void(event::CarbonSeen)>;
  using Log = std::function<void(bool bad, std::string_view line)>;
  CarbonWatch(std::vector<CarbonSource> sources, const Clock& clock, Fetch fetch, Tell tell,
              Log log);
  ~CarbonWatch();

  void Start();
  // Waits for a fetch that is under way.
  void Stop();
  // Asks every source that is due; gives when the next one is. What the thread does.
  absl::Time Poll();

  struct Standing {
    std::string site;
    std::optional<CarbonReading> reading;  // the last good one
    bool stale = false;
  };
  // Any thread.
  std::vector<Standing> standings() const;

 private:
  struct Watched {
    CarbonSource source;
    absl::Time due = absl::InfinitePast();
    std::optional<CarbonReading> reading;
    bool failing = false, stale = false;
  };
  void Ask(Watched& watched);
  void Take(Watched& watched, const CarbonReading& reading);

  const Clock& clock_;
  const Fetch fetch_;
  const Tell tell_;
  const Log log_;
  mutable std::mutex mutex_;  // guards what follows; not held while a source is asked
  std::vector<Watched> watched_;
  std::condition_variable wake_;
  bool stopping_ = false;
  std::thread thread_;
};

// Files and URLs, at most 1 MiB within 10 s.
absl::StatusOr<std::string> FetchCarbon(const CarbonSource& source);

}  // namespace spillway
