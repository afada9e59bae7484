#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "adapters/modelled/engine_order.h"

// The bodies that a modelled engine sends, in OpenAI's form.
namespace spillway::modelled {

// One answer: which words, and how many.
struct EngineChoice {
  std::uint64_t text = 0;
  std::int64_t length = 1;
  bool cut = false;  // ends with `length`, else with `stop`
};

struct EngineUsage {
  std::int64_t prompt = 0, completion = 0;
};

// Everything about one request that its answers repeat. `order` and `choices` are borrowed.
class AnswerWriter {
 public:
  AnswerWriter(const EngineOrder& order, const std::vector<EngineChoice>& choices,
               const std::string& id, std::int64_t created, std::string_view model);

  std::string Whole(const EngineUsage& usage) const;

  // Events of a stream, appended as whole frames.
  void Opening(std::size_t choice, std::string& out) const;
  void Token(std::size_t choice, std::int64_t i, std::string& out);  // i rises by one
  void Ending(std::size_t choice, std::string& out) const;
  void Usage(const EngineUsage& usage, std::string& out) const;

 private:
  std::string Piece(const EngineChoice& choice, std::int64_t i) const;
  std::string_view Reason(const EngineChoice& choice) const;
  std::string CallId(const EngineChoice& choice) const;

  const EngineOrder& order_;
  const std::vector<EngineChoice>& choices_;
  std::vector<std::size_t> bytes_;  // of each choice, said in events so far
  std::string head_;                // `{"id":...,"model":"..."` of a whole answer
  std::string event_;               // the same of a stream's events, with `data: ` before it
};

// {"error": {message, type, param, code}}
std::string RefusalBody(const EngineRefusal& refusal);

std::string EmbeddingBody(const EngineOrder& order, std::size_t dimensions, std::string_view model,
                          std::int64_t prompt_tokens);

// One entry of /v1/models.
std::string ModelBody(std::string_view model, std::int64_t created, std::int64_t context);

}  // namespace spillway::modelled
