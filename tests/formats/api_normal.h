#pragma once

#include <algorithm>
#include <string>
#include <string_view>

#include "core/check.h"
#include "formats/value.h"

namespace spillway {

inline Value NormalValue(const Value& value) {
  if (value.is_number()) return Value::MakeReal(value.real());
  if (value.is_list()) {
    Value list = Value::MakeList();
    for (const Value& item : value.list()) list.Append(NormalValue(item));
    return list;
  }
  if (value.is_map()) {
    Value::Map members = value.map();
    std::sort(members.begin(), members.end(),
              [](const Member& a, const Member& b) { return a.key < b.key; });
    Value map = Value::MakeMap();
    for (const Member& member : members) map.Set(member.key, NormalValue(member.value));
    return map;
  }
  return value;
}

// The same text for all JSON texts that say the same: members sorted, 80.0 as 80.
inline std::string NormalJson(std::string_view text) {
  const auto value = ParseJson(text);
  SPILLWAY_CHECK(value.ok());
  return WriteJson(NormalValue(*value), /*pretty=*/true);
}

}  // namespace spillway
