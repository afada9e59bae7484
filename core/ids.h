#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

// Names of things, as numbers of different types. All of them come out of the event log's counter,
// never from time or chance, so a replayed log gives the same ones.
namespace spillway {

// Place of a pool in the fleet, dense from 0. Stable for the life of a state folder: a pool that
// leaves the configuration keeps its number, so that old decisions stay readable.
enum class PoolId : std::uint32_t {};
inline constexpr PoolId kNoPool{0xffffffff};
inline std::uint32_t Index(PoolId id) { return static_cast<std::uint32_t>(id); }

// Number of an event in the log, from 1. Zero: none.
enum class EventNumber : std::uint64_t {};
// Number of the event that submitted the job.
enum class JobId : std::uint64_t {};
// Counted by the brain, from 1.
enum class DecisionId : std::uint64_t {};
// Epoch of the controller in the upper 24 bits, below it a count from 1: many threads take them at
// the same time, and none comes twice. Zero: none.
enum class RequestId : std::uint64_t {};
inline constexpr int kRequestCountBits = 40;
inline RequestId MakeRequestId(std::uint64_t epoch, std::uint64_t count) {
  return RequestId{epoch << kRequestCountBits | count};
}

template <class Id>
std::uint64_t Number(Id id) {
  return static_cast<std::uint64_t>(id);
}

// "job-000045", "dec-000123": at least six digits, so that they sort as text for a long while.
std::string ToString(JobId id);
std::string ToString(DecisionId id);
// "req-3-000123": epoch and count.
std::string ToString(RequestId id);
std::optional<RequestId> ParseRequestId(std::string_view text);
// Nothing if `text` is not such a name ("job-" or "dec-" and 1 to 19 digits).
std::optional<JobId> ParseJobId(std::string_view text);
std::optional<DecisionId> ParseDecisionId(std::string_view text);

// One try of a job. Numbers start at 1. (job, attempt) is the key by which an adapter knows a
// launch.
struct AttemptKey {
  JobId job{};
  int attempt = 0;
  friend auto operator<=>(const AttemptKey&, const AttemptKey&) = default;
};

}  // namespace spillway
