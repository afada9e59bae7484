#include "adapters/process/output_log.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/status.h"

namespace spillway {
namespace {

absl::StatusOr<std::string> ReadAt(int file, std::uint64_t place, std::size_t length) {
  std::string bytes(length, '\0');
  std::size_t filled = 0;
  while (filled < length) {
    const ssize_t n =
        pread(file, bytes.data() + filled, length - filled, static_cast<off_t>(place + filled));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return ErrnoStatus(errno, "read output");
    if (n == 0) break;
    filled += static_cast<std::size_t>(n);
  }
  bytes.resize(filled);
  return bytes;
}

// Where byte `offset` of what was printed stands, and how many follow it without a break.
struct Place {
  std::uint64_t at = 0;
  std::uint64_t length = 0;
};
Place PlaceOf(const LogShape& shape, std::uint64_t offset) {
  if (shape.dropped() == 0) return {offset, shape.total - offset};
  if (offset < shape.head) return {offset, shape.head - offset};
  if (shape.in_order) {
    const std::uint64_t into_tail = offset - shape.head - shape.dropped();
    return {shape.head + DroppedMarker(shape.dropped()).size() + into_tail, shape.total - offset};
  }
  const std::uint64_t in_ring = (offset - shape.head) % shape.tail;
  return {shape.head + in_ring, std::min(shape.tail - in_ring, shape.total - offset)};
}

}  // namespace

std::string DroppedMarker(std::uint64_t dropped) {
  return absl::StrCat("\n[spillway: ", dropped, " bytes of output were left out here]\n");
}

absl::StatusOr<LogChunk> ReadLog(int file, const LogShape& shape, std::uint64_t offset,
                                 std::size_t limit) {
  LogChunk chunk;
  offset = std::min(offset, shape.total);
  if (shape.dropped() > 0 && offset >= shape.head && offset < shape.head + shape.dropped()) {
    chunk.dropped = shape.head + shape.dropped() - offset;
    offset += chunk.dropped;
  }
  while (offset < shape.total && chunk.bytes.size() < limit) {
    if (shape.dropped() > 0 && offset == shape.head && !chunk.bytes.empty())
      break;  // what follows is dropped
    const Place place = PlaceOf(shape, offset);
    const auto wanted =
        static_cast<std::size_t>(std::min<std::uint64_t>(place.length, limit - chunk.bytes.size()));
    SPILLWAY_ASSIGN_OR_RETURN(const std::string bytes, ReadAt(file, place.at, wanted));
    if (bytes.empty())
      return absl::DataLossError("the kept output is shorter than what was printed");
    chunk.bytes += bytes;
    offset += bytes.size();
  }
  chunk.next = offset;
  return chunk;
}

absl::StatusOr<OutputLog> OutputLog::Create(int dir, std::string name, std::uint64_t head,
                                            std::uint64_t tail) {
  UniqueFd file(
      openat(dir, name.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (!file) return ErrnoStatus(errno, absl::StrCat("create log ", name));
  return OutputLog(dir, std::move(name), std::move(file),
                   LogShape{.total = 0, .head = head, .tail = std::max<std::uint64_t>(tail, 1)});
}

absl::Status OutputLog::WriteAt(std::uint64_t place, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t n = pwrite(file_.get(), bytes.data(), bytes.size(), static_cast<off_t>(place));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return ErrnoStatus(errno, absl::StrCat("write log ", name_));
    place += static_cast<std::uint64_t>(n);
    bytes.remove_prefix(static_cast<std::size_t>(n));
  }
  return absl::OkStatus();
}

void OutputLog::Append(std::string_view bytes) {
  while (!bytes.empty() && trouble_.empty()) {
    std::uint64_t place = shape_.total;
    std::uint64_t room = shape_.head - std::min(shape_.head, place);
    if (room == 0) {
      const std::uint64_t in_ring = (shape_.total - shape_.head) % shape_.tail;
      place = shape_.head + in_ring;
      room = shape_.tail - in_ring;
    }
    const std::string_view piece =
        bytes.substr(0, static_cast<std::size_t>(std::min<std::uint64_t>(room, bytes.size())));
    if (const absl::Status written = WriteAt(place, piece); !written.ok()) {
      trouble_ = std::string(written.message());
      return;
    }
    shape_.total += piece.size();
    bytes.remove_prefix(piece.size());
  }
}

absl::StatusOr<LogChunk> OutputLog::Read(std::uint64_t offset, std::size_t limit) const {
  return ReadLog(file_.get(), shape_, offset, limit);
}

absl::Status OutputLog::PutInOrder() {
  SPILLWAY_ASSIGN_OR_RETURN(std::string text, ReadAt(file_.get(), 0, shape_.head));
  text += DroppedMarker(shape_.dropped());
  const std::uint64_t seam = (shape_.total - shape_.head) % shape_.tail;
  SPILLWAY_ASSIGN_OR_RETURN(const std::string older,
                            ReadAt(file_.get(), shape_.head + seam, shape_.tail - seam));
  SPILLWAY_ASSIGN_OR_RETURN(const std::string newer, ReadAt(file_.get(), shape_.head, seam));
  text += older;
  text += newer;
  SPILLWAY_RETURN_IF_ERROR(WriteWholeFile(dir_, name_, text, Durability::kSurvivesKill));
  UniqueFd again(openat(dir_, name_.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC));
  if (!again) return ErrnoStatus(errno, absl::StrCat("open log ", name_));
  file_ = std::move(again);
  return absl::OkStatus();
}

std::string OutputLog::Finish() {
  if (shape_.dropped() > 0) {
    if (const absl::Status done = PutInOrder(); !done.ok()) {
      // The ring stays as it is: ReadLog() still finds every byte, only the order in the file
      // suffers.
      if (trouble_.empty()) trouble_ = std::string(done.message());
      return trouble_;
    }
  }
  shape_.in_order = true;
  return trouble_;
}

}  // namespace spillway
