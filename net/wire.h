#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>

#include <boost/asio/buffer.hpp>

#include "net/input.h"
#include "net/lane.h"
#include "net/wake_up.h"

namespace spillway {

// The socket of a connection with its bounds: a buffer of input, reads and writes that can be
// overdue, and a watch that reads ahead while nobody else does, so that a client who leaves is
// noticed. At most one coroutine uses it. Everything happens on the lane's thread.
class Wire : public std::enable_shared_from_this<Wire> {
 public:
  // Which bound a read or write is under: decides what is counted when it is overdue.
  enum class Bound : std::uint8_t { kIdle, kHead, kBody, kWrite, kLinger };
  using Parts = std::array<net::const_buffer, 4>;  // What one write gathers; may hold empty ones.

  virtual ~Wire() = default;
  Wire(const Wire&) = delete;
  Wire& operator=(const Wire&) = delete;

  // Cuts what is overdue. Once a sweep.
  void CheckBounds();
  // Ends it from outside: what is under way fails, PeerLeft() is called.
  void Close();

 protected:
  Wire(std::shared_ptr<Lane> lane, Socket socket);

  // The other side closed, reset or was cut off. Called once, and never from inside a call below.
  virtual void PeerLeft() = 0;

  Lane& lane() { return *lane_; }
  const std::shared_ptr<Lane>& shared_lane() const { return lane_; }
  Input& input() { return input_; }
  bool ended() const { return ended_; }      // No byte will come any more.
  bool overdue() const { return overdue_; }  // A bound was broken.

  // Waits for more input. False: there will be none, or the lane's clock passed `until`.
  Awaitable<bool> Read(Bound bound, absl::Duration until);
  // Reads ahead while the coroutine does something else.
  void Watch();

  // Sends everything, without suspending if the kernel takes it at once. False: broken or too slow.
  // The memory behind `parts` stays valid until the end.
  Awaitable<bool> Send(Parts parts);
  // The first try of Send(): takes what the kernel takes, shortens `parts` by it. False: broken.
  bool TrySend(Parts* parts);
  // After a TrySend() that sent all: counts it. True: Send() is to be called even so, which lets
  // the other connections have their turn.
  bool BurstEnds();
  static std::size_t SizeOf(const Parts& parts);
  void ShutdownSend();
  void Shrink();  // Gives back the memory of large input, while there is none.

 private:
  std::shared_ptr<Lane> lane_;
  Socket socket_;
  Input input_;
  WakeUp more_;            // The watch came back while the coroutine waits in Read().
  bool watching_ = false;  // A read of the watch is under way.
  bool ended_ = false;
  bool told_ = false;    // PeerLeft() was called.
  bool broken_ = false;  // Writing failed.
  bool overdue_ = false;
  Bound bound_ = Bound::kIdle;
  absl::Duration until_ = absl::InfiniteDuration();
  bool resting_ = false;     // Reads between two requests.
  int resting_sweeps_ = 0;   // Since it began.
  std::uint32_t burst_ = 0;  // Writes since the coroutine last let others run.

  void Took(const boost::system::error_code& error, std::size_t bytes);
  void TellPeerLeft();
  void CountOverdue();
  void LookForEnd();
};

}  // namespace spillway
