#pragma once

#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "formats/value.h"

namespace spillway {

// openapi.yaml as a test reads it: which operations there are, and whether an answer is one that
// the file describes. Knows as much of JSON Schema as the file uses.
class OpenapiFile {
 public:
  OpenapiFile();  // of the source tree

  // "POST /api/v1/jobs submitJob"
  std::set<std::string> Operations() const;
  // What is wrong with an answer; empty: nothing. `pattern`: the path as the file writes it.
  std::vector<std::string> Complaints(std::string_view method, std::string_view pattern, int status,
                                      std::string_view content_type, std::string_view body) const;
  // The example bodies of requests: (operation id, JSON text).
  std::vector<std::pair<std::string, std::string>> RequestExamples() const;

 private:
  const Value& Resolve(const Value& value) const;
  void Check(const Value& schema, const Value& value, const std::string& at,
             std::vector<std::string>& complaints) const;
  void CheckMap(const Value& schema, const Value& value, const std::string& at,
                std::vector<std::string>& complaints) const;

  Value root_;
};

}  // namespace spillway
