#pragma once

#include <string>

#include "core/cascade.h"
#include "formats/json_schema.h"

namespace spillway {

// What is done with an answer of an engine that is held back until it is judged.
struct HeldAnswer {
  bool events = false;                 // a stream of events, else one whole answer
  bool cut_logprobs = false;           // we asked for them, the client did not
  const WantedJson* wanted = nullptr;  // the JSON that the client asked for; null: none
};

// Reads the facts of the answer in `body`, which is all that the client would get, and makes `null`
// of each `logprobs` if they are to be cut. Bodies that are no answer are left as they are. Holds a
// second copy of the body while it works.
AnswerFacts ReadHeldAnswer(const HeldAnswer& how, std::string& body);

}  // namespace spillway
