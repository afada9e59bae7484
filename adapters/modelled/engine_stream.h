#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "adapters/modelled/engine_answer.h"
#include "adapters/modelled/engine_faults.h"
#include "adapters/modelled/engine_loop.h"
#include "adapters/modelled/engine_order.h"

namespace spillway::modelled {

// One request that was let in, as long as it is answered.
struct Answering {
  Answering(EngineOrder asked, std::vector<EngineChoice> made, EngineUsage usage,
            const std::string& id, std::string_view model);
  Answering(const Answering&) = delete;  // the writer refers to its siblings

  const EngineOrder order;
  const std::vector<EngineChoice> choices;  // none for embeddings
  const EngineUsage told;                   // what `usage` says
  EngineFault fault = EngineFault::kNone;
  AnswerWriter writer;
  std::unique_ptr<TokenFlow> flow;  // null: the engine holds nothing for it any more

  // A fault lets only the first half of each choice out.
  bool breaks() const {
    return fault == EngineFault::kStall || fault == EngineFault::kDrop ||
           fault == EngineFault::kTruncate;
  }
};

// The events of one stream, as its tokens come. `answer` is borrowed and has a flow.
class EventStream {
 public:
  static constexpr std::size_t kWriteSize = std::size_t{64} << 10;

  explicit EventStream(Answering& answer)
      : answer_(answer),
        said_(answer.choices.size()),
        ended_(answer.choices.size()),
        left_(answer.choices.size()) {}

  // What can be said now, as whole events of kWriteSize bytes and a little more at most; empty:
  // nothing yet.
  std::string Next();
  bool over() const { return over_; }  // all was said, [DONE] included
  bool broken() const { return answer_.breaks() && halves_ == said_.size(); }

 private:
  void Say(std::size_t choice, std::string& frames);

  Answering& answer_;
  std::vector<std::int64_t> said_;
  std::vector<bool> ended_;
  std::size_t left_;  // choices that have not ended
  std::size_t halves_ = 0;
  bool over_ = false;
};

}  // namespace spillway::modelled
