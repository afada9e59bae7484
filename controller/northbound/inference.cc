// OpenAI's API: /v1/chat/completions, /v1/completions, /v1/embeddings, /v1/models.
#include "absl/strings/str_cat.h"
#include "controller/northbound/handlers.h"
#include "controller/northbound/openai_errors.h"
#include "controller/northbound/relay.h"
#include "core/text.h"
#include "formats/json_writer.h"
#include "net/recycle.h"

namespace spillway {
namespace {

Awaitable<HttpAnswer> Forward(Api& api, OpenAiCall kind, Call&& call) {
  return Relay::Run(MakeRecycled<Relay>(api, kind, std::move(call)));
}

void WriteModel(JsonWriter& w, std::string_view name, std::int64_t created) {
  w.BeginObject().Member("id", name).Member("object", "model").Member("created", created);
  w.Member("owned_by", "spillway").EndObject();
}

std::int64_t CreatedAt(Api& api) { return absl::ToUnixSeconds(api.started_at()); }

}  // namespace

namespace handle {

Awaitable<HttpAnswer> ChatCompletions(Api& api, Call call) {
  return Forward(api, OpenAiCall::kChat, std::move(call));
}
Awaitable<HttpAnswer> Completions(Api& api, Call call) {
  return Forward(api, OpenAiCall::kCompletions, std::move(call));
}
Awaitable<HttpAnswer> Embeddings(Api& api, Call call) {
  return Forward(api, OpenAiCall::kEmbeddings, std::move(call));
}

Awaitable<HttpAnswer> ListModels(Api& api, Call) {
  std::string body;
  JsonWriter w(body);
  w.BeginObject().Member("object", "list").Key("data").BeginArray();
  if (const auto view = api.dispatcher()->view()) {
    for (const std::string& name : view->Names()) WriteModel(w, name, CreatedAt(api));
  }
  w.EndArray().EndObject();
  co_return JsonResponse(200, std::move(body));
}

Awaitable<HttpAnswer> GetModel(Api& api, Call call) {
  const std::string& name = call.args[0];
  const auto view = api.dispatcher()->view();
  if (!view || view->Resolve(name).empty()) {
    const std::vector<std::string> known = view ? view->Names() : std::vector<std::string>();
    co_return OpenAiErrorAnswer(ModelNotFound(name, NearestWord(name, known)));
  }
  std::string body;
  JsonWriter w(body);
  WriteModel(w, name, CreatedAt(api));
  co_return JsonResponse(200, std::move(body));
}

}  // namespace handle
}  // namespace spillway
