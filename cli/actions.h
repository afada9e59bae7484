#pragma once

#include "cli/api.h"
#include "cli/console.h"
#include "cli/parse.h"

// What each command does, given its words and where to write. Every one gives an exit code.
namespace spillway::cli {

int SubmitJob(const Invocation& args, Api& api, Console& console);
int ShowJobs(const Invocation& args, Api& api, Console& console);
int ShowLogs(const Invocation& args, Api& api, Console& console);
int CancelJobs(const Invocation& args, Api& api, Console& console);
int ExplainDecision(const Invocation& args, Api& api, Console& console);
int ShowPools(const Invocation& args, Api& api, Console& console);
int SetPoolState(const Invocation& args, Api& api, Console& console);  // cordon, drain, resume
int GetPolicy(const Invocation& args, Api& api, Console& console);
int PutPolicy(const Invocation& args, Api& api, Console& console);
int CheckPolicyThere(const Invocation& args, Api& api, Console& console);  // against what runs
int ShowLedger(const Invocation& args, Api& api, Console& console);
int ShowCosts(const Invocation& args, Api& api, Console& console);
int ExportCosts(const Invocation& args, Api& api, Console& console);
int ListPricesThere(const Invocation& args, Api& api, Console& console);
int ShowSimulations(const Invocation& args, Api& api, Console& console);
int StartSimulation(const Invocation& args, Api& api, Console& console);
int CancelSimulations(const Invocation& args, Api& api, Console& console);
int FetchSimulation(const Invocation& args, Api& api, Console& console);
int ShowTop(const Invocation& args, Api& api, Console& console);
int ShowDoctor(const Invocation& args, Api& api, Console& console);

// Without a controller.
int CheckPolicyHere(const Invocation& args, Console& console);
int ListPricesHere(const Invocation& args, Console& console);
int CheckPrices(const Invocation& args, Console& console);
int CheckConfig(const Invocation& args, Console& console);
int ShowVersion(const Invocation& args, Console& console);
int ShowCompletion(const Invocation& args, Console& console);
int ShowHelp(const Invocation& args, Console& console);
int Serve(const Invocation& args, Console& console);
int Simulate(const Invocation& args, Console& console);
int RunEngine(const Invocation& args, Console& console);
int Supervise(const Invocation& args, Console& console);

}  // namespace spillway::cli
