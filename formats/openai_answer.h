#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "core/cascade.h"
#include "formats/json_scan.h"

// What a router reads of an engine's answer: a whole one, or one `data:` line of a stream.
namespace spillway {

// What the engine counted. Unknown is not zero. What is no count (negative, a fraction, text, more
// than 10 million) is not known: engines are not to be believed blindly.
struct OpenAiUsage {
  std::optional<std::int64_t> prompt_tokens, completion_tokens, cached_tokens;
  bool operator==(const OpenAiUsage&) const = default;
};

struct OpenAiAnswer {
  std::optional<OpenAiUsage> usage;  // none where `usage` is left out or null
  int choices = 0;                   // entries of `choices` (`data` of embeddings not counted)
  bool has_choices = false;          // `choices` is there, if only as []
  int content_deltas =
      0;  // choices with a delta (content, reasoning, tool calls) that says something
  FinishReason finish = FinishReason::kNone;  // of the last choice that gives one
  bool is_error = false;                      // `error` is there and not null

  // The chunk that carries usage and nothing else: the one that is cut out when the client did not
  // ask for it.
  bool usage_only() const { return usage && has_choices && choices == 0; }
};

// False if `json` is not one JSON object (depth at most 64), or a field above has a wrong type;
// `out` then holds what was found before. Costs no allocation.
bool ScanOpenAiAnswer(std::string_view json, OpenAiAnswer* out);
// The word behind `finish_reason`.
FinishReason FinishReasonOf(const JsonText& word);

}  // namespace spillway
