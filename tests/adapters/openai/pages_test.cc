#include <cstdlib>
#include <fstream>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "adapters/openai/key_source.h"
#include "adapters/openai/models_page.h"
#include "tests/support/temporary_folder.h"

namespace spillway {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

TEST(ModelsPage, ReadsNamesInOrder) {
  const auto models = ReadModelsPage(
      ModelsPage::kOpenAi, R"({"object":"list","data":[{"id":"b","x":{"id":"no"}},{"id":"a"}]})");
  ASSERT_TRUE(models.ok());
  EXPECT_THAT(*models, ElementsAre("b", "a"));
  EXPECT_TRUE(ReadModelsPage(ModelsPage::kOpenAi, R"({"data":[]})")->empty());
}

TEST(ModelsPage, RefusesWhatIsNone) {
  for (const char* page :
       {"", "[]", "{}", "<html>", R"({"data":{}})", R"({"data":[7]})", R"({"data":[{"id":7}]})",
        R"({"data":[{"id":"a"}]} x)", R"({"models":[]})", R"({"data":[{"id":"\ud800"}]})"}) {
    EXPECT_FALSE(ReadModelsPage(ModelsPage::kOpenAi, page).ok()) << page;
  }
}

TEST(ModelsPage, BoundsTheirNumber) {
  std::string page = R"({"data":[{"id":"m"})";
  for (int i = 0; i < 5000; ++i) page += R"(,{"id":"m"})";
  EXPECT_EQ(ReadModelsPage(ModelsPage::kOpenAi, page + "]}")->size(), 1000u);
}

class KeyFile {
 public:
  explicit KeyFile(const std::string& text) { std::ofstream(path()) << text; }
  std::string path() const { return folder_.Of("key"); }

 private:
  testing_support::TemporaryFolder folder_;
};

TEST(KeySource, ReadsTheFirstLineOfAFile) {
  const KeyFile file("sk-canary-1 \r\nnot this\n");
  EXPECT_EQ(*ReadKey({file.path(), ""}), "sk-canary-1");
  EXPECT_EQ(*ReadKey({}), "");
}

TEST(KeySource, ReadsTheEnvironment) {
  ::setenv("SPILLWAY_TEST_KEY", "sk-canary-2", 1);
  EXPECT_EQ(*ReadKey({"", "SPILLWAY_TEST_KEY"}), "sk-canary-2");
  ::unsetenv("SPILLWAY_TEST_KEY");
  EXPECT_EQ(ReadKey({"", "SPILLWAY_TEST_KEY"}).status().code(), absl::StatusCode::kNotFound);
}

TEST(KeySource, NeverTellsWhatItRead) {
  for (const std::string& text : {std::string("sk-canary\x01"), std::string("sk canary"),
                                  std::string("\n"), "sk-canary" + std::string(5000, 'x')}) {
    const KeyFile file(text);
    const auto key = ReadKey({file.path(), ""});
    EXPECT_EQ(key.status().code(), absl::StatusCode::kFailedPrecondition);
    EXPECT_THAT(std::string(key.status().message()), Not(HasSubstr("canary")));
  }
  EXPECT_EQ(ReadKey({"/nowhere/key", ""}).status().code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(ReadKey({"a", "B"}).status().code(), absl::StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace spillway
