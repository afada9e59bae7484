#include "net/head_check.h"

namespace spillway {
namespace {

// "METHOD SP" and " HTTP/1.1" around the longest target.
constexpr std::size_t kMaxRequestLine = kMaxTargetBytes + 64;

Refusal Bad(HeadFault fault, const char* why) { return {400, fault, why}; }

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

Refusal CheckVersion(std::string_view version, int* minor) {
  const bool form = version.size() == 8 && version.substr(0, 5) == "HTTP/" && IsDigit(version[5]) &&
                    version[6] == '.' && IsDigit(version[7]);
  if (!form) return Bad(HeadFault::kRequestLine, "the request line does not end in HTTP/d.d");
  if (version[5] != '1' || version[7] > '1') {
    return {505, HeadFault::kVersion, "the version is neither HTTP/1.0 nor HTTP/1.1"};
  }
  *minor = version[7] - '0';
  return {};
}

Refusal CheckMethod(std::string_view name, Method* method) {
  if (name.empty() || !chars::AllAre(name, chars::kToken)) {
    return Bad(HeadFault::kRequestLine, "the method is not a token");
  }
  if (name == "TRACE" || name == "CONNECT") {
    return {405, HeadFault::kMethod, "TRACE and CONNECT are not served"};
  }
  const auto known = ParseMethod(name);
  if (!known) return {501, HeadFault::kMethod, "the method is unknown"};
  *method = *known;
  return {};
}

// host [":" port] with a name, an IPv4 address or an IPv6 address in brackets.
bool ValidAuthority(std::string_view text) {
  std::string_view rest;
  if (!text.empty() && text[0] == '[') {
    const std::size_t end = text.find(']');
    if (end == text.npos || end < 3) return false;
    for (const char c : text.substr(1, end - 1)) {
      if (chars::HexValue(c) < 0 && c != ':' && c != '.') return false;
    }
    rest = text.substr(end + 1);
  } else {
    const std::size_t colon = std::min(text.find(':'), text.size());
    if (colon == 0 || !chars::AllAre(text.substr(0, colon), chars::kHostByte)) return false;
    rest = text.substr(colon);
  }
  if (rest.empty()) return true;
  if (rest[0] != ':' || rest.size() < 2 || rest.size() > 6) return false;
  int port = 0;
  for (const char c : rest.substr(1)) {
    if (!IsDigit(c)) return false;
    port = port * 10 + (c - '0');
  }
  return port <= 65535;
}

bool PercentsAreWhole(std::string_view target) {
  for (std::size_t at = target.find('%'); at != target.npos; at = target.find('%', at + 1)) {
    if (at + 2 >= target.size()) return false;
    if (chars::HexValue(target[at + 1]) < 0 || chars::HexValue(target[at + 2]) < 0) return false;
  }
  return true;
}

}  // namespace

RequestHeadCheck::State RequestHeadCheck::Feed(std::string_view bytes) {
  while (!refusal_.refused()) {
    switch (lines_.Next(bytes, kMaxRequestLine, &refusal_)) {
      case HeadLines::Got::kMore:
        return State::kMore;
      case HeadLines::Got::kRefused:
        break;
      case HeadLines::Got::kLine:
        refusal_ = lines_.first() ? RequestLine(bytes) : Field(bytes);
        break;
      case HeadLines::Got::kEnd:
        refusal_ = Finish(bytes);
        if (!refusal_.refused()) return State::kDone;
    }
  }
  return State::kRefused;
}

void RequestHeadCheck::Reset() {
  lines_ = {};
  head_.method = Method::kGet;
  head_.minor_version = 1;
  head_.target_at = head_.target_size = 0;
  head_.framing = {};
  head_.expects_continue = head_.takes_trailers = false;
  head_.fields.clear();
  refusal_ = {};
  authority_at_ = authority_size_ = host_at_ = host_size_ = 0;
  has_host_ = false;
}

Refusal RequestHeadCheck::RequestLine(std::string_view bytes) {
  const std::string_view line = bytes.substr(lines_.begin(), lines_.end() - lines_.begin());
  const std::size_t one = line.find(' ');
  const std::size_t two = one == line.npos ? line.npos : line.find(' ', one + 1);
  if (two == line.npos || two == one + 1) {
    return Bad(HeadFault::kRequestLine, "the request line is not METHOD TARGET VERSION");
  }
  Refusal why = CheckVersion(line.substr(two + 1), &head_.minor_version);
  if (!why.refused()) why = CheckMethod(line.substr(0, one), &head_.method);
  if (why.refused()) return why;
  const std::string_view target = line.substr(one + 1, two - one - 1);
  if (target.size() > kMaxTargetBytes) {
    return {414, HeadFault::kTargetTooLong, "the target is longer than 8 KiB"};
  }
  if (!chars::AllAre(target, chars::kTargetByte)) {
    return Bad(HeadFault::kTarget, "the target holds a byte that must be percent-encoded");
  }
  if (!PercentsAreWhole(target)) {
    return Bad(HeadFault::kTarget, "a `%` in the target is not followed by two hex digits");
  }
  return TargetForm(bytes, target);
}

Refusal RequestHeadCheck::TargetForm(std::string_view bytes, std::string_view target) {
  const auto place = [&](std::string_view part) {
    return static_cast<std::uint32_t>(part.data() - bytes.data());
  };
  const bool asterisk = target == "*" && head_.method == Method::kOptions;
  if (target[0] != '/' && !asterisk) {
    // Absolute form: servers must take it (RFC 9112, section 3.2.2).
    const bool plain = target.size() > 7 && chars::SameWord(target.substr(0, 7), "http://");
    const bool tls = target.size() > 8 && chars::SameWord(target.substr(0, 8), "https://");
    if (!plain && !tls) {
      return Bad(HeadFault::kTarget, "the target is neither a path nor an http URL");
    }
    target.remove_prefix(plain ? 7 : 8);
    const std::string_view authority = target.substr(0, target.find_first_of("/?"));
    if (!ValidAuthority(authority))
      return Bad(HeadFault::kTarget, "the target names no valid host");
    authority_at_ = place(authority);
    authority_size_ = static_cast<std::uint32_t>(authority.size());
    target.remove_prefix(authority.size());
    if (!target.empty() && target[0] == '?') {
      return Bad(HeadFault::kTarget, "the target has a query but no path");
    }
  }
  head_.target_at = place(target);
  head_.target_size = static_cast<std::uint32_t>(target.size());
  return {};
}

Refusal RequestHeadCheck::Field(std::string_view bytes) {
  if (head_.fields.size() == kMaxHeadFields) {
    return {431, HeadFault::kTooManyFields, "the head has more than 100 fields"};
  }
  Headers::Span span;
  if (const Refusal why = CheckFieldLine(bytes, lines_.begin(), lines_.end(), &span);
      why.refused()) {
    return why;
  }
  head_.fields.push_back(span);
  const std::string_view name = NameOf(bytes, span);
  if (chars::SameWord(name, "host")) {
    host_at_ = span.value_at;
    host_size_ = span.value_size;
  }
  return Meaning(name, ValueOf(bytes, span));
}

// Only names of these lengths mean something here; all others are passed on.
Refusal RequestHeadCheck::Meaning(std::string_view name, std::string_view value) {
  const auto is = [&](std::string_view known) { return chars::SameWord(name, known); };
  switch (name.size()) {
    case 2:
      if (is("te")) {
        ForEachElement(value, [&](std::string_view coding) {
          head_.takes_trailers = head_.takes_trailers || chars::SameWord(coding, "trailers");
        });
      }
      return {};
    case 4:
      if (!is("host")) return {};
      if (has_host_) return Bad(HeadFault::kHost, "Host is given twice");
      has_host_ = true;
      return ValidAuthority(value) ? Refusal{} : Bad(HeadFault::kHost, "Host is not host[:port]");
    case 6:
      if (!is("expect")) return {};
      if (!chars::SameWord(value, "100-continue")) {
        return {417, HeadFault::kExpect, "Expect is not 100-continue"};
      }
      head_.expects_continue = head_.minor_version == 1;
      return {};
    case 7:
      return is("trailer") ? Bad(HeadFault::kTrailer, "trailers are not taken") : Refusal{};
    case 10:
      return is("connection") ? head_.framing.TakeConnection(value) : Refusal{};
    case 14:
      return is("content-length") ? head_.framing.TakeContentLength(value) : Refusal{};
    case 16:
      if (!is("content-encoding")) return {};
      return {415, HeadFault::kContentEncoding, "encoded bodies are not taken"};
    case 17:
      return is("transfer-encoding") ? head_.framing.TakeTransferEncoding(value) : Refusal{};
    default:
      return {};
  }
}

Refusal RequestHeadCheck::Finish(std::string_view bytes) const {
  if (!has_host_) return Bad(HeadFault::kHost, "Host is missing");
  const auto part = [&](std::uint32_t at, std::uint32_t size) { return bytes.substr(at, size); };
  if (authority_size_ &&
      !chars::SameWord(part(authority_at_, authority_size_), part(host_at_, host_size_))) {
    return Bad(HeadFault::kHost, "Host is not the host of the target");
  }
  return head_.framing.Check(head_.minor_version);
}

}  // namespace spillway
