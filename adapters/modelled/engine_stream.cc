#include "adapters/modelled/engine_stream.h"

#include <algorithm>
#include <utility>

#include "absl/time/clock.h"

namespace spillway::modelled {

Answering::Answering(EngineOrder asked, std::vector<EngineChoice> made, EngineUsage usage,
                     const std::string& id, std::string_view model)
    : order(std::move(asked)),
      choices(std::move(made)),
      told(usage),
      writer(order, choices, id, absl::ToUnixSeconds(absl::Now()), model) {}

std::string EventStream::Next() {
  std::string frames;
  for (std::size_t i = 0; i < said_.size() && frames.size() < kWriteSize; ++i) Say(i, frames);
  if (over_ || left_ > 0) return frames;
  if (answer_.order.include_usage) answer_.writer.Usage(answer_.told, frames);
  frames += "data: [DONE]\n\n";
  over_ = true;
  return frames;
}

void EventStream::Say(std::size_t i, std::string& frames) {
  const EngineChoice& choice = answer_.choices[i];
  const std::int64_t most = answer_.breaks() ? (choice.length + 1) / 2 : choice.length;
  const std::int64_t ready = std::min(answer_.flow->given(i), most);
  if (said_[i] == 0 && ready > 0) answer_.writer.Opening(i, frames);
  while (said_[i] < ready && frames.size() < kWriteSize) {
    answer_.writer.Token(i, said_[i]++, frames);
    if (answer_.breaks() && said_[i] == most) ++halves_;
  }
  if (answer_.breaks() || said_[i] < choice.length || ended_[i]) return;
  answer_.writer.Ending(i, frames);
  ended_[i] = true;
  --left_;
}

}  // namespace spillway::modelled
