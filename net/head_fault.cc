#include "net/head_fault.h"

#include <array>

namespace spillway {

std::string_view FaultName(HeadFault fault) {
  static constexpr std::array<std::string_view, kHeadFaults> kNames = {"none",
                                                                       "head_too_long",
                                                                       "too_many_fields",
                                                                       "target_too_long",
                                                                       "request_line",
                                                                       "method",
                                                                       "target",
                                                                       "version",
                                                                       "line_end",
                                                                       "folding",
                                                                       "field_name",
                                                                       "field_value",
                                                                       "host",
                                                                       "content_length",
                                                                       "transfer_encoding",
                                                                       "trailer",
                                                                       "content_encoding",
                                                                       "expect",
                                                                       "chunk",
                                                                       "body_too_long",
                                                                       "status_line"};
  return kNames[static_cast<std::size_t>(fault)];
}

}  // namespace spillway
