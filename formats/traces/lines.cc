#include "formats/traces/lines.h"

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <system_error>
#include <utility>

#include "absl/strings/str_cat.h"
#include "formats/findings.h"

namespace spillway {

struct LineFile::Input {
  explicit Input(std::FILE* opened) : file(opened) {}
  Input(const Input&) = delete;
  Input& operator=(const Input&) = delete;
  ~Input() { std::fclose(file); }
  std::FILE* file;
};

LineFile::LineFile(std::string path, std::unique_ptr<Input> input)
    : path_(std::move(path)), input_(std::move(input)) {
  buffer_.resize(std::size_t{64} << 10);
}
LineFile::LineFile(LineFile&&) noexcept = default;
LineFile& LineFile::operator=(LineFile&&) noexcept = default;
LineFile::~LineFile() = default;

absl::StatusOr<LineFile> LineFile::Open(const std::string& path) {
  std::error_code error;
  const auto status = std::filesystem::status(path, error);
  if (!std::filesystem::exists(status)) {
    return absl::NotFoundError(absl::StrCat("reading ", path, ": there is no such file"));
  }
  if (std::filesystem::is_directory(status)) {
    return absl::InvalidArgumentError(absl::StrCat("reading ", path, ": it is a folder"));
  }
  std::FILE* file = std::fopen(path.c_str(), "rb");
  if (!file) {
    return absl::UnavailableError(absl::StrCat("reading ", path, ": ", std::strerror(errno)));
  }
  return LineFile(path, std::make_unique<Input>(file));
}

// Moves what is left to the front and reads on behind it, in a larger buffer if a line needs one.
bool LineFile::Fill() {
  if (at_end_) return false;
  buffer_.erase(0, begin_);
  end_ -= begin_;
  begin_ = 0;
  const std::size_t least = std::size_t{64} << 10;
  buffer_.resize(end_ + least);
  const std::size_t got = std::fread(buffer_.data() + end_, 1, least, input_->file);
  end_ += got;
  if (got == least) return true;
  at_end_ = true;
  if (std::ferror(input_->file)) {
    status_ = absl::UnavailableError(absl::StrCat("reading ", path_, ": ", std::strerror(errno)));
    end_ = begin_;
    return false;
  }
  return got > 0;
}

bool LineFile::Next(std::string_view& line) {
  if (!status_.ok()) return false;
  std::size_t searched = begin_;
  for (;;) {
    const void* found = std::memchr(buffer_.data() + searched, '\n', end_ - searched);
    std::size_t stop = end_;
    if (found) stop = static_cast<std::size_t>(static_cast<const char*>(found) - buffer_.data());
    if (stop - begin_ > kMostBytes) {
      InputError fault(path_);
      fault.Add(
          {"", number_ + 1, 1, absl::StrCat("the line is longer than ", kMostBytes, " bytes")});
      status_ = fault.ToStatus();
      return false;
    }
    if (!found) {
      const std::size_t held = end_ - begin_;
      if (Fill()) {
        searched = held;
        continue;
      }
      if (!status_.ok() || begin_ == end_) return false;
      stop = end_;
    }
    ++number_;
    line = std::string_view(buffer_).substr(begin_, stop - begin_);
    if (line.ends_with('\r')) line.remove_suffix(1);
    begin_ = found ? stop + 1 : end_;
    return true;
  }
}

const char* CsvLine::Split(std::string_view line) {
  fields_.clear();
  resolved_.clear();
  resolved_.reserve(kMostFields);  // so that fields may refer to them
  std::size_t at = 0;
  for (;;) {
    column_ = static_cast<std::uint32_t>(at + 1);
    if (fields_.size() == kMostFields) return "more than 256 fields";
    if (at < line.size() && line[at] == '"') {
      std::string& text = resolved_.emplace_back();
      for (++at;; ++at) {
        if (at == line.size()) return "a field in quotes does not end on its line";
        if (line[at] != '"') {
          text += line[at];
        } else if (at + 1 < line.size() && line[at + 1] == '"') {
          text += line[at++];
        } else {
          break;
        }
      }
      fields_.push_back({text, column_});
      if (++at < line.size() && line[at] != ',') return "something follows a field in quotes";
    } else {
      const std::size_t stop = std::min(line.find(',', at), line.size());
      fields_.push_back({line.substr(at, stop - at), column_});
      at = stop;
    }
    if (at >= line.size()) return nullptr;
    ++at;  // the comma
  }
}

}  // namespace spillway
