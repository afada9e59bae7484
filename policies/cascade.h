#pragma once

#include <string_view>
#include <vector>

#include "core/cascade.h"
#include "core/config.h"
#include "policies/check.h"

// What a policy says of cascades: which request falls under one, and whether the small model's
// answer will do. Pure; the host holds the answer back until it is judged.
namespace spillway {

// The first cascade whose `when` matches; null: none. `model` as the client named it.
const CascadeSpec* CascadeFor(const PolicySpec& policy, std::string_view model,
                              std::string_view tenant);
// The cascade of that name; null: the policy has none.
const CascadeSpec* FindCascade(const PolicySpec& policy, std::string_view name);

// Is an answer with these facts good enough? If not, the first reason why. What a rule asks about
// and nobody knows is not taken for good: kUnreadable, kNoLogprobs. A mean of exactly the threshold
// is good; both are compared in millionths.
Escalation JudgeAnswer(const EscalateWhen& when, const AnswerFacts& facts);

// Errors: two cascades of one name; one that would never escalate; one whose first model is a name
// that it is for; one whose requests all fall under an earlier one. Warnings: a first model that
// nothing in this fleet serves.
void CheckCascades(const PolicySpec& policy, const FleetSpec& fleet,
                   std::vector<Finding>& findings);

}  // namespace spillway
