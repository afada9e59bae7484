#include "formats/codec_packed.h"

#include <algorithm>

#include "absl/strings/escaping.h"

namespace spillway::codec {
namespace {

constexpr std::string_view kHead = R"({"v":3,"packed":")";
constexpr std::string_view kHeadBefore = R"({"v":2,"packed":")";
constexpr std::string_view kTail = R"("})";
constexpr std::size_t kTextsKept = 48;  // of one document: names come again and again

// What an odd span begins with.
constexpr std::uint64_t kForeverCode = 1, kForeverAgoCode = 3, kOddCode = 5;
// Abseil keeps quarters of nanoseconds.
constexpr std::int64_t kQuartersPerSecond = 4'000'000'000;
const absl::Duration kQuarter = absl::Nanoseconds(1) / 4;

std::uint64_t ZigZag(std::int64_t number) {
  return static_cast<std::uint64_t>(number) << 1 ^ static_cast<std::uint64_t>(number >> 63);
}
std::int64_t UnZigZag(std::uint64_t number) {
  return static_cast<std::int64_t>(number >> 1 ^ (~(number & 1) + 1));
}

// Nanoseconds, if that is all there is to say, and doubled it still is an int64.
std::optional<std::int64_t> EvenNanos(absl::Duration span) {
  absl::Duration rest;
  const std::int64_t nanos = absl::IDivDuration(span, absl::Nanoseconds(1), &rest);
  constexpr std::int64_t kMost = std::numeric_limits<std::int64_t>::max() / 2;
  if (nanos > kMost || nanos < -kMost || rest != absl::ZeroDuration()) return std::nullopt;
  return nanos;
}
bool IsEven(std::int64_t nanos) {
  constexpr std::int64_t kMost = std::numeric_limits<std::int64_t>::max() / 2;
  return nanos <= kMost && nanos >= -kMost;
}

}  // namespace

void Packer::Grow(std::size_t bytes) {
  const std::string_view written = this->bytes();
  const std::size_t size = std::max(written.size() + bytes, 2 * written.size());
  std::unique_ptr<char[]> larger(new char[size]);
  end_ = std::copy(written.begin(), written.end(), larger.get());
  limit_ = larger.get() + size;
  memory_ = std::move(larger);
}

void Packer::Text(std::string_view text) {
  const auto found = std::find(texts_.begin(), texts_.end(), text);
  if (found != texts_.end()) return Whole(static_cast<std::uint64_t>(found - texts_.begin()) + 1);
  Byte(0);
  Whole(text.size());
  Reserve(text.size());
  end_ = std::copy(text.begin(), text.end(), end_);
  if (texts_.size() < kTextsKept) texts_.push_back(text);
}

void Packer::EvenOrOdd(std::optional<std::int64_t> nanos, absl::Duration span) {
  if (nanos) return Whole(ZigZag(*nanos) << 1);
  if (span == absl::InfiniteDuration()) return Whole(kForeverCode);
  if (span == -absl::InfiniteDuration()) return Whole(kForeverAgoCode);
  absl::Duration rest;
  const std::int64_t seconds = absl::IDivDuration(span, absl::Seconds(1), &rest);
  Whole(kOddCode);
  Signed(seconds);
  Signed(absl::IDivDuration(rest, kQuarter, &rest));
}

void Packer::Span(absl::Duration span) { EvenOrOdd(EvenNanos(span), span); }

void Packer::Time(absl::Time time) {
  const absl::Duration since = time - absl::UnixEpoch();
  const auto nanos = EvenNanos(since);
  std::int64_t step = 0;
  if (nanos && !__builtin_sub_overflow(*nanos, last_time_, &step) && IsEven(step)) {
    last_time_ = *nanos;
    return EvenOrOdd(step, since);
  }
  EvenOrOdd(std::nullopt, since);
}

bool Unpacker::Byte(std::uint8_t& out) {
  if (at_end()) return Say("the document ends too early");
  out = static_cast<std::uint8_t>(bytes_[at_++]);
  return true;
}

