#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "adapters/command_host.h"

namespace spillway {

// Writes down what it is asked; says what a test has it say.
class FakeHost final : public CommandHost {
 public:
  absl::Status Take(const std::string& owner, std::uint64_t epoch,
                    absl::Span<const AttemptKey> known, ReportSink sink) override {
    taken.push_back({owner, epoch, {known.begin(), known.end()}});
    report = std::move(sink);
    return take_answer;
  }
  void Launch(const LaunchOrder& order, Done done) override {
    launched.push_back(order);
    dones.push_back(std::move(done));
  }
  void Cancel(const std::string&, AttemptKey key, std::uint64_t epoch) override {
    cancelled.emplace_back(key, epoch);
  }
  void Logs(const std::string&, AttemptKey, LogStream, std::uint64_t, std::size_t, bool,
            JobAdapter::LogAnswer answer) override {
    answer(absl::NotFoundError("fake"));
  }
  void Acknowledge(const std::string&, AttemptKey key) override { acknowledged.push_back(key); }
  void Leave(const std::string& owner) override { left.push_back(owner); }
  std::vector<std::string> Limits() const override { return {}; }

  struct Taken {
    std::string owner;
    std::uint64_t epoch;
    std::vector<AttemptKey> known;
  };
  std::vector<Taken> taken;
  absl::Status take_answer;
  ReportSink report;
  std::vector<LaunchOrder> launched;
  std::vector<Done> dones;
  std::vector<std::pair<AttemptKey, std::uint64_t>> cancelled;
  std::vector<AttemptKey> acknowledged;
  std::vector<std::string> left;
};

// Keeps what an adapter said, in order.
class ListSink final : public AdapterSink {
 public:
  void Post(event::Body happened) override { said.push_back(std::move(happened)); }
  std::vector<event::Body> said;
};

}  // namespace spillway
