#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "absl/time/time.h"

// What systemd wants to hear of a service of `Type=notify` (sd_notify(3)): ready, reloading,
// stopping, alive. Without $NOTIFY_SOCKET nobody listens, and nothing happens.
namespace spillway {

class SystemdNotices {
 public:
  void Ready();
  void Reloading();  // until the next Ready
  void Stopping();
  // What the controller is doing, for `systemctl status`.
  void Status(std::string_view words);
  // Half of WatchdogSec=: say Alive that often or be started anew. None: nobody waits for it.
  static std::optional<absl::Duration> AlivePeriod();
  void Alive();
};

}  // namespace spillway
