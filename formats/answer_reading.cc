#include "formats/answer_reading.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <optional>
#include <set>

#include "formats/json_scan.h"
#include "formats/openai_answer.h"

namespace spillway {
namespace {

constexpr std::size_t kMostChoices = 128;  // OpenAI's own bound on `n`
// What an engine says of a token that it holds for impossible; some say -inf, or less than this.
constexpr double kLeastLogprob = -100;
constexpr double kMillionths = 1e6;

std::optional<double> RealOf(std::string_view digits) {
  double value = 0;
  const auto [stop, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (error != std::errc() || stop != digits.data() + digits.size()) return std::nullopt;
  return value;
}

}  // namespace

// One pass over one answer or chunk.
class AnswerReader {
 public:
  AnswerReader(AnswerReading& into, std::string_view json, std::vector<ByteRange>* logprobs)
      : into_(into), json_(json), ranges_(*logprobs) {}

  bool Run() {
    const bool whole = json_.Object([this](const JsonText& key) {
      if (!SameJsonText(key, "choices") || json_.Peek() != '[') return json_.Skip();
      return json_.Array([this] { return OneChoice(); });
    });
    return whole && json_.AtEnd();
  }

 private:
  using Choice = AnswerReading::Choice;
  AnswerReading& into_;
  JsonCursor json_;
  std::vector<ByteRange>& ranges_;
  Choice choice_;  // the part of one that stands here
  std::int64_t index_ = 0;

  bool OneChoice() {
    choice_ = {};
    index_ = 0;
    if (!json_.Object([this](const JsonText& key) { return OfChoice(key); })) return false;
    if (!into_.choices_.contains(index_) && into_.choices_.size() >= kMostChoices) return false;
    Choice& all = into_.choices_[index_];
    all.text += choice_.text;
    if (choice_.finish != FinishReason::kNone) all.finish = choice_.finish;
    all.calls_tools |= choice_.calls_tools;
    all.logprobs += choice_.logprobs;
    all.tokens += choice_.tokens;
    return true;
  }

  bool OfChoice(const JsonText& key) {
    if (SameJsonText(key, "index")) {
      if (const auto index = Number()) index_ = static_cast<std::int64_t>(*index);
      return !json_.failed();
    }
    if (SameJsonText(key, "text")) return Text();
    if (SameJsonText(key, "message") || SameJsonText(key, "delta")) {
      if (json_.Peek() != '{') return json_.Skip();
      return json_.Object([this](const JsonText& name) {
        if (SameJsonText(name, "content")) return Text();
        if (SameJsonText(name, "tool_calls") || SameJsonText(name, "function_call"))
          choice_.calls_tools |= json_.Peek() != 'n';
        return json_.Skip();
      });
    }
    if (SameJsonText(key, "finish_reason") && json_.Peek() == '"') {
      JsonText reason;
      if (!json_.String(&reason)) return false;
      choice_.finish = FinishReasonOf(reason);
      return true;
    }
    return SameJsonText(key, "logprobs") ? Logprobs() : json_.Skip();
  }

  bool Text() {
    if (json_.Peek() != '"') return json_.Skip();
    JsonText text;
    if (!json_.String(&text)) return false;
    // Half of a surrogate pair is no text, so no JSON either.
    choice_.text += ResolveJsonText(text).value_or(std::string(text.raw));
    return true;
  }

  // {"content": [{"logprob": N}]} of chats, {"token_logprobs": [N]} of completions.
  bool Logprobs() {
    if (json_.Peek() != '{') return json_.Skip();
    const std::size_t at = json_.position();
    const bool read = json_.Object([this](const JsonText& key) {
      if (json_.Peek() != '[') return json_.Skip();
      if (SameJsonText(key, "token_logprobs")) return json_.Array([this] { return Count(); });
      if (!SameJsonText(key, "content")) return json_.Skip();
      return json_.Array([this] {
        if (json_.Peek() != '{') return json_.Skip();
        return json_.Object([this](const JsonText& name) {
          return SameJsonText(name, "logprob") ? Count() : json_.Skip();
        });
      });
    });
    ranges_.push_back({at, json_.position() - at});
    return read;
  }
  bool Count() {
    if (const auto logprob = Number()) {
      choice_.logprobs += std::clamp(*logprob, kLeastLogprob, 0.0);
      ++choice_.tokens;
    }
    return !json_.failed();
  }

  // Of another kind: none, and read past.
  std::optional<double> Number() {
    const char first = json_.Peek();
    std::string_view digits;
    if (first != '-' && (first < '0' || first > '9')) {
      json_.Skip();
      return std::nullopt;
    }
    return json_.Number(&digits) ? RealOf(digits) : std::nullopt;
  }
};

bool AnswerReading::Add(std::string_view json, std::vector<ByteRange>* logprobs) {
  return AnswerReader(*this, json, logprobs).Run();
}

AnswerFacts AnswerReading::Facts(const WantedJson* wanted) const {
  AnswerFacts facts;
  facts.readable = !choices_.empty();
  std::set<FinishReason> finish;
  bool unsaid = false;
  for (const auto& [index, choice] : choices_) {
    finish.insert(choice.finish);
    unsaid |= choice.tokens == 0;
    if (choice.tokens > 0) {
      const auto mean = static_cast<std::int64_t>(
          std::llround(choice.logprobs / static_cast<double>(choice.tokens) * kMillionths));
      facts.mean_logprob = std::min(facts.mean_logprob.value_or(mean), mean);
    }
    if (wanted == nullptr || choice.calls_tools) continue;
    facts.schema_met = facts.schema_met.value_or(true) && wanted->IsMetBy(choice.text);
  }
  if (unsaid) facts.mean_logprob.reset();
  facts.finish.assign(finish.begin(), finish.end());
  return facts;
}

}  // namespace spillway
