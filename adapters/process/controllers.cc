#include "adapters/process/controllers.h"

#include <algorithm>
#include <cstdio>
#include <utility>

#include "absl/strings/str_cat.h"

namespace spillway {
namespace {

constexpr std::size_t kMaxPeers = 16;
constexpr std::size_t kMaxFollowersOfARun = 256;  // of one controller
constexpr absl::Duration kFollowWait = absl::Seconds(15);

}  // namespace

void Controllers::Add(UniqueFd socket) {
  if (peers_.size() >= kMaxPeers) return;
  const PeerId id = ++last_id_;
  peers_[id].connection = std::make_unique<Connection>(
      loop_, std::move(socket),
      Connection::Callbacks{.on_frame = [this, id](const Frame& frame) { OnFrame(id, frame); },
                            .on_closed = [this, id] { peers_.erase(id); }});
}

template <class M, class Handle>
void Controllers::With(PeerId id, const Frame& frame, Handle handle) {
  auto message = Decode<M>(frame.body);
  if (!message) {
    std::fprintf(stderr, "a controller is cut off: message %d cannot be read\n", frame.type);
    return peers_.at(id).connection->Close();
  }
  handle(*std::move(message));
}

void Controllers::OnFrame(PeerId id, const Frame& frame) {
  if (frame.version != kProtocolVersion) {
    std::fprintf(stderr, "a controller is cut off: it speaks version %d, this is version %d\n",
                 frame.version, kProtocolVersion);
    return peers_.at(id).connection->Close();
  }
  switch (static_cast<MessageType>(frame.type)) {
    case MessageType::kTake:
      return With<TakeMessage>(id, frame, [&](const TakeMessage& m) { Take(id, m); });
    case MessageType::kLaunch:
      return With<LaunchMessage>(id, frame, [&](LaunchMessage m) { Launch(id, std::move(m)); });
    case MessageType::kCancel:
      return With<CancelMessage>(id, frame, [&](const CancelMessage& m) {
        Answer(id, m.request, table_.Cancel(m.key, m.epoch));
      });
    case MessageType::kReadLog:
      return With<ReadLogMessage>(id, frame, [&](const ReadLogMessage& m) { ReadLog(id, m); });
    case MessageType::kSeen:
      return With<SeenMessage>(id, frame, [&](const SeenMessage& m) { table_.Acknowledge(m.key); });
    default:
      std::fprintf(stderr, "a controller is cut off: message %d is unknown\n", frame.type);
      return peers_.at(id).connection->Close();
  }
}

void Controllers::Answer(PeerId id, std::uint64_t request, const absl::Status& status,
                         std::vector<std::string> limits) {
  peers_.at(id).connection->Send(FrameOf(
      MessageType::kAnswer, AnswerMessage{request, static_cast<std::int32_t>(status.code()),
                                          std::string(status.message()), std::move(limits)}));
}

void Controllers::Take(PeerId id, const TakeMessage& take) {
  const auto reports = table_.Take(take);
  if (!reports.ok()) return Answer(id, take.request, reports.status());
  for (auto& [other, peer] : peers_) peer.owners.erase(take.owner);
  peers_.at(id).owners.insert(take.owner);
  for (const RunReport& report : *reports) {
    peers_.at(id).connection->Send(FrameOf(MessageType::kReport, report));
  }
  Answer(id, take.request, absl::OkStatus(), table_.Limits());
}

void Controllers::Launch(PeerId id, LaunchMessage launch) {
  const AttemptKey key = launch.order.key;
  const absl::Status status = table_.Launch(std::move(launch.order));
  Answer(id, launch.request, status);
  // Where a run was seen before, this tells what has become of it.
  if (const RunReport* report = table_.Find(key); status.ok() && report != nullptr) {
    peers_.at(id).connection->Send(FrameOf(MessageType::kReport, *report));
  }
}

bool Controllers::AnswerLog(Peer& peer, const ReadLogMessage& read) {
  const auto chunk =
      table_.ReadLog(read.key, read.stream, read.offset, std::min(read.limit, kMaxLogRead));
  LogAnswerMessage answer{.request = read.request};
  if (chunk.ok()) {
    if (read.follow && chunk->bytes.empty() && !chunk->end && read.limit > 0) return false;
    answer.bytes = chunk->bytes;
    answer.next = chunk->next;
    answer.dropped = chunk->dropped;
    answer.end = chunk->end;
  } else {
    answer.code = static_cast<std::int32_t>(chunk.status().code());
    answer.message = std::string(chunk.status().message());
  }
  peer.connection->Send(FrameOf(MessageType::kLogAnswer, answer));
  return true;
}

void Controllers::ReadLog(PeerId id, const ReadLogMessage& read) {
  Peer& peer = peers_.at(id);
  if (AnswerLog(peer, read)) return;
  auto& waiting = peer.followers[read.key];
  waiting.push_back(read);
  loop_.After(kFollowWait,
              [this, id, key = read.key, request = read.request] { EndWait(id, key, request); });
  if (waiting.size() > kMaxFollowersOfARun) EndWait(id, read.key, waiting.front().request);
}

// Whatever there is now, be it nothing, is the answer.
void Controllers::EndWait(PeerId id, AttemptKey key, std::uint64_t request) {
  const auto peer = peers_.find(id);
  if (peer == peers_.end()) return;
  const auto followed = peer->second.followers.find(key);
  if (followed == peer->second.followers.end()) return;
  followed->second.remove_if([&](ReadLogMessage read) {
    if (read.request != request) return false;
    read.follow = false;
    return AnswerLog(peer->second, read);
  });
  if (followed->second.empty()) peer->second.followers.erase(followed);
}

void Controllers::OnOutput(AttemptKey key) {
  for (auto& [id, peer] : peers_) {
    const auto followed = peer.followers.find(key);
    if (followed == peer.followers.end()) continue;
    followed->second.remove_if(
        [&, &peer = peer](const ReadLogMessage& read) { return AnswerLog(peer, read); });
    if (followed->second.empty()) peer.followers.erase(followed);
  }
}

void Controllers::OnReport(const RunReport& report) {
  if (report.phase == RunPhase::kEnded) OnOutput(report.key);
  const std::string frame = FrameOf(MessageType::kReport, report);
  for (auto& [id, peer] : peers_) {
    if (peer.owners.contains(report.owner)) peer.connection->Send(frame);
  }
}

}  // namespace spillway
