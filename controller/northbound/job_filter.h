#pragma once

#include <optional>
#include <string>
#include <vector>

#include "controller/archive.h"
#include "controller/northbound/known_names.h"
#include "controller/northbound/params.h"
#include "controller/northbound/views.h"

namespace spillway {

// `?pool=`, which must name a pool that is or once was.
inline std::optional<std::string> ReadPoolName(Params& params, const Snapshot& snapshot) {
  std::optional<std::string> pool = params.Text("pool");
  if (!pool) return pool;
  if (std::string why = WhyNoPool(*pool, snapshot); !why.empty())
    params.Refuse("pool", std::move(why));
  return pool;
}

// Reads the filters that a list of jobs and a watch share: state, pool, tenant, name.
inline void ReadJobFilters(Params& params, const Snapshot& snapshot, JobQuery& query) {
  query.tenant = params.Text("tenant");
  query.name = params.Text("name");
  query.pool = ReadPoolName(params, snapshot);
  for (const std::string& word : params.List("state")) {
    if (const auto state = ParseName<JobState>(word)) {
      query.states.push_back(*state);
    } else {
      params.Refuse("state", "is `" + word +
                                 "`, not queued, starting, running, succeeded, failed or "
                                 "cancelled");
    }
  }
}

// The same selection as Archive::ListJobs makes.
inline bool Selects(const JobQuery& query, const Job& job, const PoolNames& names) {
  if (query.tenant && job.work->tenant != *query.tenant) return false;
  if (query.name && job.work->name != *query.name) return false;
  if (query.pool) {
    const PoolSpec* pool = job.attempts.empty() ? nullptr : names(job.attempts.back().pool);
    if (pool == nullptr || pool->name != *query.pool) return false;
  }
  if (query.states.empty()) return true;
  for (const JobState state : query.states) {
    if (state == job.state) return true;
  }
  return false;
}

}  // namespace spillway
