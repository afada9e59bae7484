#pragma once

#include <string_view>

namespace spillway {

// The style sheet and the script of the report, as they stand in the page.
std::string_view ReportStyle();
std::string_view ReportScript();

}  // namespace spillway
