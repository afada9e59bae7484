// Any bytes: the check ends with one verdict, the same whole and in pieces, and what it accepts
// says one thing only.
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/check.h"
#include "net/head_check.h"
#include "net/target.h"

using namespace spillway;  // NOLINT: a program of one file

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::size_t step = 1 + data[0] % 17;
  const std::string_view bytes(reinterpret_cast<const char*>(data + 1), size - 1);
  RequestHeadCheck whole, pieces;
  const auto state = whole.Feed(bytes);
  auto split = RequestHeadCheck::State::kMore;
  for (std::size_t at = step; split == RequestHeadCheck::State::kMore && at < bytes.size();
       at += step) {
    split = pieces.Feed(bytes.substr(0, at));
  }
  if (split == RequestHeadCheck::State::kMore) split = pieces.Feed(bytes);
  SPILLWAY_CHECK(split == state);
  SPILLWAY_CHECK(pieces.refusal().fault == whole.refusal().fault);
  if (state != RequestHeadCheck::State::kDone) return 0;

  const RequestHead& head = whole.head();
  SPILLWAY_CHECK(whole.length() == pieces.length() && whole.length() <= kMaxHeadBytes);
  SPILLWAY_CHECK(!(head.framing.chunked && head.framing.content_length));
  SPILLWAY_CHECK(head.fields.size() <= kMaxHeadFields);
  int hosts = 0, lengths = 0, codings = 0;
  for (const Headers::Span& span : head.fields) {
    const std::string_view name = NameOf(bytes, span);
    SPILLWAY_CHECK(SafeField(name, ValueOf(bytes, span)));
    hosts += chars::SameWord(name, "host");
    lengths += chars::SameWord(name, "content-length");
    codings += chars::SameWord(name, "transfer-encoding");
  }
  SPILLWAY_CHECK(hosts == 1 && lengths + codings <= 1);
  std::vector<std::string> path;
  std::vector<QueryParam> query;
  const std::string_view target = head.Target(bytes);
  SPILLWAY_CHECK(target == "*" || target[0] == '/');
  if (!ParseTarget(target, &path, &query).empty()) return 0;
  for (const std::string& segment : path) SPILLWAY_CHECK(segment != ".." && segment != ".");
  return 0;
}
