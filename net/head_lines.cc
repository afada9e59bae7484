#include "net/head_lines.h"

#include <cstring>

namespace spillway {
namespace {

Refusal Bad(HeadFault fault, const char* why) { return {400, fault, why}; }

// Index of `c` in bytes[from, to), npos if it is not there.
std::size_t Seek(std::string_view bytes, char c, std::size_t from, std::size_t to) {
  if (from >= to) return std::string_view::npos;
  const void* at = std::memchr(bytes.data() + from, c, to - from);
  return at ? static_cast<std::size_t>(static_cast<const char*>(at) - bytes.data())
            : std::string_view::npos;
}

}  // namespace

HeadLines::Got HeadLines::Next(std::string_view bytes, std::size_t first_limit, Refusal* refusal) {
  const auto refuse = [&](Refusal why) {
    *refusal = why;
    return Got::kRefused;
  };
  const std::size_t lf = Seek(bytes, '\n', scan_, bytes.size());
  const bool whole = lf != bytes.npos;
  const std::size_t line_bytes = (whole ? lf : bytes.size()) - next_;  // The CR may be among them.
  if (lines_ == 0 && line_bytes > first_limit + 1) {
    return refuse({414, HeadFault::kTargetTooLong, "the first line is longer than 8 KiB"});
  }
  if (whole ? lf >= kMaxHeadBytes : bytes.size() >= kMaxHeadBytes) {
    return refuse({431, HeadFault::kHeadTooLong, "the head is longer than 16 KiB"});
  }
  if (!whole) {
    scan_ = bytes.size();
    return Got::kMore;
  }
  if (line_bytes == 0 || bytes[lf - 1] != '\r') {
    return refuse(Bad(HeadFault::kLineEnd, "a line ends in LF without CR"));
  }
  begin_ = next_;
  end_ = lf - 1;
  next_ = scan_ = lf + 1;
  ++lines_;
  if (Seek(bytes, '\r', begin_, end_) != bytes.npos) {
    return refuse(Bad(HeadFault::kLineEnd, "a CR stands within a line"));
  }
  if (begin_ != end_) {
    const bool blank = bytes[begin_] == ' ' || bytes[begin_] == '\t';
    if (blank && lines_ > 1) {
      return refuse(Bad(HeadFault::kFolding, "a line after the first begins with a blank"));
    }
    return Got::kLine;
  }
  if (lines_ == 1) return refuse(Bad(HeadFault::kRequestLine, "the first line is empty"));
  end_ = next_;
  return Got::kEnd;
}

Refusal CheckFieldLine(std::string_view bytes, std::size_t begin, std::size_t end,
                       Headers::Span* span) {
  const std::size_t colon = Seek(bytes, ':', begin, end);
  if (colon == bytes.npos) return Bad(HeadFault::kFieldName, "a field has no colon");
  const std::string_view name = bytes.substr(begin, colon - begin);
  if (name.empty() || !chars::AllAre(name, chars::kToken)) {
    return Bad(HeadFault::kFieldName, "the name of a field is not a token");
  }
  const std::string_view raw = bytes.substr(colon + 1, end - colon - 1);
  if (!chars::AllAre(raw, chars::kFieldByte)) {
    return Bad(HeadFault::kFieldValue, "the value of a field holds a control character");
  }
  const std::string_view value = chars::Trim(raw);
  const std::size_t value_at =
      value.empty() ? colon + 1 : static_cast<std::size_t>(value.data() - bytes.data());
  *span = {static_cast<std::uint32_t>(begin), static_cast<std::uint32_t>(name.size()),
           static_cast<std::uint32_t>(value_at), static_cast<std::uint32_t>(value.size())};
  return {};
}

Refusal Framing::TakeContentLength(std::string_view value) {
  if (content_length) return Bad(HeadFault::kContentLength, "Content-Length is given twice");
  // 18 digits cannot overflow, and no body is a thousand petabytes long.
  if (value.empty() || value.size() > 18) {
    return Bad(HeadFault::kContentLength, "Content-Length is not a number of 1 to 18 digits");
  }
  std::uint64_t length = 0;
  for (const char c : value) {
    if (c < '0' || c > '9') {
      return Bad(HeadFault::kContentLength, "Content-Length is not a number of 1 to 18 digits");
    }
    length = length * 10 + static_cast<std::uint64_t>(c - '0');
  }
  content_length = length;
  return {};
}

Refusal Framing::TakeTransferEncoding(std::string_view value) {
  if (chunked || !chars::SameWord(value, "chunked")) {
    return Bad(HeadFault::kTransferEncoding, "Transfer-Encoding is not one `chunked`");
  }
  chunked = true;
  return {};
}

Refusal Framing::TakeConnection(std::string_view value) {
  bool tokens = true;
  ForEachElement(value, [&](std::string_view option) {
    tokens = tokens && chars::AllAre(option, chars::kToken);
    close = close || chars::SameWord(option, "close");
  });
  return tokens ? Refusal{} : Bad(HeadFault::kFieldValue, "Connection is not a list of tokens");
}

Refusal Framing::Check(int minor_version) const {
  if (chunked && content_length) {
    return Bad(HeadFault::kContentLength, "Content-Length and Transfer-Encoding are both given");
  }
  if (chunked && minor_version == 0) {
    return Bad(HeadFault::kTransferEncoding, "Transfer-Encoding in HTTP/1.0");
  }
  return {};
}

}  // namespace spillway
