#include "adapters/process/codec.h"

#include <xxhash.h>

#include "absl/strings/str_cat.h"

namespace spillway {
namespace {

constexpr std::size_t kLengthBytes = 4;
constexpr std::size_t kHeadBytes = 2;  // version, type
constexpr std::string_view kMark = "SPWY";
constexpr std::size_t kChecksumBytes = 8;

std::string LittleEndian(std::uint64_t value, std::size_t bytes) {
  std::string out;
  for (std::size_t i = 0; i < bytes; ++i) out.push_back(static_cast<char>(value >> (8 * i)));
  return out;
}

std::uint64_t FromLittleEndian(std::string_view bytes) {
  std::uint64_t value = 0;
  for (std::size_t i = bytes.size(); i-- > 0;)
    value = value << 8 | static_cast<std::uint8_t>(bytes[i]);
  return value;
}

std::string Checksum(std::string_view bytes) {
  return LittleEndian(XXH3_64bits(bytes.data(), bytes.size()), kChecksumBytes);
}

}  // namespace

std::string_view Reader::Raw(std::size_t n) {
  if (n > rest_.size()) {
    Fail();
    return {};
  }
  const std::string_view taken = rest_.substr(0, n);
  rest_.remove_prefix(n);
  return taken;
}

std::string EncodeFrame(std::uint8_t type, std::string_view body) {
  std::string frame = LittleEndian(body.size() + kHeadBytes, kLengthBytes);
  frame.push_back(static_cast<char>(kProtocolVersion));
  frame.push_back(static_cast<char>(type));
  frame.append(body);
  return frame;
}

absl::StatusOr<std::optional<Frame>> FrameReader::Next() {
  if (buffer_.size() < kLengthBytes) return std::nullopt;
  const std::uint64_t length = FromLittleEndian(std::string_view(buffer_).substr(0, kLengthBytes));
  if (length < kHeadBytes || length + kLengthBytes > kMaxMessage) {
    return absl::InvalidArgumentError(absl::StrCat("cannot read a message of ", length,
                                                   " bytes: between ", kHeadBytes, " and ",
                                                   kMaxMessage - kLengthBytes, " were expected"));
  }
  if (buffer_.size() < kLengthBytes + length) return std::nullopt;
  Frame frame;
  frame.version = static_cast<std::uint8_t>(buffer_[kLengthBytes]);
  frame.type = static_cast<std::uint8_t>(buffer_[kLengthBytes + 1]);
  frame.body = buffer_.substr(kLengthBytes + kHeadBytes, length - kHeadBytes);
  buffer_.erase(0, kLengthBytes + length);
  return frame;
}

std::string Seal(std::uint8_t kind, std::string_view body) {
  std::string file(kMark);
  file.push_back(static_cast<char>(kProtocolVersion));
  file.push_back(static_cast<char>(kind));
  file.append(body);
  return file + Checksum(file);
}

absl::StatusOr<std::string> Unseal(std::uint8_t kind, std::string_view file) {
  const std::size_t head = kMark.size() + 2;
  if (file.size() < head + kChecksumBytes) return absl::DataLossError("record is too short");
  const std::string_view covered = file.substr(0, file.size() - kChecksumBytes);
  if (Checksum(covered) != file.substr(covered.size())) {
    return absl::DataLossError("record does not match its checksum");
  }
  if (covered.substr(0, kMark.size()) != kMark ||
      static_cast<std::uint8_t>(covered[kMark.size()]) != kProtocolVersion ||
      static_cast<std::uint8_t>(covered[kMark.size() + 1]) != kind) {
    return absl::DataLossError("record is of another kind or version");
  }
  return std::string(covered.substr(head));
}

}  // namespace spillway
