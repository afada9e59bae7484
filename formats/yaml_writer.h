#pragma once

#include <string>

#include "formats/value.h"

namespace spillway {

// YAML text of a tree, in block style with two spaces of indentation, for people: `-o yaml`. Reads
// back (ParseYaml) as an equal tree: strings stand in double quotes wherever a plain word could be
// taken for something else, by YAML 1.1 readers too. Ends with a line feed.
std::string WriteYaml(const Value& value);

}  // namespace spillway
