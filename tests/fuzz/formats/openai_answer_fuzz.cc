// Any bytes as an answer: what is taken is JSON that the whole reader takes too (but for UTF-8,
// doubled keys and sizes, on which it is stricter), and no count is negative.
#include <cstdint>
#include <string_view>

#include "core/check.h"
#include "formats/json_scan.h"
#include "formats/openai_answer.h"
#include "formats/value.h"

using namespace spillway;  // NOLINT: a program of one file

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  OpenAiAnswer answer;
  const bool taken = ScanOpenAiAnswer(text, &answer);
  JsonCursor cursor(text);
  const bool valid = cursor.Skip() && cursor.AtEnd();
  SPILLWAY_CHECK(valid || !taken);
  SPILLWAY_CHECK(valid || !ParseJson(text).ok());
  SPILLWAY_CHECK(answer.choices >= 0 && answer.content_deltas <= answer.choices);
  if (!answer.usage) return 0;
  SPILLWAY_CHECK(answer.usage->prompt_tokens.value_or(0) >= 0);
  SPILLWAY_CHECK(answer.usage->completion_tokens.value_or(0) >= 0);
  SPILLWAY_CHECK(answer.usage->cached_tokens.value_or(0) >= 0);
  return 0;
}
