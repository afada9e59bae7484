#include "net/response_head.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "core/text.h"
#include "net/chars.h"

namespace spillway {
namespace {
Refusal Bad(HeadFault fault, const char* why) { return {400, fault, why}; }
}  // namespace

std::string_view EncodingOf(const Headers& headers) {
  constexpr std::size_t kMost = 32;
  const std::string_view coding = headers.Get("content-encoding");
  if (coding.empty() || chars::SameWord(coding, "identity")) return {};
  const auto shown = [](char c) { return c >= ' ' && c <= '~'; };
  const auto end = std::find_if_not(coding.begin(), coding.end(), shown);
  const auto size = std::min(static_cast<std::size_t>(end - coding.begin()), kMost);
  return size > 0 ? coding.substr(0, size) : std::string_view("?");
}

std::string EncodedUnasked(std::string_view coding) {
  return absl::StrCat("has Content-Encoding ", ToAbsl(coding),
                      ", which nobody asked for (Accept-Encoding was identity): switch compression "
                      "off in the engine, or in the proxy before it");
}

ResponseHeadCheck::State ResponseHeadCheck::Feed(std::string_view bytes) {
  while (!refusal_.refused()) {
    switch (lines_.Next(bytes, kMaxTargetBytes, &refusal_)) {
      case HeadLines::Got::kMore:
        return State::kMore;
      case HeadLines::Got::kRefused:
        break;
      case HeadLines::Got::kLine:
        refusal_ = lines_.first()
                       ? StatusLine(bytes.substr(lines_.begin(), lines_.end() - lines_.begin()))
                       : Field(bytes);
        break;
      case HeadLines::Got::kEnd:
        refusal_ = head_.framing.Check(head_.minor_version);
        if (!refusal_.refused()) return State::kDone;
    }
  }
  return State::kRefused;
}

// "HTTP/1.1 200 OK"; the phrase may be empty, and some servers leave out the blank before it.
Refusal ResponseHeadCheck::StatusLine(std::string_view line) {
  const auto digit = [&](std::size_t at) { return line[at] >= '0' && line[at] <= '9'; };
  const bool form = line.size() >= 12 && line.substr(0, 7) == "HTTP/1." &&
                    (line[7] == '0' || line[7] == '1') && line[8] == ' ' && digit(9) && digit(10) &&
                    digit(11) && (line.size() == 12 || line[12] == ' ');
  if (!form) return Bad(HeadFault::kStatusLine, "the status line is not HTTP/1.x and three digits");
  if (!chars::AllAre(line, chars::kFieldByte)) {
    return Bad(HeadFault::kStatusLine, "the status line holds a control character");
  }
  head_.minor_version = line[7] - '0';
  head_.status = (line[9] - '0') * 100 + (line[10] - '0') * 10 + (line[11] - '0');
  if (head_.status < 100 || head_.status > 599) {
    return Bad(HeadFault::kStatusLine, "the status is not within 100 to 599");
  }
  return {};
}

Refusal ResponseHeadCheck::Field(std::string_view bytes) {
  if (head_.fields.size() == kMaxHeadFields) {
    return Bad(HeadFault::kTooManyFields, "the head has more than 100 fields");
  }
  Headers::Span span;
  if (const Refusal why = CheckFieldLine(bytes, lines_.begin(), lines_.end(), &span);
      why.refused()) {
    return why;
  }
  head_.fields.push_back(span);
  const std::string_view name = NameOf(bytes, span);
  const std::string_view value = ValueOf(bytes, span);
  if (chars::SameWord(name, "content-length")) return head_.framing.TakeContentLength(value);
  if (chars::SameWord(name, "transfer-encoding")) return head_.framing.TakeTransferEncoding(value);
  if (chars::SameWord(name, "connection")) return head_.framing.TakeConnection(value);
  return {};
}

}  // namespace spillway
