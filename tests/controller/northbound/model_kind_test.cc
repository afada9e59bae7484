#include "controller/northbound/model_kind.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/controller/northbound/relay_rig.h"
#include "tests/support/router_world.h"

namespace spillway {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class ModelsOfKind : public testing::Test {
 protected:
  ModelsOfKind() {
    world_.catalog.models["talks"].kind = ModelKind::kChat;
    world_.catalog.models["embeds"].kind = ModelKind::kEmbedding;
  }
  std::optional<OpenAiError> Keep(std::vector<std::string> models, ModelKind kind) {
    features_.model = "asked";
    features_.models = std::move(models);
    features_.kind = kind;
    return KeepModelsOfKind(*world_.View(), features_);
  }

  fixtures::RouterWorld world_{{fixtures::UrlPool("open", 1, {"talks", "embeds", "unknown"})}};
  RequestFeatures features_;
};

TEST_F(ModelsOfKind, AChatModelMakesNoEmbeddings) {
  const auto error = Keep({"talks"}, ModelKind::kEmbedding);
  ASSERT_TRUE(error.has_value());
  EXPECT_EQ(error->status, 400);
  EXPECT_EQ(error->param, "model");
  EXPECT_THAT(error->message, HasSubstr("`asked` makes no embeddings"));
  EXPECT_FALSE(error->retry);
}

TEST_F(ModelsOfKind, AnEmbeddingModelDoesNotAnswer) {
  const auto error = Keep({"embeds"}, ModelKind::kChat);
  ASSERT_TRUE(error.has_value());
  EXPECT_EQ(error->status, 400);
  EXPECT_THAT(error->message, HasSubstr("is an embedding model: ask /v1/embeddings"));
}

TEST_F(ModelsOfKind, EachIsAskedForWhatItDoes) {
  EXPECT_FALSE(Keep({"talks"}, ModelKind::kChat).has_value());
  EXPECT_THAT(features_.models, ElementsAre("talks"));
  EXPECT_FALSE(Keep({"embeds"}, ModelKind::kEmbedding).has_value());
  EXPECT_THAT(features_.models, ElementsAre("embeds"));
}

TEST_F(ModelsOfKind, OfAListThoseAreLeftThatCan) {
  EXPECT_FALSE(Keep({"embeds", "unknown", "talks"}, ModelKind::kChat).has_value());
  EXPECT_THAT(features_.models, ElementsAre("unknown", "talks"));
}

TEST_F(ModelsOfKind, AModelThatTheCatalogDoesNotListMayBeEither) {
  EXPECT_FALSE(Keep({"unknown"}, ModelKind::kChat).has_value());
  EXPECT_FALSE(Keep({"unknown"}, ModelKind::kEmbedding).has_value());
  EXPECT_THAT(features_.models, ElementsAre("unknown"));
}

// Through the whole router: the engine is not troubled with what it cannot do.
TEST(Relays, AskEachModelForWhatItDoes) {
  RelayRig rig;
  rig.world().catalog.models["small"].kind = ModelKind::kEmbedding;
  rig.world().catalog.models["big"].kind = ModelKind::kChat;
  rig.Publish();
  const Received chat =
      rig.Ask(R"({"model":"small","messages":[{"role":"user","content":"hello"}]})");
  EXPECT_EQ(chat.status, 400);
  EXPECT_THAT(chat.body, HasSubstr("`small` is an embedding model: ask /v1/embeddings"));
  const Received vectors = rig.Ask(R"({"model":"big","input":"hello"})", "/v1/embeddings");
  EXPECT_EQ(vectors.status, 400);
  EXPECT_THAT(vectors.body, HasSubstr("`big` makes no embeddings"));
  EXPECT_THAT(rig.small.asked(), testing::IsEmpty());
  EXPECT_THAT(rig.big.asked(), testing::IsEmpty());

  rig.small.Say({{.body = R"({"object":"list","data":[],"usage":{"prompt_tokens":1}})"}});
  EXPECT_EQ(rig.Ask(R"({"model":"small","input":"hello"})", "/v1/embeddings").status, 200);
  EXPECT_EQ(rig.small.asked().size(), 1U);
}

}  // namespace
}  // namespace spillway
