#include "controller/engine_log.h"

#include "absl/strings/str_cat.h"
#include "core/text.h"

namespace spillway {

void EngineLog::Say(bool bad, std::string line) {
  const absl::Time now = clock_.Now();
  if (now < minute_ || now - minute_ >= absl::Minutes(1)) {
    minute_ = now;
    lines_ = 0;
  }
  if (lines_ >= kMostLines) {
    ++left_out_;
    return;
  }
  ++lines_;
  if (left_out_ > 0) absl::StrAppend(&line, " (", left_out_, " lines about engines were left out)");
  left_out_ = 0;
  write_(bad, line);
}

void EngineLog::OnHealth(std::string_view name, bool up, std::string_view why) {
  const std::lock_guard lock(mutex_);
  const auto found = down_.find(name);
  if (up == (found == down_.end())) return;
  if (up) {
    down_.erase(found);
    return Say(false, absl::StrCat("engine ", ToAbsl(name), " answers again"));
  }
  down_.emplace(name);
  Say(true, absl::StrCat("engine ", ToAbsl(name), " is down: ",
                         ToAbsl(why.empty() ? "no reason given" : why.substr(0, kLongestReason))));
}

void EngineLog::OnModels(std::string_view name, std::string_view why) {
  const std::lock_guard lock(mutex_);
  const auto found = unread_.find(name);
  if (why.empty() == (found == unread_.end())) return;
  if (why.empty()) {
    unread_.erase(found);
    return Say(false, absl::StrCat("engine ", ToAbsl(name), " tells its models again"));
  }
  unread_.emplace(name);
  Say(true, absl::StrCat("engine ", ToAbsl(name), ": its list of models cannot be read: ",
                         ToAbsl(why.substr(0, kLongestReason))));
}

std::string EngineLog::NameOf(EndpointKey key) const {
  const bool known = inputs_ && Index(key.pool) < inputs_->pools.size();
  return absl::StrCat(known ? inputs_->pools[Index(key.pool)].spec->name : "?", "/", key.number);
}

void EngineLog::OnInputs(std::shared_ptr<const RouterInputs> inputs) {
  const std::lock_guard lock(mutex_);
  if (!inputs || inputs == inputs_) return;
  inputs_ = std::move(inputs);
  for (std::uint32_t p = 0; p < inputs_->pools.size(); ++p) {
    const auto& endpoints = inputs_->pools[p].endpoints;
    for (std::size_t n = 0; n < endpoints.size(); ++n) {
      const EndpointKey key{PoolId{p}, static_cast<int>(n)};
      if (endpoints[n].ejected == ejected_.contains(key)) continue;
      if (endpoints[n].ejected) {
        ejected_.insert(key);
        Say(true, absl::StrCat("engine ", NameOf(key),
                               " is left out for a while: it failed again "
                               "and again"));
      } else {
        ejected_.erase(key);
        Say(false, absl::StrCat("engine ", NameOf(key), " gets requests again"));
      }
    }
  }
}

void EngineLog::OnEnded(const Request& request) {
  if (request.attempts.empty() || request.attempts.back().fault != ForwardFault::kNone) return;
  const bool refused = request.status == 401 || request.status == 403;
  if (!refused && request.end != RequestEnd::kAnswered) return;
  const EndpointKey key = request.endpoint();
  const std::lock_guard lock(mutex_);
  if (refused == refusing_.contains(key)) return;
  if (!refused) {
    refusing_.erase(key);
    return Say(false, absl::StrCat("engine ", NameOf(key), " takes our key again"));
  }
  refusing_.insert(key);
  Say(true, absl::StrCat("engine ", NameOf(key), " answers requests with ", request.status,
                         ": is its API key right?"));
}

}  // namespace spillway
