#include "formats/traces/servegen.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <optional>
#include <string_view>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/status.h"
#include "formats/traces/columns.h"
#include "formats/traces/table_file.h"

namespace spillway {
namespace {

constexpr std::int64_t kMostClients = 1'000'000;
constexpr std::size_t kMostRows = 5'000'000;

absl::StatusOr<std::int64_t> ClientAt(const TableFile& file) {
  if (const auto client = WholeOf(file.text(0), 0, kMostClients)) return *client;
  return file.Fault(0, absl::StrCat("a whole number from 0 to ", kMostClients));
}
absl::StatusOr<std::int64_t> TimeAt(const TableFile& file) {
  TraceField field{file.text(1)};
  std::int64_t ns = 0;
  ReadSeconds(field, ns);
  if (!field.ok) return file.Fault(1, field.wanted);
  return ns;
}
absl::StatusOr<double> PositiveAt(const TableFile& file, std::size_t column) {
  const auto value = DecimalOf(file.text(column));
  if (value && *value > 0 && *value <= 1e6) return *value;
  return file.Fault(column, "a number, more than 0, up to 1e6");
}

absl::Status ReadRates(const std::string& path, std::map<std::int64_t, ServeGenClient>& clients) {
  SPILLWAY_ASSIGN_OR_RETURN(
      TableFile file, TableFile::Open(path, {"client", "t_s", "rate_rps", "iat_dist", "dist_p1"}));
  for (std::size_t rows = 0;; ++rows) {
    SPILLWAY_ASSIGN_OR_RETURN(const bool is_there, file.Next());
    if (!is_there) return absl::OkStatus();
    if (rows == kMostRows) return file.Fault(0, "at most 5000000 rows");
    SPILLWAY_ASSIGN_OR_RETURN(const std::int64_t client, ClientAt(file));
    ClientRate rate;
    SPILLWAY_ASSIGN_OR_RETURN(rate.begin, TimeAt(file));
    SPILLWAY_ASSIGN_OR_RETURN(rate.rate, PositiveAt(file, 2));
    if (file.text(3) != "Gamma" && file.text(3) != "Weibull") {
      return file.Fault(3, "Gamma or Weibull");
    }
    rate.gaps = file.text(3) == "Gamma" ? GapShape::kGamma : GapShape::kWeibull;
    SPILLWAY_ASSIGN_OR_RETURN(rate.shape, PositiveAt(file, 4));
    auto& rates = clients[client].rates;
    if (!rates.empty() && rate.begin < rates.back().begin + kServeGenWindow) {
      return file.Fault(1, "windows of a client in the order of time, 600 s apart at least");
    }
    rates.push_back(rate);
  }
}

absl::Status ReadQuantiles(const TableFile& file, std::array<double, 9>& out) {
  for (std::size_t i = 0; i < out.size(); ++i) {
    SPILLWAY_ASSIGN_OR_RETURN(out[i], file.Decimal(3 + i));
    const bool falls = i > 0 && out[i] < out[i - 1];
    if (falls || out[i] > kMostTraceTokens) {
      return file.Fault(3 + i, "quantiles that do not fall, up to 10000000");
    }
  }
  return absl::OkStatus();
}

// A window's two rows, in any order.
struct Halves {
  std::optional<std::array<double, 9>> input, output;
};

absl::Status ReadLengths(const std::string& path, std::map<std::int64_t, ServeGenClient>& clients) {
  SPILLWAY_ASSIGN_OR_RETURN(
      TableFile file, TableFile::Open(path, {"client", "window_start_s", "field", "p01", "p05",
                                             "p10", "p25", "p50", "p75", "p90", "p95", "p99"}));
  std::map<std::pair<std::int64_t, std::int64_t>, Halves> windows;
  for (std::size_t rows = 0;; ++rows) {
    SPILLWAY_ASSIGN_OR_RETURN(const bool is_there, file.Next());
    if (!is_there) break;
    if (rows == kMostRows) return file.Fault(0, "at most 5000000 rows");
    const bool is_input = file.text(2) == "input_tokens";
    if (!is_input && file.text(2) != "output_tokens") continue;
    SPILLWAY_ASSIGN_OR_RETURN(const std::int64_t client, ClientAt(file));
    SPILLWAY_ASSIGN_OR_RETURN(const std::int64_t begin, TimeAt(file));
    Halves& window = windows[{client, begin}];
    auto& half = is_input ? window.input : window.output;
    if (half) return file.Fault(1, "each field of a client and window once");
    SPILLWAY_RETURN_IF_ERROR(ReadQuantiles(file, half.emplace()));
  }
  for (const auto& [key, window] : windows) {
    if (!window.input || !window.output) {
      return absl::InvalidArgumentError(absl::StrCat(path, ": client ", key.first,
                                                     " lacks input_tokens or output_tokens at ",
                                                     key.second / 1'000'000'000, " s"));
    }
    clients[key.first].lengths.push_back({key.second, *window.input, *window.output});
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<ServeGenClients> ReadServeGen(const TraceSpec& spec) {
  std::map<std::int64_t, ServeGenClient> clients;
  SPILLWAY_RETURN_IF_ERROR(ReadRates(spec.file, clients));
  SPILLWAY_RETURN_IF_ERROR(ReadLengths(spec.lengths, clients));
  ServeGenClients read;
  for (auto& [number, client] : clients) {
    if (client.rates.empty() || client.lengths.empty()) {
      ++read.report.left_out;
      continue;
    }
    client.number = number;
    read.report.rows += static_cast<std::int64_t>(client.rates.size());
    read.clients.push_back(std::move(client));
  }
  if (read.clients.empty()) {
    return absl::InvalidArgumentError(
        absl::StrCat(spec.file, ": no client has both rates and, in ", spec.lengths, ", lengths"));
  }
  return read;
}

}  // namespace spillway
