// What the heads and trailers of routed answers say: where they come from and what they cost.
#include "controller/northbound/quota_answers.h"
#include "controller/northbound/relay.h"
#include "core/explain.h"

namespace spillway {

// Of both attempts; none: nothing was done yet, or nobody knows its price.
std::optional<Usd> Relay::Cost() const {
  const Request& record = live_->record;
  const bool second = record.cascade && record.cascade->attempt == 2;
  if (record.answered_by.empty()) return second ? spent_ : std::nullopt;
  if (!record.priced) return std::nullopt;
  if (!second) return record.cost;
  return spent_ ? std::optional(*spent_ + record.cost) : std::nullopt;
}

void Relay::AddHeaders(HttpResponse& response, bool booked) const {
  const Request& record = live_->record;
  AddRateHeaders(quota_, response);
  response.headers.Add("x-spillway-decision", ToString(record.id));
  if (live_->there != nullptr) {
    const ViewPool& pool = live_->view->pools()[live_->there->pool];
    response.headers.Add("x-spillway-pool", pool.spec->name);
    if (pool.spec->modelled) response.headers.Add("x-spillway-modelled", "true");
  }
  if (live_->shape && live_->shape->rule >= 0) {
    const auto rule = static_cast<std::size_t>(live_->shape->rule);
    response.headers.Add("x-spillway-rule", live_->view->policy().spec().rules[rule].name);
  }
  if (record.cascade) {
    response.headers.Add("x-spillway-cascade", record.cascade->name);
    if (record.cascade->attempt == 2)
      response.headers.Add("x-spillway-escalated", NameOf(record.cascade->why));
  }
  if (booked) {
    if (const auto cost = Cost()) response.headers.Add("x-spillway-cost-usd", Decimal(*cost));
  } else if (live_->expected.estimate.priced) {
    response.headers.Add("x-spillway-cost-estimate-usd",
                         Decimal(live_->expected.estimate.cost + spent_.value_or(Usd(0))));
  }
  if (record.baseline_cost)
    response.headers.Add("x-spillway-baseline-cost-usd", Decimal(*record.baseline_cost));
}

void Relay::AddCostTrailer(BodyStream& out) const {
  if (const auto cost = Cost()) out.AddTrailer("x-spillway-cost-usd", Decimal(*cost));
}

}  // namespace spillway
