#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "adapters/adapter.h"
#include "gtest/gtest.h"

// What every adapter for jobs promises, as tests for any of them: write a JobBench for yours, and
//
//   INSTANTIATE_TEST_SUITE_P(Spool, JobContract, testing::Values(MakeSpoolBench));
//
// in a source of the same test program as job_contract.cc. docs/extend/adapter.md leads through it.
namespace spillway {

// The other side of an adapter: the device, or something that plays it. Used by one thread.
class JobBench {
 public:
  virtual ~JobBench() = default;

  // The adapter of one more controller over the same device. It is not started yet; those before it
  // may live on, stopped or not, as those of a controller that hangs do.
  virtual std::shared_ptr<JobAdapter> NewAdapter(AdapterSink& sink) = 0;

  // A launch of work that writes `word` down when it begins, and then goes on until Finish().
  virtual command::Launch Launch(AttemptKey key, std::uint64_t epoch, const std::string& word) = 0;

  // What work of this attempt wrote down, in order: what has really run.
  virtual std::vector<std::string> Ran(AttemptKey key) = 0;

  // Work of this attempt that has begun ends with this exit code, 0 to 100.
  virtual void Finish(AttemptKey key, int exit_code) = 0;

  // The device does what it was asked to do, and adapters see what it has done. A bench over
  // something that goes on by itself may do nothing. Called until what a test waits for is there.
  virtual void Step() = 0;
};
using MakeJobBench = std::unique_ptr<JobBench> (*)();

// What an adapter told.
class ContractSink final : public AdapterSink {
 public:
  void Post(event::Body happened) override;
  int Starts(AttemptKey key) const;
  std::vector<event::AttemptEnded> Ends(AttemptKey key) const;
  // A start that came after the end.
  bool StartedLate(AttemptKey key) const;

 private:
  mutable std::mutex mutex_;
  std::vector<event::Body> said_;
};

class JobContract : public testing::TestWithParam<MakeJobBench> {
 protected:
  struct Controller {
    std::uint64_t epoch = 0;
    ContractSink sink;  // outlives the adapter
    std::shared_ptr<JobAdapter> adapter;
  };

  void SetUp() override { bench_ = GetParam()(); }
  void TearDown() override;

  // The next epoch. Those before it are not stopped.
  Controller& Start(std::vector<AttemptKey> known = {});
  void Launch(Controller& by, AttemptKey key, const std::string& word = "first");
  void Cancel(Controller& by, AttemptKey key);
  AttemptKey NextKey() { return {JobId(++jobs_), 1}; }
  using Words = std::vector<std::string>;

  // Steps until it holds; false after 20 s.
  bool Until(const std::function<bool()>& holds);
  // Whatever was under way through `by` has arrived: other work has run from its launch to its end.
  void Settle(Controller& by);
  bool Began(AttemptKey key);
  // Its one end. Fails the test if there is none, or another one.
  event::AttemptEnded End(Controller& by, AttemptKey key);
  // A launch that is repeated after the end may be answered with that end, and with no other.
  void ExpectSameEnd(Controller& of, AttemptKey key);

  std::unique_ptr<JobBench> bench_;
  std::vector<std::unique_ptr<Controller>> controllers_;
  std::uint64_t jobs_ = 0;
};

}  // namespace spillway
