#include "formats/openai_scan.h"

#include <algorithm>
#include <charconv>
#include <limits>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "core/text.h"
#include "formats/json_scan.h"
#include "formats/json_writer.h"

namespace spillway {
namespace {

constexpr std::size_t kMaxModelBytes = 256;
constexpr std::int64_t kMaxChoices = 128;                  // OpenAI's own bound on `n`
constexpr std::int64_t kMaxCount = std::int64_t{1} << 53;  // what every engine's numbers can hold

enum class Field : std::uint8_t {
  kModel,
  kStream,
  kStreamOptions,
  kMaxTokens,
  kMaxCompletionTokens,
  kN,
  kMessages,
  kPrompt,
  kInput,
  kTools,
  kFunctions,
  kResponseFormat,
  kLogprobs,
  kMetadata,
  kUser,
  kBestOf,
  kCount,
};
constexpr std::array<std::string_view, static_cast<std::size_t>(Field::kCount)> kFields{
    "model",     "stream",          "stream_options", "max_tokens", "max_completion_tokens",
    "n",         "messages",        "prompt",         "input",      "tools",
    "functions", "response_format", "logprobs",       "metadata",   "user",
    "best_of"};
constexpr std::string_view kOurs = "spillway.";
constexpr std::size_t kLongestHint = 64;  // of a name that is none, in what is said of it
constexpr std::array<std::string_view, 4> kHints{"spillway.max_cost_usd", "spillway.ttft_ms",
                                                 "spillway.tpot_ms", "spillway.pool"};
constexpr std::array<std::string_view, 5> kMedia{"image_url", "input_audio", "file", "video_url",
                                                 "audio_url"};

// How the strings below a value count.
enum class Part : std::uint8_t { kPrompt, kTools, kMedia };

class RequestScan {
 public:
  RequestScan(OpenAiCall call, std::string_view body, OpenAiRequest* out)
      : call_(call), json_(body), out_(*out), hasher_(&out->prefix) {}

  std::optional<ScanFault> Run() {
    const bool whole = json_.Object([this](const JsonText& key) { return Member(key); });
    if ((!whole || !json_.AtEnd()) && !fault_) {
      Blame(absl::StrCat("the body is not a JSON object that can be read: byte ", json_.position(),
                         ": ", json_.fault()),
            "");
    }
    if (!fault_) CheckComplete();
    return std::move(fault_);
  }

 private:
  const OpenAiCall call_;
  JsonCursor json_;
  OpenAiRequest& out_;
  PrefixHasher hasher_;
  std::uint32_t seen_ = 0;        // fields of the body
  std::uint32_t seen_hints_ = 0;  // of kHints
  std::optional<ScanFault> fault_;

  bool Blame(std::string message, std::string param) {
    fault_ = ScanFault{std::move(message), std::move(param)};
    return json_.Fail("refused");
  }
  // `path` has one or two keys: {"stream_options", "include_usage"}.
  bool BlameField(std::string_view first, std::string_view second, std::string_view what) {
    std::string pointer = absl::StrCat("/", ToAbsl(first));
    std::string param(first);
    if (!second.empty()) {
      absl::StrAppend(&pointer, "/", ToAbsl(second));
      absl::StrAppend(&param, ".", ToAbsl(second));
    }
    return Blame(absl::StrCat("`", pointer, "`: ", ToAbsl(what)), std::move(param));
  }

  // Index of the name that `key` is. A key that is one but for its case is to blame.
  template <std::size_t N>
  std::optional<std::size_t> Find(const std::array<std::string_view, N>& names, const JsonText& key,
                                  std::string_view parent) {
    for (std::size_t i = 0; i < N; ++i) {
      if (names[i].size() != key.bytes) continue;
      if (SameJsonText(key, names[i])) return i;
      if (SimilarJsonText(key, names[i])) {
        const std::string_view first = parent.empty() ? names[i] : parent;
        BlameField(first, parent.empty() ? std::string_view() : names[i],
                   "its name is spelled with other letters' case");
        return std::nullopt;
      }
    }
    return std::nullopt;
  }

  bool Once(std::uint32_t* seen, std::size_t index) {
    const std::uint32_t bit = std::uint32_t{1} << index;
    return !(std::exchange(*seen, *seen | bit) & bit);
  }

