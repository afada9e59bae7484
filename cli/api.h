#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "cli/console.h"
#include "formats/value.h"
#include "net/client.h"

namespace spillway::cli {

// What the server said: its status, and its JSON body (null where it sent none).
struct Answer {
  int status = 0;
  std::string etag;
  std::string text;  // the body as it came
  Value body;
  bool ok() const { return status >= 200 && status < 300; }
};

// The native API of one controller. Every call blocks; errors are those of a connection that failed
// or an answer that cannot be read. A problem that the server reports is an Answer.
class Api {
 public:
  // `server` as in --server. Nothing is sent yet.
  static absl::StatusOr<Api> For(std::string_view server);

  absl::StatusOr<Answer> Get(std::string target);
  absl::StatusOr<Answer> Send(Method method, std::string target, std::string body = "",
                              Headers headers = {});
  // The body of a 2xx goes to `sink` as it comes.
  absl::StatusOr<Answer> Stream(std::string target, BodySink sink);

  const std::string& server() const { return server_; }

 private:
  Api(std::string server, Client client) : server_(std::move(server)), client_(std::move(client)) {}
  std::string server_;
  Client client_;
  absl::StatusOr<Answer> Read(absl::StatusOr<HttpResponse> response) const;
};

// Percent-encodes what may not stand in one segment of a path, or in a value of a query.
std::string Encoded(std::string_view text);

// Says what the server found wrong (RFC 9457: title, detail, each error with its pointer) and gives
// the exit code for it.
int Report(const Answer& problem, Console& console);
// The same about a document that was read from a file: FILE:LINE:COLUMN in place of a pointer.
// Without a name it is the same.
struct Source {
  std::string file;
  const Value& document;
};
int Report(const Answer& problem, const Source& source, Console& console);

}  // namespace spillway::cli
