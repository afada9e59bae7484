#pragma once

#include "controller/northbound/route.h"
#include "core/ids.h"

// What stands behind each route, by operationId; routes.cc names them all. Handlers run on the
// server's threads; those that read may read the disk once or twice, those that change something
// wait for the host. `api` outlives every call.
namespace spillway::handle {

// inference.cc
Awaitable<HttpAnswer> ChatCompletions(Api& api, Call call);
Awaitable<HttpAnswer> Completions(Api& api, Call call);
Awaitable<HttpAnswer> Embeddings(Api& api, Call call);
Awaitable<HttpAnswer> ListModels(Api& api, Call call);
Awaitable<HttpAnswer> GetModel(Api& api, Call call);
// jobs.cc
Awaitable<HttpAnswer> SubmitJob(Api& api, Call call);
Awaitable<HttpAnswer> ListJobs(Api& api, Call call);
Awaitable<HttpAnswer> GetJob(Api& api, Call call);
Awaitable<HttpAnswer> CancelJob(Api& api, Call call);
// job_logs.cc
Awaitable<HttpAnswer> GetJobLogs(Api& api, Call call);
// job_watch.cc
Awaitable<HttpAnswer> WatchJob(Api& api, Call call);
// pools.cc
Awaitable<HttpAnswer> ListPools(Api& api, Call call);
Awaitable<HttpAnswer> AddPool(Api& api, Call call);
Awaitable<HttpAnswer> GetPool(Api& api, Call call);
Awaitable<HttpAnswer> CordonPool(Api& api, Call call);
Awaitable<HttpAnswer> DrainPool(Api& api, Call call);
Awaitable<HttpAnswer> ResumePool(Api& api, Call call);
Awaitable<HttpAnswer> GetPoolPrice(Api& api, Call call);
Awaitable<HttpAnswer> SetPoolPrice(Api& api, Call call);
Awaitable<HttpAnswer> ListDevices(Api& api, Call call);
// policy.cc
Awaitable<HttpAnswer> GetPolicy(Api& api, Call call);
Awaitable<HttpAnswer> SetPolicy(Api& api, Call call);
// decisions.cc
Awaitable<HttpAnswer> ListDecisions(Api& api, Call call);
Awaitable<HttpAnswer> GetDecision(Api& api, Call call);
Awaitable<HttpAnswer> DryRun(Api& api, Call call);
// requests.cc
Awaitable<HttpAnswer> ListRequests(Api& api, Call call);
Awaitable<HttpAnswer> GetRequestDecision(Api& api, Call call, RequestId id);
// costs.cc
Awaitable<HttpAnswer> GetCosts(Api& api, Call call);
// ledger.cc
Awaitable<HttpAnswer> GetLedger(Api& api, Call call);
// overview.cc
Awaitable<HttpAnswer> GetOverview(Api& api, Call call);
Awaitable<HttpAnswer> GetSeries(Api& api, Call call);
// stream.cc
Awaitable<HttpAnswer> GetStream(Api& api, Call call);
// assets.cc
Awaitable<HttpAnswer> GetAsset(Api& api, Call call);
// simulations.cc
Awaitable<HttpAnswer> StartSimulation(Api& api, Call call);
Awaitable<HttpAnswer> ListSimulations(Api& api, Call call);
Awaitable<HttpAnswer> GetSimulation(Api& api, Call call);
Awaitable<HttpAnswer> CancelSimulation(Api& api, Call call);
Awaitable<HttpAnswer> GetSimulationResults(Api& api, Call call);
Awaitable<HttpAnswer> GetSimulationReport(Api& api, Call call);
Awaitable<HttpAnswer> ListScenarios(Api& api, Call call);
// site.cc
Awaitable<HttpAnswer> GetMetrics(Api& api, Call call);
Awaitable<HttpAnswer> GetHealth(Api& api, Call call);
Awaitable<HttpAnswer> GetReady(Api& api, Call call);
Awaitable<HttpAnswer> GetOpenapi(Api& api, Call call);
Awaitable<HttpAnswer> GetIndex(Api& api, Call call);
Awaitable<HttpAnswer> GetProblem(Api& api, Call call);

}  // namespace spillway::handle
