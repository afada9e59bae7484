#include "formats/openai_answer.h"

#include <charconv>

namespace spillway {
namespace {

// Tokens: more than any engine reads or writes at once.
constexpr std::int64_t kMostCounted = 10'000'000;

class AnswerScan {
 public:
  AnswerScan(std::string_view text, OpenAiAnswer* out) : json_(text), out_(*out) {}

  bool Run() {
    const bool whole = json_.Object([this](const JsonText& key) {
      if (SameJsonText(key, "choices")) return Choices();
      if (SameJsonText(key, "usage")) return Usage();
      if (SameJsonText(key, "error")) out_.is_error = json_.Peek() != 'n';
      return json_.Skip();
    });
    return whole && json_.AtEnd();
  }

 private:
  JsonCursor json_;
  OpenAiAnswer& out_;

  bool Choices() {
    if (json_.Peek() == 'n') return json_.Skip();
    out_.has_choices = true;
    return json_.Array([this] {
      ++out_.choices;
      says_ = false;
      const bool read = json_.Object([this](const JsonText& key) { return ChoiceMember(key); });
      out_.content_deltas += says_;
      return read;
    });
  }

  bool says_ = false;  // the choice under way has a delta that says something

  bool ChoiceMember(const JsonText& key) {
    if (SameJsonText(key, "delta")) {
      if (json_.Peek() == 'n') return json_.Skip();
      return json_.Object([this](const JsonText& name) {
        // Its role alone says nothing.
        return SameJsonText(name, "role") ? json_.Skip() : Says();
      });
    }
    if (SameJsonText(key, "text")) return Says();  // of /v1/completions
    if (SameJsonText(key, "finish_reason") && json_.Peek() == '"') {
      JsonText reason;
      if (!json_.String(&reason)) return false;
      out_.finish = FinishReasonOf(reason);
      return true;
    }
    return json_.Skip();
  }

  // A string that is not empty, or an array or object with something in it.
  bool Says() {
    JsonText text;
    bool some = false;
    bool read = false;
    switch (json_.Peek()) {
      case '"':
        read = json_.String(&text);
        some = text.bytes > 0;
        break;
      case '[':
        read = json_.Array([&] {
          some = true;
          return json_.Skip();
        });
        break;
      case '{':
        read = json_.Object([&](const JsonText&) {
          some = true;
          return json_.Skip();
        });
        break;
      default:
        read = json_.Skip();
    }
    says_ = says_ || some;
    return read;
  }

  bool Usage() {
    if (json_.Peek() == 'n') return json_.Skip();
    out_.usage.emplace();
    return json_.Object([this](const JsonText& key) {
      if (SameJsonText(key, "prompt_tokens")) return Count(&out_.usage->prompt_tokens);
      if (SameJsonText(key, "completion_tokens")) return Count(&out_.usage->completion_tokens);
      if (!SameJsonText(key, "prompt_tokens_details") || json_.Peek() != '{') return json_.Skip();
      return json_.Object([this](const JsonText& name) {
        return SameJsonText(name, "cached_tokens") ? Count(&out_.usage->cached_tokens)
                                                   : json_.Skip();
      });
    });
  }

  // The answer is not thrown away for a count that is none: it is not known then.
  bool Count(std::optional<std::int64_t>* count) {
    const char first = json_.Peek();
    if (first != '-' && (first < '0' || first > '9')) return json_.Skip();
    std::string_view digits;
    if (!json_.Number(&digits)) return false;
    std::int64_t value = 0;
    const char* const end = digits.data() + digits.size();
    const auto [stop, error] = std::from_chars(digits.data(), end, value);
    if (error == std::errc() && stop == end && value >= 0 && value <= kMostCounted) *count = value;
    return true;
  }
};

}  // namespace

FinishReason FinishReasonOf(const JsonText& text) {
  if (SameJsonText(text, "stop")) return FinishReason::kStop;
  if (SameJsonText(text, "length")) return FinishReason::kLength;
  if (SameJsonText(text, "tool_calls") || SameJsonText(text, "function_call")) {
    return FinishReason::kToolCalls;
  }
  if (SameJsonText(text, "content_filter")) return FinishReason::kContentFilter;
  return FinishReason::kOther;
}

bool ScanOpenAiAnswer(std::string_view json, OpenAiAnswer* out) {
  *out = OpenAiAnswer();
  return AnswerScan(json, out).Run();
}

}  // namespace spillway
