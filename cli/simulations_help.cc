#include "cli/simulations_help.h"

namespace spillway::cli {

std::vector<CommandSpec> SimulationsCommands() {
  return {
      {.path = "simulations",
       .operands = "[SIMULATION]",
       .summary = "list the simulations of a controller, or show one",
       .says =
           "Those that wait, the one that runs, and the newest of those that are over, with their\n"
           "verdicts. They are the same as on the dashboard's page What-if.",
       .examples = {{{"spillway simulations", "what was asked, and what came out"},
                     {"spillway simulations sim-000001 -o json", "one of them, for scripts"}}},
       .max_operands = 1},
      {.path = "simulations start",
       .summary = "run a scenario beside a controller, or its own past once more",
       .says =
           "One of --scenario, --file and --past. The controller runs them one after the other,\n"
           "nicely, and keeps the results; `spillway simulate` runs one here instead, without any\n"
           "controller. With --wait the exit code is 1 if it failed or was cancelled.",
       .options = {{"--scenario", "NAME", "one that came with the program: backstop, spot, ..."},
                   {"--file", "FILE", "a scenario of one's own; - for standard input"},
                   {"--past", "", "what came to the controller, run again"},
                   {"--policy", "FILE", "with --past: under this policy"},
                   {"--fleet", "FILE", "with --past: on this fleet"},
                   {"--prices", "FILE", "with --past: at these prices"},
                   {"--since", "TIME", "with --past: what came from this hour on"},
                   {"--until", "TIME", "with --past: what came before this hour"},
                   {"--seeds", "N", "runs of each cell of a scenario"},
                   {"--wait", "", "until it is over, and print its verdict"}},
       .examples = {{{"spillway simulations start --past --policy configs/policies/least-cost.yaml "
                      "--wait",
                      "what would it have cost under another policy?"},
                     {"spillway simulations start --scenario confidential --seeds 3",
                      "prints its id"}}}},
      {.path = "simulations cancel",
       .operands = "SIMULATION...",
       .summary = "end simulations",
       .says = "One that waits never begins; one that is over stays as it is.",
       .examples = {{{"spillway simulations cancel sim-000002", "one"},
                     {"spillway simulations cancel sim-000003 sim-000004", "two"}}},
       .min_operands = 1,
       .max_operands = 1000},
      {.path = "simulations report",
       .operands = "SIMULATION",
       .summary = "fetch what a simulation found",
       .says = "The report as one HTML file, or with --results its figures as JSON. A replay that "
               "changed\nnothing has figures only.",
       .options = {{"--out", "FILE", "into a file (default: standard output)"},
                   {"--results", "", "the figures"}},
       .examples =
           {{{"spillway simulations report sim-000001 --out report.html", "to open in a browser"},
             {"spillway simulations report sim-000001 --results > results.json", "for scripts"}}},
       .min_operands = 1,
       .max_operands = 1},
  };
}

}  // namespace spillway::cli
