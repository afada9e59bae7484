#pragma once

#include <optional>
#include <string_view>

#include "formats/value.h"

namespace spillway {

// Where the thing stands that a path leads to: "/rules/2/claim" (RFC 6901) or "rules[2].claim". The
// place of the key where there is one, so that a finding points at what the reader looks for. If
// the way ends early, the place where it ended: a default was not written down, but its document
// was. None: what stands there was made by a program, or the tree was.
std::optional<Mark> MarkAt(const Value& tree, std::string_view path);

}  // namespace spillway
