#pragma once

#include <optional>
#include <string_view>

#include "formats/value.h"

namespace spillway {

// The JSON that a request asks for by its `response_format`, and whether a text is such JSON.
//
// Of JSON Schema (2020-12) these are checked: type, enum, const, properties, required,
// additionalProperties, items, prefixItems, minItems, maxItems, minLength, maxLength, minimum,
// maximum, exclusiveMinimum, exclusiveMaximum, anyOf, oneOf, allOf, not, $ref within the schema.
// Other keywords say nothing; `pattern` among them, since a client's regular expression may take
// any time and any stack. Work and depth are bounded: what passes the bounds is not met.
class WantedJson {
 public:
  // `response_format` as it stands in the request: {"type":"json_schema","json_schema":{"schema":
  // ...}}, or {"type":"json_object"} with or without "schema". None: any other; a schema that is
  // neither an object nor a boolean is left to the engine.
  static std::optional<WantedJson> Read(std::string_view response_format);

  bool IsMetBy(std::string_view text) const;

 private:
  Value schema_ = Value::MakeBool(true);
  bool object_ = false;  // {"type":"json_object"}
};

}  // namespace spillway