  bool Member(const JsonText& key) {
    const auto index = Find(kFields, key, "");
    if (fault_) return false;
    if (!index) return json_.Skip();
    const auto field = static_cast<Field>(*index);
    if (!Once(&seen_, *index)) return BlameField(kFields[*index], "", "given twice");
    switch (field) {
      case Field::kModel:
        return Model();
      case Field::kStream:
        return Flag("stream", "", &out_.stream);
      case Field::kStreamOptions:
        return StreamOptions();
      case Field::kMaxTokens:
        return Count("max_tokens", 0, kMaxCount, &out_.max_tokens);
      case Field::kMaxCompletionTokens:
        return Count("max_completion_tokens", 0, kMaxCount, &out_.max_completion_tokens);
      case Field::kN:
        return Choices();
      case Field::kBestOf:
        return call_ == OpenAiCall::kCompletions ? BestOf() : json_.Skip();
      case Field::kMessages:
        return call_ == OpenAiCall::kChat ? Messages() : json_.Skip();
      case Field::kPrompt:
        return call_ == OpenAiCall::kCompletions ? Texts("prompt") : json_.Skip();
      case Field::kInput:
        return call_ == OpenAiCall::kEmbeddings ? Texts("input") : json_.Skip();
      case Field::kTools:
      case Field::kFunctions:
        return Tools(kFields[*index]);
      case Field::kResponseFormat:
        return ResponseFormat();
      case Field::kLogprobs:
        return Logprobs();
      case Field::kMetadata:
        return Metadata();
      case Field::kUser:
        return Text("user", "", &out_.user);
      case Field::kCount:
        break;
    }
    return false;
  }

  void CheckComplete() {
    const auto lacks = [this](Field field) {
      return !(seen_ & (std::uint32_t{1} << static_cast<unsigned>(field)));
    };
    Field wanted = Field::kMessages;
    if (call_ == OpenAiCall::kCompletions) wanted = Field::kPrompt;
    if (call_ == OpenAiCall::kEmbeddings) wanted = Field::kInput;
    for (const Field field : {Field::kModel, wanted}) {
      if (fault_ || !lacks(field)) continue;
      BlameField(kFields[static_cast<std::size_t>(field)], "", "missing");
    }
  }

  // ---- plain values -----------------------------------------------------------------------------

  bool IsNull() { return json_.Peek() == 'n'; }

  bool Flag(std::string_view name, std::string_view inner, bool* flag) {
    const char first = json_.Peek();
    if (first != 't' && first != 'f' && first != 'n') {
      return BlameField(name, inner, "expected true or false");
    }
    *flag = first == 't';
    return json_.Skip();
  }

  bool Text(std::string_view name, std::string_view inner, ScannedText* text) {
    if (inner.empty() && IsNull()) return json_.Skip();
    if (json_.Peek() != '"') return BlameField(name, inner, "expected a string");
    JsonText found;
    if (!json_.String(&found)) return false;
    if (!found.escaped()) {
      *text = ScannedText(found.raw);
      return true;
    }
    auto resolved = ResolveJsonText(found);
    if (!resolved) return BlameField(name, inner, "half of a surrogate pair");
    *text = ScannedText(*std::move(resolved));
    return true;
  }

  bool Count(std::string_view name, std::int64_t least, std::int64_t most,
             std::optional<std::int64_t>* count) {
    if (IsNull()) return json_.Skip();
    const auto blame = [&] {
      return BlameField(name, "", absl::StrCat("expected an integer from ", least, " to ", most));
    };
    const char first = json_.Peek();
    if (first != '-' && (first < '0' || first > '9')) return blame();
    std::string_view digits;
    if (!json_.Number(&digits)) return false;
    std::int64_t value = 0;
    const char* const end = digits.data() + digits.size();
    const auto [stop, error] = std::from_chars(digits.data(), end, value);
    if (error != std::errc() || stop != end || value < least || value > most) return blame();
    *count = value;
    return true;
  }

  // ---- fields -----------------------------------------------------------------------------------

  bool Model() {
    json_.Peek();
    const std::size_t at = json_.position();
    if (IsNull()) return BlameField("model", "", "expected a string");
    if (!Text("model", "", &out_.model)) return false;
    out_.model_range = {at, json_.position() - at};
    const std::string_view name = out_.model.view();
    if (name.empty()) return BlameField("model", "", "expected the name of a model, found \"\"");
    if (name.size() > kMaxModelBytes) return BlameField("model", "", "longer than 256 bytes");
    for (const char c : name) {
      if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) {
        return BlameField("model", "", "a control character in the name");
      }
    }
    return IsUtf8(name) || BlameField("model", "", "not valid UTF-8");
  }

