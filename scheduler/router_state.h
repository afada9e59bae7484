#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "core/event.h"
#include "core/record.h"
#include "core/request.h"
#include "core/router_inputs.h"

namespace spillway {

// What the brain knows of engines and has learned from their answers: the part of the router's
// inputs that changes by itself. Everything is whole numbers, so that a log always folds to the
// same.
//
//  - Health. An endpoint is down until it was seen. After kFaultsToEject faults in a row it is
//    ejected for 10 s, each time in a row 10 s longer, 5 min at most; one good answer ends the row.
//    An answer that breaks off is a fault; an engine that is busy (429, 503) and a client that
//    leaves are none.
//    At most half of all endpoints (one in any case) are ejected at the same time.
//  - Speed of a model on a pool: observed / estimated of the last 50 answers, without the way there
//    and our own queue, and without answers that took a second try; of those that had to wait for
//    others to end, the time between tokens only. What is in force follows when it is off by more
//    than a tenth, so that views do not change with each answer.
//  - Prompts of a model: bytes a token. Answers: lengths in buckets, four to the octave, and from
//    them how much answers under way still have to come. Old ones fade: counts are halved whenever
//    there are many.
class RouterState {
 public:
  static constexpr int kFaultsToEject = 5;
  static constexpr absl::Duration kEjection = absl::Seconds(10);
  static constexpr absl::Duration kLongestEjection = absl::Minutes(5);
  static constexpr int kOutputBuckets = 72;  // the last one: 7 x 2^16 tokens and more
  static constexpr std::size_t kMostModels = 1000;

  void Restore(record::SpeedRow row);
  void Restore(record::ModelRow row);
  // A controller has started: nobody was seen yet, and what is in force is what was learned.
  void Restart();

  // Each answers whether the router's inputs change.
  bool See(const event::EndpointSeen& seen);
  // `way`: the round trip to the pool that answered, which is no part of its engines' speed.
  bool Learn(const Request& request, absl::Duration way, absl::Time now,
             std::vector<Record>& records);
  // The same in two steps, for many at once: what was noted counts from Conclude() on.
  bool Note(const Request& request, absl::Duration way, absl::Time now);
  bool Conclude(std::vector<Record>& records);
  bool Expire(absl::Time now);

  // When the next ejection ends.
  absl::Time NextTimer() const;
  // The endpoints and corrections of one pool, which has `endpoints` of them.
  void Fill(PoolId id, int endpoints, RouterPool& pool) const;
  const std::map<std::string, ModelLearned>& models() const { return learned_; }

  // The bucket of an answer's length, and a length in the middle of a bucket.
  static int BucketOf(std::int64_t tokens);
  static std::int64_t TokensOf(int bucket);

 private:
  struct Endpoint {
    EndpointState state;
    int faults = 0;     // in a row
    int ejections = 0;  // in a row
    absl::Time until = absl::InfinitePast();
  };
  using PoolAndModel = std::pair<PoolId, std::string>;

  bool LearnHealth(const ForwardAttempt& attempt, absl::Time now);
  bool MayEject(PoolId pool) const;
  void NoteSpeed(const Request& request, absl::Duration way);
  void NoteModel(const Request& request);
  static bool Enforce(const record::SpeedRow& row, SpeedCorrection& in_force, bool anew);
  static bool Enforce(const record::ModelRow& row, ModelLearned& in_force, bool anew);

  std::map<EndpointKey, Endpoint> endpoints_;
  std::map<PoolAndModel, record::SpeedRow> speeds_;
  std::map<PoolAndModel, SpeedCorrection> corrections_;  // in force
  std::map<std::string, record::ModelRow> rows_;
  std::map<std::string, ModelLearned> learned_;  // in force
  std::set<PoolAndModel> noted_speeds_;          // since the last Conclude()
  std::set<std::string> noted_models_;
};

}  // namespace spillway
