#pragma once

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "net/client.h"
#include "net/response_head.h"
#include "net/transport.h"

namespace spillway {

// The bytes of a request: head and body. kInvalidArgument for a target or a field that must not be
// written.
absl::StatusOr<std::string> FormatRequest(const BaseUrl& origin, const ClientOptions& options,
                                          const ClientRequest& request);

// Header lines of a request but for those that belong to us: Host, Content-Length, Connection and
// the like are left out. kInvalidArgument for one that must not be written.
absl::Status AppendRequestFields(const Headers& headers, std::string* out);

// One request and its answer on an open transport. Lives in the coroutine that runs it.
class ClientExchange {
 public:
  ClientExchange(Transport& transport, const ClientOptions& options, Method method,
                 const BodySink* sink);

  // `text` stays valid until it is done. `total` bounds all of it but a streamed body.
  Awaitable<absl::Status> Run(const std::string& text, Alarm& alarm, absl::Duration total);

  HttpResponse& response() { return response_; }
  bool heard() const { return heard_; }        // At least one byte of an answer came.
  bool reusable() const { return reusable_; }  // The transport may carry another exchange.

 private:
  Transport& transport_;
  const ClientOptions& options_;
  const Method method_;
  const BodySink* const sink_;  // Null: keep the body.
  HttpResponse response_;
  ResponseHead head_;
  std::string input_;  // Received and not yet used.
  bool heard_ = false;
  bool reusable_ = false;
  bool enough_ = false;  // The sink wants no more.
  bool streaming_ = false;

  Awaitable<absl::Status> ReadHead();
  Awaitable<absl::Status> ReadBody(Alarm& alarm);
  Awaitable<absl::Status> ReadCounted(Alarm& alarm);
  Awaitable<absl::Status> ReadChunks(Alarm& alarm);
  Awaitable<absl::Status> ReadToClose(Alarm& alarm);
  // More input; `end` tells a clean end from an error, null where an end is an error.
  Awaitable<absl::Status> ReadMore(bool* end);
  Awaitable<absl::Status> ReadMoreBody(Alarm& alarm, bool* end);
  absl::Status Take(std::string_view data);
};

}  // namespace spillway
