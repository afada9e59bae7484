#include "adapters/process/supervisor_client.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <future>
#include <utility>

#include "absl/strings/str_cat.h"
#include "adapters/process/supervisor.h"
#include "core/check.h"
#include "core/status.h"

namespace spillway {
namespace {

constexpr absl::Duration kFirstBackoff = absl::Milliseconds(5);
constexpr absl::Duration kLastBackoff = absl::Seconds(1);

// What the supervisor, and through it every command, may inherit.
std::vector<std::string> CleanEnvironment() {
  std::vector<std::string> env;
  for (const char* name : {"PATH", "HOME", "LANG"}) {
    if (const char* value = getenv(name)) env.push_back(absl::StrCat(name, "=", value));
  }
  return env;
}

std::vector<char*> Pointers(std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  pointers.reserve(texts.size() + 1);
  for (std::string& text : texts) pointers.push_back(text.data());
  pointers.push_back(nullptr);
  return pointers;
}

}  // namespace

SupervisorClient::SupervisorClient(SupervisorClientOptions options)
    : options_(std::move(options)),
      wake_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
      backoff_(kFirstBackoff) {
  SPILLWAY_CHECK(wake_ && !options_.program.empty());
  loop_.WhenReadable(wake_.get(), [this] { RunTasks(); });
  thread_ = std::thread([this] { loop_.Run(); });
}

SupervisorClient::~SupervisorClient() {
  Post([this] { loop_.Stop(); });
  thread_.join();
}

void SupervisorClient::Post(std::function<void()> task) {
  {
    const std::lock_guard lock(mutex_);
    tasks_.push_back(std::move(task));
  }
  const std::uint64_t one = 1;
  [[maybe_unused]] const ssize_t written =
      write(wake_.get(), &one, sizeof one);  // full: it wakes anyway
}

void SupervisorClient::RunTasks() {
  std::uint64_t count = 0;
  [[maybe_unused]] const ssize_t got = read(wake_.get(), &count, sizeof count);
  std::vector<std::function<void()>> tasks;
  {
    const std::lock_guard lock(mutex_);
    tasks.swap(tasks_);
  }
  for (const auto& task : tasks) task();
}

absl::Status SupervisorClient::Take(const std::string& owner, std::uint64_t epoch,
                                    absl::Span<const AttemptKey> known, ReportSink sink) {
  auto answer = std::make_shared<std::promise<absl::Status>>();
  auto taken = answer->get_future();
  std::set<AttemptKey> confirmed(known.begin(), known.end());
  Post([this, owner, epoch, confirmed = std::move(confirmed), sink = std::move(sink), answer] {
    Owner& entry = owners_[owner];
    entry = {.epoch = epoch,
             .sink = sink,
             .confirmed = confirmed,
             .done = [answer](const absl::Status& status) { answer->set_value(status); }};
    if (connection_) return SendTake(entry, owner);
    Connect();
  });
  if (taken.wait_for(absl::ToChronoNanoseconds(options_.patience)) == std::future_status::ready)
    return taken.get();
  std::promise<std::string> trouble;
  Post([this, owner, &trouble] {
    owners_.erase(owner);
    trouble.set_value(last_trouble_);
  });
  const std::string words = trouble.get_future().get();
  // It may have come just before its owner was removed; nothing would be reported then.
  return absl::UnavailableError(
      absl::StrCat("the supervisor of ", options_.dir, " cannot be reached: ", words));
}

void SupervisorClient::SendTake(Owner& owner, const std::string& name) {
  owner.request = ++last_request_;
  TakeMessage take{
      .request = owner.request, .owner = name, .epoch = owner.epoch, .end_others = !owner.taken};
  take.known.assign(owner.confirmed.begin(), owner.confirmed.end());
  connection_->Send(FrameOf(MessageType::kTake, take));
}

void SupervisorClient::Ask(std::uint64_t request, Pending pending) {
  Pending& entry = pending_[request] = std::move(pending);
  if (connection_) {
    entry.sent = true;
    connection_->Send(entry.frame);
    return;
  }
  loop_.After(options_.patience, [this, request] { GiveUpUnsent(request); });
  Connect();
}

void SupervisorClient::GiveUpUnsent(std::uint64_t request) {
  const auto found = pending_.find(request);
  if (found == pending_.end() || found->second.sent)
    return;  // what was sent is asked until it is answered
  const Pending pending = std::move(found->second);
  pending_.erase(found);
  const absl::Status status =
      absl::UnavailableError(absl::StrCat("the supervisor cannot be reached: ", last_trouble_));
  if (pending.on_log) pending.on_log(status);
  if (pending.on_answer) {
    pending.on_answer({.request = request,
                       .code = static_cast<std::int32_t>(status.code()),
                       .message = std::string(status.message())});
  }
}

void SupervisorClient::Launch(const LaunchOrder& order, Done done) {
  Post([this, order, done = std::move(done)] {
    const std::uint64_t request = ++last_request_;
    std::string frame = FrameOf(MessageType::kLaunch, LaunchMessage{request, order});
    if (frame.size() > kMaxMessage) {
      return done(absl::InvalidArgumentError(absl::StrCat("command and environment take ",
                                                          frame.size(), " bytes, at most ",
                                                          kMaxMessage, " are possible")));
    }
    const auto on_answer = [this, owner = order.owner, key = order.key,
                            done](const AnswerMessage& answer) {
      if (const auto found = owners_.find(owner); found != owners_.end() && answer.status().ok()) {
        found->second.confirmed.insert(key);
      }
      done(answer.status());
    };
    Ask(request, {.owner = order.owner, .frame = std::move(frame), .on_answer = on_answer});
  });
}

void SupervisorClient::Cancel(const std::string& owner, AttemptKey key, std::uint64_t epoch) {
  Post([this, owner, key, epoch] {
    const std::uint64_t request = ++last_request_;
    Ask(request, {.owner = owner,
                  .frame = FrameOf(MessageType::kCancel, CancelMessage{request, key, epoch})});
  });
}

void SupervisorClient::Logs(const std::string& owner, AttemptKey key, LogStream stream,
                            std::uint64_t offset, std::size_t limit, bool follow,
                            JobAdapter::LogAnswer answer) {
  auto shared = std::make_shared<JobAdapter::LogAnswer>(std::move(answer));
  Post([=, this] {
    const std::uint64_t request = ++last_request_;
    const auto most = static_cast<std::uint32_t>(std::min<std::size_t>(limit, kMaxLogRead));
    Ask(request,
        {.owner = owner,
         .frame = FrameOf(MessageType::kReadLog,
                          ReadLogMessage{request, key, stream, offset, most, follow}),
         .on_log = [shared](absl::StatusOr<LogChunk> chunk) { (*shared)(std::move(chunk)); }});
  });
}

void SupervisorClient::Acknowledge(const std::string& owner, AttemptKey key) {
  Post([this, owner, key] {
    if (const auto found = owners_.find(owner); found != owners_.end())
      found->second.confirmed.erase(key);
    if (connection_) connection_->Send(FrameOf(MessageType::kSeen, SeenMessage{key}));
  });
}

void SupervisorClient::Leave(const std::string& owner) {
  std::promise<void> left;
  Post([this, owner, &left] {
    owners_.erase(owner);
    std::erase_if(pending_, [&](const auto& entry) { return entry.second.owner == owner; });
    left.set_value();
  });
  left.get_future().wait();
}

std::vector<std::string> SupervisorClient::Limits() const {
  const std::lock_guard lock(mutex_);
  return limits_;
}

void SupervisorClient::Connect() {
  if (connection_ || connecting_) return;
  if (mkdir(options_.dir.c_str(), 0700) == 0 || errno == EEXIST) {
    dir_.Reset(open(options_.dir.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  }
  if (!dir_) {
    last_trouble_ = absl::StrCat("its folder cannot be opened: ", strerror(errno));
  } else {
    int socket = ConnectToSupervisor(dir_.get());
    if (socket < 0) {
      const absl::Status started = StartSupervisor();
      if (!started.ok()) last_trouble_ = std::string(started.message());
      socket = ConnectToSupervisor(dir_.get());
    }
    if (socket >= 0) return OnConnected(UniqueFd(socket));
  }
  connecting_ = true;
  loop_.After(std::exchange(backoff_, std::min(backoff_ * 2, kLastBackoff)), [this] {
    connecting_ = false;
    if (!owners_.empty() || !pending_.empty()) Connect();
  });
}

absl::Status SupervisorClient::StartSupervisor() {
  std::vector<std::string> argv = options_.program, env = CleanEnvironment();
  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
  posix_spawn_file_actions_init(&actions);
  posix_spawnattr_init(&attributes);
  const std::string log = absl::StrCat(options_.dir, "/", kSupervisorLog);
  posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, log.c_str(),
                                   O_WRONLY | O_CREAT | O_APPEND, 0600);
  posix_spawn_file_actions_adddup2(&actions, STDOUT_FILENO, STDERR_FILENO);
  posix_spawn_file_actions_addclosefrom_np(&actions, STDERR_FILENO + 1);
  sigset_t none, all;
  sigemptyset(&none);
  sigfillset(&all);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setsigdefault(&attributes, &all);
  posix_spawnattr_setflags(&attributes,
                           POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  pid_t pid = 0;
  const int error = posix_spawn(&pid, argv[0].c_str(), &actions, &attributes, Pointers(argv).data(),
                                Pointers(env).data());
  posix_spawn_file_actions_destroy(&actions);
  posix_spawnattr_destroy(&attributes);
  if (error != 0) return ErrnoStatus(error, absl::StrCat("start ", argv[0]));
  // The program splits off the supervisor and ends once that one answers.
  int status = 0;
  while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return absl::OkStatus();
  return absl::UnavailableError(absl::StrCat("it could not be started; ", log, " says why"));
}

void SupervisorClient::OnConnected(UniqueFd socket) {
  fcntl(socket.get(), F_SETFL, O_NONBLOCK);
  backoff_ = kFirstBackoff;
  connection_ = std::make_unique<Connection>(
      loop_, std::move(socket),
      Connection::Callbacks{.on_frame = [this](const Frame& frame) { OnFrame(frame); },
                            .on_closed = [this] { OnClosed(); }});
  for (auto& [name, owner] : owners_) SendTake(owner, name);
  for (auto& [request, pending] : pending_) {
    pending.sent = true;
    connection_->Send(pending.frame);
  }
}

void SupervisorClient::OnClosed() {
  connection_.reset();
  last_trouble_ = "it closed the connection";
  if (!owners_.empty() || !pending_.empty()) Connect();
}

void SupervisorClient::OnFrame(const Frame& frame) {
  const auto type = static_cast<MessageType>(frame.type);
  if (frame.version == kProtocolVersion && type == MessageType::kReport) {
    if (const auto report = Decode<RunReport>(frame.body)) {
      const auto owner = owners_.find(report->owner);
      if (owner == owners_.end()) return;
      if (report->phase == RunPhase::kEnded) owner->second.confirmed.erase(report->key);
      const ReportSink sink = owner->second.sink;  // it may leave
      return sink(*report);
    }
  } else if (frame.version == kProtocolVersion && type == MessageType::kAnswer) {
    if (auto answer = Decode<AnswerMessage>(frame.body)) return OnAnswer(*std::move(answer));
  } else if (frame.version == kProtocolVersion && type == MessageType::kLogAnswer) {
    if (auto answer = Decode<LogAnswerMessage>(frame.body)) return OnLogAnswer(*std::move(answer));
  }
  last_trouble_ =
      absl::StrCat("it speaks another language: version ", frame.version, ", message ", frame.type);
  connection_->Close();
}

void SupervisorClient::OnAnswer(AnswerMessage answer) {
  for (auto& [name, owner] : owners_) {
    if (owner.request != answer.request) continue;
    owner.request = 0;
    owner.taken = owner.taken || answer.status().ok();
    if (answer.status().ok()) {
      const std::lock_guard lock(mutex_);
      limits_ = answer.limits;
    }
    const Done done = std::exchange(owner.done, nullptr);
    if (done && !answer.status().ok()) owners_.erase(std::string(name));
    if (done) done(answer.status());
    return;
  }
  const auto found = pending_.find(answer.request);
  if (found == pending_.end()) return;
  const auto on_answer = std::move(found->second.on_answer);
  pending_.erase(found);
  if (on_answer) on_answer(std::move(answer));
}

void SupervisorClient::OnLogAnswer(LogAnswerMessage answer) {
  const auto found = pending_.find(answer.request);
  if (found == pending_.end() || !found->second.on_log) return;
  const auto on_log = std::move(found->second.on_log);
  pending_.erase(found);
  if (answer.code != 0)
    return on_log(absl::Status(static_cast<absl::StatusCode>(answer.code), answer.message));
  on_log(LogChunk{std::move(answer.bytes), answer.next, answer.dropped, answer.end});
}

}  // namespace spillway