  bool StreamOptions() {
    auto& options = out_.stream_options;
    const char first = json_.Peek();
    options.value.at = json_.position();
    if (first != '{' && first != 'n') return BlameField("stream_options", "", "expected an object");
    using Is = OpenAiRequest::StreamOptions::Is;
    options.is = first == 'n' ? Is::kNull : Is::kObject;
    const bool read = first == 'n'
                          ? json_.Skip()
                          : json_.Object([this](const JsonText& key) { return StreamOption(key); });
    options.value.size = json_.position() - options.value.at;
    return read;
  }
  bool StreamOption(const JsonText& key) {
    static constexpr std::array<std::string_view, 1> kNames{"include_usage"};
    auto& options = out_.stream_options;
    options.empty = false;
    const auto index = Find(kNames, key, "stream_options");
    if (fault_) return false;
    if (!index) return json_.Skip();
    if (options.asked_at) return BlameField("stream_options", kNames[0], "given twice");
    json_.Peek();
    const std::size_t at = json_.position();
    if (!Flag("stream_options", kNames[0], &out_.include_usage)) return false;
    options.asked_at = ByteRange{at, json_.position() - at};
    return true;
  }

  bool BestOf() {
    std::optional<std::int64_t> best_of;
    if (!Count("best_of", 1, kMaxChoices, &best_of)) return false;
    out_.best_of = best_of.value_or(1);
    return true;
  }

  bool Choices() {
    std::optional<std::int64_t> n;
    if (!Count("n", 1, kMaxChoices, &n)) return false;
    out_.n = n.value_or(1);
    return true;
  }

  bool Tools(std::string_view name) {
    const char first = json_.Peek();
    if (first == 'n') return json_.Skip();
    if (first != '[') return BlameField(name, "", "expected an array");
    return json_.Array([this] {
      out_.tools = true;
      return Walk(Part::kTools);
    });
  }

  bool Logprobs() {
    out_.logprobs = json_.Peek() != 'f' && json_.Peek() != 'n';
    const std::size_t at = json_.position();
    const bool read = json_.Skip();
    out_.logprobs_range = ByteRange{at, json_.position() - at};
    return read;
  }

  bool ResponseFormat() {
    const char first = json_.Peek();
    if (first == 'n') return json_.Skip();
    if (first != '{') return BlameField("response_format", "", "expected an object");
    out_.response_format = true;
    const std::size_t at = json_.position();
    const bool read = json_.Object([this](const JsonText& key) {
      if (!SameJsonText(key, "type") || json_.Peek() != '"') return json_.Skip();
      JsonText type;
      if (!json_.String(&type)) return false;
      out_.response_format = !SameJsonText(type, "text");
      return true;
    });
    out_.response_format_range = {at, json_.position() - at};
    return read;
  }

  bool Metadata() {
    const char first = json_.Peek();
    if (first == 'n') return json_.Skip();
    if (first != '{') return BlameField("metadata", "", "expected an object");
    return json_.Object([this](const JsonText& key) {
      const auto index = Find(kHints, key, "metadata");
      if (fault_) return false;
      if (!index) return key.raw.starts_with(kOurs) ? UnknownHint(key) : json_.Skip();
      if (!Once(&seen_hints_, *index)) return BlameField("metadata", kHints[*index], "given twice");
      std::optional<ScannedText>* const slots[] = {&out_.max_cost_usd, &out_.ttft_ms, &out_.tpot_ms,
                                                   &out_.pool};
      return Text("metadata", kHints[*index], &slots[*index]->emplace());
    });
  }

  bool UnknownHint(const JsonText& key) {
    const std::string_view given = key.raw.substr(0, kLongestHint);
    std::vector<std::string_view> words;  // all begin alike: that must not make them look near
    std::string all;
    for (const std::string_view hint : kHints) {
      words.push_back(hint.substr(kOurs.size()));
      absl::StrAppend(&all, all.empty() ? "" : ", ", ToAbsl(hint));
    }
    const std::string nearest = NearestWord(given.substr(kOurs.size()), words);
    return BlameField("metadata", given,
                      nearest.empty() ? absl::StrCat("no such hint; there are ", all)
                                      : absl::StrCat("no such hint (did you mean `", ToAbsl(kOurs),
                                                     nearest, "`?)"));
  }

  // ---- the prompt -------------------------------------------------------------------------------

  bool Messages() {
    if (json_.Peek() != '[') return BlameField("messages", "", "expected an array");
    return json_.Array([this] {
      ++out_.messages;
      return Walk(Part::kPrompt);
    });
  }

