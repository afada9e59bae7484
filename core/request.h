#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/time/time.h"
#include "core/cascade.h"
#include "core/code.h"
#include "core/decision.h"
#include "core/estimate.h"
#include "core/ids.h"
#include "core/model.h"
#include "core/units.h"

// A request: online inference, routed at once by many threads. What stands here is all that its
// routing looks at and all that is kept of it; the text of prompts and answers never is.
namespace spillway {

// Prefix affinity looks at a prompt in blocks of this many bytes of its text.
inline constexpr std::int64_t kPrefixBlockBytes = 1024;
inline constexpr std::size_t kMostPrefixBlocks = 32;

// One engine of a pool that answers requests.
struct EndpointKey {
  PoolId pool = kNoPool;
  int number = 0;  // within the pool, from 0: its replicas in the order of `serves`, or its URLs
  friend auto operator<=>(const EndpointKey&, const EndpointKey&) = default;
};
inline constexpr EndpointKey kNoEndpoint{};

// What routing may know of a request: counts and names.
struct RequestFeatures {
  absl::Time arrived;
  std::string tenant = "default";
  std::string model;                // as the client named it
  std::vector<std::string> models;  // which may answer: itself, or what the name stands for
  ModelKind kind = ModelKind::kChat;
  std::int64_t prompt_bytes = 0;           // of text, of all prompts together
  std::optional<std::int64_t> max_tokens;  // of each answer
  int choices = 1;                         // answers asked for (`n`), to each prompt
  int prompts = 1;                         // texts that are answered, or embedded, each by itself
  std::int64_t longest_prompt_bytes = 0;   // of one of them, where there are several
  int items = 1;                           // kBatch: inputs, computed together
  bool stream = false;
  // What the caller asked for beside; each only tightens.
  std::optional<Usd> max_cost;  // allocated
  std::optional<absl::Duration> ttft, tpot;
  std::string pin;                    // a pool by name
  std::vector<std::uint64_t> prefix;  // chained hashes of blocks of its text, at most 32
  // Of its tenant's budget, as it stood when the request was routed; none: no bound that refuses.
  std::optional<Usd> budget_left;
  bool demoted = false;  // that budget is spent: only what it demotes to may be used
  friend bool operator==(const RequestFeatures&, const RequestFeatures&) = default;

