#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "formats/value.h"

// For the readers and writers of this room.
namespace spillway {

// The value of a number of the JSON grammar (a leading `+` is allowed too, for YAML). Integers that
// no 64 bits hold become reals; nothing if it is too large for a double.
std::optional<Value> NumberFromText(std::string_view text);

// What JSON allows as a number: no leading `+`, zeros or bare point.
bool IsJsonNumber(std::string_view text);

// A real's own text where JSON allows it, else the shortest one; null for what is not finite.
std::string JsonNumber(const Value& real);

// The second of two members with one key; null if there is none. n log n.
const Member* FindDuplicateKey(const Value::Map& members);

}  // namespace spillway
