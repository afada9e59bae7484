#pragma once

#include <memory>
#include <optional>
#include <string>

#include "adapters/openai/answer_stream.h"
#include "controller/dispatcher.h"
#include "controller/northbound/api.h"
#include "controller/northbound/openai_errors.h"
#include "controller/northbound/route.h"
#include "controller/quota.h"
#include "formats/openai_scan.h"
#include "net/upstream.h"

namespace spillway {

// One request of OpenAI's API on its way to an engine and back. The body goes on as it came, but
// for the model's name where the engine calls it otherwise and for the usage chunk, which is asked
// for in every stream; the answer comes back as it came, but for that chunk where the client did
// not want it.
//
//  - Until the first byte of an answer reaches the client, an endpoint that fails is replaced by
//    the next; afterwards the stream ends with an error event, never in silence.
//  - Whole answers up to 1 MiB are held, so that their head can say what they cost. Larger ones and
//    streams say it in a trailer, if the client takes trailers, and in the decision.
//  - A client that leaves takes its connection to the engine with it; what was made until then is
//    booked.
class Relay : public std::enable_shared_from_this<Relay> {
 public:
  Relay(Api& api, OpenAiCall kind, Call call);
  ~Relay();  // The server may give up on it at any moment.
  static Awaitable<HttpAnswer> Run(std::shared_ptr<Relay> self);

 private:
  bool WithinQuota();
  std::optional<OpenAiError> ReadRequest();
  std::optional<OpenAiError> ReadHints(RequestFeatures& features) const;
  Awaitable<Routed> FindRoom();
  Awaitable<std::optional<HttpAnswer>> TryNext();
  UpstreamRequest MakeRequest(const SplicedBody& body);
  HttpAnswer AnswerWhole();
  HttpAnswer AnswerStreamed();
  Awaitable<void> Produce(BodyStream& out);
  Awaitable<void> ProduceRest(BodyStream& out);
  void Hear();
  void TakeUsage(const std::optional<OpenAiUsage>& usage);
  void Measure();
  void AddHeaders(HttpResponse& response, bool booked) const;
  void AddCostTrailer(BodyStream& out) const;
  HttpAnswer Refuse(const OpenAiError& error, RequestEnd end);
  void Finish(RequestEnd end, int status);

  Api& api_;
  Dispatcher& dispatcher_;
  const OpenAiCall kind_;
  Call call_;
  OpenAiRequest scanned_;
  Headers headers_;  // to the engine
  QuotaTicket quota_;
  std::unique_ptr<LiveRequest> live_;
  std::unique_ptr<UpstreamCall> upstream_;
  std::optional<AnswerStream> stream_;
  absl::Time first_at_, last_at_;
  std::string held_;        // of a whole answer
  std::string_view piece_;  // of a stream, read ahead
  HttpResponse failed_;     // the last engine's own error, if it said one
  std::string why_failed_;
  bool ended_ = false;
};

}  // namespace spillway
