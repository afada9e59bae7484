#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "core/cascade.h"
#include "formats/json_schema.h"
#include "formats/openai_scan.h"

namespace spillway {

// Reads what can be checked of an answer that is held back: of a whole one, or of the chunks of a
// stream one after the other. Keeps the text of the answer, so whoever holds it bounds this too.
class AnswerReading {
 public:
  // False: `json` is no answer. `logprobs` gets where the values of `choices[].logprobs` stand in
  // it.
  bool Add(std::string_view json, std::vector<ByteRange>* logprobs);
  // After the last one. `wanted`: the JSON that was asked for, null: none. Answers that call tools
  // have no text that could be JSON, and are left out of `schema_met`.
  AnswerFacts Facts(const WantedJson* wanted) const;

 private:
  friend class AnswerReader;
  struct Choice {
    std::string text;
    FinishReason finish = FinishReason::kNone;
    bool calls_tools = false;
    double logprobs = 0;
    std::int64_t tokens = 0;  // that have one
  };
  std::map<std::int64_t, Choice> choices_;  // by index; at most kMostChoices
};

}  // namespace spillway
