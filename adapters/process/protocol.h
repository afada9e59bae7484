#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "adapters/command_host.h"
#include "adapters/process/codec.h"

// What the controller and its supervisor say to each other over DIR/supervisor.sock. Each message
// is a frame (codec.h); `request` is chosen by the controller and comes back in the answer.
namespace spillway {

template <class Archive>
void Fields(Archive& archive, LaunchOrder& m) {
  archive(m.key, m.epoch, m.owner, m.command, m.env, m.told, m.cwd, m.cpus, m.memory, m.niceness,
          m.hold, m.turn_group, m.turn_limit);
}
template <class Archive>
void Fields(Archive& archive, RunReport& m) {
  archive(m.key, m.owner);
  archive.Enum(m.phase, RunPhase::kEnded);
  archive.Enum(m.outcome, RunOutcome::kLost);
  archive(m.code, m.out_of_memory, m.message, m.accepted_at, m.started_at, m.ended_at, m.cpu_time,
          m.peak_memory);
}

enum class MessageType : std::uint8_t {
  // from the controller
  kTake = 1,
  kLaunch = 2,
  kCancel = 3,
  kReadLog = 4,
  kSeen = 5,
  // from the supervisor
  kReport = 65,
  kAnswer = 66,
  kLogAnswer = 67,
};

// Takes over the runs of `owner`: this connection hears of them from now on, and before the answer
// comes a report for each that is not yet acknowledged. `known` runs of which nothing is found are
// recorded as lost. `end_others`: the first time in a controller's life, runs that are not in
// `known` are ended.
struct TakeMessage {
  std::uint64_t request = 0;
  std::string owner;
  std::uint64_t epoch = 0;
  bool end_others = false;
  std::vector<AttemptKey> known;
};
template <class Archive>
void Fields(Archive& archive, TakeMessage& m) {
  archive(m.request, m.owner, m.epoch, m.end_others, m.known);
}

struct LaunchMessage {
  std::uint64_t request = 0;
  LaunchOrder order;
};
template <class Archive>
void Fields(Archive& archive, LaunchMessage& m) {
  archive(m.request);
  Fields(archive, m.order);
}

struct CancelMessage {
  std::uint64_t request = 0;
  AttemptKey key;
  std::uint64_t epoch = 0;
};
template <class Archive>
void Fields(Archive& archive, CancelMessage& m) {
  archive(m.request, m.key, m.epoch);
}

inline constexpr std::uint32_t kMaxLogRead = 512 << 10;  // bytes of one answer
struct ReadLogMessage {
  std::uint64_t request = 0;
  AttemptKey key;
  LogStream stream = LogStream::kStdout;
  std::uint64_t offset = 0;
  std::uint32_t limit = 0;
  bool follow = false;
};
template <class Archive>
void Fields(Archive& archive, ReadLogMessage& m) {
  archive(m.request, m.key);
  archive.Enum(m.stream, LogStream::kStderr);
  archive(m.offset, m.limit, m.follow);
}

struct SeenMessage {
  AttemptKey key;
};
template <class Archive>
void Fields(Archive& archive, SeenMessage& m) {
  archive(m.key);
}

struct AnswerMessage {
  std::uint64_t request = 0;
  std::int32_t code = 0;  // of absl::StatusCode
  std::string message;
  std::vector<std::string> limits;  // after kTake: which limits hold here
  absl::Status status() const { return absl::Status(static_cast<absl::StatusCode>(code), message); }
};
template <class Archive>
void Fields(Archive& archive, AnswerMessage& m) {
  archive(m.request, m.code, m.message, m.limits);
}

struct LogAnswerMessage {
  std::uint64_t request = 0;
  std::int32_t code = 0;
  std::string message;
  std::string bytes;
  std::uint64_t next = 0;
  std::uint64_t dropped = 0;
  bool end = false;
};
template <class Archive>
void Fields(Archive& archive, LogAnswerMessage& m) {
  archive(m.request, m.code, m.message, m.bytes, m.next, m.dropped, m.end);
}

template <class M>
std::string FrameOf(MessageType type, const M& message) {
  return EncodeFrame(static_cast<std::uint8_t>(type), Encode(message));
}

}  // namespace spillway
