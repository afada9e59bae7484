#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "net/http.h"

namespace spillway {

// "/a%2Fb/c?x=1&y=a+b" as values: see HttpRequest::path and ::query. `target` has passed the head
// check. Returns why it is refused, "" if it is not: a segment "." or ".." (spelled in any way),
// decoded text with control characters or invalid UTF-8, more than 64 segments or 100 parameters.
std::string_view ParseTarget(std::string_view target, std::vector<std::string>* path,
                             std::vector<QueryParam>* query);

// The reverse for one segment or value: all but letters, digits and "-._~" become %XX.
std::string PercentEncode(std::string_view text);

}  // namespace spillway
