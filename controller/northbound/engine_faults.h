#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "absl/time/time.h"
#include "controller/northbound/openai_errors.h"
#include "core/request.h"
#include "formats/openai_scan.h"
#include "net/headers.h"
#include "net/upstream.h"

// What is wrong with an engine that does not answer as it should, and what clients are told of it.
namespace spillway {

ForwardFault FaultOf(const UpstreamError& error);
ForwardFault FaultOf(int status);  // 429 or a 5xx

// Not the client's fault, though the number says so: the key, the model's name there and the URL
// are ours. A client would take 401 as said of its own key.
bool RefusesUs(int status);
// What that is to the engine: many serve chats only, and know nothing at the paths of other calls.
// One tenant that asks for those puts no engine aside.
ForwardFault FaultOfRefusal(OpenAiCall kind, int status);

// What an engine that is overloaded asks for in its Retry-After: 1 to 60 s, 1 s where it says none
// or a date.
absl::Duration BackOffOf(const Headers& headers);

// The same for clients: neither addresses nor what the kernel said of them.
std::string WhyLost(const UpstreamError& error);

// An engine's error object that says the request is wrong: the status that it names, 400 where it
// only says so by its type. None: it is about the engine. 401, 403, 404, 405 and 429 are about us.
std::optional<int> ClientsFault(std::string_view error_object);

// Anything else is no word of an engine: what stands before it says "Bad Gateway" in HTML.
bool IsJsonObject(std::string_view text);

OpenAiError EngineRefused(std::string_view why);
OpenAiError EngineLost(std::string_view why);
// Nobody had room, however long one waited. `rest`: for so long every engine of the request asked
// to be left alone; zero: some are merely full.
OpenAiError EveryEngineFull(absl::Duration rest);

}  // namespace spillway
