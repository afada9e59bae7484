#pragma once

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "absl/time/time.h"
#include "controller/archive.h"
#include "controller/metrics/cost_projection.h"

namespace spillway {

// Compares what the disk holds with what the counters have summed, row by row, for the hours that
// may still grow: they come by different ways, so that a difference means that one of them is
// wrong, or that somebody changed the file. On a thread of its own.
class LedgerCheck {
 public:
  struct Options {
    absl::Duration period = absl::Seconds(15);
    absl::Duration second_look = absl::Milliseconds(500);
  };
  struct Result {
    std::uint64_t checks = 0;
    std::size_t rows = 0;  // that were found different, twice
    Usd difference{};      // sum of their absolute differences in cost
  };
  // A copy of the counters' rows.
  using Projected = std::function<CostProjection::Rows()>;

  // `archive` and what `projected` reads outlive it.
  LedgerCheck(Options options, Archive& archive, Projected projected);
  ~LedgerCheck();
  LedgerCheck(const LedgerCheck&) = delete;
  LedgerCheck& operator=(const LedgerCheck&) = delete;

  // From now on, every period.
  void Start();
  // Once, on the caller's thread; an archive that cannot be read changes nothing.
  void Check();
  // None before the first check.
  std::optional<Result> last() const;

 private:
  CostProjection::Rows Look();
  bool Sleep(absl::Duration span);  // false: the end has come

  const Options options_;
  Archive& archive_;
  const Projected projected_;
  mutable std::mutex mutex_;
  std::condition_variable wake_;
  bool ending_ = false;
  std::optional<Result> last_;
  std::thread thread_;
};

// Rows of the disk that differ from the counters' though these stood still while the disk was read
// (`before` and `after` are equal there), as the disk has them; missing ones as empty rows.
CostProjection::Rows Differing(const std::vector<record::LedgerRow>& kept,
                               const CostProjection::Rows& before,
                               const CostProjection::Rows& after);

}  // namespace spillway
