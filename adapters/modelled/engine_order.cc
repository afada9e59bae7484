#include "adapters/modelled/engine_order.h"

#include <cmath>
#include <utility>

#include "absl/strings/str_cat.h"
#include "adapters/modelled/engine_text.h"
#include "core/text.h"
#include "formats/value.h"

namespace spillway::modelled {
namespace {

constexpr TextLimits kBodyLimits{.bytes = std::size_t{16} << 20, .nodes = 300'000};
// Around each message and before the answer stand marks of the chat template.
constexpr std::int64_t kTokensPerMessage = 4, kTokensBeforeAnswer = 3;

// Reads one body; the first thing that is wrong stays.
class OrderReader {
 public:
  OrderReader(const Value& body, const Model& model) : body_(body), model_(model) {}

  std::variant<EngineOrder, EngineRefusal> Read(EngineCall call) {
    order_.call = call;
    if (const Value* name = Of("model", &Value::is_string, "a string"))
      order_.model = name->string();
    if (call == EngineCall::kChat) ReadChat();
    if (call == EngineCall::kCompletion) ReadCompletion();
    if (call == EngineCall::kEmbedding)
      ReadEmbedding();
    else
      ReadCommon();
    if (refusal_) return *std::move(refusal_);
    return std::move(order_);
  }

 private:
  void Refuse(std::string_view param, std::string message) {
    if (refusal_) return;
    refusal_ = EngineRefusal{.message = std::move(message), .param = std::string(param)};
  }

  // Null, or not there: null.
  const Value* Of(std::string_view key, bool (Value::*is)() const, std::string_view kind) {
    const Value* value = body_.Find(key);
    if (!value || value->is_null()) return nullptr;
    if ((value->*is)()) return value;
    Refuse(key, absl::StrCat("'", ToAbsl(key), "' must be ", ToAbsl(kind), ", found ",
                             ToAbsl(value->KindName())));
    return nullptr;
  }
  bool Flag(std::string_view key) {
    const Value* value = body_.Find(key);
    if (!value || value->is_null()) return false;
    if (value->kind() == Value::Kind::kBool) return value->boolean();
    Refuse(key, absl::StrCat("'", ToAbsl(key), "' must be true or false"));
    return false;
  }
  std::optional<std::int64_t> Whole(std::string_view key, std::int64_t low, std::int64_t high) {
    const Value* value = Of(key, &Value::is_number, "a number");
    if (!value) return std::nullopt;
    const auto number = value->AsInt64();
    if (number && *number >= low && *number <= high) return number;
    Refuse(key, absl::StrCat("'", ToAbsl(key), "' must be a whole number from ", low, " to ", high,
                             ", found ", value->text()));
    return std::nullopt;
  }

  std::int64_t TokensOf(std::size_t bytes) const {
    return static_cast<std::int64_t>(
        std::ceil(static_cast<double>(bytes) / model_.bytes_per_token));
  }

  void ReadCommon() {
    const std::size_t prompts = order_.prompts.size();
    if (const auto n = Whole("n", 1, kMostSequences)) order_.choices = static_cast<int>(*n);
    if (prompts * static_cast<std::size_t>(order_.choices) > kMostSequences)
      Refuse("n", absl::StrCat("at most ", kMostSequences, " answers in one request"));
    order_.max_tokens = Whole("max_completion_tokens", 1, INT32_MAX);
    if (!order_.max_tokens) order_.max_tokens = Whole("max_tokens", 1, INT32_MAX);
    order_.ignore_eos = Flag("ignore_eos");
    if (const auto seed = Whole("seed", INT64_MIN, INT64_MAX))
      order_.seed = static_cast<std::uint64_t>(*seed);
    const Value* heat = Of("temperature", &Value::is_number, "a number");
    if (heat && !(heat->real() >= 0 && heat->real() <= 2))
      Refuse("temperature",
             absl::StrCat("'temperature' must be from 0 to 2, found ", heat->text()));
    order_.stream = Flag("stream");
    const Value* options = Of("stream_options", &Value::is_map, "an object");
    if (options && !order_.stream)
      Refuse("stream_options", "'stream_options' is only allowed with 'stream'");
    if (!options) return;
    const Value* usage = options->Find("include_usage");
    order_.include_usage = usage && usage->kind() == Value::Kind::kBool && usage->boolean();
  }

  // ---- chat

  void ReadChat() {
    EngineOrder::Prompt prompt{.tokens = kTokensBeforeAnswer, .hash = 0, .prefix = {}};
    PrefixHasher beginnings(&prompt.prefix);
    const Value* messages = Of("messages", &Value::is_list, "a list");
    if (!messages || messages->list().empty())
      return Refuse("messages", "'messages' must be a list of at least one message");
    std::size_t bytes = 0;
    for (std::size_t i = 0; i < messages->list().size(); ++i) {
      const std::string param = absl::StrCat("messages[", i, "]");
      bytes += ReadMessage(messages->list()[i], param, prompt.hash, beginnings);
      prompt.tokens += kTokensPerMessage;
    }
    bytes += ReadTools();
    prompt.tokens += TokensOf(bytes);
    order_.prompts = {prompt};
    ReadFormat();
    order_.logprobs = Flag("logprobs");
    if (const auto top = Whole("top_logprobs", 0, 20)) order_.top_logprobs = static_cast<int>(*top);
  }

  // Gives the bytes of its text.
  std::size_t ReadMessage(const Value& message, const std::string& param, std::uint64_t& hash,
                          PrefixHasher& beginnings) {
    const Value* role = message.is_map() ? message.Find("role") : nullptr;
    if (!role || !role->is_string()) {
      Refuse(param, absl::StrCat("'", param, "' must be an object with a 'role'"));
      return 0;
    }
    hash = HashOf(role->string(), hash);
    std::size_t bytes = 0;
    const auto take = [&](const std::string& text) {
      hash = HashOf(text, hash);
      beginnings.Add(text);
      bytes += text.size();
    };
    if (const Value* calls = message.Find("tool_calls"); calls && calls->is_list())
      take(WriteJson(*calls));
    const Value* content = message.Find("content");
    if (!content || content->is_null()) return bytes;
    if (content->is_string()) {
      take(content->string());
      return bytes;
    }
    if (!content->is_list()) {
      Refuse(param, absl::StrCat("'", param, ".content' must be a string or a list of parts"));
      return bytes;
    }
    for (const Value& part : content->list()) {
      const Value* text = part.is_map() ? part.Find("text") : nullptr;
      if (!text || !text->is_string()) {
        Refuse(param, absl::StrCat("'", param, ".content': this model reads text parts only"));
        return bytes;
      }
      take(text->string());
    }
    return bytes;
  }

  static const std::string* FunctionName(const Value& tool) {
    const Value* function = tool.is_map() ? tool.Find("function") : nullptr;
    const Value* name = function && function->is_map() ? function->Find("name") : nullptr;
    return name && name->is_string() ? &name->string() : nullptr;
  }

  // Tools stand in the prompt. One is called if the client insists on it.
  std::size_t ReadTools() {
    const Value* tools = Of("tools", &Value::is_list, "a list");
    const Value* choice = body_.Find("tool_choice");
    if (!tools || tools->list().empty()) {
      if (choice && choice->is_map())
        Refuse("tool_choice", "'tool_choice' is only allowed with 'tools'");
      return 0;
    }
    for (const Value& tool : tools->list()) {
      if (!FunctionName(tool)) {
        Refuse("tools", "each of 'tools' must have a function with a name");
        return 0;
      }
    }
    const bool required = choice && choice->is_string() && choice->string() == "required";
    if (required) order_.function = *FunctionName(tools->list().front());
    if (choice && choice->is_map()) {
      const std::string* wanted = FunctionName(*choice);
      for (const Value& tool : tools->list())
        if (wanted && *FunctionName(tool) == *wanted) order_.function = *wanted;
      if (order_.function.empty()) Refuse("tool_choice", "'tool_choice' names none of 'tools'");
    }
    return WriteJson(*tools).size();
  }

  void ReadFormat() {
    const Value* format = Of("response_format", &Value::is_map, "an object");
    const Value* type = format ? format->Find("type") : nullptr;
    const bool json = type && type->is_string() && type->string().starts_with("json");
    if (!json && order_.function.empty()) return;
    order_.prefix = "{\"text\":\"";
    order_.suffix = "\"}";
  }

  // ---- text, or the numbers of tokens

  void ReadCompletion() {
    ReadTexts("prompt", kMostSequences);
    if (const auto top = Whole("logprobs", 0, 20)) {
      order_.logprobs = true;
      order_.top_logprobs = static_cast<int>(*top);
    }
  }

  void ReadEmbedding() {
    ReadTexts("input", kMostInputs);
    if (const auto d = Whole("dimensions", 1, model_.hidden))
      order_.dimensions = static_cast<std::size_t>(*d);
    const Value* form = Of("encoding_format", &Value::is_string, "a string");
    order_.base64 = form && form->string() == "base64";
    if (form && !order_.base64 && form->string() != "float")
      Refuse("encoding_format", "'encoding_format' must be float or base64");
  }

  static bool IsTokens(const Value& value) {
    if (!value.is_list() || value.list().empty()) return false;
    for (const Value& item : value.list())
      if (!item.is_number()) return false;
    return true;
  }

  void ReadTexts(std::string_view key, std::size_t most) {
    const Value* value = body_.Find(key);
    if (value && (value->is_string() || IsTokens(*value))) return ReadText(key, *value);
    if (!value || !value->is_list() || value->list().empty())
      return Refuse(key, absl::StrCat("'", ToAbsl(key), "' must be a string, or a list of them"));
    if (value->list().size() > most)
      return Refuse(key, absl::StrCat("'", ToAbsl(key), "' must have at most ", most, " entries"));
    for (const Value& item : value->list()) ReadText(key, item);
  }

  void ReadText(std::string_view key, const Value& item) {
    if (item.is_string()) {
      const auto tokens = std::max<std::int64_t>(1, TokensOf(item.string().size()));
      order_.prompts.push_back({tokens, HashOf(item.string()), {}});
      PrefixHasher(&order_.prompts.back().prefix).Add(item.string());
    } else if (IsTokens(item)) {
      order_.prompts.push_back(
          {static_cast<std::int64_t>(item.list().size()), HashOf(WriteJson(item)), {}});
    } else {
      Refuse(key, absl::StrCat("'", ToAbsl(key), "' holds ", ToAbsl(item.KindName())));
    }
  }

  const Value& body_;
  const Model& model_;
  EngineOrder order_;
  std::optional<EngineRefusal> refusal_;
};

}  // namespace

std::variant<EngineOrder, EngineRefusal> ReadOrder(EngineCall call, std::string_view body,
                                                   const Model& model) {
  const auto tree = ParseJson(body, kBodyLimits);
  if (!tree.ok())
    return EngineRefusal{.message =
                             absl::StrCat("the body is not JSON: ", tree.status().message())};
  if (!tree->is_map()) return EngineRefusal{.message = "the body must be a JSON object"};
  return OrderReader(*tree, model).Read(call);
}

}  // namespace spillway::modelled
