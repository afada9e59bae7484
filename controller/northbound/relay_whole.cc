// Whole answers: whether they are any, and their way back.
#include <stdexcept>
#include <utility>

#include "absl/strings/str_cat.h"
#include "controller/northbound/engine_faults.h"
#include "controller/northbound/relay.h"
#include "formats/openai_answer.h"

namespace spillway {

// Whether held_ is an answer, and what it says of its usage. False: the engine is given up for it,
// as for a stream that says the same. What was too long to be held goes on as it comes.
bool Relay::ReadWhole() {
  if (refused_with_ > 0 || Status() >= 400 || !upstream_->done()) return true;
  OpenAiAnswer answer;
  const bool read = ScanOpenAiAnswer(held_, &answer);
  if (!read && !IsJsonObject(held_)) {
    why_failed_ = held_.empty() ? "its answer is empty" : "its answer is no object of OpenAI's API";
    LoseEngine(ForwardFault::kError);
    return false;
  }
  if (!answer.is_error || answer.has_choices) {
    if (read) TakeUsage(answer.usage);
    return true;
  }
  if (const auto status = ClientsFault(held_)) {
    refused_with_ = *status;
    return true;
  }
  failed_ = HttpResponse{.status = 502};
  failed_.headers.Add("Content-Type", "application/json");
  failed_.body = held_;
  why_failed_ = "its answer is an error";
  LoseEngine(ForwardFault::kError);
  return false;
}

HttpAnswer Relay::AnswerWhole() {
  HttpResponse response{.status = Status()};
  response.headers.Add("Content-Type", refused_with_ > 0
                                           ? std::string_view("application/json")
                                           : upstream_->headers().Get("Content-Type"));
  if (!upstream_->done() && refused_with_ == 0) {
    SettleRequest(*live_->view, *live_->shape, live_->record, &live_->expected);
    if (response.status >= 400) SettleRefused();
    AddHeaders(response, false);
    return HttpAnswer(std::move(response), [self = shared_from_this()](BodyStream& out) {
      return self->ProduceRest(out);
    });
  }
  dispatcher_.Settle(*live_);
  if (response.status >= 400) SettleRefused();
  AddHeaders(response, true);
  response.body = std::move(held_);
  Finish(response.status < 400 ? RequestEnd::kAnswered : RequestEnd::kRefused, response.status);
  return response;
}

// A whole answer that is too long to be held.
Awaitable<void> Relay::ProduceRest(BodyStream& out) {
  std::string tail;  // where the usage stands
  std::string_view piece = held_;
  bool sent = true;
  while (sent && !piece.empty()) {
    tail.append(piece.substr(piece.size() - std::min<std::size_t>(piece.size(), 4096)));
    if (tail.size() > 8192) tail.erase(0, tail.size() - 4096);
    sent = co_await out.Write(piece);
    if (sent) piece = co_await upstream_->Read();
  }
  if (const std::size_t at = tail.rfind("\"usage\""); at != std::string::npos) {
    OpenAiAnswer answer;
    const std::string object = absl::StrCat("{", tail.substr(at));
    if (ScanOpenAiAnswer(object, &answer)) TakeUsage(answer.usage);
  }
  SettleLost();
  const int status = upstream_->status();
  if (status >= 400) SettleRefused();
  AddCostTrailer(out);
  const bool lost = upstream_->failed() && !out.gone();
  Finish(out.closing()         ? RequestEnd::kCutOff
         : !sent || out.gone() ? RequestEnd::kClientGone
         : lost                ? RequestEnd::kBrokenOff
         : status >= 400       ? RequestEnd::kRefused
                               : RequestEnd::kAnswered,
         status);
  if (lost)
    throw std::runtime_error("the engine was lost");  // cut, so that nobody takes it as whole
}

}  // namespace spillway
