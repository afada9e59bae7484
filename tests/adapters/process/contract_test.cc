// The contract of adapters, kept by real commands under a real supervisor.
#include <fstream>

#include "absl/strings/str_cat.h"
#include "tests/adapters/job_contract.h"
#include "tests/adapters/process/supervised.h"

namespace spillway {
namespace {

class ProcessBench final : public JobBench {
 public:
  ProcessBench() {
    std::string name = testing::TempDir() + "spillway-XXXXXX";
    if (mkdtemp(name.data()) != nullptr) dir_ = name;
  }
  ~ProcessBench() override {
    controllers_.clear();
    LeaveNothingBehind(dir_);
  }

  std::shared_ptr<JobAdapter> NewAdapter(AdapterSink& sink) override {
    auto controller = std::make_shared<Controller>(dir_, sink);
    PoolSpec pool;
    pool.name = "here";
    controller->adapter.AddPool(pool_, pool);
    controllers_.push_back(controller);
    return {controller, &controller->adapter};
  }
  command::Launch Launch(AttemptKey key, std::uint64_t epoch, const std::string& word) override {
    auto work = std::make_shared<Work>();
    const std::string end = PathOf(key, "end");
    work->run.command = {"/bin/sh", "-c",
                         absl::StrCat("echo '", word, "' >>", PathOf(key, "ran"), "; while ! [ -s ",
                                      end, " ]; do sleep 0.01; done; exit $(cat ", end, ")")};
    return {.key = key,
            .epoch = epoch,
            .pool = pool_,
            .work = work,
            .nodes = {{.node = 0, .devices = {}}}};
  }
  std::vector<std::string> Ran(AttemptKey key) override { return LinesOf(PathOf(key, "ran")); }
  void Finish(AttemptKey key, int exit_code) override {
    const std::string draft = PathOf(key, "draft");
    std::ofstream(draft) << exit_code << std::flush;
    rename(draft.c_str(), PathOf(key, "end").c_str());
  }
  void Step() override {}

 private:
  struct Controller {
    Controller(const std::string& dir, AdapterSink& sink)
        : client({.dir = dir, .program = {TEST_SUPERVISOR, "--dir", dir}}), adapter(client, sink) {}
    SupervisorClient client;
    ProcessAdapter adapter;
  };
  std::string PathOf(AttemptKey key, const char* what) const {
    return absl::StrCat(dir_, "/", what, ".", ToString(key.job), ".", key.attempt);
  }

  std::string dir_;
  PoolId pool_{0};
  std::vector<std::shared_ptr<Controller>> controllers_;
};
std::unique_ptr<JobBench> MakeProcessBench() { return std::make_unique<ProcessBench>(); }

INSTANTIATE_TEST_SUITE_P(Process, JobContract, testing::Values(MakeProcessBench));

}  // namespace
}  // namespace spillway
