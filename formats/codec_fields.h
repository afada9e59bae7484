#pragma once

#include <string_view>
#include <tuple>
#include <utility>

#include "core/config.h"
#include "core/decision.h"
#include "core/event.h"
#include "core/job.h"
#include "core/record.h"
#include "core/work.h"
#include "formats/codec_count.h"

// For every struct that is stored: its one list of fields, from which both directions of the codec
// are made. Keys are part of the storage format: never rename one, never give an old one another
// meaning. A new field takes a new key; rows written before it read as the field's default. It goes
// to the end of its list: what is packed (codec_packed.h) knows fields by their place.
namespace spillway::codec {

template <class S, class M>
struct Field {
  std::string_view key;  // plain ASCII: written without escaping
  M S::*member;
};

// F("cost", &Attempt::cost): one entry of a list.
template <class S, class M>
constexpr Field<S, M> F(std::string_view key, M S::*member) {
  return {key, member};
}

// Specialised below for each stored struct. `not_stored` counts members that are left out on
// purpose.
template <class T>
struct FieldsOf;

template <class... Entries>
constexpr auto List(Entries... entries) {
  return std::make_tuple(entries...);
}

// Calls f(field) for each field of T, in order.
template <class T, class Function>
constexpr void ForEachField(Function&& f) {
  std::apply([&](const auto&... field) { (f(field), ...); }, FieldsOf<T>::list);
}

#define SPILLWAY_STORED(Type, left_out, ...)                                                  \
  template <>                                                                                 \
  struct FieldsOf<Type> {                                                                     \
    static constexpr auto list = List(__VA_ARGS__);                                           \
    static constexpr std::size_t not_stored = left_out;                                       \
    static_assert(std::tuple_size_v<decltype(list)> + not_stored == kMemberCount<Type>, #Type \
                  " has a member that its list here lacks: give it a key, so that it is "     \
                  "stored (or count it as left out, and say why)");                           \
  }

// core/estimate.h, core/decision.h: kept short, since a decision names every pool of the fleet.
SPILLWAY_STORED(Quantiles, 0, F("p50", &Quantiles::p50), F("p90", &Quantiles::p90));
SPILLWAY_STORED(Estimate, 0, F("w", &Estimate::wait), F("d", &Estimate::duration),
                F("ttft", &Estimate::ttft), F("tpot", &Estimate::tpot), F("c", &Estimate::cost),
                F("m", &Estimate::marginal_cost), F("priced", &Estimate::priced),
                F("j", &Estimate::energy), F("g", &Estimate::carbon), F("b", &Estimate::basis));
SPILLWAY_STORED(Figures, 0, F("f", &Figures::found), F("w", &Figures::wanted));
SPILLWAY_STORED(Candidate, 0, F("p", &Candidate::pool), F("v", &Candidate::verdict),
                F("c", &Candidate::codes), F("f", &Candidate::figures),
                F("a", &Candidate::alternative), F("pos", &Candidate::position),
                F("last", &Candidate::backstop), F("est", &Candidate::has_estimate),
                F("e", &Candidate::estimate));
SPILLWAY_STORED(Baseline, 0, F("pool", &Baseline::pool), F("cost", &Baseline::cost),
                F("code", &Baseline::code), F("d", &Baseline::duration));
SPILLWAY_STORED(Decision, 0, F("id", &Decision::id), F("ev", &Decision::event),
                F("job", &Decision::work), F("req", &Decision::request), F("at", &Decision::at),
                F("ten", &Decision::tenant), F("out", &Decision::outcome),
                F("pool", &Decision::chosen), F("pol", &Decision::policy),
                F("pv", &Decision::policy_version), F("rule", &Decision::rule),
                F("hash", &Decision::inputs_hash), F("spill", &Decision::spill_at),
                F("base", &Decision::baseline), F("cand", &Decision::candidates));

// core/selector.h, core/work.h
SPILLWAY_STORED(PoolSelector, 0, F("name", &PoolSelector::name), F("kind", &PoolSelector::kind),
                F("vendor", &PoolSelector::vendor), F("device", &PoolSelector::device),
                F("arch", &PoolSelector::arch), F("billing", &PoolSelector::billing),
                F("site", &PoolSelector::site), F("site_kind", &PoolSelector::site_kind),
                F("features", &PoolSelector::features),
                F("confidential", &PoolSelector::confidential),
                F("runtime", &PoolSelector::runtime), F("tier", &PoolSelector::tier),
                F("modelled", &PoolSelector::modelled), F("labels", &PoolSelector::labels));
SPILLWAY_STORED(DeviceNeed, 0, F("count", &DeviceNeed::count), F("kind", &DeviceNeed::kind),
                F("vendor", &DeviceNeed::vendor), F("model", &DeviceNeed::model),
                F("memory", &DeviceNeed::memory), F("fraction", &DeviceNeed::fraction));
SPILLWAY_STORED(Needs, 0, F("cpus", &Needs::cpus), F("memory", &Needs::memory),
                F("devices", &Needs::devices), F("nodes", &Needs::nodes), F("arch", &Needs::arch),
                F("runtime", &Needs::runtime), F("precision", &Needs::precision),
                F("features", &Needs::features), F("confidential", &Needs::confidential),
                F("model", &Needs::model), F("sites", &Needs::sites), F("labels", &Needs::labels),
                F("avoid", &Needs::avoid));
SPILLWAY_STORED(DeclaredSeconds, 0, F("seconds", &DeclaredSeconds::seconds),
                F("on", &DeclaredSeconds::on));
SPILLWAY_STORED(ClassUnits, 0, F("class", &ClassUnits::work_class), F("units", &ClassUnits::units));
SPILLWAY_STORED(TokenCounts, 0, F("prompt", &TokenCounts::prompt),
                F("output", &TokenCounts::output));
SPILLWAY_STORED(Objective, 0, F("deadline", &Objective::deadline),
                F("start_within", &Objective::start_within), F("ttft", &Objective::ttft),
                F("tpot", &Objective::tpot), F("max_cost", &Objective::max_cost),
                F("on_miss", &Objective::on_miss));
SPILLWAY_STORED(Run, 0, F("command", &Run::command), F("env", &Run::env), F("cwd", &Run::cwd));
SPILLWAY_STORED(Retries, 0, F("own", &Retries::own), F("infra", &Retries::infrastructure));
SPILLWAY_STORED(Alternative, 0, F("on", &Alternative::on), F("run", &Alternative::run),
                F("needs", &Alternative::needs), F("demand", &Alternative::demand),
                F("objective", &Alternative::objective));
SPILLWAY_STORED(Work, 0, F("kind", &Work::kind), F("name", &Work::name), F("tenant", &Work::tenant),
                F("run", &Work::run), F("needs", &Work::needs), F("demand", &Work::demand),
                F("objective", &Work::objective), F("priority", &Work::priority),
                F("retries", &Work::retries), F("labels", &Work::labels),
                F("alternatives", &Work::alternatives), F("pin", &Work::pin),
                F("queue_timeout", &Work::queue_timeout));

// core/job.h. The work of a job never changes and has a column of its own.
SPILLWAY_STORED(NodeShare, 0, F("n", &NodeShare::node), F("d", &NodeShare::devices));
SPILLWAY_STORED(Attempt, 0, F("n", &Attempt::number), F("pool", &Attempt::pool),
                F("alt", &Attempt::alternative), F("nodes", &Attempt::nodes),
                F("state", &Attempt::state), F("dec", &Attempt::decision),
                F("exp", &Attempt::expected), F("bd", &Attempt::baseline_duration),
                F("br", &Attempt::baseline_rate), F("since", &Attempt::rate_since),
                F("launched", &Attempt::launched_at), F("started", &Attempt::started_at),
                F("finished", &Attempt::finished_at), F("fault", &Attempt::fault),
                F("exit", &Attempt::exit_code), F("sig", &Attempt::signal),
                F("msg", &Attempt::message), F("cost", &Attempt::cost),
                F("marg", &Attempt::marginal_cost), F("energy", &Attempt::energy),
                F("carbon", &Attempt::carbon), F("metered", &Attempt::metered),
                F("ec", &Attempt::expected_cost), F("boot", &Attempt::boot));
SPILLWAY_STORED(Plan, 0, F("pool", &Plan::pool), F("d", &Plan::duration));
SPILLWAY_STORED(Job, 1, F("id", &Job::id), F("created", &Job::created_at), F("state", &Job::state),
                F("cancel", &Job::cancelling), F("msg", &Job::message), F("att", &Job::attempts),
                F("own", &Job::own_failures), F("infra", &Job::infrastructure_failures),
                F("not_before", &Job::not_before), F("incapable", &Job::incapable_since),
                F("dec", &Job::decision), F("plan", &Job::plan), F("spill", &Job::spill_at),
                F("started", &Job::started_at), F("finished", &Job::finished_at),
                F("cost", &Job::cost), F("marg", &Job::marginal_cost),
                F("over", &Job::overhead_cost), F("base", &Job::baseline_cost),
                F("energy", &Job::energy), F("carbon", &Job::carbon));

// core/device.h, core/pool.h
SPILLWAY_STORED(ListPrice, 0, F("node_hour", &ListPrice::node_hour), F("of", &ListPrice::of),
                F("as_of", &ListPrice::as_of), F("source", &ListPrice::source));
SPILLWAY_STORED(Device, 0, F("name", &Device::name), F("says", &Device::says),
                F("kind", &Device::kind), F("vendor", &Device::vendor), F("arch", &Device::arch),
                F("vcpus", &Device::vcpus), F("memory", &Device::memory),
                F("bandwidth", &Device::bandwidth), F("peak", &Device::peak),
                F("idle", &Device::idle), F("busy", &Device::busy),
                F("features", &Device::features), F("prices", &Device::prices),
                F("sources", &Device::sources));
SPILLWAY_STORED(ClassRate, 0, F("ups", &ClassRate::units_per_second),
                F("measured", &ClassRate::measured), F("source", &ClassRate::source));
SPILLWAY_STORED(WorkClass, 0, F("name", &WorkClass::name), F("unit", &WorkClass::unit),
                F("says", &WorkClass::says), F("rates", &WorkClass::rates));
SPILLWAY_STORED(Model, 0, F("name", &Model::name), F("says", &Model::says), F("kind", &Model::kind),
                F("params", &Model::parameters), F("active", &Model::active_parameters),
                F("layers", &Model::layers), F("hidden", &Model::hidden), F("heads", &Model::heads),
                F("kv_heads", &Model::kv_heads), F("head_size", &Model::head_size),
                F("ffn", &Model::ffn), F("gated", &Model::gated), F("experts", &Model::experts),
                F("per_token", &Model::experts_per_token), F("vocab", &Model::vocabulary),
                F("context", &Model::context), F("bpt", &Model::bytes_per_token),
                F("licence", &Model::licence), F("sources", &Model::sources));
SPILLWAY_STORED(EngineProfile::Point, 0, F("at", &EngineProfile::Point::at),
                F("t", &EngineProfile::Point::time));
SPILLWAY_STORED(EngineProfile, 0, F("name", &EngineProfile::name),
                F("device", &EngineProfile::device), F("model", &EngineProfile::model),
                F("precision", &EngineProfile::precision), F("devices", &EngineProfile::devices),
                F("engine", &EngineProfile::engine), F("prefill", &EngineProfile::prefill),
                F("decode", &EngineProfile::decode), F("ctx", &EngineProfile::decode_context),
                F("blocks", &EngineProfile::kv_blocks), F("seqs", &EngineProfile::max_sequences),
                F("says", &EngineProfile::says), F("source", &EngineProfile::source),
                F("licence", &EngineProfile::licence), F("as_of", &EngineProfile::as_of));
SPILLWAY_STORED(BatchProfile::Point, 0, F("n", &BatchProfile::Point::items),
                F("t", &BatchProfile::Point::time));
SPILLWAY_STORED(BatchProfile, 0, F("class", &BatchProfile::work_class),
                F("device", &BatchProfile::device), F("inst", &BatchProfile::instances),
                F("points", &BatchProfile::points), F("measured", &BatchProfile::measured),
                F("says", &BatchProfile::says), F("source", &BatchProfile::source),
                F("licence", &BatchProfile::licence), F("as_of", &BatchProfile::as_of));
SPILLWAY_STORED(Catalog, 0, F("devices", &Catalog::devices), F("classes", &Catalog::classes),
                F("models", &Catalog::models), F("profiles", &Catalog::profiles),
                F("batches", &Catalog::batches));
SPILLWAY_STORED(NodeShape, 0, F("cpus", &NodeShape::cpus), F("memory", &NodeShape::memory),
                F("devices", &NodeShape::devices));
SPILLWAY_STORED(ShareWeights, 0, F("cpus", &ShareWeights::cpus), F("memory", &ShareWeights::memory),
                F("devices", &ShareWeights::devices));
SPILLWAY_STORED(Price, 0, F("node_hour", &Price::node_hour), F("input", &Price::input),
                F("output", &Price::output), F("as_of", &Price::as_of),
                F("source", &Price::source));
SPILLWAY_STORED(Power, 0, F("idle", &Power::idle), F("busy", &Power::busy), F("pue", &Power::pue),
                F("tariff", &Power::tariff), F("emb", &Power::embodied));
SPILLWAY_STORED(Site, 0, F("name", &Site::name), F("kind", &Site::kind),
                F("round_trip", &Site::round_trip), F("bandwidth", &Site::bandwidth),
                F("egress", &Site::egress), F("carbon", &Site::carbon));
SPILLWAY_STORED(EngineTimeouts, 0, F("connect", &EngineTimeouts::connect),
                F("first", &EngineTimeouts::first_byte), F("whole", &EngineTimeouts::whole),
                F("idle", &EngineTimeouts::idle));
SPILLWAY_STORED(AdapterSpec, 0, F("type", &AdapterSpec::type), F("speedup", &AdapterSpec::speedup),
                F("max_commands", &AdapterSpec::max_commands),
                F("reserve_cpus", &AdapterSpec::reserve_cpus),
                F("reserve_memory", &AdapterSpec::reserve_memory), F("urls", &AdapterSpec::urls),
                F("engine", &AdapterSpec::engine), F("key_file", &AdapterSpec::key_file),
                F("key_env", &AdapterSpec::key_env), F("conc", &AdapterSpec::concurrency),
                F("time", &AdapterSpec::timeouts));
SPILLWAY_STORED(ServeSpec, 0, F("model", &ServeSpec::model), F("up", &ServeSpec::upstream),
                F("precision", &ServeSpec::precision), F("replicas", &ServeSpec::replicas),
                F("nodes", &ServeSpec::nodes), F("devices", &ServeSpec::devices),
                F("cpus", &ServeSpec::cpus), F("seqs", &ServeSpec::max_sequences),
                F("blocks", &ServeSpec::kv_blocks), F("class", &ServeSpec::work_class),
                F("items", &ServeSpec::max_items), F("delay", &ServeSpec::max_delay),
                F("inst", &ServeSpec::instances));
SPILLWAY_STORED(PoolSpec, 0, F("name", &PoolSpec::name), F("adapter", &PoolSpec::adapter),
                F("kind", &PoolSpec::kind), F("vendor", &PoolSpec::vendor),
                F("device", &PoolSpec::device), F("speed", &PoolSpec::speed),
                F("device_memory", &PoolSpec::device_memory), F("node", &PoolSpec::node),
                F("nodes", &PoolSpec::nodes), F("arch", &PoolSpec::arch),
                F("runtimes", &PoolSpec::runtimes), F("precisions", &PoolSpec::precisions),
                F("features", &PoolSpec::features), F("confidential", &PoolSpec::confidential),
                F("models", &PoolSpec::models), F("classes", &PoolSpec::classes),
                F("tenants", &PoolSpec::tenants), F("peak_ops", &PoolSpec::peak_ops),
                F("billing", &PoolSpec::billing), F("price", &PoolSpec::price),
                F("weights", &PoolSpec::weights), F("power", &PoolSpec::power),
                F("site", &PoolSpec::site), F("labels", &PoolSpec::labels),
                F("tier", &PoolSpec::tier), F("placement", &PoolSpec::placement),
                F("modelled", &PoolSpec::modelled), F("limits", &PoolSpec::limits),
                F("serves", &PoolSpec::serves), F("boot", &PoolSpec::boot));
SPILLWAY_STORED(FleetSpec, 0, F("pools", &FleetSpec::pools), F("aliases", &FleetSpec::aliases));

// core/policy_spec.h, core/config.h
SPILLWAY_STORED(ClaimSpec, 0, F("order", &ClaimSpec::order), F("backstop", &ClaimSpec::backstop),
                F("only", &ClaimSpec::only), F("band", &ClaimSpec::band));
SPILLWAY_STORED(WorkSelector, 0, F("kind", &WorkSelector::kind), F("name", &WorkSelector::name),
                F("tenant", &WorkSelector::tenant), F("confidential", &WorkSelector::confidential),
                F("class", &WorkSelector::work_class), F("model", &WorkSelector::model),
                F("labels", &WorkSelector::labels), F("min_priority", &WorkSelector::min_priority));
SPILLWAY_STORED(RuleSpec, 0, F("name", &RuleSpec::name), F("when", &RuleSpec::when),
                F("claim", &RuleSpec::claim));
SPILLWAY_STORED(SpillSpec, 0, F("rule", &SpillSpec::rule), F("job_wait", &SpillSpec::job_wait),
                F("request_wait", &SpillSpec::request_wait), F("patience", &SpillSpec::patience));
SPILLWAY_STORED(ChoiceWeights, 0, F("cost", &ChoiceWeights::cost),
                F("latency", &ChoiceWeights::latency), F("energy", &ChoiceWeights::energy),
                F("carbon", &ChoiceWeights::carbon), F("load", &ChoiceWeights::load));
SPILLWAY_STORED(QueueSpec, 0, F("discipline", &QueueSpec::discipline),
                F("aging", &QueueSpec::aging));
SPILLWAY_STORED(RequestObjective, 0, F("ttft", &RequestObjective::ttft),
                F("tpot", &RequestObjective::tpot));
SPILLWAY_STORED(DefaultObjectives, 0, F("job_start_within", &DefaultObjectives::job_start_within),
                F("request_ttft", &DefaultObjectives::request_ttft),
                F("request_tpot", &DefaultObjectives::request_tpot),
                F("models", &DefaultObjectives::models));
SPILLWAY_STORED(RequestSelector, 0, F("model", &RequestSelector::model),
                F("tenant", &RequestSelector::tenant));
SPILLWAY_STORED(EscalateWhen, 0, F("finish", &EscalateWhen::finish_reason),
                F("logprob", &EscalateWhen::mean_logprob_below),
                F("schema", &EscalateWhen::schema_unmet));
SPILLWAY_STORED(CascadeSpec, 0, F("name", &CascadeSpec::name), F("when", &CascadeSpec::when),
                F("first", &CascadeSpec::first), F("esc", &CascadeSpec::escalate_when));
SPILLWAY_STORED(PolicySpec, 0, F("name", &PolicySpec::name), F("claim", &PolicySpec::claim),
                F("rules", &PolicySpec::rules), F("spill", &PolicySpec::spill),
                F("choice", &PolicySpec::choice), F("weights", &PolicySpec::weights),
                F("nodes", &PolicySpec::nodes), F("queue", &PolicySpec::queue),
                F("objectives", &PolicySpec::objectives),
                F("default_duration", &PolicySpec::default_duration),
                F("queue_timeout", &PolicySpec::queue_timeout),
                F("allow_unpriced", &PolicySpec::allow_unpriced),
                F("baseline", &PolicySpec::baseline), F("seed", &PolicySpec::seed),
                F("cascades", &PolicySpec::cascades));
SPILLWAY_STORED(PriceChange, 0, F("pool", &PriceChange::pool), F("from", &PriceChange::from),
                F("price", &PriceChange::price));
SPILLWAY_STORED(PricesSpec, 0, F("prices", &PricesSpec::prices));
SPILLWAY_STORED(Reservation, 0, F("pool", &Reservation::pool), F("nodes", &Reservation::nodes));
SPILLWAY_STORED(Quota, 0, F("rpm", &Quota::requests_per_minute), F("conc", &Quota::concurrency),
                F("usd", &Quota::usd_per_day));
SPILLWAY_STORED(Budget, 0, F("day", &Budget::per_day), F("month", &Budget::per_month),
                F("when", &Budget::when_spent), F("to", &Budget::demote_to));
SPILLWAY_STORED(TenantSpec, 0, F("name", &TenantSpec::name), F("weight", &TenantSpec::weight),
                F("reserved", &TenantSpec::reserved), F("quota", &TenantSpec::quota),
                F("ttft", &TenantSpec::ttft), F("tpot", &TenantSpec::tpot),
                F("budget", &TenantSpec::budget));
SPILLWAY_STORED(TenantsSpec, 0, F("tenants", &TenantsSpec::tenants));
SPILLWAY_STORED(Config, 0, F("fleet", &Config::fleet), F("policy", &Config::policy),
                F("prices", &Config::prices), F("tenants", &Config::tenants),
                F("catalog", &Config::catalog));

// core/record.h. Jobs and decisions stand for themselves; the ledger has columns.
SPILLWAY_STORED(record::PoolRow, 0, F("pool", &record::PoolRow::pool),
                F("spec", &record::PoolRow::spec), F("state", &record::PoolRow::state),
                F("added", &record::PoolRow::added), F("removed", &record::PoolRow::removed),
                F("price", &record::PoolRow::price), F("own_price", &record::PoolRow::own_price),
                F("own_price_at", &record::PoolRow::own_price_at),
                F("down", &record::PoolRow::down), F("gone", &record::PoolRow::gone));
SPILLWAY_STORED(record::PoolBooksRow, 0, F("pool", &record::PoolBooksRow::pool),
                F("until", &record::PoolBooksRow::booked_until),
                F("alloc", &record::PoolBooksRow::allocated),
                F("idle", &record::PoolBooksRow::idle_energy),
                F("node_time", &record::PoolBooksRow::node_time),
                F("touched", &record::PoolBooksRow::touched_at),
                F("egress", &record::PoolBooksRow::egress));
SPILLWAY_STORED(record::ObservationRow, 0, F("tenant", &record::ObservationRow::tenant),
                F("name", &record::ObservationRow::name), F("runs", &record::ObservationRow::runs),
                F("class", &record::ObservationRow::work_class),
                F("last", &record::ObservationRow::last));
SPILLWAY_STORED(record::PolicyRow, 0, F("version", &record::PolicyRow::version),
                F("since", &record::PolicyRow::since), F("policy", &record::PolicyRow::policy),
                F("from_file", &record::PolicyRow::from_file));
SPILLWAY_STORED(record::CountersRow, 0, F("event", &record::CountersRow::last_event),
                F("decision", &record::CountersRow::last_decision),
                F("epoch", &record::CountersRow::epoch),
                F("placements", &record::CountersRow::placements));

// core/request.h, core/router_inputs.h
SPILLWAY_STORED(EndpointKey, 0, F("p", &EndpointKey::pool), F("n", &EndpointKey::number));
SPILLWAY_STORED(RequestFeatures, 0, F("at", &RequestFeatures::arrived),
                F("ten", &RequestFeatures::tenant), F("model", &RequestFeatures::model),
                F("any", &RequestFeatures::models), F("kind", &RequestFeatures::kind),
                F("bytes", &RequestFeatures::prompt_bytes), F("max", &RequestFeatures::max_tokens),
                F("n", &RequestFeatures::choices), F("stream", &RequestFeatures::stream),
                F("usd", &RequestFeatures::max_cost), F("ttft", &RequestFeatures::ttft),
                F("tpot", &RequestFeatures::tpot), F("pin", &RequestFeatures::pin),
                F("prefix", &RequestFeatures::prefix), F("items", &RequestFeatures::items),
                F("left", &RequestFeatures::budget_left), F("dem", &RequestFeatures::demoted),
                F("ps", &RequestFeatures::prompts),
                F("long", &RequestFeatures::longest_prompt_bytes));
SPILLWAY_STORED(EndpointLoad, 0, F("r", &EndpointLoad::running), F("w", &EndpointLoad::waiting),
                F("wt", &EndpointLoad::waiting_tokens), F("ct", &EndpointLoad::context_tokens),
                F("cb", &EndpointLoad::cached_blocks));
SPILLWAY_STORED(EndpointReading, 0, F("e", &EndpointReading::endpoint),
                F("l", &EndpointReading::load));
SPILLWAY_STORED(ForwardAttempt, 0, F("e", &ForwardAttempt::endpoint),
                F("f", &ForwardAttempt::fault), F("held", &ForwardAttempt::held),
                F("cost", &ForwardAttempt::cost), F("marg", &ForwardAttempt::marginal_cost),
                F("energy", &ForwardAttempt::energy), F("carbon", &ForwardAttempt::carbon));
SPILLWAY_STORED(AnswerFacts, 0, F("read", &AnswerFacts::readable),
                F("finish", &AnswerFacts::finish), F("logprob", &AnswerFacts::mean_logprob),
                F("schema", &AnswerFacts::schema_met));
SPILLWAY_STORED(CascadeStep, 0, F("name", &CascadeStep::name), F("n", &CascadeStep::attempt),
                F("other", &CascadeStep::other), F("why", &CascadeStep::why),
                F("facts", &CascadeStep::facts), F("first", &CascadeStep::first_cost));
SPILLWAY_STORED(
    Request, 0, F("id", &Request::id), F("view", &Request::view), F("f", &Request::features),
    F("read", &Request::readings), F("draw", &Request::draw), F("order", &Request::order),
    F("sf", &Request::spilled_from), F("sc", &Request::spilled_code), F("att", &Request::attempts),
    F("end", &Request::end), F("status", &Request::status), F("code", &Request::code),
    F("ended", &Request::ended), F("by", &Request::answered_by), F("queued", &Request::queued),
    F("ttft", &Request::ttft), F("tpot", &Request::tpot), F("in", &Request::prompt_tokens),
    F("out", &Request::output_tokens), F("cached", &Request::cached_tokens),
    F("held", &Request::held), F("exp", &Request::expected), F("rf", &Request::raw_ttft),
    F("ro", &Request::raw_tpot), F("cost", &Request::cost), F("marg", &Request::marginal_cost),
    F("priced", &Request::priced), F("base", &Request::baseline_cost),
    F("bp", &Request::baseline_pool), F("bc", &Request::baseline_code),
    F("energy", &Request::energy), F("carbon", &Request::carbon), F("casc", &Request::cascade),
    F("egress", &Request::egress));
SPILLWAY_STORED(EndpointState, 0, F("up", &EndpointState::up),
                F("ejected", &EndpointState::ejected), F("models", &EndpointState::models));
SPILLWAY_STORED(SpeedCorrection, 0, F("model", &SpeedCorrection::model),
                F("seen", &SpeedCorrection::observed), F("f50", &SpeedCorrection::ttft_p50),
                F("f90", &SpeedCorrection::ttft_p90), F("o50", &SpeedCorrection::tpot_p50),
                F("o90", &SpeedCorrection::tpot_p90));
SPILLWAY_STORED(RouterPool, 0, F("spec", &RouterPool::spec), F("state", &RouterPool::state),
                F("removed", &RouterPool::removed), F("price", &RouterPool::price),
                F("ep", &RouterPool::endpoints), F("speeds", &RouterPool::speeds));
SPILLWAY_STORED(ModelLearned, 0, F("bpt", &ModelLearned::micro_bytes_per_token),
                F("p50", &ModelLearned::output_p50), F("p90", &ModelLearned::output_p90),
                F("mean", &ModelLearned::output_mean), F("left", &ModelLearned::output_left));
SPILLWAY_STORED(RouterInputs, 0, F("id", &RouterInputs::id), F("pools", &RouterInputs::pools),
                F("models", &RouterInputs::models), F("aliases", &RouterInputs::aliases),
                F("policy", &RouterInputs::policy), F("pv", &RouterInputs::policy_version),
                F("tenants", &RouterInputs::tenants), F("catalog", &RouterInputs::catalog));
SPILLWAY_STORED(record::SpeedRow, 0, F("pool", &record::SpeedRow::pool),
                F("model", &record::SpeedRow::model), F("ttft", &record::SpeedRow::ttft),
                F("tpot", &record::SpeedRow::tpot));
SPILLWAY_STORED(record::ModelRow, 0, F("model", &record::ModelRow::model),
                F("bytes", &record::ModelRow::prompt_bytes),
                F("tokens", &record::ModelRow::prompt_tokens),
                F("out", &record::ModelRow::outputs));

// core/event.h. The text of Submitted is that of its work, so that it is written once for the log
// and the table of jobs.
SPILLWAY_STORED(AttemptKey, 0, F("job", &AttemptKey::job), F("n", &AttemptKey::attempt));
SPILLWAY_STORED(event::Started, 0, F("epoch", &event::Started::epoch),
                F("config", &event::Started::config));
SPILLWAY_STORED(event::CancelRequested, 0, F("job", &event::CancelRequested::job));
SPILLWAY_STORED(event::AttemptStarted, 0, F("key", &event::AttemptStarted::key));
SPILLWAY_STORED(event::AttemptEnded, 0, F("key", &event::AttemptEnded::key),
                F("fault", &event::AttemptEnded::fault), F("exit", &event::AttemptEnded::exit_code),
                F("sig", &event::AttemptEnded::signal), F("msg", &event::AttemptEnded::message),
                F("energy", &event::AttemptEnded::metered));
SPILLWAY_STORED(event::NodeSeen, 0, F("pool", &event::NodeSeen::pool),
                F("node", &event::NodeSeen::node), F("up", &event::NodeSeen::up),
                F("back", &event::NodeSeen::taken_back));
SPILLWAY_STORED(event::PoolStateSet, 0, F("pool", &event::PoolStateSet::pool),
                F("state", &event::PoolStateSet::state));
SPILLWAY_STORED(event::PoolPriced, 0, F("pool", &event::PoolPriced::pool),
                F("price", &event::PoolPriced::price));
SPILLWAY_STORED(event::PoolAdded, 0, F("pool", &event::PoolAdded::pool));
SPILLWAY_STORED(event::PolicySet, 0, F("policy", &event::PolicySet::policy),
                F("from_file", &event::PolicySet::from_file));
SPILLWAY_STORED(event::PricesSet, 0, F("prices", &event::PricesSet::prices));
SPILLWAY_STORED(event::EndpointSeen, 0, F("e", &event::EndpointSeen::endpoint),
                F("up", &event::EndpointSeen::up), F("models", &event::EndpointSeen::models));
SPILLWAY_STORED(event::RequestsEnded, 0, F("r", &event::RequestsEnded::requests));
SPILLWAY_STORED(event::CarbonSeen, 0, F("site", &event::CarbonSeen::site),
                F("g", &event::CarbonSeen::intensity), F("as_of", &event::CarbonSeen::as_of));
SPILLWAY_STORED(event::FileRead, 0, F("config", &event::FileRead::config));
SPILLWAY_STORED(event::TimerFired, 0);

#undef SPILLWAY_STORED

}  // namespace spillway::codec
