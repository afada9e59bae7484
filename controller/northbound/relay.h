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
#include "core/cascade.h"
#include "formats/json_schema.h"
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
//  - Under a cascade of the policy there are up to two attempts, each a request of its own with its
//    decision and its costs. The first one's answer, a stream too, is held (at most 1 MiB) until it
//    is judged, so the client sees nothing of one that will not do; its head says what both cost.
class Relay : public std::enable_shared_from_this<Relay> {
 public:
  Relay(Api& api, OpenAiCall kind, Call call);
  ~Relay();  // The server may give up on it at any moment.
  static Awaitable<HttpAnswer> Run(std::shared_ptr<Relay> self);

 private:
  static constexpr std::size_t kMostHeld = std::size_t{1} << 20;  // bytes of an answer
  // What an engine answered with.
  enum class Reply : std::uint8_t {
    kNone,    // nothing that counts: the next one may be asked
    kWhole,   // in held_, if it is not too long
    kEvents,  // a stream; what came first of it is in parts_
  };

  // --- What is asked for.
  bool WithinQuota();
  std::optional<OpenAiError> ReadRequest();
  std::optional<OpenAiError> ReadHints(RequestFeatures& features) const;

  // --- The way there.
  Awaitable<HttpAnswer> AskNamed();
  bool HoldMoney();
  Awaitable<Routed> FindRoom();
  Awaitable<Reply> AskNext();
  Awaitable<Reply> BeginEvents();
  UpstreamRequest MakeRequest(const SplicedBody& body);
  void LoseEngine(ForwardFault fault);
  void LoseUpstream(std::string_view otherwise);
  std::string WhyCutShort() const;
  int Status() const;
  bool Hold(std::string_view piece);
  bool HoldRest(std::size_t bytes);
  void DropHeld();
  HttpAnswer Gone();
  bool CutOff() const;
  void AbortWithClient();

  // --- The first attempt of a cascade (relay_cascade.cc).
  void ChooseCascade(const RouterView& view);
  bool AsksForLogprobs() const;
  Awaitable<std::optional<HttpAnswer>> TryFirst();
  Awaitable<bool> HoldEvents();
  void Judge(Reply reply);
  HttpAnswer AnswerHeldEvents();
  void GoOnToSecond(RequestEnd end, int status);

  // --- The way back of a whole answer (relay_whole.cc).
  bool ReadWhole();
  HttpAnswer AnswerWhole();
  Awaitable<void> ProduceRest(BodyStream& out);

  // --- The way back.
  HttpAnswer AnswerStreamed();
  Awaitable<void> Produce(BodyStream& out);
  Awaitable<void> AwaitEnd();
  void Hear();
  void TakeUsage(const std::optional<OpenAiUsage>& usage);
  void Measure();
  void SettleLost();
  void SettleRefused();
  void ForgetBaseline();
  std::optional<Usd> Cost() const;
  void AddHeaders(HttpResponse& response, bool booked) const;
  void AddCostTrailer(BodyStream& out) const;
  HttpAnswer Refuse(const OpenAiError& error, RequestEnd end);
  void Finish(RequestEnd end, int status);

  Api& api_;
  Dispatcher& dispatcher_;
  const OpenAiCall kind_;
  Call call_;
  OpenAiRequest scanned_;
  RequestFeatures asked_;  // what the client asked for; moved away where there is no cascade
  Headers headers_;        // to the engine
  QuotaTicket quota_;
  std::unique_ptr<LiveRequest> live_;  // the attempt under way
  std::unique_ptr<UpstreamCall> upstream_;
  std::optional<AnswerStream> stream_;
  absl::Time first_at_, last_at_;
  std::size_t kept_ = 0;                      // bytes that are counted as held: of the request ...
  std::size_t kept_answer_ = 0;               // ... and of held_
  std::string held_;                          // of a whole answer, or of one that is to be judged
  std::string_view piece_;                    // of a stream, read ahead
  absl::Span<const std::string_view> parts_;  // of it, for the client
  HttpResponse failed_;                       // the last engine's own error, if it said one
  std::string why_failed_;
  bool refused_ = false;            // an engine refused us, not the request
  int refused_with_ = 0;            // a stream that began with an error of the client's: its status
  std::shared_ptr<Waker> waiting_;  // for room; null: not
  bool ended_ = false;

  std::optional<CascadeSpec> cascade_;  // in force for this request
  bool judging_ = false;                // its first attempt is under way
  std::optional<Usd> spent_;            // by the first attempt; none while its price is not known
};

}  // namespace spillway
