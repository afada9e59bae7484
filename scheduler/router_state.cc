#include "scheduler/router_state.h"

#include <algorithm>
#include <bit>

#include "performance/answer_lengths.h"

namespace spillway {
namespace {

constexpr std::int64_t kLeastRatio = kMillion / 20, kMostRatio = kMillion * 20;
constexpr std::int64_t kManyTokens = 1 << 20;  // of prompts: older ones count half from here on
constexpr std::int64_t kManyAnswers = 4096;
constexpr std::int64_t kEnoughTokens = 200;
constexpr std::int64_t kEnoughAnswers = 10;

// Is `now` off by more than a tenth of what is in force?
bool IsOff(std::int64_t in_force, std::int64_t now, std::int64_t part = 10) {
  return std::abs(now - in_force) * part > in_force;
}

// The nearest-rank quantile of a non-empty list.
std::int64_t QuantileOf(std::vector<std::int64_t> values, int percent) {
  std::sort(values.begin(), values.end());
  const std::size_t rank = (values.size() * static_cast<std::size_t>(percent) + 99) / 100;
  return values[std::max<std::size_t>(rank, 1) - 1];
}

std::int64_t RatioOf(absl::Duration observed, absl::Duration estimated) {
  const std::int64_t by = ToNanos(estimated);
  if (by <= 0) return kMillion;
  return std::clamp(units_internal::RoundedQuotient(absl::int128(ToNanos(observed)) * kMillion, by),
                    kLeastRatio, kMostRatio);
}

void Remember(std::vector<std::int64_t>& ratios, std::int64_t ratio) {
  if (ratios.size() >= kRunsRemembered) ratios.erase(ratios.begin());
  ratios.push_back(ratio);
}

std::int64_t Sum(const std::vector<std::int64_t>& counts) {
  std::int64_t sum = 0;
  for (const std::int64_t count : counts) sum += count;
  return sum;
}

std::int64_t OutputAt(const std::vector<std::int64_t>& counts, int percent) {
  const std::int64_t rank = (Sum(counts) * percent + 99) / 100;
  std::int64_t seen = 0;
  for (std::size_t i = 0; i < counts.size(); ++i) {
    seen += counts[i];
    if (seen >= rank) return RouterState::TokensOf(static_cast<int>(i));
  }
  return 1;
}

std::int64_t OutputMean(const std::vector<std::int64_t>& counts) {
  std::int64_t tokens = 0, answers = 0;
  for (std::size_t i = 0; i < counts.size(); ++i) {
    tokens += counts[i] * RouterState::TokensOf(static_cast<int>(i));
    answers += counts[i];
  }
  return answers == 0 ? 0 : std::max<std::int64_t>((tokens + answers / 2) / answers, 1);
}

// What answers under way still have to come, at 5 %, 10 %, ... 100 % of them. An answer of x tokens
// is met with probability ~ x, and then anywhere in it: so the tokens that have at most t before
// their end are the sum of min(x, t) over all answers, which rises in straight lines between the
// lengths that there are. Rounded up.
std::vector<std::int64_t> OutputLeft(const std::vector<std::int64_t>& counts) {
  std::int64_t all = 0, longer = 0;  // tokens; answers longer than the last length
  for (std::size_t i = 0; i < counts.size(); ++i) {
    all += counts[i] * RouterState::TokensOf(static_cast<int>(i));
    longer += counts[i];
  }
  std::vector<std::int64_t> left;
  std::int64_t length = 0, within = 0;  // tokens with at most `length` before their end
  for (std::size_t i = 0; i < counts.size() && longer > 0; ++i) {
    const std::int64_t next = RouterState::TokensOf(static_cast<int>(i));
    const std::int64_t upto = within + (next - length) * longer;
    while (left.size() < AnswerLengths::kPoints) {
      const auto points = static_cast<std::int64_t>(AnswerLengths::kPoints);
      const auto wanted = static_cast<std::int64_t>(left.size() + 1) * all;  // in parts of `points`
      if (wanted > upto * points) break;
      const std::int64_t more =
          (wanted - within * points + longer * points - 1) / (longer * points);
      left.push_back(length + std::max<std::int64_t>(more, 0));
    }
    length = next;
    within = upto;
    longer -= counts[i];
  }
  return left;
}

}  // namespace

int RouterState::BucketOf(std::int64_t tokens) {
  if (tokens < 4) return static_cast<int>(std::max<std::int64_t>(tokens, 0));
  const auto octave =
      static_cast<int>(std::bit_width(static_cast<std::uint64_t>(tokens))) - 1;  // >= 2
  const int quarter = static_cast<int>(tokens >> (octave - 2)) & 3;
  return std::min((octave - 1) * 4 + quarter, kOutputBuckets - 1);
}

std::int64_t RouterState::TokensOf(int bucket) {
  if (bucket < 4) return std::max(bucket, 1);
  const int octave = bucket / 4 + 1, quarter = bucket % 4;
  const std::int64_t width = std::int64_t{1} << (octave - 2);
  return (4 + quarter) * width + width / 2;
}

void RouterState::Restore(record::SpeedRow row) {
  const PoolAndModel key(row.pool, row.model);
  speeds_[key] = std::move(row);
}
void RouterState::Restore(record::ModelRow row) {
  const std::string model = row.model;
  rows_[model] = std::move(row);
}

void RouterState::Restart() {
  endpoints_.clear();
  corrections_.clear();
  learned_.clear();
  for (const auto& [key, row] : speeds_) {
    SpeedCorrection& correction = corrections_[key];
    correction.model = key.second;
    Enforce(row, correction, true);
  }
  for (const auto& [model, row] : rows_) Enforce(row, learned_[model], true);
}

bool RouterState::See(const event::EndpointSeen& seen) {
  Endpoint& endpoint = endpoints_[seen.endpoint];
  if (endpoint.state.up == seen.up && endpoint.state.models == seen.models) return false;
  endpoint.state.up = seen.up;
  endpoint.state.models = seen.models;
  return true;
}

bool RouterState::Learn(const Request& request, absl::Duration way, absl::Time now,
                        std::vector<Record>& records) {
  const bool changed = Note(request, way, now);
  return Conclude(records) || changed;
}

namespace {

// Long after it should have said something: clients have less patience than we do, so an engine
// that hangs would never be found out by our own bounds.
bool LeftASilentEngine(const Request& request) {
  constexpr absl::Duration kLeast = absl::Seconds(3);
  constexpr int kTimes = 5;  // of what was expected at p90
  if (request.end != RequestEnd::kClientGone || request.ttft || request.output_tokens) return false;
  const Estimate& expected = request.expected;
  const absl::Duration by = request.features.stream
                                ? expected.wait.p90 + expected.ttft.value_or(absl::ZeroDuration())
                                : expected.wait.p90 + expected.duration.p90;
  return by > absl::ZeroDuration() &&
         request.ended - request.features.arrived - request.queued > std::max(kLeast, by * kTimes);
}

}  // namespace

bool RouterState::Note(const Request& request, absl::Duration way, absl::Time now) {
  bool changed = false;
  for (std::size_t i = 0; i < request.attempts.size(); ++i) {
    ForwardAttempt attempt = request.attempts[i];
    const bool last = i + 1 == request.attempts.size();
    // What breaks because the client has left, or we end, is nobody's fault.
    if (last && LeftASilentEngine(request)) {
      attempt.fault = ForwardFault::kTimeout;
    } else if (last &&
               (request.end == RequestEnd::kClientGone || request.end == RequestEnd::kCutOff)) {
      break;
    }
    // Its answer began well, so it stands there as good.
    if (last && request.end == RequestEnd::kBrokenOff) attempt.fault = ForwardFault::kBroken;
    changed |= LearnHealth(attempt, now);
  }
  if (request.end != RequestEnd::kAnswered || request.attempts.empty()) return changed;
  NoteSpeed(request, way);
  NoteModel(request);
  return changed;
}

bool RouterState::Conclude(std::vector<Record>& records) {
  bool changed = false;
  for (const PoolAndModel& key : noted_speeds_) {
    const record::SpeedRow& row = speeds_[key];
    records.push_back(row);
    SpeedCorrection& correction = corrections_[key];
    correction.model = key.second;
    changed |= Enforce(row, correction, false);
  }
  for (const std::string& model : noted_models_) {
    const record::ModelRow& row = rows_[model];
    records.push_back(row);
    changed |= Enforce(row, learned_[model], false);
  }
  noted_speeds_.clear();
  noted_models_.clear();
  return changed;
}

bool RouterState::LearnHealth(const ForwardAttempt& attempt, absl::Time now) {
  const auto found = endpoints_.find(attempt.endpoint);
  if (found == endpoints_.end()) return false;
  Endpoint& endpoint = found->second;
  if (attempt.fault == ForwardFault::kOverloaded || attempt.fault == ForwardFault::kCannot)
    return false;  // busy, or of another kind: not broken
  if (attempt.fault == ForwardFault::kNone) {
    endpoint.faults = 0;
    if (!endpoint.state.ejected) endpoint.ejections = 0;
    return false;
  }
  if (++endpoint.faults < kFaultsToEject || endpoint.state.ejected ||
      !MayEject(attempt.endpoint.pool))
    return false;
  endpoint.state.ejected = true;
  endpoint.faults = 0;
  ++endpoint.ejections;
  endpoint.until = now + std::min(kEjection * endpoint.ejections, kLongestEjection);
  return true;
}

bool RouterState::MayEject(PoolId pool) const {
  int up = 0, out = 0;
  for (const auto& [key, endpoint] : endpoints_) {
    if (key.pool != pool) continue;
    up += endpoint.state.up ? 1 : 0;
    out += endpoint.state.ejected ? 1 : 0;
  }
  return out == 0 || 2 * (out + 1) <= up;
}

// Of a whole answer only the end is seen: it speaks for both, the first token and the others.
void RouterState::NoteSpeed(const Request& request, absl::Duration way) {
  const bool waited = request.raw_ttft <= absl::ZeroDuration();  // for others to end, in the engine
  if (waited && (!request.ttft || !request.tpot)) return;
  if (request.attempts.size() > 1) return;  // time that another endpoint lost is in it
  const std::int64_t steps = request.output_tokens.value_or(0) / request.features.sequences() - 1;
  if (request.features.prompts > 1 && steps > 0) return;  // answered in turns
  if (!request.ttft && steps < 0) return;
  const PoolAndModel key(request.endpoint().pool, request.answered_by);
  auto found = speeds_.find(key);
  if (found == speeds_.end()) {
    if (speeds_.size() >= kMostModels) return;
    found = speeds_.emplace(key, record::SpeedRow{.pool = key.first, .model = key.second}).first;
  }
  record::SpeedRow& row = found->second;
  if (request.ttft) {
    if (!waited)
      Remember(row.ttft, RatioOf(*request.ttft - request.queued - way, request.raw_ttft));
    if (request.tpot && request.raw_tpot > absl::ZeroDuration())
      Remember(row.tpot, RatioOf(*request.tpot, request.raw_tpot));
  } else {
    const absl::Duration took = request.ended - request.features.arrived - request.queued - way;
    const std::int64_t ratio = RatioOf(took, request.raw_ttft + request.raw_tpot * steps);
    Remember(row.ttft, ratio);
    if (steps > 0) Remember(row.tpot, ratio);
  }
  noted_speeds_.insert(key);
}

bool RouterState::Enforce(const record::SpeedRow& row, SpeedCorrection& in_force, bool anew) {
  // An engine that is always full shows its speed between tokens only.
  const std::vector<std::int64_t>& first =
      row.ttft.size() >= kRunsBeforeObserved ? row.ttft : row.tpot;
  if (first.size() < kRunsBeforeObserved) return false;
  SpeedCorrection fresh{.model = row.model, .observed = true};
  fresh.ttft_p50 = QuantileOf(first, 50);
  fresh.ttft_p90 = QuantileOf(first, 90);
  if (row.tpot.size() >= kRunsBeforeObserved) {
    fresh.tpot_p50 = QuantileOf(row.tpot, 50);
    fresh.tpot_p90 = QuantileOf(row.tpot, 90);
  }
  const bool off =
      IsOff(in_force.ttft_p50, fresh.ttft_p50) || IsOff(in_force.ttft_p90, fresh.ttft_p90) ||
      IsOff(in_force.tpot_p50, fresh.tpot_p50) || IsOff(in_force.tpot_p90, fresh.tpot_p90);
  if (!anew && in_force.observed && !off) return false;
  in_force = fresh;
  return true;
}

void RouterState::NoteModel(const Request& request) {
  if (request.answered_by.empty()) return;
  auto found = rows_.find(request.answered_by);
  if (found == rows_.end()) {
    if (rows_.size() >= kMostModels) return;
    found =
        rows_.emplace(request.answered_by, record::ModelRow{.model = request.answered_by}).first;
  }
  record::ModelRow& row = found->second;
  if (request.prompt_tokens && *request.prompt_tokens > 0 && request.features.prompt_bytes > 0) {
    row.prompt_bytes += request.features.prompt_bytes;
    row.prompt_tokens += *request.prompt_tokens;
    if (row.prompt_tokens > kManyTokens) {
      row.prompt_bytes /= 2;
      row.prompt_tokens /= 2;
    }
  }
  if (request.output_tokens && *request.output_tokens > 0) {
    row.outputs.resize(kOutputBuckets);
    const std::int64_t each = *request.output_tokens / request.features.sequences();
    ++row.outputs[static_cast<std::size_t>(BucketOf(each))];
    if (Sum(row.outputs) > kManyAnswers) {
      for (std::int64_t& count : row.outputs) count /= 2;
    }
  }
  noted_models_.insert(row.model);
}

bool RouterState::Enforce(const record::ModelRow& row, ModelLearned& in_force, bool anew) {
  ModelLearned fresh = in_force;
  if (row.prompt_tokens >= kEnoughTokens)
    fresh.micro_bytes_per_token = units_internal::RoundedQuotient(
        absl::int128(row.prompt_bytes) * kMillion, row.prompt_tokens);
  if (Sum(row.outputs) >= kEnoughAnswers) {
    fresh.output_p50 = OutputAt(row.outputs, 50);
    fresh.output_p90 = OutputAt(row.outputs, 90);
    fresh.output_mean = OutputMean(row.outputs);
    fresh.output_left = OutputLeft(row.outputs);
  }
  const bool off = IsOff(in_force.micro_bytes_per_token, fresh.micro_bytes_per_token, 50) ||
                   IsOff(in_force.output_p50, fresh.output_p50) ||
                   IsOff(in_force.output_p90, fresh.output_p90) ||
                   IsOff(in_force.output_mean, fresh.output_mean);
  if (!anew && !off) return false;
  in_force = fresh;
  return true;
}

bool RouterState::Expire(absl::Time now) {
  bool changed = false;
  for (auto& [key, endpoint] : endpoints_) {
    if (!endpoint.state.ejected || endpoint.until > now) continue;
    endpoint.state.ejected = false;
    changed = true;
  }
  return changed;
}

absl::Time RouterState::NextTimer() const {
  absl::Time next = absl::InfiniteFuture();
  for (const auto& [key, endpoint] : endpoints_) {
    if (endpoint.state.ejected) next = std::min(next, endpoint.until);
  }
  return next;
}

void RouterState::Fill(PoolId id, int endpoints, RouterPool& pool) const {
  pool.endpoints.assign(static_cast<std::size_t>(endpoints), {});
  for (int number = 0; number < endpoints; ++number) {
    const auto found = endpoints_.find({id, number});
    if (found != endpoints_.end())
      pool.endpoints[static_cast<std::size_t>(number)] = found->second.state;
  }
  for (auto at = corrections_.lower_bound({id, ""});
       at != corrections_.end() && at->first.first == id; ++at) {
    if (at->second.observed) pool.speeds.push_back(at->second);
  }
}

}  // namespace spillway
