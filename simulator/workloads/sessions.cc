#include <algorithm>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "core/check.h"
#include "core/status.h"
#include "simulator/workloads/arrival_times.h"
#include "simulator/workloads/draw.h"
#include "simulator/workloads/lengths.h"
#include "simulator/workloads/making.h"
#include "simulator/workloads/parts.h"

namespace spillway {
namespace {

class SessionsPart final : public WorkloadPart {
 public:
  SessionsPart(PartSpec part, TokenSamplers tokens)
      : spec(std::move(part)),
        sessions(std::get<SessionsSpec>(spec.arrivals)),
        tokens(std::move(tokens)) {}
  std::unique_ptr<ArrivalStream> Open(std::uint32_t number, absl::Time start,
                                      std::uint64_t seed) const override;
  PartReport report() const override {
    return {.name = spec.name, .span = spec.lasts.value_or(absl::ZeroDuration())};
  }

  const PartSpec spec;
  const SessionsSpec sessions;
  const TokenSamplers tokens;
};

// What is remembered of a user between its turns.
struct User {
  std::int64_t context = 0;     // tokens said in this session, the answer to come included
  std::uint32_t turn = 0;       // of this session; 0: it is over
  std::uint32_t questions = 0;  // in all sessions
  std::uint64_t name = 0;       // of this session: what its blocks are called by
  std::string_view model;
};

class SessionsStream final : public ArrivalStream {
 public:
  SessionsStream(const SessionsPart& part, const StreamOptions& options)
      : part_(part),
        options_(options),
        end_(PartEnd(part.spec)),
        think_(absl::ToDoubleSeconds(part.sessions.think)),
        requests_(part.spec, options),
        users_(static_cast<std::size_t>(part.sessions.users)) {
    // Everybody thinks before the first question, as if the day were already going on.
    for (std::uint32_t number = 0; number < users_.size(); ++number) {
      RandomStream random = Random(number);
      const std::int64_t at = ToNanos(part.spec.after) + Think(random);
      if (at < end_) first_.emplace_back(at, number);
    }
    std::sort(first_.begin(), first_.end());
  }

  bool Next(Arrival& out) override {
    if (next_ == first_.size()) return false;
    const auto [at, number] = first_[next_++];
    RandomStream random = Random(number);
    Think(random);  // was drawn for `at`
    Ask(number, at, random, out);
    return true;
  }

  bool Ended(const TurnEnd& end, Arrival& out) override {
    SPILLWAY_CHECK(end.session >= 1 && end.session <= users_.size());
    User& user = users_[end.session - 1];
    SPILLWAY_CHECK(end.turn == user.turn);  // once for each turn
    RandomStream random = Random(end.session - 1);
    const std::int64_t at = end.at + Think(random);
    const bool goes_on = DrawUniform(random) * part_.sessions.turns >= 1;
    if (!end.answered || !goes_on) user.turn = 0;
    if (at >= end_) return false;
    Ask(end.session - 1, at, random, out);
    return true;
  }

 private:
  // For the user's next question: another one for each.
  RandomStream Random(std::uint32_t number) const {
    return MakeRandomStream(options_.seed, absl::StrCat(part_.spec.name, "/user ", number,
                                                        "/question ", users_[number].questions));
  }
  std::int64_t Think(RandomStream& random) const {
    return ArrivalNanos(think_ * DrawExponential(random));
  }

  void Ask(std::uint32_t number, std::int64_t at, RandomStream& random, Arrival& out) {
    User& user = users_[number];
    const auto draws = part_.tokens.Draw(random, random);
    const std::int64_t asked = draws.prompt.value_or(1);
    if (user.turn > 0 && user.context + asked > part_.sessions.context) user.turn = 0;
    if (user.turn == 0) {
      user.context = part_.spec.request.shared_prefix;
      user.name = MixWords(MixWords(requests_.salt(), number + 1), user.questions);
      user.model = requests_.Model(random);
    }
    requests_.Begin(out, at, user.model);
    requests_.Size(out, user.context + asked, draws.output.value_or(1), draws.items);
    requests_.ShareBlocks(out);
    const std::int64_t full = out.prompt_tokens / RequestMaker::kBlockTokens;
    for (auto i = static_cast<std::int64_t>(out.blocks.size()); i < full; ++i) {
      out.blocks.push_back(MixWords(user.name, static_cast<std::uint64_t>(i)));
    }
    ++user.questions;
    out.session = number + 1;
    out.turn = ++user.turn;
    user.context = out.prompt_tokens + out.truth.output_tokens;
  }

  const SessionsPart& part_;
  StreamOptions options_;
  std::int64_t end_;
  double think_;  // seconds
  RequestMaker requests_;
  std::vector<User> users_;
  std::vector<std::pair<std::int64_t, std::uint32_t>> first_;  // time, user
  std::size_t next_ = 0;
};

std::unique_ptr<ArrivalStream> SessionsPart::Open(std::uint32_t number, absl::Time start,
                                                  std::uint64_t seed) const {
  return std::make_unique<SessionsStream>(*this, StreamOptions{number, start, seed});
}

}  // namespace

absl::StatusOr<std::unique_ptr<const WorkloadPart>> LoadSessions(const PartSpec& spec) {
  SPILLWAY_ASSIGN_OR_RETURN(TokenSamplers tokens, TokenSamplers::Load(spec.request));
  return std::make_unique<const SessionsPart>(spec, std::move(tokens));
}

}  // namespace spillway
