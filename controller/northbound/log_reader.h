#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "controller/northbound/api.h"
#include "controller/northbound/ask.h"

// How output of jobs is read, for the text and for the stream of it.
namespace spillway {

// Which output of which attempt.
struct LogSource {
  PoolId pool = kNoPool;
  AttemptKey key;
  LogStream stream = LogStream::kStdout;
};

using Chunk = absl::StatusOr<LogChunk>;

// One piece from `offset` on; with `follow` it waits until there is one. Nothing: the client is
// gone, or no answer came in time.
Awaitable<std::optional<Chunk>> ReadChunk(Host& host, Exchange& exchange, LogSource source,
                                          std::uint64_t offset, bool follow);

// Words for output that was too long to be kept.
std::string LeftOut(std::uint64_t bytes);

// How many bytes at the end of `text` may be the first part of something that the next chunk
// completes: a character in UTF-8, or CR LF, which a frame would turn into two line ends.
std::size_t UnfinishedBytes(std::string_view text);

// Where a follower stands: an attempt (0: none yet) and an offset in its output. As text "2.4096",
// the id of its frames.
struct LogPlace {
  int attempt = 0;
  std::uint64_t offset = 0;
};
std::string ToText(LogPlace place);
std::optional<LogPlace> ParseLogPlace(std::string_view text);

struct FollowOrder {
  JobId job{};
  LogStream stream = LogStream::kStdout;
  LogPlace from;
  bool one_attempt =
      false;  // ends with the attempt; else goes on with the next, until the job ends
};
// Frames: event `log` with output as data, `end` without; comments for what was left out and each
// heartbeat. Holds `place` until it ends.
HttpAnswer FollowLogs(Api& api, FollowOrder order, std::shared_ptr<void> place);

}  // namespace spillway
