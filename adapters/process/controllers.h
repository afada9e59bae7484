#pragma once

#include <cstdint>
#include <list>
#include <map>
#include <memory>
#include <set>
#include <string>

#include "adapters/process/connection.h"
#include "adapters/process/protocol.h"
#include "adapters/process/run_table.h"

// The controllers that are connected to the supervisor: what they ask is put to the run table, and
// what happens there is told to the one that has taken the owner of the run.
namespace spillway {

class Controllers {
 public:
  Controllers(EventLoop& loop, RunTable& table) : loop_(loop), table_(table) {}
  // Closes it again if too many are connected.
  void Add(UniqueFd socket);
  std::size_t connected() const { return peers_.size(); }

  void OnReport(const RunReport& report);
  void OnOutput(AttemptKey key);

 private:
  struct Peer {
    std::unique_ptr<Connection> connection;
    std::set<std::string> owners;
    std::map<AttemptKey, std::list<ReadLogMessage>> followers;  // wait for more output
  };
  using PeerId = std::uint64_t;

  void OnFrame(PeerId id, const Frame& frame);
  template <class M, class Handle>
  void With(PeerId id, const Frame& frame, Handle handle);
  void Take(PeerId id, const TakeMessage& take);
  void Launch(PeerId id, LaunchMessage launch);
  void ReadLog(PeerId id, const ReadLogMessage& read);
  void EndWait(PeerId id, AttemptKey key, std::uint64_t request);
  // False: nothing to say yet, and the reader wants to wait.
  bool AnswerLog(Peer& peer, const ReadLogMessage& read);
  void Answer(PeerId id, std::uint64_t request, const absl::Status& status,
              std::vector<std::string> limits = {});

  EventLoop& loop_;
  RunTable& table_;
  PeerId last_id_ = 0;
  std::map<PeerId, Peer> peers_;
};

}  // namespace spillway
