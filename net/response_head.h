#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "net/head_lines.h"

namespace spillway {

struct ResponseHead {
  int status = 0;  // 100 to 599
  int minor_version = 1;
  Framing framing;
  Headers::Spans fields;

  bool keep_alive() const { return minor_version == 1 && !framing.close; }
  // 1xx, 204 and 304 have none whatever their fields say; nor has an answer to HEAD.
  bool may_have_body() const { return status >= 200 && status != 204 && status != 304; }
};

// What an answer is encoded with, at most 32 bytes of it; "" where it is not (`identity`). We
// always ask for `identity`.
std::string_view EncodingOf(const Headers& headers);
// What is wrong with that, and what to do: "has Content-Encoding gzip, which nobody asked for:
// ...".
std::string EncodedUnasked(std::string_view coding);

// The head check for answers, used as RequestHeadCheck. The same rules for lines, fields and
// lengths: an engine that answers with two lengths is not trusted to be read right.
class ResponseHeadCheck {
 public:
  enum class State : std::uint8_t { kMore, kDone, kRefused };
  State Feed(std::string_view bytes);
  const ResponseHead& head() const { return head_; }
  std::size_t length() const { return lines_.end(); }
  const Refusal& refusal() const { return refusal_; }  // Its status says nothing here.

 private:
  HeadLines lines_;
  ResponseHead head_;
  Refusal refusal_;

  Refusal StatusLine(std::string_view line);
  Refusal Field(std::string_view bytes);
};

}  // namespace spillway
