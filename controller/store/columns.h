#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>

#include "absl/time/time.h"
#include "controller/store/connection.h"
#include "core/ids.h"
#include "core/status.h"
#include "formats/codec.h"
#include "formats/codec_count.h"

// How single values stand in columns. SQLite's integers are int64.
namespace spillway::store {

// Rounded down to nanoseconds; the ends of the range for what lies outside of 1678 to 2262.
inline std::int64_t NanosOf(absl::Time time) { return absl::ToUnixNanos(time); }
inline absl::Time TimeOf(std::int64_t nanos) { return absl::FromUnixNanos(nanos); }

// Ids and other unsigned numbers, bit for bit.
template <class Id>
std::int64_t ColumnOf(Id id) {
  return static_cast<std::int64_t>(static_cast<std::uint64_t>(id));
}
template <class Id>
Id IdOf(std::int64_t column) {
  if constexpr (std::is_enum_v<Id>) {
    return Id{static_cast<std::underlying_type_t<Id>>(column)};
  } else {
    return static_cast<Id>(column);
  }
}

// A text of the storage codec. A damaged one is named: "jobs 17: /att/0/pool: found ...".
template <class T>
absl::StatusOr<T> DecodeRow(std::string_view text, std::string_view table, std::string_view key) {
  auto value = codec::Decode<T>(text);
  if (value.ok()) return value;
  return Annotate(value.status(),
                  absl::StrCat("damaged row of table ", ToAbsl(table), ", key ", ToAbsl(key)));
}

}  // namespace spillway::store
