#include "adapters/openai/answer_stream.h"

namespace spillway {

absl::Span<const std::string_view> AnswerStream::Take(std::string_view piece) {
  out_.clear();
  if (done_) return out_;
  events_.Feed(piece);
  SseSplitter::Event event;
  while (!garbled_ && !done_ && events_.Next(&event)) {
    if (!Read(event)) continue;
    const bool in_piece =
        event.bytes.data() >= piece.data() && event.bytes.data() < piece.data() + piece.size();
    // Only the first event of a piece can have begun before it; the splitter forgets it next.
    Pass(in_piece ? event.bytes : std::string_view(first_.assign(event.bytes)));
  }
  return out_;
}

std::string_view AnswerStream::why_broken() const {
  if (events_.too_long()) return "an event is longer than 1 MiB";
  return garbled_ ? "an event is no object of OpenAI's API" : "";
}

void AnswerStream::Pass(std::string_view bytes) {
  if (!out_.empty() && out_.back().data() + out_.back().size() == bytes.data()) {
    out_.back() = {out_.back().data(), out_.back().size() + bytes.size()};
  } else {
    out_.push_back(bytes);
  }
}

bool AnswerStream::Read(const SseSplitter::Event& event) {
  if (!event.has_data) return true;
  if (event.data == "[DONE]") {
    done_ = true;
    return !error_;  // what failed is not done, whatever it says
  }
  OpenAiAnswer chunk;
  if (!ScanOpenAiAnswer(event.data, &chunk)) {
    garbled_ = true;
    return false;
  }
  deltas_ += chunk.content_deltas;
  if (chunk.is_error && !error_) {
    error_ = true;
    error_data_.assign(event.data);
  }
  if (chunk.finish != FinishReason::kNone) finish_ = chunk.finish;
  if (chunk.usage) usage_ = chunk.usage;
  Doubt();
  return !(cut_usage_ && chunk.usage_only());
}

// The usage may stand before the deltas (some engines send it with every chunk) or behind them.
void AnswerStream::Doubt() {
  if (deltas_ > 0 && usage_ && usage_->completion_tokens == 0) usage_->completion_tokens.reset();
}

}  // namespace spillway
