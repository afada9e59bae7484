#include "controller/simulation_desk.h"

#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/status.h"
#include "formats/file_text.h"
#include "formats/simulation_text.h"

namespace spillway {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kRecordBytes = 1 << 20;
constexpr std::size_t kOrderBytes = 2 << 20;
constexpr std::size_t kMostWords = 8 << 10;  // of an error
constexpr char kStopped[] =
    "the controller ended while it ran, and its results are not whole: start it again";

absl::Status Failed(const std::string& what, const std::string& path) {
  return absl::UnavailableError(absl::StrCat(what, " ", path, ": ", std::strerror(errno)));
}

void RemoveFolder(const std::string& folder) {
  std::error_code ignored;
  fs::remove_all(folder, ignored);
}

absl::Status NoSuch(std::uint64_t number) {
  return absl::NotFoundError(absl::StrCat("there is no simulation ", Simulation::IdOf(number)));
}

}  // namespace

SimulationDesk::SimulationDesk(Options options, SimulationRunner& runner, const Clock& clock)
    : options_(std::move(options)),
      runner_(runner),
      clock_(clock),
      scenarios_(runner.Scenarios()) {}

absl::StatusOr<std::unique_ptr<SimulationDesk>> SimulationDesk::Open(Options options,
                                                                     SimulationRunner& runner,
                                                                     const Clock& clock) {
  std::unique_ptr<SimulationDesk> desk(new SimulationDesk(std::move(options), runner, clock));
  SPILLWAY_RETURN_IF_ERROR(desk->Load());
  desk->thread_ = std::thread([d = desk.get()] { d->Work(); });
  return desk;
}

SimulationDesk::~SimulationDesk() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  come_.notify_all();
  if (thread_.joinable()) thread_.join();
}

std::string SimulationDesk::FolderOf(std::uint64_t number) const {
  return absl::StrCat(options_.folder, "/", Simulation::IdOf(number));
}

absl::Status SimulationDesk::Keep(const Simulation& simulation) const {
  std::string text;
  JsonWriter w(text);
  WriteSimulation(w, simulation);
  return ReplaceTextFile(FolderOf(simulation.number) + "/simulation.json", text + "\n");
}

// --- What a controller before this one left ---

absl::Status SimulationDesk::Load() {
  if (::mkdir(options_.folder.c_str(), S_IRWXU) != 0 && errno != EEXIST)
    return Failed("making", options_.folder);
  std::error_code error;
  for (fs::directory_iterator at(options_.folder, error), end; !error && at != end;
       at.increment(error)) {
    if (const auto number = ParseSimulationId(at->path().filename().string())) LoadOne(*number);
  }
  if (error)
    return absl::UnavailableError(absl::StrCat("reading ", options_.folder, ": ", error.message()));
  Sweep();
  return absl::OkStatus();
}

void SimulationDesk::LoadOne(std::uint64_t number) {
  last_ = std::max(last_, number);
  const std::string path = FolderOf(number) + "/simulation.json";
  const auto text = ReadTextFile(path, kRecordBytes);
  if (!text.ok()) return;  // its making was cut short: nobody was told of it
  auto read = ParseSimulation(*text, path);
  if (!read.ok() || read->number != number) return;
  if (read->state == SimulationState::kRunning) {
    read->state = SimulationState::kFailed;
    read->error = kStopped;
    read->finished_at = clock_.Now();
    RemoveFolder(FolderOf(number) + "/out");
    Keep(*read).IgnoreError();  // else the next start says the same
  }
  all_.emplace(number, *std::move(read));
}

// --- Orders ---

std::size_t SimulationDesk::Waiting() const {
  return static_cast<std::size_t>(std::count_if(all_.begin(), all_.end(), [](const auto& entry) {
    return entry.second.state == SimulationState::kQueued;
  }));
}

