#include "controller/serve_log.h"

#include <spdlog/logger.h>
#include <spdlog/sinks/stdout_sinks.h>

#include "absl/strings/str_cat.h"
#include "formats/json_writer.h"

namespace spillway {
namespace {

constexpr std::size_t kLongestLine = 4096;

// Control characters would forge lines or drive a terminal.
std::string OneLine(std::string_view words) {
  std::string line(words.substr(0, kLongestLine));
  for (char& c : line) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = ' ';
  }
  return line;
}

}  // namespace

class ServeLog::Impl {
 public:
  explicit Impl(bool json)
      : json_(json), logger_("spillway", std::make_shared<spdlog::sinks::stderr_sink_mt>()) {
    logger_.set_pattern(json ? R"({"at":"%Y-%m-%dT%H:%M:%S.%eZ","level":"%l","message":%v})"
                             : "%Y-%m-%dT%H:%M:%S.%eZ %l: %v",
                        spdlog::pattern_time_type::utc);
    logger_.flush_on(spdlog::level::info);
  }

  void Write(spdlog::level::level_enum level, std::string_view words) {
    std::string line = OneLine(words);
    if (json_) {
      std::string quoted;
      AppendJsonString(quoted, line);
      line = std::move(quoted);
    }
    logger_.log(level, spdlog::string_view_t(line.data(), line.size()));
  }

 private:
  const bool json_;
  spdlog::logger logger_;
};

ServeLog::ServeLog(bool json) : impl_(std::make_unique<Impl>(json)) {}
ServeLog::~ServeLog() = default;
void ServeLog::Info(std::string_view words) { impl_->Write(spdlog::level::info, words); }
void ServeLog::Warn(std::string_view words) { impl_->Write(spdlog::level::warn, words); }
void ServeLog::Error(std::string_view words) { impl_->Write(spdlog::level::err, words); }

std::string StoppedLate(std::uint64_t told, std::uint64_t cut, absl::Duration given) {
  return absl::StrCat(
      "still under way after ", absl::FormatDuration(given), ": ", told,
      told == 1 ? " request, which was" : " requests, which were", " told (`shutting_down`); ",
      cut == 0   ? "no connection was cut"
      : cut == 1 ? "1 connection did not end even so and was cut"
                 : absl::StrCat(cut, " connections did not end even so and were cut"));
}

}  // namespace spillway
