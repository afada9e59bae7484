#include "net/chunks.h"

#include <algorithm>

namespace spillway {
namespace {
constexpr int kMaxDigits = 8;
constexpr std::size_t kMaxExtension = 256;
}  // namespace

ChunkReader::Step ChunkReader::Next(std::string_view in) {
  if (refusal_.refused()) return {State::kRefused, 0, {}};
  std::size_t at = 0;
  while (at_ != At::kDone && at < in.size()) {
    if (at_ == At::kData) {
      const std::size_t take =
          static_cast<std::size_t>(std::min<std::uint64_t>(left_, in.size() - at));
      left_ -= take;
      if (left_ == 0) at_ = At::kDataCr;
      return {State::kMore, at + take, in.substr(at, take)};
    }
    if (!Byte(in[at++])) return {State::kRefused, at, {}};
  }
  return {at_ == At::kDone ? State::kDone : State::kMore, at, {}};
}

bool ChunkReader::Byte(char c) {
  const auto expect = [&](char wanted, At next) {
    if (c != wanted)
      return Refuse(HeadFault::kChunk, "a chunk does not end in CRLF where it should");
    at_ = next;
    return true;
  };
  switch (at_) {
    case At::kSize:
      if (const int value = chars::HexValue(c); value >= 0) {
        if (++digits_ > kMaxDigits) {
          return Refuse(HeadFault::kChunk, "a chunk size has more than 8 digits");
        }
        left_ = left_ * 16 + static_cast<std::uint64_t>(value);
        return true;
      }
      if (digits_ == 0) return Refuse(HeadFault::kChunk, "a chunk has no size");
      if (c != ';') return expect('\r', At::kSizeLf);
      at_ = At::kExtension;
      return true;
    case At::kExtension:
      if (c == '\r') return expect('\r', At::kSizeLf);
      if (++extension_ > kMaxExtension || !(chars::Is(c, chars::kToken) || c == ';' || c == '=')) {
        return Refuse(HeadFault::kChunk, "a chunk extension is too long or not made of tokens");
      }
      return true;
    case At::kSizeLf:
      return expect('\n', At::kSize) && SizeEnds();
    case At::kDataCr:
      return expect('\r', At::kDataLf);
    case At::kDataLf:
      return expect('\n', At::kSize);
    case At::kEndCr:
      if (c == '\r') return expect('\r', At::kEndLf);
      if (rule_ == Trailers::kRefuse) return Refuse(HeadFault::kTrailer, "trailers are not taken");
      at_ = At::kTrailer;
      return TrailerByte(c);
    case At::kEndLf:
      return expect('\n', At::kDone);
    case At::kTrailer:
      return TrailerByte(c);
    case At::kData:
    case At::kDone:
      break;
  }
  return Refuse(HeadFault::kChunk, "bytes after the last chunk");
}

bool ChunkReader::SizeEnds() {
  digits_ = 0;
  extension_ = 0;
  at_ = left_ == 0 ? At::kEndCr : At::kData;
  return true;
}

// Trailers are rare and short: each byte goes through the same line cutter as a head.
bool ChunkReader::TrailerByte(char c) {
  trailer_text_.push_back(c);
  switch (trailer_lines_.Next(trailer_text_, kMaxTargetBytes, &refusal_)) {
    case HeadLines::Got::kMore:
      return true;
    case HeadLines::Got::kRefused:
      return false;
    case HeadLines::Got::kEnd:
      at_ = At::kDone;
      return true;
    case HeadLines::Got::kLine:
      break;
  }
  if (trailers_.size() == kMaxHeadFields) {
    return Refuse(HeadFault::kTooManyFields, "more than 100 trailers");
  }
  Headers::Span span;
  refusal_ = CheckFieldLine(trailer_text_, trailer_lines_.begin(), trailer_lines_.end(), &span);
  if (refusal_.refused()) return false;
  trailers_.Add(NameOf(trailer_text_, span), ValueOf(trailer_text_, span));
  return true;
}

bool ChunkReader::Refuse(HeadFault fault, const char* why) {
  refusal_ = {400, fault, why};
  return false;
}

}  // namespace spillway
