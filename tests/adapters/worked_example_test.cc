#include "tests/adapters/worked_example.h"

#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "tests/adapters/job_contract.h"
#include "tests/adapters/temporary_folder.h"

namespace spillway {
namespace {

// page begins
// The device, played: it begins what lies in its folder, and ends what is to be cancelled.
class SpoolBench final : public JobBench {
 public:
  std::shared_ptr<JobAdapter> NewAdapter(AdapterSink& sink) override {
    auto adapter = std::make_shared<SpoolAdapter>(folder_.path(), sink);
    adapters_.push_back(adapter);
    return adapter;
  }
  command::Launch Launch(AttemptKey key, std::uint64_t epoch, const std::string& word) override {
    ran_[key];  // Step() looks after it
    auto work = std::make_shared<Work>();
    work->run.command = {"infer", word};
    return {.key = key, .epoch = epoch, .work = work};
  }
  std::vector<std::string> Ran(AttemptKey key) override { return ran_[key]; }
  void Finish(AttemptKey key, int exit_code) override {
    if (!Has(key, ".exit")) Write(key, ".exit", absl::StrCat(exit_code));
  }
  void Step() override {
    for (auto& [key, words] : ran_) Play(key, words);
    for (const auto& adapter : adapters_) adapter->Look();
  }

 private:
  void Play(AttemptKey key, std::vector<std::string>& words) {
    const std::string job = Read(key, ".job");
    if (Has(key, ".cancel")) return Finish(key, 1);
    if (job.empty() || Has(key, ".started")) return;
    words.push_back(job.substr(job.find('\n') + 1));
    Write(key, ".started", "");
  }
  std::string Path(AttemptKey key, const char* what) const {
    return folder_ / absl::StrCat(ToString(key.job), ".", key.attempt, what);
  }
  bool Has(AttemptKey key, const char* what) const {
    return std::filesystem::exists(Path(key, what));
  }
  void Write(AttemptKey key, const char* what, const std::string& text) const {
    std::ofstream(Path(key, what)) << text;
  }
  std::string Read(AttemptKey key, const char* what) const {
    std::ostringstream text;
    text << std::ifstream(Path(key, what)).rdbuf();
    return text.str();
  }

  TemporaryFolder folder_;
  std::vector<std::shared_ptr<SpoolAdapter>> adapters_;
  std::map<AttemptKey, std::vector<std::string>> ran_;
};
std::unique_ptr<JobBench> MakeSpoolBench() { return std::make_unique<SpoolBench>(); }
INSTANTIATE_TEST_SUITE_P(Spool, JobContract, testing::Values(MakeSpoolBench));
// page ends

TEST(WorkedExample, PageShowsTheSameLines) {
  const auto text = [](const std::string& name) {
    std::ostringstream all;
    all << std::ifstream(std::string(SPILLWAY_SOURCE_DIR) + "/" + name).rdbuf();
    return all.str();
  };
  const std::string page = text("docs/extend/adapter.md");
  for (const char* name :
       {"tests/adapters/worked_example.h", "tests/adapters/worked_example_test.cc"}) {
    const std::string source = text(name);
    const std::size_t from = source.find("// page begins\n") + 15, to = source.find("// page ends");
    ASSERT_LT(from, to);
    EXPECT_TRUE(absl::StrContains(page, source.substr(from, to - from)))
        << "docs/extend/adapter.md and " << name << " differ";
  }
}

}  // namespace
}  // namespace spillway
