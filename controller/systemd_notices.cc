#include "controller/systemd_notices.h"

#include <systemd/sd-daemon.h>
#include <time.h>

#include <cstdint>

#include "absl/strings/str_cat.h"
#include "core/text.h"

namespace spillway {
namespace {

// A message that could not be sent is lost; there is nobody else to tell.
void Say(const std::string& message) { ::sd_notify(/*unset_environment=*/0, message.c_str()); }

std::int64_t MonotonicMicros() {
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1'000'000 + now.tv_nsec / 1000;
}

}  // namespace

void SystemdNotices::Ready() { Say("READY=1\nSTATUS=placing work"); }
void SystemdNotices::Reloading() {
  Say(absl::StrCat("RELOADING=1\nMONOTONIC_USEC=", MonotonicMicros(),
                   "\nSTATUS=reading the configuration again"));
}
void SystemdNotices::Stopping() { Say("STOPPING=1\nSTATUS=finishing open streams"); }
void SystemdNotices::Status(std::string_view words) { Say(absl::StrCat("STATUS=", ToAbsl(words))); }
void SystemdNotices::Alive() { Say("WATCHDOG=1"); }

std::optional<absl::Duration> SystemdNotices::AlivePeriod() {
  std::uint64_t micros = 0;
  if (::sd_watchdog_enabled(/*unset_environment=*/0, &micros) <= 0) return std::nullopt;
  return absl::Microseconds(static_cast<std::int64_t>(micros)) / 2;
}

}  // namespace spillway
