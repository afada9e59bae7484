#include "cli/commands.h"

#include "cli/simulations_help.h"

namespace spillway::cli {
namespace {

// How a job is described on the command line; `submit` and `explain --dry-run` share it.
std::vector<OptionSpec> JobOptions() {
  return {
      {"--name", "NAME", "what repeats: durations are learned by name"},
      {"--cpus", "N", "CPUs it holds: 2, 0.5 (default 1)"},
      {"--memory", "SIZE", "memory it holds: 512MiB, 4GiB (default 256MiB)"},
      {"--devices", "N", "accelerators it holds (default 0)"},
      {"--device-kind", "KIND", "gpu or npu", false, "gpu npu"},
      {"--device-memory", "SIZE", "memory of each device"},
      {"--vendor", "NAME", "vendor of the devices: intel, habana, nvidia, ..."},
      {"--runtime", "NEED", "software it needs there: openvino, 'cuda>=12'"},
      {"--arch", "ARCH", "x86_64, arm64 or riscv64", false, "x86_64 arm64 riscv64"},
      {"--feature", "NAME", "a feature the hardware must have: amx, tdx, ...", true},
      {"--site", "NAME", "only there; may be given several times", true},
      {"--pool", "NAME", "on this pool and no other, whatever the policy says"},
      {"--class", "NAME", "its class of work, with --units"},
      {"--units", "N", "how many units of the class it does"},
      {"--seconds", "N", "or how long it takes, in seconds"},
      {"--deadline", "WHEN", "must be finished by then: 10m from now, or 2026-08-01T12:00:00Z"},
      {"--start-within", "TIME", "must start within: 30s, 5m"},
      {"--max-cost", "USD", "must not cost more: 0.05"},
      {"--on-miss", "WHAT", "when the objective cannot be met: run (default) or fail", false,
       "run fail"},
      {"--priority", "N", "-100 to 100, larger goes first"},
      {"--retries", "N", "times it is tried again after a failure of its own"},
      {"--label", "KEY=VALUE", "a label; may be given several times", true},
      {"--env", "KEY=VALUE", "a variable of its environment; may be given several times", true},
      {"--cwd", "DIR", "where it runs (default: a fresh folder of its own)"},
  };
}

std::vector<OptionSpec> Plus(std::vector<OptionSpec> first, const std::vector<OptionSpec>& more) {
  first.insert(first.end(), more.begin(), more.end());
  return first;
}

CommandSpec Serve() {
  return {
      .path = "serve",
      .summary = "run the controller",
      .says =
          "Places jobs and serves the API until SIGTERM or Ctrl-C. Jobs that run then go on under\n"
          "their supervisor, and the next start takes them over. SIGHUP reads the file again:\n"
          "new pools join, those that it changes wait for a restart; if anything is wrong, all\n"
          "stays as it was.",
      .options = {{"--config", "FILE",
                   "YAML documents: Fleet, and if wanted Server, Policy, Prices, Tenants"},
                  {"--state", "DIR", "where it keeps its records; made if missing"},
                  {"--listen", "HOST:PORT",
                   "in place of `listen:` in the file; port 0: any free one"},
                  {"--catalog", "DIR",
                   "devices and work classes (default: the ones that came with the program)"}},
      .examples =
          {{{"spillway serve --config configs/fleets/demo.yaml --state /tmp/spillway",
             "this machine and four modelled pools"},
            {"spillway serve --config fleet.yaml --state /var/lib/spillway --listen 127.0.0.1:0",
             "on a free port; DIR/address says which"}}},
      .speaks_to_server = false,
      .prints_documents = false};
}

CommandSpec Submit() {
  return {
      .path = "submit",
      .operands = "[FILE] [-- COMMAND...]",
      .summary = "hand in a job",
      .says =
          "The job comes from a JSON file (- for standard input), from options, or from both: "
          "options\n"
          "win. Prints the job's id. A submission that is repeated after a lost connection starts\n"
          "nothing twice.",
      .options =
          Plus({{"--wait", "", "until it is over; the exit code says whether it succeeded"},
                {"--follow", "", "like --wait, and show its output meanwhile"},
                {"--dry-run", "", "only show where it would go"},
                {"--key", "TEXT",
                 "Idempotency-Key: the same key never submits twice (default: a random one)"}},
               JobOptions()),
      .examples = {{{"spillway submit --wait --cpus 2 -- sha256sum /etc/hostname",
                     "run a command on the cheapest pool that can"},
                    {"spillway submit job.json --deadline 10m --label team=web",
                     "a job from a file, with a deadline"}}},
      .max_operands = 1,
      .takes_command = true};
}

CommandSpec Jobs() {
  return {
      .path = "jobs",
      .operands = "[JOB]",
      .summary = "list jobs, or show one",
      .options =
          {{"--state", "STATE",
            "only these: queued, starting, running, succeeded, failed, cancelled", true,
            "queued starting running succeeded failed cancelled"},
           {"--pool", "NAME", "only those on this pool"},
           {"--name", "NAME", "only those of this name"},
           {"--limit", "N", "at most so many, newest first (default 20; 0: all)"},
           {"--why", "",
            "for each: why this pool, why not the others, and what NVIDIA alone would have cost"}},
      .examples = {{{"spillway jobs --state running --state queued", "what is going on"},
                    {"spillway jobs --why", "what went where and why, and what that saved"}}},
      .max_operands = 1};
}

CommandSpec Logs() {
  return {.path = "logs",
          .operands = "JOB",
          .summary = "print what a job printed",
          .options = {{"-f,--follow", "", "and what it prints from now on, until it is over"},
                      {"--stderr", "", "its standard error in place of its standard output"}},
          .examples = {{{"spillway logs job-000045", "all of its output so far"},
                        {"spillway logs --follow --stderr job-000045", "its errors as they come"}}},
          .min_operands = 1,
          .max_operands = 1,
          .prints_documents = false};
}

CommandSpec Cancel() {
  return {.path = "cancel",
          .operands = "JOB...",
          .summary = "end jobs, with all processes that they started",
          .says = "A job that is over stays as it is; that is no error.",
          .options = {{"--wait", "", "until they are over"}},
          .examples = {{{"spillway cancel job-000045", "one job"},
                        {"spillway cancel $(spillway jobs --state queued --limit 0 -o name)",
                         "all that wait"}}},
          .min_operands = 1,
          .max_operands = 10'000};
}

CommandSpec Pools() {
  return {.path = "pools",
          .operands = "[POOL]",
          .summary = "list pools, or show one",
          .examples = {{{"spillway pools", "every pool with its price and what is free"},
                        {"spillway pools -o wide", "with device, site and limits"}}},
          .max_operands = 1};
}

CommandSpec PoolVerb(std::string_view path, std::string_view summary, std::string_view says,
                     std::array<Example, 2> examples) {
  return {.path = path,
          .operands = "POOL",
          .summary = summary,
          .says = says,
          .examples = examples,
          .min_operands = 1,
          .max_operands = 1};
}

CommandSpec ExplainCommand() {
  return {.path = "explain",
          .operands = "[JOB|DECISION|FILE] [-- COMMAND...]",
          .summary = "say why a job went where it went",
          .says =
              "Every pool is listed, the chosen one first, with what the job would cost there, "
              "when it would\n"
              "start, and why it was or was not chosen. With --dry-run nothing is submitted: the "
              "answer is\n"
              "about a job that might be.",
          .options = Plus({{"--dry-run", "", "about a job in FILE, or one described by options"}},
                          JobOptions()),
          .examples = {{{"spillway explain job-000045", "the latest decision about a job"},
                        {"spillway explain --dry-run --devices 1 --runtime 'cuda>=12' -- ./train",
                         "where would this go?"}}},
          .max_operands = 1,
          .takes_command = true};
}

CommandSpec PolicyGet() {
  return {.path = "policy get",
          .summary = "print the policy in force",
          .examples = {
              {{"spillway policy get > policy.yaml", "to change it; its version is told beside it"},
               {"spillway policy get -o json > policy.json", "as JSON"}}}};
}

CommandSpec PolicyPut() {
  return {.path = "policy put",
          .operands = "FILE",
          .summary = "put a policy in force",
          .says =
              "The policy must pass its checks, else the old one stays. With --if-match it is "
              "replaced only\n"
              "if nobody changed it since; otherwise the exit code is 5.",
          .options = {{"--if-match", "VERSION", "the version that `policy get` showed"}},
          .examples = {{{"spillway policy put configs/policies/least-cost.yaml",
                         "from now on by dollars alone"},
                        {"spillway policy put policy.yaml --if-match 3", "only over version 3"}}},
          .min_operands = 1,
          .max_operands = 1};
}

CommandSpec PolicyCheck() {
  return {
      .path = "policy check",
      .operands = "FILE",
      .summary = "say what is wrong with a policy, and change nothing",
      .says =
          "Against the fleet of the running controller, or with --config against one in a file, "
          "without\n"
          "any controller. The exit code is 3 if something was found.",
      .options = {{"--config", "FILE", "the fleet that it is for"},
                  {"--catalog", "DIR", "devices and work classes for --config"}},
      .examples =
          {{{"spillway policy check policy.yaml", "against the fleet that runs"},
            {"spillway policy check configs/policies/tiers.yaml --config configs/fleets/demo.yaml",
             "without a controller"}}},
      .min_operands = 1,
      .max_operands = 1};
}

CommandSpec CheckConfig() {
  return {
      .path = "check config",
      .operands = "FILE",
      .summary = "say what is wrong with a file for `serve --config`",
      .says =
          "Reads it exactly as `serve` does. Every finding names its file, line and column. The "
          "exit\n"
          "code is 3 if something was found.",
      .options = {{"--catalog", "DIR",
                   "devices and work classes (default: the ones that came with the program)"}},
      .examples = {{{"spillway check config configs/fleets/demo.yaml",
                     "before a start or a reload"},
                    {"spillway check config fleet.yaml -o json", "for an editor or a pipeline"}}},
      .min_operands = 1,
      .max_operands = 1,
      .speaks_to_server = false};
}

CommandSpec Costs() {
  return {.path = "costs",
          .summary = "show what was paid for, and what was saved",
          .says =
              "What work cost, by tenant, model, pool, day or kind of work; what the "
              "infrastructure lost "
              "and what stood idle have lines of their own, and all of it is the bill. A saving "
              "compares "
              "the same work on both sides.",
          .options =
              {{"--by", "WHAT", "what a line is about", false, "tenant model pool day kind"},
               {"--from", "TIME",
                "hours from then on: 2026-08-01T00:00:00Z, or 24h ago as 24h (default: 30 days)"},
               {"--to", "TIME", "hours before then"},
               {"--tenant", "NAME", "only this tenant"}},
          .examples = {{{"spillway costs", "by tenant, of the last 30 days"},
                        {"spillway costs --by model --from 24h -o wide",
                         "with tokens, energy and carbon"}}}};
}

CommandSpec CostsExport() {
  return {.path = "costs export",
          .summary = "write the ledger for a billing system",
          .says =
              "FOCUS 1.2 (FinOps Open Cost and Usage Specification): a line for each hour, pool, "
              "tenant, category, kind and model. The sum of BilledCost is the bill, to the "
              "nano-dollar.",
          .options = {{"--format", "NAME", "what is written", false, "focus-csv"},
                      {"--from", "TIME", "hours from then on (default: 30 days)"},
                      {"--to", "TIME", "hours before then"},
                      {"--out", "FILE", "into a file (default: standard output)"}},
          .examples = {{{"spillway costs export --format focus-csv --out costs.csv",
                         "the last 30 days"},
                        {"spillway costs export --from 24h", "the last day"}}},
          .prints_documents = false};
}

CommandSpec PricesList() {
  return {.path = "prices list",
          .summary = "show what each pool costs, and from where that is known",
          .says =
              "Of the running controller what is in force; with --config what a file says, without "
              "any controller, now or as of another time.",
          .options = {{"--config", "FILE", "the file that `serve` reads"},
                      {"--as-of", "TIME", "in force then; with --config"},
                      {"--catalog", "DIR", "devices and work classes for --config"}},
          .examples = {{{"spillway prices list", "in force now"},
                        {"spillway prices list --config configs/fleets/demo.yaml --as-of "
                         "2026-09-01T00:00:00Z",
                         "what a file says of a day"}}}};
}

CommandSpec PricesCheck() {
  return {.path = "prices check",
          .operands = "FILE",
          .summary = "say what is wrong with a price list, and change nothing",
          .says =
              "Unknown pools, units that are none of money, prices of one pool that overlap. The "
              "exit code is 3 if something was found.",
          .options = {{"--config", "FILE", "the fleet that it is for"},
                      {"--catalog", "DIR", "devices and work classes"}},
          .examples = {{{"spillway prices check prices.yaml --config configs/fleets/demo.yaml",
                         "before it goes into the configuration"},
                        {"spillway prices check - --config configs/fleets/demo.yaml",
                         "from standard input"}}},
          .min_operands = 1,
          .max_operands = 1,
          .speaks_to_server = false};
}

CommandSpec Ledger() {
  return {
      .path = "ledger",
      .summary = "show what was spent, by hour, pool and tenant",
      .says =
          "Each pool's rows add up to its bill exactly; what nobody used stands in a row of its "
          "own.",
      .options = {{"--from", "TIME", "hours from then on: 2026-08-01T00:00:00Z, or 24h ago as 24h"},
                  {"--until", "TIME", "hours before then"},
                  {"--pool", "NAME", "only this pool"}},
      .examples = {
          {{"spillway ledger", "everything"},
           {"spillway ledger --from 24h --pool a10 -o json", "what NVIDIA took in the last day"}}}};
}

CommandSpec VersionCommand() {
  return {.path = "version",
          .summary = "print the version",
          .examples = {{{"spillway version", "of this program"},
                        {"spillway version -o json", "for scripts"}}},
          .speaks_to_server = false};
}

CommandSpec TopCommand() {
  return {
      .path = "top",
      .summary = "watch pools and decisions as they are now",
      .says =
          "On a terminal it shows the latest every second until q or Ctrl-C; elsewhere, or with\n"
          "--once, it prints one picture and ends.",
      .options = {{"--once", "", "one picture"},
                  {"--every", "TIME", "between two looks (default 1s)"}},
      .examples = {{{"spillway top", "what goes where, what it costs, what waits"},
                    {"spillway top --once", "for a report or a pipe"}}},
      .prints_documents = false};
}

CommandSpec DoctorCommand() {
  return {
      .path = "doctor",
      .summary = "say what is wrong with a controller, and what to do",
      .says =
          "Looks at the controller, its configuration, pools, prices, engines, queue, records and\n"
          "bounds, and changes nothing. The exit code is 3 if something was found.",
      .examples = {{{"spillway doctor", "before asking somebody else"},
                    {"spillway doctor -o json", "for a pipeline"}}}};
}

CommandSpec Completion() {
  return {
      .path = "completion",
      .operands = "SHELL",
      .summary = "print what lets a shell complete commands",
      .says =
          "SHELL is bash, zsh or fish. Names of jobs and pools come from the running controller.\n"
          "The Debian package installs all three.",
      .examples = {{{"spillway completion bash",
                     "for this shell alone: source <(spillway completion bash)"},
                    {"spillway completion zsh",
                     "as a file _spillway in a folder of $fpath; fish: spillway.fish in "
                     "~/.config/fish/completions"}}},
      .min_operands = 1,
      .max_operands = 1,
      .speaks_to_server = false,
      .prints_documents = false};
}

CommandSpec Help() {
  return {.path = "help",
          .operands = "[COMMAND...]",
          .summary = "explain a command",
          .options = {{"--markdown", "", "all commands as a page, as in docs/cli.md"},
                      {"--man-pages", "DIR", "write the manual pages there; made if missing"}},
          .examples = {{{"spillway help submit", "the same as spillway submit --help"},
                        {"spillway help policy put", "a command of two words"}}},
          .max_operands = 2,
          .speaks_to_server = false,
          .prints_documents = false};
}

// Started by the controller itself; it outlives it and holds the running commands.
CommandSpec Supervise() {
  return {.path = "supervise",
          .operands = "DIR",
          .summary = "hold running commands for the controller",
          .examples = {{{"spillway supervise DIR", "started by `spillway serve`"},
                        {"spillway supervise DIR", "not by people"}}},
          .min_operands = 1,
          .max_operands = 1,
          .hidden = true,
          .speaks_to_server = false,
          .prints_documents = false};
}

CommandSpec EngineCommand() {
  return {
      .path = "engine",
      .summary = "run a modelled inference engine",
      .says =
          "Speaks OpenAI's API and shows vLLM's metrics. Speed, queue and memory are those of the\n"
          "model on the device; the words mean nothing. Runs until SIGTERM or Ctrl-C.",
      .options = {{"--device", "NAME",
                   "of the catalogue: nvidia-a10g-24g, xeon-spr-amx-16vcpu, ..."},
                  {"--devices", "N", "devices that it holds (default 1)"},
                  {"--model", "NAME", "of the catalogue: qwen2-7b, bge-base, ..."},
                  {"--name", "NAME", "what clients call the model (default: the same)"},
                  {"--precision", "NAME", "bf16 (default), fp16, fp8, int8 or int4", false,
                   "bf16 fp16 fp8 int8 int4"},
                  {"--max-sequences", "N", "in one batch (default 64, on CPUs 16)"},
                  {"--listen", "HOST:PORT", "default 127.0.0.1:8000; port 0: any free one"},
                  {"--speedup", "N", "this many times as fast as the device (default 1)"},
                  {"--mean-output", "N", "tokens of an answer that nothing cuts off (default 128)"},
                  {"--seed", "N", "of words and lengths (default 1)"},
                  {"--fault", "NAME=VALUE",
                   "misbehave: error, stall, drop, truncate or lie=FRACTION of the requests, "
                   "slow_start=TIME; may be given several times",
                   true},
                  {"--fault-endpoint", "", "let GET and POST /_faults show and change that"},
                  {"--catalog", "DIR",
                   "devices and models (default: the ones that came with the program)"}},
      .examples = {{{"spillway engine --device nvidia-a10g-24g --model qwen2-7b",
                     "an A10G that anybody can have"},
                    {"spillway engine --device edge-npu-8g --model qwen2-0.5b --listen 127.0.0.1:0 "
                     "--fault drop=0.1",
                     "on a free port; every tenth answer breaks off"}}},
      .speaks_to_server = false,
      .prints_documents = false};
}

CommandSpec SimulateCommand() {
  return {
      .path = "simulate",
      .operands = "[SCENARIO]",
      .summary = "what a load would cost on other fleets and under other policies",
      .says =
          "Drives the scheduler and the router themselves through recorded or made-up load, in\n"
          "virtual time: every fleet under every policy with every workload, over several seeds.\n"
          "Writes report.html, results.json, results.csv, summary.md and scenario.lock.yaml.\n"
          "docs/simulation.md says how a scenario is written.\n"
          "With --replay it decides what a controller recorded once more, which must come out the\n"
          "same (exit code 1 if not), and runs what came to it again, as it was or changed.",
      .options = {{"-o,--out", "DIR", "where the results go; made if it is missing"},
                  {"--seeds", "N", "runs of each cell (default: the scenario's)"},
                  {"--jobs", "N", "cells at the same time (default: as many as CPUs)"},
                  {"--skip-bad-rows", "N", "let so many bad rows of a trace pass, and report them"},
                  {"--replay", "DIR", "a controller's state folder, in place of a scenario"},
                  {"--policy", "FILE", "with --replay: under this policy"},
                  {"--fleet", "FILE", "with --replay: on this fleet"},
                  {"--prices", "FILE", "with --replay: at these prices"},
                  {"--since", "TIME", "with --replay: what came from this hour on, run again"},
                  {"--until", "TIME", "with --replay: what came before this hour"},
                  {"--library", "DIR",
                   "read the scenario as if it lay in DIR/scenarios, and let it name no file but "
                   "those of DIR"},
                  {"--progress", "FORM",
                   "bar (default: on a terminal) or json: a line for each step, on standard error"},
                  {"--catalog", "DIR",
                   "devices and models (default: the ones that came with the program)"}},
      .examples = {{{"spillway simulate --replay /var/lib/spillway --policy other.yaml -o out",
                     "the bill of what was, under another policy"},
                    {"spillway simulate configs/scenarios/backstop.yaml -o out",
                     "a mixed fleet against NVIDIA only"}}},
      .min_operands = 0,
      .max_operands = 1,
      .speaks_to_server = false};
}

std::vector<CommandSpec> MakeTable() {
  std::vector<CommandSpec> table = {
      Serve(),
      EngineCommand(),
      SimulateCommand(),
      Submit(),
      Jobs(),
      Logs(),
      Cancel(),
      ExplainCommand(),
      Pools(),
      PoolVerb(
          "pools cordon", "start nothing new on a pool",
          "What runs there goes on. Work that only this pool could do waits.",
          {{{"spillway pools cordon a10", "for now"}, {"spillway pools resume a10", "and back"}}}),
      PoolVerb("pools drain", "let a pool run empty, then cordon it", "",
               {{{"spillway pools drain xeon-amx", "before maintenance"},
                 {"spillway jobs --pool xeon-amx --state running", "what is still there"}}}),
      PoolVerb("pools resume", "let a pool take work again", "",
               {{{"spillway pools resume xeon-amx", "after cordon or drain"},
                 {"spillway pools xeon-amx", "its state"}}}),
      PolicyGet(),
      PolicyPut(),
      PolicyCheck(),
      CheckConfig(),
      Costs(),
      CostsExport(),
      PricesList(),
      PricesCheck(),
      Ledger(),
      TopCommand(),
      DoctorCommand(),
      Completion(),
      VersionCommand(),
      Help(),
      Supervise(),
  };
  // Behind `simulate`, which does the same without a controller.
  constexpr std::ptrdiff_t kBehindSimulate = 3;
  const std::vector<CommandSpec> simulations = SimulationsCommands();
  table.insert(table.begin() + kBehindSimulate, simulations.begin(), simulations.end());
  return table;
}

}  // namespace

std::string_view OptionSpec::LongName() const {
  const std::size_t comma = name.find(',');
  return comma == std::string_view::npos ? name : name.substr(comma + 1);
}

std::string_view OptionSpec::ShortName() const {
  const std::size_t comma = name.find(',');
  return comma == std::string_view::npos ? std::string_view() : name.substr(0, comma);
}

const std::vector<CommandSpec>& Commands() {
  static const auto& table = *new std::vector<CommandSpec>(MakeTable());
  return table;
}

const std::vector<OptionSpec>& CommonOptions() {
  static const auto& options = *new std::vector<OptionSpec>{
      {"--server", "URL", "the controller (default: $SPILLWAY_SERVER, else http://127.0.0.1:8080)"},
      {"-o,--output", "FORMAT",
       "table, wide, json, yaml or name (default: $SPILLWAY_OUTPUT, else table)", false,
       "table wide json yaml name"},
      {"--color", "WHEN", "auto, always or never (auto: on a terminal, unless $NO_COLOR is set)",
       false, "auto always never"},
      {"-h,--help", "", "explain the command"},
  };
  return options;
}

std::vector<OptionSpec> CommonOptionsOf(const CommandSpec& command) {
  std::vector<OptionSpec> options;
  for (OptionSpec option : CommonOptions()) {
    if (option.LongName() == "--output" && !command.prints_documents) continue;
    for (const OptionSpec& own : command.options) {
      if (!own.ShortName().empty() && own.ShortName() == option.ShortName())
        option.name = option.LongName();
    }
    options.push_back(option);
  }
  return options;
}

const CommandSpec* FindCommand(std::string_view path) {
  for (const CommandSpec& command : Commands()) {
    if (command.path == path) return &command;
  }
  return nullptr;
}

}  // namespace spillway::cli
