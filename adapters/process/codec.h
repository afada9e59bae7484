#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "core/ids.h"
#include "core/units.h"

// The small binary language of the supervisor, on its socket and on its disk. Strict: every length
// is checked against what is there, every enumerator against its range, and nothing may be left
// over. Integers are little-endian; text is a 32-bit length and bytes.
namespace spillway {

inline constexpr std::size_t kMaxMessage = 1 << 20;  // bytes of one message, head included
inline constexpr std::uint8_t kProtocolVersion = 1;

// Both take the same visitor, `template <class Archive> void Fields(Archive&, M&)`, which names the
// fields of a message once: archive(m.a, m.b).
class Writer {
 public:
  template <class... T>
  void operator()(const T&... values) {
    (Put(values), ...);
  }
  template <class E>
  void Enum(const E& value, E /*last*/) {
    PutInteger(static_cast<std::uint8_t>(value));
  }
  std::string Take() { return std::move(bytes_); }

 private:
  template <class Int>
  void PutInteger(Int value) {
    const auto bits = static_cast<std::uint64_t>(value);
    for (std::size_t i = 0; i < sizeof(Int); ++i)
      bytes_.push_back(static_cast<char>(bits >> (8 * i)));
  }
  void Put(bool v) { PutInteger<std::uint8_t>(v); }
  void Put(std::int32_t v) { PutInteger(v); }
  void Put(std::uint32_t v) { PutInteger(v); }
  void Put(std::int64_t v) { PutInteger(v); }
  void Put(std::uint64_t v) { PutInteger(v); }
  void Put(const std::string& v) { Put(static_cast<std::uint32_t>(v.size())), bytes_ += v; }
  void Put(JobId v) { Put(Number(v)); }
  void Put(const AttemptKey& v) { Put(v.job), Put(v.attempt); }
  void Put(Bytes v) { Put(v.value()); }
  void Put(MilliCpus v) { Put(v.value()); }
  void Put(absl::Duration v) { Put(absl::ToInt64Nanoseconds(v)); }
  // InfinitePast, "not yet", saturates to the least number and comes back as itself.
  void Put(absl::Time v) { Put(absl::ToUnixNanos(v)); }
  template <class A, class B>
  void Put(const std::pair<A, B>& v) {
    Put(v.first), Put(v.second);
  }
  template <class T>
  void Put(const std::vector<T>& v) {
    Put(static_cast<std::uint32_t>(v.size()));
    for (const T& entry : v) Put(entry);
  }

  std::string bytes_;
};

class Reader {
 public:
  explicit Reader(std::string_view bytes) : rest_(bytes) {}
  template <class... T>
  void operator()(T&... values) {
    (Get(values), ...);
  }
  template <class E>
  void Enum(E& value, E last) {
    const auto raw = Integer<std::uint8_t>();
    if (raw > static_cast<std::uint8_t>(last)) return Fail();
    value = static_cast<E>(raw);
  }
  // True if every field was there and nothing is left.
  bool Complete() const { return good_ && rest_.empty(); }

 private:
  void Fail() { good_ = false, rest_ = {}; }
  std::string_view Raw(std::size_t n);
  template <class Int>
  Int Integer() {
    const std::string_view raw = Raw(sizeof(Int));
    std::uint64_t bits = 0;
    for (std::size_t i = 0; i < raw.size(); ++i) {
      bits |= std::uint64_t{static_cast<std::uint8_t>(raw[i])} << (8 * i);
    }
    return static_cast<Int>(bits);
  }
  void Get(bool& v) {
    const auto raw = Integer<std::uint8_t>();
    if (raw > 1) return Fail();
    v = raw == 1;
  }
  void Get(std::int32_t& v) { v = Integer<std::int32_t>(); }
  void Get(std::uint32_t& v) { v = Integer<std::uint32_t>(); }
  void Get(std::int64_t& v) { v = Integer<std::int64_t>(); }
  void Get(std::uint64_t& v) { v = Integer<std::uint64_t>(); }
  void Get(std::string& v) { v = std::string(Raw(Integer<std::uint32_t>())); }
  void Get(JobId& v) { v = JobId(Integer<std::uint64_t>()); }
  void Get(AttemptKey& v) { Get(v.job), Get(v.attempt); }
  void Get(Bytes& v) { v = Bytes(Integer<std::int64_t>()); }
  void Get(MilliCpus& v) { v = MilliCpus(Integer<std::int64_t>()); }
  void Get(absl::Duration& v) { v = absl::Nanoseconds(Integer<std::int64_t>()); }
  void Get(absl::Time& v) {
    const auto nanos = Integer<std::int64_t>();
    const bool never = nanos == std::numeric_limits<std::int64_t>::min();
    v = never ? absl::InfinitePast() : absl::FromUnixNanos(nanos);
  }
  template <class A, class B>
  void Get(std::pair<A, B>& v) {
    Get(v.first), Get(v.second);
  }
  template <class T>
  void Get(std::vector<T>& v) {
    const auto count = Integer<std::uint32_t>();
    v.clear();
    // Every entry takes a byte or more, so a count that lies is found before memory is taken for
    // it.
    if (count > rest_.size()) return Fail();
    for (std::uint32_t i = 0; i < count && good_; ++i) Get(v.emplace_back());
  }

  std::string_view rest_;
  bool good_ = true;
};

template <class M>
std::string Encode(const M& message) {
  Writer writer;
  Fields(writer, const_cast<M&>(message));  // a Writer only reads
  return writer.Take();
}
template <class M>
std::optional<M> Decode(std::string_view bytes) {
  Reader reader(bytes);
  M message;
  Fields(reader, message);
  if (!reader.Complete()) return std::nullopt;
  return message;
}

// A message on the socket: 32-bit length of what follows, version, type, body.
struct Frame {
  std::uint8_t version = 0;
  std::uint8_t type = 0;
  std::string body;
};
std::string EncodeFrame(std::uint8_t type, std::string_view body);

// Cuts a stream into frames, however it was split on the way.
class FrameReader {
 public:
  void Append(std::string_view bytes) { buffer_.append(bytes); }
  // The next whole frame; nothing if more bytes are needed. kInvalidArgument: this is not our
  // language; the connection is of no more use.
  absl::StatusOr<std::optional<Frame>> Next();

 private:
  std::string buffer_;
};

// A record on disk: mark, kind, body, checksum. A file that was torn or changed is not believed.
std::string Seal(std::uint8_t kind, std::string_view body);
absl::StatusOr<std::string> Unseal(std::uint8_t kind, std::string_view file);

}  // namespace spillway
