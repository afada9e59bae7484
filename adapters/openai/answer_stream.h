#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/types/span.h"
#include "formats/openai_answer.h"
#include "net/sse_splitter.h"

namespace spillway {

// Reads an engine's event stream as it passes: what was used, how it ended, whether it is whole.
// The client gets the bytes as they came, event by event, so that an error event can follow at any
// time; the chunk with the usage is cut out where only we asked for it. With `[DONE]` the answer is
// over: what an engine says behind it is dropped unread. Not thread-safe.
class AnswerStream {
 public:
  static constexpr std::size_t kEventLimit = std::size_t{1} << 20;
  struct Options {
    bool cut_usage = false;  // we asked for usage, the client did not
    std::size_t event_limit = kEventLimit;
  };
  explicit AnswerStream(Options options)
      : cut_usage_(options.cut_usage), events_(options.event_limit) {}

  // What the client gets of `piece`: mostly one part, the piece itself; none while an event is not
  // whole. Valid until the next call.
  absl::Span<const std::string_view> Take(std::string_view piece);

  // Why the stream cannot go on: an event beyond the limit, or one that is no JSON object.
  bool broken() const { return events_.too_long() || garbled_; }
  std::string_view why_broken() const;        // For people; "" while it is not.
  bool done() const { return done_; }         // `[DONE]` came: the answer is whole.
  bool said_error() const { return error_; }  // The engine itself sent an error event.
  // The JSON of the first one; "" while there is none. Other events may stand before it in a part.
  std::string_view error_data() const { return error_data_; }
  std::int64_t content_deltas() const {
    return deltas_;
  }  // With text or tool calls: tokens, about.
  FinishReason finish() const { return finish_; }
  // As the engine said it last. No output at all beside deltas that say something is not believed:
  // completion_tokens is then not known.
  const std::optional<OpenAiUsage>& usage() const { return usage_; }

 private:
  const bool cut_usage_;
  SseSplitter events_;
  std::vector<std::string_view> out_;
  std::optional<OpenAiUsage> usage_;
  std::int64_t deltas_ = 0;
  FinishReason finish_ = FinishReason::kNone;
  bool done_ = false;
  bool error_ = false;
  bool garbled_ = false;
  std::string error_data_;
  std::string first_;  // An event that came in pieces, while the rest of the last piece is read.

  // Whether the client gets it.
  bool Read(const SseSplitter::Event& event);
  void Doubt();
  void Pass(std::string_view bytes);
};

}  // namespace spillway
