#include "controller/engine_log.h"

#include "absl/strings/str_cat.h"
#include "core/text.h"

namespace spillway {
namespace {

const char* InWords(ForwardFault fault) {
  switch (fault) {
    case ForwardFault::kConnect:
      return "no connection could be made";
    case ForwardFault::kBroken:
      return "it broke before an answer";
    case ForwardFault::kTimeout:
      return "no answer in time";
    case ForwardFault::kError:
      return "it answered with an error, or refuses the controller (401, 403, 404 and the like: "
             "its "
             "key, URL or name of the model is wrong)";
    case ForwardFault::kCannot:
      return "it knows nothing at the path of this call (404, 405 or 501)";
    case ForwardFault::kNone:
    case ForwardFault::kOverloaded:
      break;
  }
  return "";
}

}  // namespace

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
  const std::lock_guard lock(mutex_);
  for (const ForwardAttempt& attempt : request.attempts) {
    if (attempt.fault == ForwardFault::kOverloaded) continue;  // no fault of its own
    const bool good = attempt.fault == ForwardFault::kNone && request.end == RequestEnd::kAnswered;
    if (good) {
      if (failing_.erase(attempt.endpoint) > 0)
        Say(false, absl::StrCat("engine ", NameOf(attempt.endpoint), " answers requests again"));
    } else if (attempt.fault != ForwardFault::kNone && failing_.insert(attempt.endpoint).second) {
      Say(true, absl::StrCat("engine ", NameOf(attempt.endpoint),
                             " failed a request: ", InWords(attempt.fault)));
    }
  }
}

}  // namespace spillway
