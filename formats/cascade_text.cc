#include "formats/cascade_text.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "formats/selector_text.h"

namespace spillway {
namespace {

constexpr double kLeastLogprob = -100;

void ReadFinishReasons(const Place& at, std::vector<FinishReason>& out) {
  OneOrMore(kDefaultRead, kFinishReasonNames.size())(at, out);
  for (std::size_t i = 1; i < out.size(); ++i) {
    if (std::find(out.begin(), out.begin() + static_cast<std::ptrdiff_t>(i), out[i]) !=
        out.begin() + static_cast<std::ptrdiff_t>(i))
      at.Item(i).Fail(absl::StrCat("`", std::string(NameOf(out[i])), "` stands here twice"));
  }
}

// Logarithms of probabilities: never positive.
void ReadLogprob(const Place& at, std::optional<double>& out) {
  if (!at.value().is_number()) return FailKind(at, "a number");
  const double value = at.value().real();
  if (value >= kLeastLogprob && value <= 0) {
    out = value;
  } else {
    at.Fail(absl::StrCat("`", at.value().text(),
                         "` is out of range: a logarithm of a probability, -100 to 0"));
  }
}

void ReadEscalateWhen(const Place& at, EscalateWhen& when) {
  ObjectReader r(at, "`escalate_when`");
  r.Optional("finish_reason", when.finish_reason, ReadFinishReasons);
  r.Optional("mean_logprob_below", when.mean_logprob_below, ReadLogprob);
  r.Optional("schema_unmet", when.schema_unmet);
  r.Finish();
}

}  // namespace

void ReadCascade(const Place& at, CascadeSpec& cascade) {
  ObjectReader r(at, "a cascade");
  r.Required("name", cascade.name, ReadName);
  r.Optional("when", cascade.when, ReadRequestSelector);
  r.Required("first", cascade.first);
  r.Required("escalate_when", cascade.escalate_when, ReadEscalateWhen);
  r.Finish();
}

Value ToValue(const CascadeSpec& cascade) {
  Value map = Value::MakeMap();
  map.Set("name", Value::MakeString(cascade.name));
  map.Set("when", ToValue(cascade.when));
  map.Set("first", Value::MakeString(cascade.first));
  Value& when = map.Set("escalate_when", Value::MakeMap());
  if (!cascade.escalate_when.finish_reason.empty()) {
    Value& reasons = when.Set("finish_reason", Value::MakeList());
    for (const FinishReason reason : cascade.escalate_when.finish_reason)
      reasons.Append(Value::MakeString(NameOf(reason)));
  }
  if (cascade.escalate_when.mean_logprob_below)
    when.Set("mean_logprob_below", Value::MakeReal(*cascade.escalate_when.mean_logprob_below));
  when.Set("schema_unmet", Value::MakeBool(cascade.escalate_when.schema_unmet));
  return map;
}

}  // namespace spillway
