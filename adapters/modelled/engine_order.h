#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "core/model.h"
#include "formats/prefix_hash.h"

// What a body of OpenAI's API asks of an engine. Fields that do not change what a modelled engine
// says (temperature, stop, ...) are let pass, unknown ones too.
namespace spillway::modelled {

enum class EngineCall : std::uint8_t { kChat, kCompletion, kEmbedding };

// An error in OpenAI's form.
struct EngineRefusal {
  int status = 400;
  std::string message;
  std::string type = "invalid_request_error";
  std::string param;  // empty: null
  std::string code;   // empty: null
};

// One answer of one sequence: how long, and how its words are wrapped.
struct EngineOrder {
  EngineCall call = EngineCall::kChat;
  std::string model;  // empty: not said

  struct Prompt {
    std::int64_t tokens = 0;
    std::uint64_t hash = 0;
    PrefixHashes prefix;  // of its text; nothing for token ids
  };
  std::vector<Prompt> prompts;  // chat has one
  int choices = 1;              // answers to each prompt

  std::optional<std::int64_t> max_tokens;
  bool ignore_eos = false;
  std::uint64_t seed = 0;
  bool stream = false, include_usage = false;
  bool logprobs = false;
  int top_logprobs = 0;

  // The words stand between them: where JSON is wanted, or a call of a function.
  std::string prefix, suffix;
  std::string function;  // the answer calls it; empty: it is text

  std::size_t dimensions = 0;  // of embeddings; 0: all
  bool base64 = false;
};

inline constexpr std::size_t kMostSequences = 128;  // of one request: prompts x choices
inline constexpr std::size_t kMostInputs = 2048;    // to be embedded

// `model` gives the bytes of a token.
std::variant<EngineOrder, EngineRefusal> ReadOrder(EngineCall call, std::string_view body,
                                                   const Model& model);

}  // namespace spillway::modelled
