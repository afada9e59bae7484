#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "net/head_check.h"
#include "net/response_text.h"
#include "net/wire.h"

namespace spillway {

// One client: a coroutine that reads a request, has it answered, sends the answer, and again; so
// pipelined requests are answered in order. It is the Exchange of the handler it calls. The running
// coroutine keeps it alive.
class HttpConnection final : public Wire, private BodyStream {
 public:
  HttpConnection(std::shared_ptr<Lane> lane, Socket socket, std::string peer);

  Awaitable<void> Run(std::shared_ptr<HttpConnection> self);
  void Sweep();
  void DrainBegins();
  void LastCall();

  // The lane's bookkeeping: where this connection stands in its lists.
  Lane::Connections::iterator place;
  bool waiting = false;  // For a request, as opposed to working on one.
  bool leaving = false;  // It was told to end and no longer counts.

 private:
  class WakerImpl;

  // Exchange and BodyStream.
  Executor executor() override { return lane().executor(); }
  bool gone() const override { return ended(); }
  bool draining() const override;
  void OnGone(absl::AnyInvocable<void()> callback) override;
  bool closing() const override { return closing_; }
  void OnClosing(absl::AnyInvocable<void()> callback) override;
  std::shared_ptr<Waker> waker() override;
  Awaitable<Woken> Wait(absl::Duration timeout) override;
  Awaitable<bool> Write(std::string_view data) override;
  Awaitable<bool> WriteLast(std::string_view data) override;
  void AddTrailer(std::string_view name, std::string_view value) override;

  void PeerLeft() override;
  void Woke(Woken why);

  // Each returns false when the connection is to end.
  Awaitable<bool> Serve();
  Awaitable<bool> ReadHead();
  Awaitable<bool> ReadBody(std::string& body, std::size_t limit);
  Awaitable<bool> ReadCounted(std::string& body, std::uint64_t length);
  Awaitable<bool> ReadChunks(std::string& body, std::size_t limit);
  Awaitable<bool> ReadBodyBytes(absl::Duration began, std::uint64_t received);
  Awaitable<bool> Answer(HttpRequest& request);
  Awaitable<bool> SendWhole(const HttpResponse& response);
  Awaitable<bool> SendStream(const HttpAnswer& answer);
  Awaitable<bool> WritePiece(std::string_view data, bool last);
  // Answers what never reaches the handler, and ends the connection.
  Awaitable<bool> Refuse(int status, std::string_view code, std::string_view detail);
  Awaitable<bool> Refuse(const Refusal& why);
  Awaitable<void> Linger();

  std::string_view MakeRequest(HttpRequest* request);
  bool FormatHead(const HttpResponse& response, ResponseFrame::Body kind, std::size_t length);
  bool HasBodyToRead() const;
  bool TakeBody(std::string& body, std::size_t limit);
  bool HoldBody(const std::string& body);
  void LetBodyGo();
  bool BeginWhole(const HttpResponse& response, HttpResponse* failure, Parts* parts);
  void EndExchange();

  const std::string peer_;
  RequestHeadCheck check_;
  std::string out_;            // The head, or all, of what is sent.
  std::string end_;            // What follows a piece of a stream.
  std::string id_;             // Of this request.
  std::string target_;         // As it was sent.
  std::size_t body_held_ = 0;  // Memory of the body that is being read.
  absl::Duration patience_;    // When the head under way is overdue.
  bool first_ = true;          // No request was answered yet.
  bool close_ = false;         // After this answer.
  bool linger_ = false;  // Input was left unread: read on for a while, so that the answer arrives.
  bool passed_ = false;  // The handler has the request.
  int idle_sweeps_ = 0;  // While draining.

  // The exchange under way.
  absl::AnyInvocable<void()> on_gone_, on_closing_;
  bool closing_ = false;
  std::shared_ptr<WakerImpl> waker_;
  WakeUp wake_;
  bool asleep_ = false;  // In Wait().
  bool woken_ = false;   // A wake came while awake.
  Woken why_ = Woken::kWoken;
  absl::Duration wake_at_ = absl::InfiniteDuration();
  bool chunked_ = false;   // How the stream under way is framed.
  bool head_due_ = false;  // Its head is in out_ and was not sent.
  bool over_ = false;      // Its last piece was sent.
  std::string trailers_;
};

}  // namespace spillway
