#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/ids.h"
#include "core/names.h"
#include "core/units.h"

// Cascades: a request is answered by a small model first, and asked again of the model that the
// client named if the small one's answer breaks a rule that can be checked.
namespace spillway {

// Why an answer ended, as its engine says.
enum class FinishReason : std::uint8_t {
  kNone,  // not said
  kStop,
  kLength,
  kToolCalls,  // also function_call
  kContentFilter,
  kOther,  // a word of the engine's own
};
inline constexpr EnumNames<FinishReason, 6> kFinishReasonNames{
    {{FinishReason::kNone, "none"},
     {FinishReason::kStop, "stop"},
     {FinishReason::kLength, "length"},
     {FinishReason::kToolCalls, "tool_calls"},
     {FinishReason::kContentFilter, "content_filter"},
     {FinishReason::kOther, "other"}}};
constexpr const auto& NamesOf(FinishReason) { return kFinishReasonNames; }

// Which requests; a list means any of its entries, an empty one any at all.
struct RequestSelector {
  std::vector<std::string> model;  // as clients name it
  std::vector<std::string> tenant;
  friend bool operator==(const RequestSelector&, const RequestSelector&) = default;
};

// Each rule that is given is enough.
struct EscalateWhen {
  std::vector<FinishReason> finish_reason;
  // Of the tokens of an answer, natural logarithm, -100 to 0; less is less sure.
  std::optional<double> mean_logprob_below;
  bool schema_unmet = false;  // the JSON that the request asked for (`response_format`)
  friend bool operator==(const EscalateWhen&, const EscalateWhen&) = default;
};

struct CascadeSpec {
  std::string name;
  RequestSelector when;
  std::string first;  // the model, or alias, that is tried first
  EscalateWhen escalate_when;
  friend bool operator==(const CascadeSpec&, const CascadeSpec&) = default;
};

// What can be checked of an answer, of all its choices (`n`) together.
struct AnswerFacts {
  bool readable = false;             // it was whole, in OpenAI's form, and at most 1 MiB
  std::vector<FinishReason> finish;  // rising, each once
  // Of the choice that is least sure, in millionths; none: the engine did not say.
  std::optional<std::int64_t> mean_logprob;
  std::optional<bool> schema_met;  // of all choices; none: no JSON was asked for
  friend bool operator==(const AnswerFacts&, const AnswerFacts&) = default;
};

// Why the model that the client named was asked after all.
enum class Escalation : std::uint8_t {
  kNone,
  kFinishReason,
  kLogprob,
  kNoLogprobs,
  kSchema,
  kUnreadable,
  kFailed,
  kNotRouted,
};
inline constexpr EnumNames<Escalation, 8> kEscalationNames{
    {{Escalation::kNone, "none"},
     {Escalation::kFinishReason, "finish_reason"},
     {Escalation::kLogprob, "logprob"},         // less sure than it may be
     {Escalation::kNoLogprobs, "no_logprobs"},  // a threshold is set, and the engine said nothing
     {Escalation::kSchema, "schema"},           // not the JSON that was asked for
     {Escalation::kUnreadable, "unreadable"},   // what cannot be checked is not taken for good
     {Escalation::kFailed, "failed"},  // the first model's engines refused it, or were lost
     {Escalation::kNotRouted, "not_routed"}}};  // none of them could take it
constexpr const auto& NamesOf(Escalation) { return kEscalationNames; }

// What a request was to its cascade. Both attempts are requests of their own, each with its
// decision and its costs; these tie them together.
struct CascadeStep {
  std::string name;                    // of the cascade
  int attempt = 1;                     // 1: of the small model; 2: of the one that the client named
  RequestId other{};                   // the other attempt; 0: there was none
  Escalation why = Escalation::kNone;  // there is a second attempt
  AnswerFacts facts;                   // of the first attempt's answer
  std::optional<Usd> first_cost;       // in the second: of the first; none: nobody knows its price
  friend bool operator==(const CascadeStep&, const CascadeStep&) = default;
};

}  // namespace spillway
