#pragma once

#include <cstdint>

// What happens first when several things happen at one instant of virtual time.
namespace spillway {

// Smaller first. What the world does comes before what it brings, and that before what is decided
// about it: a node that fails at the instant at which a request arrives is down for that request,
// and a price that changes then is the one it is decided with.
enum class EventClass : std::uint8_t {
  kFault = 0,  // nodes fail, come back, are reclaimed; models are loaded
  kPrice,      // prices and carbon intensity change
  kArrival,    // work comes
  kAdmission,  // work is let in, or leaves a queue
  kRouting,    // requests find their endpoint
  kStep,       // engines and jobs get on
};

}  // namespace spillway
