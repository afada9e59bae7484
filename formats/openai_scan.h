#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "absl/types/span.h"
#include "formats/prefix_hash.h"

// What a router must know of a request to OpenAI's API, found in one pass over its body: no tree,
// and no allocation unless the model's name holds escapes or is refused. Everything else in the
// body belongs to the engine and is passed on as it came.
namespace spillway {

enum class OpenAiCall : std::uint8_t { kChat, kCompletions, kEmbeddings };

// Where something lies in the body that was scanned.
struct ByteRange {
  std::size_t at = 0, size = 0;
  std::string_view In(std::string_view body) const { return body.substr(at, size); }
  bool operator==(const ByteRange&) const = default;
};

// A JSON string: as it stands in the body, unless escapes had to be resolved. Views are valid as
// long as the body (moved bodies move their bytes: keep the string in one place) and this object.
class ScannedText {
 public:
  ScannedText() = default;
  explicit ScannedText(std::string_view plain) : plain_(plain) {}
  explicit ScannedText(std::string resolved) : own_(std::move(resolved)), owns_(true) {}
  std::string_view view() const { return owns_ ? std::string_view(own_) : plain_; }
  bool empty() const { return view().empty(); }

 private:
  std::string_view plain_;
  std::string own_;
  bool owns_ = false;
};

inline constexpr std::size_t kMostTexts = 65'536;  // in one `prompt` or `input`

struct OpenAiRequest {
  ScannedText model;      // never empty, at most 256 bytes of UTF-8
  ByteRange model_range;  // the value, quotes included

  bool stream = false;
  // stream_options as it stands: what SplicedBody needs to ask for usage.
  struct StreamOptions {
    enum class Is : std::uint8_t { kAbsent, kNull, kObject } is = Is::kAbsent;
    ByteRange value;                    // of the whole value
    bool empty = true;                  // of an object: it has no member
    std::optional<ByteRange> asked_at;  // the value of include_usage
  } stream_options;
  bool include_usage = false;  // the client asked for the usage chunk itself

  std::optional<std::int64_t> max_tokens, max_completion_tokens;  // 0 or more
  std::int64_t n = 1;                                             // 1 to 128
  std::int64_t best_of = 1;  // answers of a completion that are made, of which n are given

  // Of the prompt: messages, prompt or input, and what describes tools and functions.
  std::size_t text_bytes = 0;    // UTF-8 bytes of their strings once escapes are resolved
  std::size_t media_bytes = 0;   // of image_url, input_audio and file: no measure of tokens
  std::size_t messages = 0;      // entries of `messages`, or texts of `prompt` or `input`
  std::size_t given_tokens = 0;  // numbers in `prompt` or `input`: the client sent token ids
  // Where `prompt` or `input` has several entries: bytes of the longest, 4 for each token id.
  std::size_t longest_text = 0;
  PrefixHashes prefix;  // of the text of messages, prompt or input, in order

  bool tools = false;               // `tools` or `functions` has an entry
  bool response_format = false;     // an answer other than plain text is asked for
  ByteRange response_format_range;  // the value; empty: not there, or null
  bool logprobs = false;            // the client asked for them
  std::optional<ByteRange> logprobs_range;

  ScannedText user;
  // Of `metadata`: hints for us. None: not there. Their meaning is checked by who uses them. What
  // else begins with `spillway.` is a fault: a budget that is misspelt must not be none.
  std::optional<ScannedText> max_cost_usd, ttft_ms, tpot_ms, pool;

  // All of its prompt, in bytes of text: a token is taken for four.
  std::size_t TextSize() const { return text_bytes + 4 * given_tokens; }
  // The bound on what is generated for each of `n`. Some engines read one of the two fields only.
  std::optional<std::int64_t> OutputBound() const {
    if (max_tokens && max_completion_tokens) return std::max(*max_tokens, *max_completion_tokens);
    return max_completion_tokens ? max_completion_tokens : max_tokens;
  }
};

// Why a body cannot be taken: for OpenAI's error object, status 400.
struct ScanFault {
  std::string message;  // "`/n`: expected an integer from 1 to 128"
  std::string param;    // "n", "stream_options.include_usage"; "" where no field is to blame
};

// Nothing if `body` is one JSON object (depth at most 64; UTF-8 is left to the engine) with the
// fields that `call` needs and none of those above of a wrong type or given twice. Names that
// differ from them only in case are refused: engines disagree on whether they are the same.
// Views in `out` point into `body`.
std::optional<ScanFault> ScanOpenAiRequest(OpenAiCall call, std::string_view body,
                                           OpenAiRequest* out);

// A body with up to three changes, as pieces that are written one after the other: nothing is
// copied but the new values. Borrows the body; not copied or moved while parts() are in use.
class SplicedBody {
 public:
  struct Edits {
    std::string_view model;      // put in place of the client's; "": left as it is
    bool ask_for_usage = false;  // stream_options.include_usage becomes true
    // Becomes the value of `logprobs`: true for chats, a number for completions; "": left as it is.
    std::string_view logprobs;
  };
  SplicedBody(std::string_view body, const OpenAiRequest& scanned, const Edits& edits);
  SplicedBody(const SplicedBody&) = delete;
  SplicedBody& operator=(const SplicedBody&) = delete;

  absl::Span<const std::string_view> parts() const { return {parts_.data(), count_}; }
  std::size_t size() const { return size_; }
  std::string Text() const;

 private:
  std::string_view body_;
  std::string model_;     // in quotes
  std::string logprobs_;  // with its key, where there is none
  std::array<std::string_view, 7> parts_;
  std::size_t count_ = 0;
  std::size_t size_ = 0;

  struct Edit {
    std::size_t at = 0, size = 0;
    std::string_view with;
  };
  static Edit UsageEdit(std::string_view body, const OpenAiRequest& scanned);
  void Add(std::string_view part);
};

}  // namespace spillway