absl::StatusOr<Simulation> SimulationDesk::Start(const SimulationOrder& order,
                                                 const std::string& body) {
  if (const auto* shipped = std::get_if<ShippedScenario>(&order.what)) {
    const bool known =
        std::any_of(scenarios_.begin(), scenarios_.end(),
                    [&](const ShippedScenario& one) { return one.name == shipped->name; });
    if (!known)
      return absl::NotFoundError(absl::StrCat("no scenario `", shipped->name,
                                              "` came with the program; GET /api/v1/scenarios "
                                              "lists those that did"));
  }
  const std::lock_guard lock(mutex_);
  if (Waiting() >= options_.waiting)
    return absl::ResourceExhaustedError(
        absl::StrCat(options_.waiting, " simulations wait already, and that is the bound"));
  Simulation simulation;
  simulation.number = last_ + 1;
  simulation.name = NameOf(order);
  simulation.is_replay = std::holds_alternative<OwnPast>(order.what);
  simulation.created_at = clock_.Now();
  simulation.command = runner_.CommandFor(order);
  const std::string folder = FolderOf(simulation.number);
  if (::mkdir(folder.c_str(), S_IRWXU) != 0) return Failed("making", folder);
  ++last_;
  absl::Status kept = ReplaceTextFile(folder + "/order.json", body);
  if (kept.ok()) kept = Keep(simulation);
  if (!kept.ok()) {
    RemoveFolder(folder);
    return kept;
  }
  all_.emplace(simulation.number, simulation);
  come_.notify_one();
  return simulation;
}

absl::StatusOr<Simulation> SimulationDesk::Cancel(std::uint64_t number) {
  const std::lock_guard lock(mutex_);
  const auto found = all_.find(number);
  if (found == all_.end()) return NoSuch(number);
  Simulation& simulation = found->second;
  if (simulation.state == SimulationState::kRunning) cancel_ = number;
  if (simulation.state == SimulationState::kQueued) {
    simulation.state = SimulationState::kCancelled;
    simulation.finished_at = clock_.Now();
    SPILLWAY_RETURN_IF_ERROR(Keep(simulation));
    const Simulation told = simulation;
    Sweep();
    return told;
  }
  return simulation;
}

// --- One after the other ---

Simulation* SimulationDesk::NextWaiting() {
  for (auto& [number, simulation] : all_) {
    if (simulation.state == SimulationState::kQueued) return &simulation;
  }
  return nullptr;
}

void SimulationDesk::Work() {
  while (true) {
    Simulation taken;
    {
      std::unique_lock lock(mutex_);
      come_.wait(lock, [this] { return stopping_ || NextWaiting() != nullptr; });
      if (stopping_) return;
      Simulation& next = *NextWaiting();
      next.state = SimulationState::kRunning;
      next.started_at = clock_.Now();
      cancel_ = 0;
      Keep(next).IgnoreError();  // a disk that fails now fails the run as well
      taken = next;
    }
    RunOne(std::move(taken));
  }
}

void SimulationDesk::RunOne(Simulation simulation) {
  const std::uint64_t number = simulation.number;
  const std::string folder = FolderOf(number);
  const auto body = ReadTextFile(folder + "/order.json", kOrderBytes);
  if (!body.ok()) return Conclude(number, body.status());
  const auto order = ParseSimulationOrder(*body);
  if (!order.ok()) return Conclude(number, order.status());
  Conclude(number, runner_.Execute({.order = *order,
                                    .folder = folder,
                                    .on_progress =
                                        [&](SimulationProgress progress) {
                                          const std::lock_guard lock(mutex_);
                                          all_.at(number).progress = progress;
                                        },
                                    .cancelled = [&] { return stopping_ || cancel_ == number; }}));
}

