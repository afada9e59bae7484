#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "adapters/adapter.h"
#include "adapters/process/files.h"

// What a command prints, kept within a bound: its first bytes and its last ones. Offsets count what
// was printed, not what was kept, so a reader can tell what it has missed.
namespace spillway {

struct LogShape {
  std::uint64_t total = 0;  // bytes printed
  std::uint64_t head = 0;   // how many of the first are kept at most ...
  std::uint64_t tail = 0;   // ... and how many of the last; > 0
  bool in_order =
      false;  // the file can be read from front to back, a marker line where bytes were left out
  std::uint64_t dropped() const { return total > head + tail ? total - head - tail : 0; }
};
template <class Archive>
void Fields(Archive& archive, LogShape& m) {
  archive(m.total, m.head, m.tail, m.in_order);
}

// The line that stands in a finished file in place of what was left out.
std::string DroppedMarker(std::uint64_t dropped);

// At most `limit` bytes from `offset` on. `file` has `shape`. `end` is left to
// the caller, who knows whether more will be printed.
absl::StatusOr<LogChunk> ReadLog(int file, const LogShape& shape, std::uint64_t offset,
                                 std::size_t limit);

// The log of a running command. The last bytes stand in a ring behind the first ones; Finish() puts
// them in order. Not thread-safe.
class OutputLog {
 public:
  // Makes or empties file `name` in folder `dir`, which outlives the log.
  static absl::StatusOr<OutputLog> Create(int dir, std::string name, std::uint64_t head,
                                          std::uint64_t tail);

  // Never fails for the caller: if the disk does, what follows is counted as not kept.
  void Append(std::string_view bytes);
  absl::StatusOr<LogChunk> Read(std::uint64_t offset, std::size_t limit) const;
  const LogShape& shape() const { return shape_; }
  // Nothing is appended afterwards. Empty: all is well; else what went wrong with the disk.
  std::string Finish();

 private:
  OutputLog(int dir, std::string name, UniqueFd file, LogShape shape)
      : dir_(dir), name_(std::move(name)), file_(std::move(file)), shape_(shape) {}
  absl::Status WriteAt(std::uint64_t place, std::string_view bytes);
  absl::Status PutInOrder();

  int dir_;
  std::string name_;
  UniqueFd file_;
  LogShape shape_;
  std::string trouble_;
};

}  // namespace spillway
