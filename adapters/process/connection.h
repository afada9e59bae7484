#pragma once

#include <functional>
#include <set>
#include <string>

#include "adapters/process/codec.h"
#include "adapters/process/event_loop.h"
#include "adapters/process/files.h"

// One controller that is connected to the supervisor.
namespace spillway {

class Connection {
 public:
  // The callbacks come from the loop; both may close the connection, none may destroy it.
  struct Callbacks {
    std::function<void(const Frame&)> on_frame;
    std::function<void()> on_closed;  // once
  };
  Connection(EventLoop& loop, UniqueFd socket, Callbacks callbacks);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  // Queues a frame. A reader that is too slow (16 MiB behind) is disconnected: it will come back,
  // and is told everything again.
  void Send(const std::string& frame);
  void Close();
  bool open() const { return static_cast<bool>(socket_); }

 private:
  void OnReadable();
  void Flush();

  EventLoop& loop_;
  UniqueFd socket_;
  Callbacks callbacks_;
  FrameReader reader_;
  std::string outbox_;
};

}  // namespace spillway
