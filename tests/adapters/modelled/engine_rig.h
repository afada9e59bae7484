#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "adapters/modelled/engine_server.h"
#include "core/check.h"
#include "formats/value.h"
#include "net/client.h"

// Modelled engines for tests: steps that all take the same time, and a client.
namespace spillway {

class EvenSteps final : public StepTimes {
 public:
  explicit EvenSteps(absl::Duration step) : step_(step) {}
  absl::Duration Of(const StepBatch& batch) const override {
    return batch.empty() ? absl::ZeroDuration() : step_;
  }
  Basis basis() const override { return Basis::kProfile; }

 private:
  const absl::Duration step_;
};

inline constexpr absl::Duration kAtOnce = absl::Microseconds(1);
inline constexpr absl::Duration kNever = absl::Hours(1000);  // the first step does not end

// A model of 4 bytes a token, a context of 1024 and vectors of 8.
inline EngineModel TestModel(absl::Duration step = kAtOnce, ModelKind kind = ModelKind::kChat) {
  EngineModel engine;
  engine.name = "m";
  engine.model.name = "m";
  engine.model.kind = kind;
  engine.model.hidden = 8;
  engine.model.context = 1024;
  engine.model.bytes_per_token = 4;
  engine.times = std::make_shared<EvenSteps>(step);
  engine.limits = {.max_sequences = 64, .kv_blocks = 1000, .max_waiting = 100, .context = 1024};
  return engine;
}

class EngineRig {
 public:
  explicit EngineRig(EngineModel model = TestModel(), ModelledEngineOptions options = {})
      : engine_(*ModelledEngine::Start(std::move(model), std::move(options))),
        client_(*Client::ForUrl(engine_->origin())) {}

  ModelledEngine& engine() { return *engine_; }
  std::uint16_t port() const {
    const std::string origin = engine_->origin();
    return static_cast<std::uint16_t>(std::stoi(origin.substr(origin.rfind(':') + 1)));
  }

  HttpResponse Get(const std::string& target) { return Sure(client_.Get(target)); }
  HttpResponse Post(const std::string& target, const std::string& body) {
    return Sure(client_.Post(target, body));
  }
  HttpResponse Chat(const std::string& more) {
    return Post("/v1/chat/completions", ChatBody(more));
  }
  // The body of a stream, as it came.
  std::string Stream(const std::string& target, const std::string& body) {
    std::string all;
    ClientRequest request{.method = Method::kPost, .target = target, .body = body};
    const auto got = client_.Stream(std::move(request), [&](std::string_view piece) {
      all += piece;
      return true;
    });
    return got.ok() ? all : absl::StrCat(all, "\nBROKEN: ", got.status().message());
  }
  std::string StreamChat(const std::string& more) {
    return Stream("/v1/chat/completions", ChatBody("\"stream\":true" + more));
  }

  // Messages of 16 bytes: 4 + 4 + 3 = 11 tokens.
  static std::string ChatBody(const std::string& more) {
    return absl::StrCat(R"({"model":"m","messages":[{"role":"user","content":"0123456789abcdef"}])",
                        more.empty() ? "" : ",", more, "}");
  }

 private:
  static HttpResponse Sure(absl::StatusOr<HttpResponse> got) {
    return got.ok() ? *std::move(got) : TextResponse(599, std::string(got.status().message()));
  }

  std::unique_ptr<ModelledEngine> engine_;
  Client client_;
};

// What stands in a JSON text at keys and places: At(body, {"choices", "0", "text"}). Null if
// nothing does.
inline Value At(std::string_view json, const std::vector<std::string>& way) {
  const auto tree = ParseJson(json);
  if (!tree.ok()) return Value();
  Value at = *tree;
  for (const std::string& step : way) {
    const Value* next = nullptr;
    if (at.is_map()) next = at.Find(step);
    if (at.is_list() && std::stoul(step) < at.list().size()) next = &at.list()[std::stoul(step)];
    if (!next) return Value();
    at = Value(*next);
  }
  return at;
}
inline std::string TextAt(std::string_view json, const std::vector<std::string>& way) {
  const Value at = At(json, way);
  return at.is_string() ? at.string() : "(none)";
}
inline std::int64_t NumberAt(std::string_view json, const std::vector<std::string>& way) {
  return At(json, way).AsInt64().value_or(-1);
}

// One word a token.
inline std::int64_t WordsIn(std::string_view text) {
  return text.empty() ? 0
                      : 1 + static_cast<std::int64_t>(std::count(text.begin(), text.end(), ' '));
}

}  // namespace spillway