  // What it is to an engine: one for each answer. Texts to be embedded only fill steps.
  int sequences() const {
    return kind == ModelKind::kChat ? std::max(choices, 1) * std::max(prompts, 1) : 1;
  }
  // What it counts as where the time of an endpoint is shared out.
  int shares() const { return kind == ModelKind::kBatch ? std::max(items, 1) : sequences(); }
};

// What was read about one endpoint when a request was routed: sequences, or tokens of prompts. Of a
// server of batches requests, or their items; all of them wait until they are answered.
struct EndpointLoad {
  std::int32_t running =
      0;  // sequences in its batch: the larger of our own count and a fresh scrape
  std::int32_t waiting = 0;         // ... and before it
  std::int64_t waiting_tokens = 0;  // of prompts that have no first token yet
  std::int64_t context_tokens = 0;  // of sequences in the batch
  std::int32_t cached_blocks = 0;   // of this request's prefix, likely in its cache
  friend bool operator==(const EndpointLoad&, const EndpointLoad&) = default;
};
struct EndpointReading {
  std::uint32_t endpoint = 0;  // its place in the view
  EndpointLoad load;
  friend bool operator==(const EndpointReading&, const EndpointReading&) = default;
};

// Why an endpoint was given up for the next one, before anything reached the client.
enum class ForwardFault : std::uint8_t {
  kNone,
  kConnect,
  kBroken,
  kTimeout,
  kOverloaded,
  kError,
  kCannot
};
inline constexpr EnumNames<ForwardFault, 7> kForwardFaultNames{
    {{ForwardFault::kNone, "none"},
     {ForwardFault::kConnect, "connect"},        // no connection could be made
     {ForwardFault::kBroken, "broken"},          // it broke before an answer
     {ForwardFault::kTimeout, "timeout"},        // no answer in time
     {ForwardFault::kOverloaded, "overloaded"},  // 429 or 503
     // Another 5xx, or it will not serve us: 401, 403, 404, a redirection, a page of HTML.
     {ForwardFault::kError, "error"},
     {ForwardFault::kCannot, "cannot"}}};  // 404, 405 or 501 to a call that is no chat
constexpr const auto& NamesOf(ForwardFault) { return kForwardFaultNames; }

struct ForwardAttempt {
  EndpointKey endpoint;
  ForwardFault fault = ForwardFault::kNone;
  // Given up: the share of the endpoint's time that was lost on it, and what that comes to, which
  // is its pool's overhead and no part of the request's own cost.
  absl::Duration held{};
  Usd cost{}, marginal_cost{};
  Joules energy{};
  GramsCo2e carbon{};
  friend bool operator==(const ForwardAttempt&, const ForwardAttempt&) = default;
};

enum class RequestEnd : std::uint8_t {
  kAnswered,
  kBrokenOff,
  kClientGone,
  kRefused,
  kFailed,
  kCutOff
};
inline constexpr EnumNames<RequestEnd, 6> kRequestEndNames{
    {{RequestEnd::kAnswered, "answered"},
     {RequestEnd::kBrokenOff, "broken_off"},    // the engine was lost within its answer
     {RequestEnd::kClientGone, "client_gone"},  // the client left before the end
     {RequestEnd::kRefused, "refused"},         // nobody could, or nobody had room
     {RequestEnd::kFailed, "failed"},           // every endpoint that was tried failed
     {RequestEnd::kCutOff, "cut_off"}}};        // the controller ended within its answer
constexpr const auto& NamesOf(RequestEnd) { return kRequestEndNames; }

// All that is kept of a request: what it was routed by, so that the decision can be made again, and
// what came of it.
struct Request {
  RequestId id{};
  EventNumber view{};  // the router's inputs that it was routed by (record::RouterRow)
  RequestFeatures features;
  std::vector<EndpointReading> readings;  // of able endpoints, by place in the view
  std::uint64_t draw = 0;                 // for choices by chance and in turn
  std::vector<std::uint32_t> order;       // endpoints in the order they were to be tried
  PoolId spilled_from = kNoPool;      // the first pool in claim order, where another was chosen ...
  Code spilled_code = Code::kChosen;  // ... and why it was not
  std::vector<ForwardAttempt> attempts;  // as they were tried; the last one answered
  RequestEnd end = RequestEnd::kAnswered;
  int status = 200;           // of HTTP, as the client saw it
  Code code = Code::kChosen;  // refused: why
  absl::Time ended;
  std::string answered_by;             // the model
  absl::Duration queued{};             // in our own queue
  std::optional<absl::Duration> ttft;  // from arrival to the first token
  std::optional<absl::Duration> tpot;  // between tokens, mean; two tokens at least
  std::optional<std::int64_t> prompt_tokens, output_tokens, cached_tokens;  // as the engine said
  absl::Duration held{};  // share of the endpoint's time: the integral of 1 / sequences in flight
  Estimate expected;      // of the endpoint that answered
  // The same before corrections: what they are learned from. ttft zero: it was expected to wait
  // for others to end, which says nothing about speed.
  absl::Duration raw_ttft{}, raw_tpot{};
  Usd cost{}, marginal_cost{};
  Usd egress{};  // of both: what the answer paid to leave its site
  bool priced = true;
  std::optional<Usd> baseline_cost;
  PoolId baseline_pool = kNoPool;
  Code baseline_code = Code::kChosen;  // none: why
  Joules energy{};
  GramsCo2e carbon{};
  std::optional<CascadeStep> cascade;  // none: no cascade was in force for it
  friend bool operator==(const Request&, const Request&) = default;

  EndpointKey endpoint() const { return attempts.empty() ? kNoEndpoint : attempts.back().endpoint; }
};

}  // namespace spillway
