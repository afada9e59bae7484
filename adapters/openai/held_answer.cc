#include "adapters/openai/held_answer.h"

#include <algorithm>
#include <string_view>
#include <vector>

#include "absl/strings/str_cat.h"
#include "core/text.h"
#include "formats/answer_reading.h"
#include "net/sse_splitter.h"

namespace spillway {
namespace {

// `json` with null in place of each of the ranges, which rise.
void AppendWithout(std::string_view json, const std::vector<ByteRange>& ranges, std::string& out) {
  std::size_t done = 0;
  for (const ByteRange& range : ranges) {
    out.append(json.substr(done, range.at - done)).append("null");
    done = range.at + range.size;
  }
  out.append(json.substr(done));
}

class EventsReader {
 public:
  EventsReader(std::string_view body, AnswerReading* reading)
      : body_(body), reading_(*reading), events_(body.size() + 1) {}

  // False: it is no stream of an answer. `out` gets the stream without logprobs.
  bool Run(std::string& out) {
    events_.Feed(body_);
    SseSplitter::Event event;
    std::vector<ByteRange> logprobs;
    while (events_.Next(&event)) {
      logprobs.clear();
      if (event.has_data && event.data != "[DONE]" && !reading_.Add(event.data, &logprobs))
        return false;
      if (logprobs.empty()) {
        out.append(event.bytes);
      } else {
        Append(event, logprobs, out);
      }
    }
    out.append(events_.rest());
    return true;
  }

 private:
  static void Append(const SseSplitter::Event& event, const std::vector<ByteRange>& logprobs,
                     std::string& out) {
    const auto at = event.bytes.find(event.data);
    std::string json;
    AppendWithout(event.data, logprobs, json);
    if (at != std::string_view::npos) {
      absl::StrAppend(&out, ToAbsl(event.bytes.substr(0, at)), json,
                      ToAbsl(event.bytes.substr(at + event.data.size())));
      return;
    }
    // Its data came on several lines: those ends are blanks of the JSON.
    std::replace(json.begin(), json.end(), '\n', ' ');
    absl::StrAppend(&out, "data: ", json, "\n\n");
  }

  const std::string_view body_;
  AnswerReading& reading_;
  SseSplitter events_;
};

}  // namespace

AnswerFacts ReadHeldAnswer(const HeldAnswer& how, std::string& body) {
  AnswerReading reading;
  std::string without;
  if (how.events) {
    if (!EventsReader(body, &reading).Run(without)) return {};
  } else {
    std::vector<ByteRange> logprobs;
    if (!reading.Add(body, &logprobs)) return {};
    if (how.cut_logprobs) AppendWithout(body, logprobs, without);
  }
  if (how.cut_logprobs) body = std::move(without);
  return reading.Facts(how.wanted);
}

}  // namespace spillway