void SimulationDesk::Conclude(std::uint64_t number, const absl::StatusOr<std::string>& ended) {
  const std::lock_guard lock(mutex_);
  Simulation& simulation = all_.at(number);
  simulation.finished_at = clock_.Now();
  simulation.progress.what.clear();
  cancel_ = 0;
  std::error_code ignored;
  if (ended.ok()) {
    simulation.state = SimulationState::kSucceeded;
    simulation.verdict = *ended;
    simulation.has_report = fs::exists(FolderOf(number) + "/out/report.html", ignored);
    simulation.progress.done = simulation.progress.total;
  } else if (absl::IsCancelled(ended.status()) && !stopping_) {
    simulation.state = SimulationState::kCancelled;
  } else {
    simulation.state = SimulationState::kFailed;
    simulation.error = stopping_ ? kStopped : std::string(ended.status().message());
    if (simulation.error.size() > kMostWords) simulation.error.resize(kMostWords);
  }
  // Nothing that looks whole and is not.
  if (!ended.ok()) RemoveFolder(FolderOf(number) + "/out");
  Keep(simulation).IgnoreError();  // at worst the next start says that it failed
  Sweep();
}

void SimulationDesk::Sweep() {
  auto over = static_cast<std::size_t>(std::count_if(
      all_.begin(), all_.end(), [](const auto& entry) { return IsOver(entry.second.state); }));
  for (auto at = all_.begin(); at != all_.end() && over > options_.kept;) {
    if (!IsOver(at->second.state) || at->first == last_) {
      ++at;
      continue;
    }
    RemoveFolder(FolderOf(at->first));
    at = all_.erase(at);
    --over;
  }
}

// --- What is told ---

std::vector<Simulation> SimulationDesk::List() {
  const std::lock_guard lock(mutex_);
  std::vector<Simulation> list;
  for (auto at = all_.rbegin(); at != all_.rend(); ++at) list.push_back(at->second);
  return list;
}

std::optional<Simulation> SimulationDesk::Find(std::uint64_t number) {
  const std::lock_guard lock(mutex_);
  const auto found = all_.find(number);
  return found == all_.end() ? std::nullopt : std::optional(found->second);
}

Simulations::Counts SimulationDesk::counts() {
  const std::lock_guard lock(mutex_);
  const bool runs = std::any_of(all_.begin(), all_.end(), [](const auto& entry) {
    return entry.second.state == SimulationState::kRunning;
  });
  return {.running = runs ? 1 : 0,
          .waiting = static_cast<int>(Waiting()),
          .most_waiting = static_cast<int>(options_.waiting)};
}

absl::StatusOr<Simulation> SimulationDesk::Succeeded(std::uint64_t number) {
  const auto simulation = Find(number);
  if (!simulation) return NoSuch(number);
  if (simulation->state == SimulationState::kSucceeded) return *simulation;
  return absl::NotFoundError(absl::StrCat("simulation ", simulation->Id(), " is ",
                                          ToAbsl(NameOf(simulation->state)),
                                          ": only one that succeeded has results"));
}

absl::StatusOr<std::string> SimulationDesk::ReadResult(std::uint64_t number,
                                                       const char* file) const {
  auto text = ReadTextFile(absl::StrCat(FolderOf(number), "/out/", file), options_.result_bytes);
  if (text.ok()) return text;
  return absl::NotFoundError(absl::StrCat(file, " of simulation ", Simulation::IdOf(number),
                                          " cannot be handed out: it is gone, or larger than ",
                                          options_.result_bytes, " bytes"));
}

absl::StatusOr<std::string> SimulationDesk::Results(std::uint64_t number) {
  SPILLWAY_ASSIGN_OR_RETURN(const Simulation simulation, Succeeded(number));
  return ReadResult(number, simulation.has_report ? "results.json" : "replay.json");
}

absl::StatusOr<std::string> SimulationDesk::Report(std::uint64_t number) {
  SPILLWAY_ASSIGN_OR_RETURN(const Simulation simulation, Succeeded(number));
  if (simulation.has_report) return ReadResult(number, "report.html");
  return absl::NotFoundError(absl::StrCat("simulation ", simulation.Id(),
                                          " has no report: a replay that changes nothing compares "
                                          "decisions, and its results say what came of it"));
}

}  // namespace spillway
