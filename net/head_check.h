#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "net/head_lines.h"
#include "net/http.h"

// The gate in front of everything: reads the raw head of a request and either says exactly what it
// means or refuses it. Pure: bytes in, verdict out; no socket, no clock. Boost.Beast 1.81 lets
// through obs-fold, missing, repeated and empty Host, `xchunked`, empty or `identity`
// Transfer-Encoding, `chunked, deflate`, `chunkedchunked`, both lengths in one order, raw non-ASCII
// targets and chunked in HTTP/1.0; here each is a 400.
namespace spillway {

// Meaning of a head that was accepted. Places, not views: they hold for whatever buffer the same
// bytes stand in.
struct RequestHead {
  Method method = Method::kGet;
  int minor_version = 1;  // HTTP/1.0 or HTTP/1.1
  std::uint32_t target_at = 0, target_size = 0;
  Framing framing;
  bool expects_continue = false;  // HTTP/1.1 only
  bool takes_trailers = false;    // "TE: trailers"
  Headers::Spans fields;

  // Origin form or "*". An absolute form was reduced to its path, "/" if it had none.
  std::string_view Target(std::string_view bytes) const {
    return target_size ? bytes.substr(target_at, target_size) : std::string_view("/");
  }
  bool keep_alive() const { return minor_version == 1 && !framing.close; }
};

class RequestHeadCheck {
 public:
  enum class State : std::uint8_t { kMore, kDone, kRefused };

  // `bytes` is everything from the head's first byte on; call again with more of them while it says
  // kMore. Bytes behind the head are not looked at. The verdict does not depend on how the bytes
  // were split.
  State Feed(std::string_view bytes);

  // After kDone.
  const RequestHead& head() const { return head_; }
  std::size_t length() const { return lines_.end(); }  // Of the head, its blank line included.
  // After kRefused. The connection is of no use any more: where the next request starts is unknown.
  const Refusal& refusal() const { return refusal_; }

  void Reset();  // For the next request.

 private:
  HeadLines lines_;
  RequestHead head_;
  Refusal refusal_;
  std::uint32_t authority_at_ = 0, authority_size_ = 0;  // Of an absolute form.
  std::uint32_t host_at_ = 0, host_size_ = 0;
  bool has_host_ = false;

  Refusal RequestLine(std::string_view bytes);
  Refusal TargetForm(std::string_view bytes, std::string_view target);
  Refusal Field(std::string_view bytes);
  Refusal Meaning(std::string_view name, std::string_view value);
  Refusal Finish(std::string_view bytes) const;
};

}  // namespace spillway
