#include "performance/request_time.h"

#include <algorithm>
#include <cmath>

namespace spillway {
namespace {

// Everything in nanoseconds, as doubles: rounded once, at the end.
class Forecast {
 public:
  Forecast(const StepTimes& steps, const EngineLimits& limits, const EngineLoad& load,
           const AskedTokens& asked)
      : steps_(steps),
        limits_(limits),
        prompt_(static_cast<double>(asked.prompt)),
        output_(static_cast<double>(asked.output)),
        sequences_(std::clamp(asked.prompts, 1, std::max(limits.max_sequences, 1))) {
    running_ = std::max(0, load.running);
    waiting_ = std::max(0, load.waiting);
    context_ = std::max(0.0, static_cast<double>(load.context_tokens));
    queued_ = std::max(0.0, static_cast<double>(load.waiting_tokens));
    answers_ = load.answers;
    typical_ =
        std::max(1.0, load.typical_output > 0 ? static_cast<double>(load.typical_output) : output_);
    mean_ = answers_ ? answers_->mean() : typical_;
    chunk_ = std::max(1.0, static_cast<double>(limits.step_tokens) - running_);
  }

  RequestTimes Times() const {
    const Queue queue = BeforeIt();
    const double wait = queue.wait + queue.place, ttft = wait + OwnPrefill(queue.left_over);
    return {.wait = Span(wait),
            .ttft = Span(ttft),
            .tpot = output_ < 2 ? absl::ZeroDuration() : Span(Tpot()),
            .place = Span(queue.place),
            .place_p90 = Span(queue.place_p90)};
  }

 private:
  struct Queue {
    double wait = 0;                  // for steps that are full
    double place = 0, place_p90 = 0;  // for others to end, beyond that
    double left_over = 0;             // tokens of others in the step that its prompt begins in
  };
  static absl::Duration Span(double nanos) {
    return absl::Nanoseconds(static_cast<std::int64_t>(std::llround(std::min(nanos, 9e18))));
  }

  // One step, with `tokens` of prompts behind `cached` others each.
  double Step(double decodes, double context, double tokens, double cached) const {
    StepBatch batch{.prefill_tokens = std::llround(tokens),
                    .prefill_context = std::llround(tokens * (cached + tokens / 2)),
                    .prefills = tokens > 0 ? 1 : 0,
                    .decodes = static_cast<int>(std::lround(decodes)),
                    .decode_context = std::llround(context)};
    return static_cast<double>(ToNanos(steps_.Of(batch)));
  }

  double PlacesAwaited() const { return running_ + waiting_ + 1 - limits_.max_sequences; }

  // How many sequences must end before this one gets a place and its blocks.
  double EndsAwaited() const {
    const double block = limits_.block_tokens;
    const double used = context_ / block + 0.5 * running_;
    const double wanted = (queued_ + prompt_) / block + 0.5 * (waiting_ + 1);
    const double free = static_cast<double>(limits_.kv_blocks - limits_.watermark()) - used;
    const double each = running_ > 0 ? std::max(1.0, used / running_) : 1;
    const double short_of = running_ > 0 ? std::max(0.0, (wanted - free) / each) : 0;
    return std::clamp(std::max(PlacesAwaited(), std::ceil(short_of)), 0.0, running_ + waiting_);
  }

  // Those that may end: the whole batch, or as many as the blocks hold.
  AnswerLengths::Steps StepsUntil(double ends) const {
    const double batch = PlacesAwaited() > 0 ? limits_.max_sequences : std::max(1.0, running_);
    return (answers_ ? *answers_ : AnswerLengths::WithMedian(typical_)).Until(ends, batch);
  }

  Queue BeforeIt() const {
    if (running_ + waiting_ == 0) return {};
    const double plain = Step(running_, context_, 0, 0);
    // The step under way: half of it is still to come. Prompts that nobody waits for are in it.
    const double in_step = std::min(chunk_, waiting_ == 0 ? queued_ : queued_ / (waiting_ + 1));
    const double now = in_step >= 1 ? Step(running_, context_, in_step, 0) : plain;
    const double ahead = queued_ - in_step;
    const double whole = std::floor(ahead / chunk_);
    const double full = whole >= 1 ? Step(running_, context_, chunk_, 0) : 0;
    Queue queue{.wait = now / 2 + whole * full, .left_over = ahead - whole * chunk_};
    if (const double ends = EndsAwaited(); ends > 0) {
      // Whoever is ahead is computed beside those that run.
      const AnswerLengths::Steps steps = StepsUntil(ends);
      queue.place = std::max(0.0, steps.p50 - whole) * plain;
      queue.place_p90 = std::max(0.0, steps.p90 - whole) * plain;
    }
    return queue;
  }

  double OwnPrefill(double left_over) const {
    const double total = left_over + prompt_;
    const double whole = std::floor(total / chunk_), rest = total - whole * chunk_;
    double time = 0;
    if (whole >= 1) time += whole * Step(running_, context_, chunk_, (whole - 1) * chunk_ / 2);
    if (rest >= 1) time += Step(running_, context_, rest, std::min(prompt_ - 1, whole * chunk_));
    return time;
  }

  // Steps with this sequence among the others, at the context that it has in the middle of its
  // answer; others that end are followed by prompts like theirs, which lengthen some steps.
  double Tpot() const {
    const double all = running_ + waiting_;
    const double each = all > 0 ? std::max(1.0, (context_ + queued_) / all) : 1;
    const double own = prompt_ + sequences_ * output_ / 2;
    const double room =
        static_cast<double>((limits_.kv_blocks - limits_.watermark()) * limits_.block_tokens);
    const double others = std::max(
        0.0, std::min({all, limits_.max_sequences - sequences_, std::floor((room - own) / each)}));
    const double context = others * each + own;
    const double plain = Step(others + sequences_, context, 0, 0);
    if (others < 1) return plain;
    const double prompt = std::max(1.0, std::min(chunk_, each - mean_ / 2));
    const double longer = std::max(0.0, Step(others + sequences_, context, prompt, 0) - plain);
    return plain + std::min(1.0, others / mean_) * longer;
  }

  const StepTimes& steps_;
  const EngineLimits& limits_;
  const AnswerLengths* answers_ = nullptr;
  double prompt_, output_, sequences_;
  double running_ = 0, waiting_ = 0, context_ = 0, queued_ = 0, typical_ = 1, mean_ = 1, chunk_ = 1;
};

}  // namespace

absl::Duration DurationOf(const RequestTimes& times, std::int64_t output) {
  return times.ttft + times.tpot * std::max<std::int64_t>(0, output - 1);
}

RequestTimes TimesOf(const StepTimes& steps, const EngineLimits& limits, const EngineLoad& load,
                     const AskedTokens& asked) {
  AskedTokens own = asked;
  own.prompt = std::max<std::int64_t>(1, asked.prompt);
  own.output = std::max<std::int64_t>(0, asked.output);
  const std::int64_t one = own.prompts > 1 ? own.longest_prompt : own.prompt;
  const std::int64_t longest = limits.LongestSequence();
  if (one > longest || own.output > longest - one || load.waiting >= limits.max_waiting) {
    const absl::Duration never = absl::InfiniteDuration();
    return {never, never, never, never, never};
  }
  return Forecast(steps, limits, load, own).Times();
}

}  // namespace spillway
