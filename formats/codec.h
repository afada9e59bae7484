#pragma once

#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "core/config.h"
#include "core/decision.h"
#include "core/event.h"
#include "core/job.h"
#include "core/record.h"
#include "core/work.h"

// The exact storage codec: what the event log and the tables keep, as JSON text and back.
//
// Exact: Decode(Encode(x)) is x, to the last nanosecond, nano-dollar, bit of a double and byte of a
// text, because a log that is replayed must lead to the same decisions. Lasting: each text begins
// with the version of the format ("v":1); keys are short and never change; fields that hold their
// default are left out, so a field may be added without touching what is stored. One list of fields
// per struct (codec_fields.h) drives both directions, and a struct with a member that the list
// lacks does not compile.
//
//   instants and spans   int64 nanoseconds (since 1970); "inf", "-inf"; [seconds, quarters of a ns]
//   money, energy, ...   the integer of the type (nano-dollars, microjoules, micrograms, ...)
//   doubles              the shortest text that reads back equal
//   enumerations         by name; ids by number; sets of codes as their bits
//   texts                UTF-8; other bytes as {"hex":"..."}
//
// Encoding cannot fail (a null `shared_ptr` where something must stand is a broken invariant: the
// program ends). Decoding takes nothing on trust: whatever the bytes, the answer is a value or
// kDataLoss with the place ("/att/0/pool: found a string, wanted an integer"); name the table and
// key with Annotate(). All functions are pure and may be called from any thread.
namespace spillway::codec {

// For T = Work, Job (all but its work), Decision, PoolSpec, PolicySpec, PricesSpec, TenantsSpec,
// Catalog, Config, Request, RouterInputs, record::PoolRow, PoolBooksRow, ObservationRow, PolicyRow,
// CountersRow, SpeedRow and ModelRow.
template <class T>
std::string Encode(const T& x);
template <class T>
absl::StatusOr<T> Decode(std::string_view text);

}  // namespace spillway::codec

namespace spillway {

// "submitted", "attempt_ended", ...: what stands beside the text of an event.
std::string_view KindOf(const event::Body& body);
// The text of Submitted is that of its work: Encode(*work). That of RequestsEnded, of which there
// are thousands a second, is packed (codec_packed_changes.h); what was written before, each request
// by itself or unpacked, is read too.
std::string EncodeEvent(const event::Body& body);
absl::StatusOr<event::Body> DecodeEvent(std::string_view kind, std::string_view text);

}  // namespace spillway