bool Unpacker::Whole(std::uint64_t& out) {
  out = 0;
  for (int shift = 0; shift < 64; shift += 7) {
    std::uint8_t byte = 0;
    if (!Byte(byte)) return false;
    if (shift == 63 && byte > 1) return Say("a number out of range");
    out |= static_cast<std::uint64_t>(byte & 0x7f) << shift;
    if (byte < 0x80) return true;
  }
  return Say("a number without an end");
}

bool Unpacker::Signed(std::int64_t& out) {
  std::uint64_t number = 0;
  if (!Whole(number)) return false;
  out = UnZigZag(number);
  return true;
}

bool Unpacker::Count(std::size_t& out) {
  std::uint64_t count = 0;
  if (!Whole(count)) return false;
  if (count > bytes_.size() - at_) return Say("a length past the end");
  out = static_cast<std::size_t>(count);
  return true;
}

bool Unpacker::Text(std::string& out) {
  std::uint64_t place = 0;
  if (!Whole(place)) return false;
  if (place > 0) {
    if (place > texts_.size()) return Say("a text that was not said before");
    out = texts_[static_cast<std::size_t>(place - 1)];
    return true;
  }
  std::size_t size = 0;
  if (!Count(size)) return false;
  out = std::string(bytes_.substr(at_, size));
  at_ += size;
  if (texts_.size() < kTextsKept) texts_.push_back(out);
  return true;
}

bool Unpacker::OddSpan(std::uint64_t kind, absl::Duration& out) {
  if (kind == kForeverCode) return out = absl::InfiniteDuration(), true;
  if (kind == kForeverAgoCode) return out = -absl::InfiniteDuration(), true;
  std::int64_t seconds = 0, quarters = 0;
  if (kind != kOddCode) return Say("an unknown kind of span");
  if (!Signed(seconds) || !Signed(quarters)) return false;
  if (quarters <= -kQuartersPerSecond || quarters >= kQuartersPerSecond)
    return Say("more quarters of nanoseconds than a second has");
  out = absl::Seconds(seconds) + quarters * kQuarter;
  return true;
}

bool Unpacker::Span(absl::Duration& out) {
  std::uint64_t number = 0;
  if (!Whole(number)) return false;
  if ((number & 1) != 0) return OddSpan(number, out);
  out = absl::Nanoseconds(UnZigZag(number >> 1));
  return true;
}

bool Unpacker::Time(absl::Time& out) {
  std::uint64_t number = 0;
  if (!Whole(number)) return false;
  absl::Duration since;
  if ((number & 1) != 0) {
    if (!OddSpan(number, since)) return false;
  } else {
    if (__builtin_add_overflow(last_time_, UnZigZag(number >> 1), &last_time_))
      return Say("a time out of range");
    since = absl::Nanoseconds(last_time_);
  }
  out = absl::UnixEpoch() + since;
  return true;
}

std::string PackedText(const Packer& packed) {
  std::string base64;
  absl::Base64Escape(ToAbsl(packed.bytes()), &base64);
  std::string text;
  text.reserve(kHead.size() + base64.size() + kTail.size());
  return text.append(kHead).append(base64).append(kTail);
}

int FormOfPackedText(std::string_view text) {
  return text.starts_with(R"({"v":3,)") ? 3 : text.starts_with(R"({"v":2,)") ? 2 : 0;
}

absl::StatusOr<std::string> BytesOfPackedText(std::string_view text) {
  static_assert(kHead.size() == kHeadBefore.size());
  std::string bytes;
  if (text.size() >= kHead.size() + kTail.size() &&
      (text.starts_with(kHead) || text.starts_with(kHeadBefore)) && text.ends_with(kTail)) {
    text = text.substr(kHead.size(), text.size() - kHead.size() - kTail.size());
    if (absl::Base64Unescape(ToAbsl(text), &bytes)) return bytes;
  }
  return absl::DataLossError("no packed document");
}

}  // namespace spillway::codec
