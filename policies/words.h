#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "core/policy_spec.h"

// Words for findings about a policy.
namespace spillway {

std::string RulePath(std::size_t rule);                               // "rules[2]"
std::string EntryPath(std::size_t rule, std::size_t entry);           // "rules[2].claim[0]"
std::string RuleInWords(const PolicySpec& policy, std::size_t rule);  // "rules[2] `at-home`"
std::string Quoted(const std::string& name);                          // "`a10`"
std::string Enumerated(const std::vector<std::string>& names);  // "`a`, `b` and `c`"; eight at most

}  // namespace spillway
