#include "policies/cascade.h"

#include <algorithm>
#include <cmath>
#include <set>

#include "absl/strings/str_cat.h"
#include "policies/words.h"

namespace spillway {
namespace {

constexpr double kMillionth = 1e6;

template <class T, class V>
bool Has(const std::vector<T>& all, const V& one) {
  return std::find(all.begin(), all.end(), one) != all.end();
}

bool Matches(const std::vector<std::string>& wanted, std::string_view found) {
  return wanted.empty() || Has(wanted, found);
}

// Whatever the later list lets through, the earlier one does.
bool Covers(const std::vector<std::string>& earlier, const std::vector<std::string>& later) {
  return earlier.empty() ||
         (!later.empty() && std::all_of(later.begin(), later.end(), [&](const std::string& entry) {
           return Has(earlier, entry);
         }));
}

bool NeverEscalates(const EscalateWhen& when) {
  return when.finish_reason.empty() && !when.mean_logprob_below && !when.schema_unmet;
}

// Engines of others may serve what nobody has written down.
bool MayServe(const FleetSpec& fleet, const std::string& model) {
  if (fleet.aliases.contains(model)) return true;
  return std::any_of(fleet.pools.begin(), fleet.pools.end(), [&](const PoolSpec& pool) {
    const bool discovers = pool.serves.empty() && !pool.adapter.urls.empty();
    return discovers || std::any_of(pool.serves.begin(), pool.serves.end(),
                                    [&](const ServeSpec& serve) { return serve.model == model; });
  });
}

}  // namespace

const CascadeSpec* CascadeFor(const PolicySpec& policy, std::string_view model,
                              std::string_view tenant) {
  for (const CascadeSpec& cascade : policy.cascades) {
    if (Matches(cascade.when.model, model) && Matches(cascade.when.tenant, tenant)) return &cascade;
  }
  return nullptr;
}

const CascadeSpec* FindCascade(const PolicySpec& policy, std::string_view name) {
  for (const CascadeSpec& cascade : policy.cascades) {
    if (cascade.name == name) return &cascade;
  }
  return nullptr;
}

Escalation JudgeAnswer(const EscalateWhen& when, const AnswerFacts& facts) {
  if (!facts.readable) return Escalation::kUnreadable;
  for (const FinishReason reason : facts.finish) {
    if (Has(when.finish_reason, reason)) return Escalation::kFinishReason;
  }
  if (when.schema_unmet && facts.schema_met == false) return Escalation::kSchema;
  if (!when.mean_logprob_below) return Escalation::kNone;
  if (!facts.mean_logprob) return Escalation::kNoLogprobs;
  return *facts.mean_logprob < std::llround(*when.mean_logprob_below * kMillionth)
             ? Escalation::kLogprob
             : Escalation::kNone;
}

void CheckCascades(const PolicySpec& policy, const FleetSpec& fleet,
                   std::vector<Finding>& findings) {
  std::set<std::string> names;
  for (std::size_t i = 0; i < policy.cascades.size(); ++i) {
    const CascadeSpec& cascade = policy.cascades[i];
    const std::string path = absl::StrCat("cascades[", i, "]");
    const auto note = [&](bool error, const char* key, std::string what) {
      findings.push_back(
          {.error = error, .where = absl::StrCat(path, key), .what = std::move(what)});
    };
    if (!names.insert(cascade.name).second)
      note(true, ".name",
           absl::StrCat(Quoted(cascade.name),
                        " is the name of an earlier cascade too; decisions "
                        "name cascades, so give it another"));
    if (NeverEscalates(cascade.escalate_when))
      note(true, ".escalate_when",
           "names no rule, so every answer of the first model would do; to send requests to "
           "another model, use an alias");
    if (const auto& below = cascade.escalate_when.mean_logprob_below;
        below && !(*below >= -100 && *below <= 0))
      note(true, ".escalate_when.mean_logprob_below",
           absl::StrCat(*below, " is out of range: want -100 to 0"));
    if (Has(cascade.when.model, cascade.first))
      note(true, ".first",
           absl::StrCat(Quoted(cascade.first), " is what the client asks for; name a smaller one"));
    const auto earlier = std::find_if(policy.cascades.begin(),
                                      policy.cascades.begin() + static_cast<std::ptrdiff_t>(i),
                                      [&](const CascadeSpec& other) {
                                        return Covers(other.when.model, cascade.when.model) &&
                                               Covers(other.when.tenant, cascade.when.tenant);
                                      });
    if (earlier != policy.cascades.begin() + static_cast<std::ptrdiff_t>(i))
      note(
          true, ".when",
          absl::StrCat("can never be reached: ", Quoted(earlier->name), " takes all its requests"));
    if (!MayServe(fleet, cascade.first))
      note(false, ".first",
           absl::StrCat("nothing in this fleet serves ", Quoted(cascade.first),
                        ": the cascade does nothing"));
  }
}

}  // namespace spillway
