#pragma once

#include "absl/time/time.h"
#include "core/pool.h"
#include "core/units.h"
#include "performance/share.h"

// What work draws while it holds a part of a pool, and what that comes to. A node draws `idle` when
// nothing runs and `busy` when everything does, and in between in proportion to what is held: the
// straight line between two points that public tables give (CCF, data sheets). Real devices bend
// below it at high load; measured watts of the pool belong into its `power:`.
namespace spillway {

struct Draw {
  Watts dynamic{};  // (busy - idle) x share: what one more piece of work adds
  Watts idle{};     // of the devices or nodes held whole: drawn in any case, but on its account
  Watts total() const { return dynamic + idle; }
  friend bool operator==(const Draw&, const Draw&) = default;
};
// Over all nodes of a gang. A node whose busy watts are below its idle ones has no dynamic watts.
Draw DrawOf(const Power& node, const Holding& held);

// Of holding it for a while. Everything is at the node but `carbon` and `energy_cost`, which count
// the building too (PUE).
struct Footprint {
  Joules energy{};     // dynamic and idle: what people are shown
  Joules dynamic{};    // of it: what would not have been drawn otherwise
  GramsCo2e carbon{};  // energy x PUE x intensity of the site; 0 where that is unknown
  Usd energy_cost{};   // dynamic x PUE x tariff; 0 where the price includes energy: the marginal
                       // cost of work on a pool that is up in any case
  friend bool operator==(const Footprint&, const Footprint&) = default;
};
Footprint FootprintOf(const PoolSpec& pool, const Holding& held, absl::Duration duration);

}  // namespace spillway
