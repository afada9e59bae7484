#include "adapters/modelled/engine_answer.h"

#include <cstring>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "adapters/modelled/engine_text.h"
#include "core/text.h"
#include "formats/json_writer.h"

namespace spillway::modelled {
namespace {

std::string Head(std::string_view id, std::string_view object, std::int64_t created,
                 std::string_view model) {
  std::string out;
  JsonWriter w(out);
  w.BeginObject().Member("id", id).Member("object", object);
  w.Member("created", created).Member("model", model);
  return out;
}

void WriteUsage(JsonWriter& w, const EngineUsage& usage) {
  w.Key("usage").BeginObject();
  w.Member("prompt_tokens", usage.prompt).Member("completion_tokens", usage.completion);
  w.Member("total_tokens", usage.prompt + usage.completion).EndObject();
}

// Chat: one entry a token. The only candidate that is known is the word itself.
void WriteChatToken(JsonWriter& w, std::string_view piece, double logprob, bool with_top) {
  const auto entry = [&] {
    w.BeginObject().Member("token", piece).Member("logprob", logprob).Key("bytes").BeginArray();
    for (const char c : piece) w.Value(static_cast<int>(static_cast<unsigned char>(c)));
    w.EndArray();
  };
  entry();
  w.Key("top_logprobs").BeginArray();
  if (with_top) {
    entry();
    w.EndObject();
  }
  w.EndArray().EndObject();
}

}  // namespace

AnswerWriter::AnswerWriter(const EngineOrder& order, const std::vector<EngineChoice>& choices,
                           const std::string& id, std::int64_t created, std::string_view model)
    : order_(order), choices_(choices), bytes_(choices.size()) {
  const bool chat = order.call == EngineCall::kChat;
  head_ = Head(id, chat ? "chat.completion" : "text_completion", created, model);
  event_ = "data: " + Head(id, chat ? "chat.completion.chunk" : "text_completion", created, model);
}

std::string AnswerWriter::Piece(const EngineChoice& choice, std::int64_t i) const {
  std::string piece(WordAt(choice.text, i));
  if (i == 0) piece.insert(0, order_.prefix);
  if (i + 1 == choice.length) piece += order_.suffix;
  return piece;
}

std::string_view AnswerWriter::Reason(const EngineChoice& choice) const {
  if (choice.cut) return "length";
  return order_.function.empty() ? "stop" : "tool_calls";
}

std::string AnswerWriter::CallId(const EngineChoice& choice) const {
  return absl::StrFormat("call_%016x", choice.text);
}

// ---- parts of both forms

namespace {

struct Tokens {
  std::uint64_t text;
  std::int64_t from, to;
  std::size_t offset;  // bytes of the text before `from`
};

// `logprobs` of the pieces from..to of a choice.
template <class PieceOf>
void WriteLogprobs(JsonWriter& w, const EngineOrder& order, const Tokens& tokens, PieceOf piece) {
  w.Key("logprobs");
  if (!order.logprobs) {
    w.Null();
    return;
  }
  w.BeginObject();
  const bool with_top = order.top_logprobs > 0;
  if (order.call == EngineCall::kChat) {
    w.Key("content").BeginArray();
    for (auto i = tokens.from; i < tokens.to; ++i)
      WriteChatToken(w, piece(i), LogProbabilityAt(tokens.text, i), with_top);
    w.EndArray().EndObject();
    return;
  }
  w.Key("tokens").BeginArray();
  for (auto i = tokens.from; i < tokens.to; ++i) w.Value(piece(i));
  w.EndArray().Key("token_logprobs").BeginArray();
  for (auto i = tokens.from; i < tokens.to; ++i) w.Value(LogProbabilityAt(tokens.text, i));
  w.EndArray().Key("top_logprobs").BeginArray();
  for (auto i = tokens.from; i < tokens.to; ++i) {
    w.BeginObject();
    if (with_top) w.Member(piece(i), LogProbabilityAt(tokens.text, i));
    w.EndObject();
  }
  w.EndArray().Key("text_offset").BeginArray();
  std::size_t offset = tokens.offset;
  for (auto i = tokens.from; i < tokens.to; ++i) {
    w.Value(offset);
    offset += piece(i).size();
  }
  w.EndArray().EndObject();
}

}  // namespace

std::string AnswerWriter::Whole(const EngineUsage& usage) const {
  std::string out = head_ + ",\"choices\":";
  JsonWriter w(out);
  w.BeginArray();
  for (std::size_t index = 0; index < choices_.size(); ++index) {
    const EngineChoice& choice = choices_[index];
    const auto piece = [&](std::int64_t i) { return Piece(choice, i); };
    std::string text;
    for (std::int64_t i = 0; i < choice.length; ++i) text += piece(i);
    w.BeginObject().Member("index", index);
    if (order_.call == EngineCall::kCompletion) {
      w.Member("text", text);
    } else {
      w.Key("message").BeginObject().Member("role", "assistant");
      if (order_.function.empty()) {
        w.Member("content", text).NullMember("refusal");
      } else {
        w.NullMember("content").NullMember("refusal").Key("tool_calls").BeginArray().BeginObject();
        w.Member("id", CallId(choice)).Member("type", "function").Key("function").BeginObject();
        w.Member("name", order_.function).Member("arguments", text);
        w.EndObject().EndObject().EndArray();
      }
      w.EndObject();
    }
    WriteLogprobs(w, order_, {choice.text, 0, choice.length, 0}, piece);
    w.Member("finish_reason", Reason(choice)).EndObject();
  }
  w.EndArray();
  WriteUsage(w, usage);
  w.EndObject();
  return out;
}

// ---- events

namespace {

// data: {head,"choices":[{"index":N, BODY ,"finish_reason":R}],"usage":null}
template <class Body>
void WriteEvent(const std::string& event, const EngineOrder& order, std::size_t index,
                std::string_view reason, std::string& out, Body body) {
  out += event;
  out += ",\"choices\":";
  JsonWriter w(out);
  w.BeginArray().BeginObject().Member("index", index);
  body(w);
  w.Key("finish_reason");
  reason.empty() ? w.Null() : w.Value(reason);
  w.EndObject().EndArray();
  if (order.include_usage) w.NullMember("usage");
  out += "}\n\n";
}

}  // namespace

void AnswerWriter::Opening(std::size_t choice, std::string& out) const {
  if (order_.call != EngineCall::kChat) return;
  WriteEvent(event_, order_, choice, "", out, [&](JsonWriter& w) {
    w.Key("delta").BeginObject().Member("role", "assistant");
    if (order_.function.empty()) {
      w.Member("content", "");
    } else {
      w.NullMember("content").Key("tool_calls").BeginArray().BeginObject().Member("index", 0);
      w.Member("id", CallId(choices_[choice])).Member("type", "function");
      w.Key("function").BeginObject().Member("name", order_.function).Member("arguments", "");
      w.EndObject().EndObject().EndArray();
    }
    w.EndObject().NullMember("logprobs");
  });
}

void AnswerWriter::Token(std::size_t choice, std::int64_t i, std::string& out) {
  const EngineChoice& said = choices_[choice];
  WriteEvent(event_, order_, choice, "", out, [&](JsonWriter& w) {
    const std::string piece = Piece(said, i);
    const Tokens token{said.text, i, i + 1,
                       std::exchange(bytes_[choice], bytes_[choice] + piece.size())};
    if (order_.call == EngineCall::kCompletion) {
      w.Member("text", piece);
    } else if (order_.function.empty()) {
      w.Key("delta").BeginObject().Member("content", piece).EndObject();
    } else {
      w.Key("delta").BeginObject().Key("tool_calls").BeginArray().BeginObject().Member("index", 0);
      w.Key("function").BeginObject().Member("arguments", piece);
      w.EndObject().EndObject().EndArray().EndObject();
    }
    WriteLogprobs(w, order_, token, [&](std::int64_t) { return std::string_view(piece); });
  });
}

void AnswerWriter::Ending(std::size_t choice, std::string& out) const {
  WriteEvent(event_, order_, choice, Reason(choices_[choice]), out, [&](JsonWriter& w) {
    if (order_.call == EngineCall::kCompletion)
      w.Member("text", "");
    else
      w.Key("delta").BeginObject().EndObject();
    w.NullMember("logprobs");
  });
}

void AnswerWriter::Usage(const EngineUsage& usage, std::string& out) const {
  out += event_;
  out += ",\"choices\":[],";
  JsonWriter w(out);
  WriteUsage(w, usage);
  out += "}\n\n";
}

// ---- the rest

std::string RefusalBody(const EngineRefusal& refusal) {
  std::string out;
  JsonWriter w(out);
  const auto text = [&](std::string_view key, const std::string& value) {
    value.empty() ? w.NullMember(key) : w.Member(key, value);
  };
  w.BeginObject().Key("error").BeginObject();
  w.Member("message", refusal.message).Member("type", refusal.type);
  text("param", refusal.param);
  text("code", refusal.code);
  w.EndObject().EndObject();
  return out;
}

std::string EmbeddingBody(const EngineOrder& order, std::size_t dimensions, std::string_view model,
                          std::int64_t prompt_tokens) {
  std::string out;
  JsonWriter w(out);
  w.BeginObject().Member("object", "list").Key("data").BeginArray();
  for (std::size_t i = 0; i < order.prompts.size(); ++i) {
    const std::vector<float> vector = VectorOf(order.prompts[i].hash, dimensions);
    w.BeginObject().Member("object", "embedding").Member("index", i).Key("embedding");
    if (order.base64) {
      // As the client decodes it: little-endian floats, which is what this machine has.
      const auto* bytes = reinterpret_cast<const char*>(vector.data());
      w.Value(absl::Base64Escape({bytes, vector.size() * sizeof(float)}));
    } else {
      w.BeginArray();
      for (const float x : vector) w.Value(static_cast<double>(x));
      w.EndArray();
    }
    w.EndObject();
  }
  w.EndArray().Member("model", model).Key("usage").BeginObject();
  w.Member("prompt_tokens", prompt_tokens).Member("total_tokens", prompt_tokens);
  w.EndObject().EndObject();
  return out;
}

std::string ModelBody(std::string_view model, std::int64_t created, std::int64_t context) {
  std::string out;
  JsonWriter w(out);
  w.BeginObject().Member("id", model).Member("object", "model").Member("created", created);
  w.Member("owned_by", "spillway").Member("max_model_len", context).EndObject();
  return out;
}

}  // namespace spillway::modelled
