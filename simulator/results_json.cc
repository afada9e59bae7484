#include <string>

#include "formats/api_json.h"
#include "formats/json_writer.h"
#include "formats/units.h"
#include "simulator/figures.h"
#include "simulator/results_file.h"

namespace spillway {
namespace {

void Money(JsonWriter& w, std::string_view key, std::optional<Usd> money) {
  w.Key(key);
  if (money) {
    WriteApiMoney(w, *money);
  } else {
    w.Null();
  }
}
void Micros(JsonWriter& w, std::string_view key, std::int64_t micros) {
  w.Key(key);
  WriteApiMicros(w, micros);
}
void Seconds(JsonWriter& w, std::string_view key, std::optional<absl::Duration> time) {
  w.Key(key);
  if (time) {
    w.Value(absl::ToDoubleSeconds(*time));
  } else {
    w.Null();
  }
}

void Latency(JsonWriter& w, std::string_view key, const LatencySummary& s) {
  w.Key(key).BeginObject().Member("p50", s.p50).Member("p90", s.p90).Member("p99", s.p99);
  w.Member("mean", s.mean).Member("count", s.count).EndObject();
}
void Mean(JsonWriter& w, std::string_view key, const MeanOf& of) {
  w.Key(key).BeginObject().Member("mean", of.mean).Member("half", of.half).EndObject();
}

void Mean(JsonWriter& w, std::string_view key, const std::optional<MeanOf>& of) {
  if (of) {
    Mean(w, key, *of);
  } else {
    w.NullMember(key);
  }
}

void Fraction(JsonWriter& w, std::string_view key, const std::optional<double>& fraction) {
  if (fraction) {
    w.Member(key, *fraction);
  } else {
    w.NullMember(key);
  }
}
void Coverage(JsonWriter& w, const PoolCoverage& coverage) {
  w.Key("coverage").BeginObject();
  Fraction(w, "models", coverage.models);
  Fraction(w, "prompts", coverage.prompts);
  Fraction(w, "classes", coverage.classes);
  Fraction(w, "jobs", coverage.jobs);
  Fraction(w, "request_compute", coverage.request_compute);
  Fraction(w, "job_compute", coverage.job_compute);
  w.EndObject();
}

void Pool(JsonWriter& w, const PoolOutcome& pool) {
  w.BeginObject().Member("name", pool.name).Member("device", pool.device);
  w.Member("vendor", pool.vendor).Member("kind", pool.kind).Member("billing", pool.billing);
  w.Member("nodes", pool.nodes).Member("endpoints", pool.endpoints);
  w.Member("utilization", pool.utilization).Member("requests", pool.requests);
  w.Member("jobs", pool.jobs).Member("prompt_tokens", pool.prompt_tokens);
  w.Member("output_tokens", pool.output_tokens);
  Money(w, "bill_usd", pool.bill());
  Money(w, "work_cost_usd", pool.work_cost);
  Money(w, "idle_cost_usd", pool.idle_cost);
  Money(w, "overhead_cost_usd", pool.overhead_cost);
  Money(w, "baseline_cost_usd", pool.baseline_cost);
  Money(w, "compared_cost_usd", pool.compared_cost);
  Micros(w, "energy_joules", pool.energy.value());
  Micros(w, "carbon_grams", pool.carbon.value());
  Coverage(w, pool.coverage);
  w.Key("strip").BeginArray();
  for (const double value : pool.strip) w.Value(value);
  w.EndArray().EndObject();
}

void Counts(JsonWriter& w, const CellOutcome& cell) {
  w.Member("submitted", cell.submitted).Member("completed", cell.completed);
  w.Member("refused", cell.refused).Member("failed", cell.failed);
  w.Member("unfinished", cell.unfinished);
  w.Member("judged", cell.judged).Member("met", cell.met);
  w.Member("deadlines", cell.deadlines).Member("deadlines_met", cell.deadlines_met);
}

void RegretIn(JsonWriter& w, const std::optional<RegretOutcome>& regret) {
  if (!regret) {
    w.NullMember("regret");
    return;
  }
  w.Key("regret").BeginObject().Member("placements", regret->placements);
  w.Member("examined", regret->examined).Member("avoidable", regret->avoidable);
  Money(w, "saved_usd", regret->saved);
  w.Key("pools").BeginArray();
  for (const RegretOfPool& pool : regret->pools) {
    w.BeginObject().Member("pool", pool.pool).Member("count", pool.count);
    Money(w, "saved_usd", pool.saved);
    w.EndObject();
  }
  w.EndArray().EndObject();
}

void Lists(JsonWriter& w, const CellOutcome& cell) {
  w.Key("flags").BeginArray();
  for (const std::string& flag : cell.flags) w.Value(flag);
  w.EndArray().Member("spilled", cell.spilled).Key("spills").BeginArray();
  for (const SpillCount& spill : cell.spills) {
    w.BeginObject().Member("from", spill.from).Member("code", spill.code);
    w.Member("count", spill.count).EndObject();
  }
  w.EndArray().Key("ttft_cdf").BeginArray();
  for (const auto& [seconds, fraction] : cell.ttft_cdf)
    w.BeginArray().Value(seconds).Value(fraction).EndArray();
  w.EndArray().Key("pools").BeginArray();
  for (const PoolOutcome& pool : cell.pools) Pool(w, pool);
  w.EndArray();
}

void Cell(JsonWriter& w, const CellOutcome& cell) {
  w.BeginObject().Member("fleet", cell.fleet).Member("policy", cell.policy);
  w.Member("workload", cell.workload).Member("seed", cell.seed);
  Money(w, "cost_usd", cell.cost);
  Money(w, "cost_paid_for_usd", cell.cost_paid_for);
  Money(w, "lower_bound_usd", cell.lower_bound);
  Money(w, "lower_bound_slo_usd", cell.lower_bound_slo);
  w.Member("slo_attainment", cell.slo_attainment());
  Counts(w, cell);
  w.Member("nvidia_share", cell.nvidia_share).Member("nvidia_cost_share", cell.nvidia_cost_share);
  Micros(w, "energy_joules", cell.energy.value());
  Micros(w, "carbon_grams", cell.carbon.value());
  Latency(w, "ttft_s", cell.ttft);
  Latency(w, "tpot_s", cell.tpot);
  Latency(w, "e2e_s", cell.e2e);
  Latency(w, "job_wait_s", cell.job_wait);
  Latency(w, "job_turnaround_s", cell.job_turnaround);
  Seconds(w, "makespan_s", cell.makespan);
  RegretIn(w, cell.regret);
  w.Key("utilization").BeginObject();
  for (const PoolOutcome& pool : cell.pools) w.Member(pool.name, pool.utilization);
  w.EndObject().Member("label", LabelName(cell.label));
  Seconds(w, "span_s", cell.span);
  Seconds(w, "bin_s", cell.bin);
  Lists(w, cell);
  w.Member("events", cell.events).Member("decisions", cell.decisions).EndObject();
}

void Row(JsonWriter& w, const RowOutcome& row) {
  w.BeginObject().Member("fleet", row.fleet).Member("policy", row.policy);
  w.Member("workload", row.workload).Member("is_baseline", row.is_baseline);
  w.Member("seeds", row.seeds);
  Mean(w, "cost_usd", row.cost);
  Mean(w, "cost_paid_for_usd", row.cost_paid_for);
  Mean(w, "slo_attainment", row.attainment);
  Mean(w, "ttft_p50_s", row.ttft_p50);
  Mean(w, "ttft_p90_s", row.ttft_p90);
  Mean(w, "ttft_p99_s", row.ttft_p99);
  Mean(w, "tpot_p50_s", row.tpot_p50);
  Mean(w, "tpot_p90_s", row.tpot_p90);
  Mean(w, "tpot_p99_s", row.tpot_p99);
  Mean(w, "nvidia_share", row.nvidia_share);
  Mean(w, "energy_joules", row.energy);
  Mean(w, "carbon_grams", row.carbon);
  Mean(w, "saving", row.saving);
  Mean(w, "saving_paid_for", row.saving_paid_for);
  if (row.over_bound.mean > 0) {
    Mean(w, "cost_over_bound", row.over_bound);
  } else {
    w.NullMember("cost_over_bound");
  }
  if (row.avoidable) {
    Mean(w, "avoidable", *row.avoidable);
  } else {
    w.NullMember("avoidable");
  }
  w.Member("label", LabelName(row.label)).EndObject();
}

void Sweep(JsonWriter& w, const SweepOutcome& sweep) {
  w.BeginObject().Member("name", sweep.name).Member("input", sweep.input).Member("of", sweep.of);
  w.Member("fleet", sweep.fleet).Member("policy", sweep.policy);
  w.Member("workload", sweep.workload).Key("points").BeginArray();
  for (const SweepPoint& point : sweep.points) {
    w.BeginObject().Member("factor", point.factor).Key("row");
    Row(w, point.row);
    w.EndObject();
  }
  w.EndArray().EndObject();
}

void Count(JsonWriter& w, std::string_view key, std::optional<int> count) {
  if (count) {
    w.Member(key, *count);
  } else {
    w.NullMember(key);
  }
}
void StartOf(JsonWriter& w, std::string_view key, const std::optional<BreakEvenStart>& start) {
  w.Key(key);
  if (!start) {
    w.Null();
    return;
  }
  w.BeginObject().Member("seconds", start->seconds).Member("devices", start->devices).EndObject();
}
void BreakEven(JsonWriter& w, const BreakEvenOutcome& even) {
  w.BeginObject().Member("name", even.name).Member("first", even.first);
  w.Member("second", even.second).Key("rows");
  w.BeginArray();
  for (const BreakEvenRow& row : even.rows) {
    w.BeginObject().Member("workload", row.workload);
    StartOf(w, "first_start", row.first_start);
    StartOf(w, "second_start", row.second_start);
    w.Key("devices").BeginArray();
    for (const BreakEvenNodes& nodes : row.nodes) {
      w.BeginObject().Member("load", nodes.load).Member("rate", nodes.rate);
      Count(w, "first", nodes.first);
      Count(w, "second", nodes.second);
      w.EndObject();
    }
    w.EndArray().Key("prices").BeginArray();
    for (const BreakEvenPrice& price : row.prices) {
      w.BeginObject().Member("list", price.list).Member("first_usd", price.first);
      w.Member("second_usd", price.second);
      Fraction(w, "cheaper_up_to", price.up_to);
      w.Member("throughout", price.throughout).EndObject();
    }
    w.EndArray().EndObject();
  }
  w.EndArray().EndObject();
}

void Question(JsonWriter& w, const ScenarioSpec& scenario) {
  w.Member("start", Format(scenario.start));
  w.Key("objective").BeginObject();
  Seconds(w, "ttft_s", scenario.objective.ttft);
  Seconds(w, "tpot_s", scenario.objective.tpot);
  w.Member("attainment", scenario.objective.attainment).EndObject();
  Seconds(w, "warm_up_s", scenario.warm_up);
  Seconds(w, "drain_s", scenario.drain);
  w.Key("accounting").BeginArray();
  for (const Accounting book : scenario.accounting) w.Value(NameOf(book));
  w.EndArray().Key("baseline").BeginObject().Member("fleet", scenario.baseline.first);
  w.Member("policy", scenario.baseline.second).EndObject();
}

}  // namespace

std::string ResultsJson(const ExperimentOutcome& outcome, const ScenarioSpec& scenario) {
  std::string out;
  JsonWriter w(out);
  w.BeginObject().Member("scenario", outcome.scenario).Member("says", outcome.says);
  w.Member("verdict", outcome.verdict).Key("verdicts").BeginArray();
  for (const WorkloadVerdict& verdict : outcome.verdicts) {
    w.BeginObject().Member("workload", verdict.workload).Member("verdict", verdict.words);
    w.EndObject();
  }
  w.EndArray().Key("notes").BeginArray();
  for (const std::string& note : outcome.notes) w.Value(note);
  w.EndArray();
  Question(w, scenario);
  w.Key("sized").BeginArray();
  for (const SizedFleet& sized : outcome.sized) {
    w.BeginObject().Member("fleet", sized.fleet).Member("workload", sized.workload);
    w.Member("policy", sized.policy).Member("nodes", sized.nodes);
    w.Member("reached", sized.reached).EndObject();
  }
  w.EndArray().Key("rows").BeginArray();
  for (const RowOutcome& row : outcome.rows) Row(w, row);
  w.EndArray().Key("cells").BeginArray();
  for (const CellOutcome& cell : outcome.cells) Cell(w, cell);
  w.EndArray().Key("sweeps").BeginArray();
  for (const SweepOutcome& sweep : outcome.sweeps) Sweep(w, sweep);
  w.EndArray().Key("break_even").BeginArray();
  for (const BreakEvenOutcome& even : outcome.break_even) BreakEven(w, even);
  w.EndArray().EndObject();
  out.push_back('\n');
  return out;
}

}  // namespace spillway