  // A string, or an array of strings, of tokens, or of arrays of tokens.
  bool Texts(std::string_view name) {
    const char first = json_.Peek();
    if (first != '"' && first != '[') {
      return BlameField(name, "", "expected a string or an array");
    }
    if (first == '"') {
      out_.messages = 1;
      return Walk(Part::kPrompt);
    }
    const bool read = json_.Array([this, name] {
      const char kind = json_.Peek();
      if (kind == '"' || kind == '[') ++out_.messages;
      const std::size_t before = out_.TextSize();
      if (out_.messages > kMostTexts)
        return BlameField(name, "", absl::StrCat("has more than ", kMostTexts, " entries"));
      if (!Walk(Part::kPrompt)) return false;
      out_.longest_text = std::max(out_.longest_text, out_.TextSize() - before);
      return true;
    });
    if (read && out_.messages == 0 && out_.given_tokens > 0) out_.messages = 1;
    return read;
  }

  // One value with all that is in it. Depth is bounded by the cursor.
  bool Walk(Part part) {
    JsonText text;
    switch (json_.Peek()) {
      case '"':
        if (!json_.String(&text)) return false;
        CountText(text, part);
        return true;
      case '{':
        return json_.Object([this, part](const JsonText& key) {
          if (part == Part::kTools) out_.text_bytes += key.bytes;
          return Walk(part == Part::kPrompt && IsMedia(key) ? Part::kMedia : part);
        });
      case '[':
        return json_.Array([this, part] { return Walk(part); });
      case 't':
      case 'f':
      case 'n':
        return json_.Skip();
      default:
        if (part == Part::kPrompt && call_ != OpenAiCall::kChat) ++out_.given_tokens;
        return json_.Skip();
    }
  }

  void CountText(const JsonText& text, Part part) {
    (part == Part::kMedia ? out_.media_bytes : out_.text_bytes) += text.bytes;
    if (part == Part::kPrompt) hasher_.Add(text.raw);
  }

  static bool IsMedia(const JsonText& key) {
    for (const std::string_view name : kMedia) {
      if (SameJsonText(key, name)) return true;
    }
    return false;
  }
};

}  // namespace

std::optional<ScanFault> ScanOpenAiRequest(OpenAiCall call, std::string_view body,
                                           OpenAiRequest* out) {
  *out = OpenAiRequest();
  return RequestScan(call, body, out).Run();
}

// ---- splicing -----------------------------------------------------------------------------------

SplicedBody::SplicedBody(std::string_view body, const OpenAiRequest& scanned, const Edits& edits)
    : body_(body) {
  std::array<Edit, 3> all;
  std::size_t count = 0;
  if (!edits.model.empty() && edits.model != scanned.model.view()) {
    AppendJsonString(model_, edits.model);
    all[count++] = {scanned.model_range.at, scanned.model_range.size, model_};
  }
  if (edits.ask_for_usage && !scanned.include_usage) all[count++] = UsageEdit(body, scanned);
  if (!edits.logprobs.empty()) {
    // The object has a member, its model, so a comma follows.
    const auto& range = scanned.logprobs_range;
    logprobs_ = range ? std::string(edits.logprobs)
                      : absl::StrCat("\"logprobs\":", ToAbsl(edits.logprobs), ",");
    all[count++] =
        range ? Edit{range->at, range->size, logprobs_} : Edit{body.find('{') + 1, 0, logprobs_};
  }
  std::stable_sort(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(count),
                   [](const Edit& a, const Edit& b) { return a.at < b.at; });
  std::size_t done = 0;
  for (std::size_t i = 0; i < count; ++i) {
    Add(body_.substr(done, all[i].at - done));
    Add(all[i].with);
    done = all[i].at + all[i].size;
  }
  Add(body_.substr(done));
}

void SplicedBody::Add(std::string_view part) {
  if (part.empty()) return;
  parts_[count_++] = part;
  size_ += part.size();
}

SplicedBody::Edit SplicedBody::UsageEdit(std::string_view body, const OpenAiRequest& scanned) {
  const auto& options = scanned.stream_options;
  using Is = OpenAiRequest::StreamOptions::Is;
  if (options.is == Is::kAbsent)
    return {body.find('{') + 1, 0, R"("stream_options":{"include_usage":true},)"};
  if (options.is == Is::kNull)
    return {options.value.at, options.value.size, R"({"include_usage":true})"};
  if (options.asked_at) return {options.asked_at->at, options.asked_at->size, "true"};
  return {options.value.at + 1, 0,
          options.empty ? R"("include_usage":true)" : R"("include_usage":true,)"};
}

std::string SplicedBody::Text() const {
  std::string out;
  out.reserve(size_);
  for (const std::string_view part : parts()) out.append(part);
  return out;
}

}  // namespace spillway
