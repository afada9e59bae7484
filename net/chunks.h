#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "net/head_lines.h"
#include "net/headers.h"

namespace spillway {

// Reads a chunked body (RFC 9112, section 7.1) from pieces of any size, copying nothing. A chunk
// size has at most 8 hex digits (leading zeros counted); a chunk extension is skipped if it is made
// of tokens, ';' and '=', up to 256 bytes, and refused if it is quoted: parsers disagree on where a
// quoted one ends.
class ChunkReader {
 public:
  enum class Trailers : std::uint8_t {
    kRefuse,  // Requests: nobody sends them, and smuggling hides there.
    kKeep,    // Answers: checked like a head, kept apart from it.
  };
  enum class State : std::uint8_t { kMore, kDone, kRefused };
  struct Step {
    State state = State::kMore;
    std::size_t consumed =
        0;  // Bytes of the input that are done with. After kDone the rest is not ours.
    std::string_view data;  // Part of the input that belongs to the body; may be empty.
  };

  explicit ChunkReader(Trailers trailers) : rule_(trailers) {}

  // Reads until it has some data, needs more input, or is at the end: call it in a loop.
  Step Next(std::string_view in);

  // Bytes of the current chunk still to come: known before they are read, so that a bound on the
  // whole body can be kept.
  std::uint64_t pending() const { return left_; }
  const Refusal& refusal() const { return refusal_; }
  const Headers& trailers() const { return trailers_; }

 private:
  enum class At : std::uint8_t {
    kSize,
    kExtension,
    kSizeLf,
    kData,
    kDataCr,
    kDataLf,
    kEndCr,
    kEndLf,
    kTrailer,
    kDone
  };
  Trailers rule_;
  At at_ = At::kSize;
  int digits_ = 0;
  std::size_t extension_ = 0;
  std::uint64_t left_ = 0;
  Refusal refusal_;
  HeadLines trailer_lines_;
  std::string trailer_text_;
  Headers trailers_;

  bool Byte(char c);  // Takes one byte of framing; false: refused.
  bool SizeEnds();
  bool TrailerByte(char c);
  bool Refuse(HeadFault fault, const char* why);
};

}  // namespace spillway
