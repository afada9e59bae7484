#include <algorithm>
#include <cmath>
#include <queue>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "core/status.h"
#include "formats/traces/servegen.h"
#include "simulator/workloads/arrival_times.h"
#include "simulator/workloads/draw.h"
#include "simulator/workloads/lengths.h"
#include "simulator/workloads/making.h"
#include "simulator/workloads/parts.h"

namespace spillway {
namespace {

class ServeGenPart final : public WorkloadPart {
 public:
  ServeGenPart(PartSpec part, ServeGenClients read)
      : spec(std::move(part)), source(std::get<TraceSpec>(spec.arrivals)), read(std::move(read)) {
    for (const ServeGenClient& client : this->read.clients) {
      last = std::max(last, client.rates.back().begin + kServeGenWindow);
    }
  }
  std::unique_ptr<ArrivalStream> Open(std::uint32_t number, absl::Time start,
                                      std::uint64_t seed) const override;
  PartReport report() const override {
    const auto whole = absl::Nanoseconds(last) - source.from;
    return {spec.name, source.file, read.report, spec.lasts.value_or(whole)};
  }

  const PartSpec spec;
  const TraceSpec source;
  const ServeGenClients read;
  std::int64_t last = 0;  // ns: the end of the last window
};

// One client: gaps with a mean of 1 (gamma or Weibull, by the window in which they begin), on a
// clock that runs with its rate; it stands still where there is no window. So the mean count of a
// window is rate x 600 s, however irregular it is. What is left of the first gap is drawn as for a
// process that has been going on since long before.
class Client {
 public:
  Client(const ServeGenClient& client, const TraceSpec& source, RandomStream random)
      : client_(&client), speed_(source.rate), now_(ToNanos(source.from)), random_(random) {
    while (window_ < client.rates.size() && WindowEnd() <= now_) ++window_;
    if (window_ < client.rates.size()) left_ = Residual(client.rates[window_]);
  }

  // The next instant on the published clock (ns), or kNever.
  std::int64_t Next() {
    const auto& rates = client_->rates;
    while (window_ < rates.size()) {
      const ClientRate& rate = rates[window_];
      now_ = std::max(now_, rate.begin);
      const double per_ns = rate.rate * speed_ * 1e-9;
      const double room = static_cast<double>(WindowEnd() - now_) * per_ns;
      if (left_ < room) {
        now_ += units_internal::Round(left_ / per_ns);
        left_ = Gap(rate);
        return now_;
      }
      left_ -= room;
      ++window_;
    }
    return ArrivalTimes::kNever;
  }

 private:
  std::int64_t WindowEnd() const { return client_->rates[window_].begin + kServeGenWindow; }

  double Gap(const ClientRate& rate) {
    if (rate.gaps == GapShape::kGamma) return DrawGamma(random_, rate.shape) / rate.shape;
    return std::pow(DrawExponential(random_), 1 / rate.shape) / std::tgamma(1 + 1 / rate.shape);
  }
  // An even part of a gap drawn in proportion to its length.
  double Residual(const ClientRate& rate) {
    const double part = DrawUniform(random_);
    if (rate.gaps == GapShape::kGamma) {
      return part * DrawGamma(random_, rate.shape + 1) / rate.shape;
    }
    const double whole = std::pow(DrawGamma(random_, 1 + 1 / rate.shape), 1 / rate.shape);
    return part * whole / std::tgamma(1 + 1 / rate.shape);
  }

  const ServeGenClient* client_;
  double speed_;
  std::int64_t now_;
  std::size_t window_ = 0;
  double left_ = 0;  // of the gap, in mean gaps
  RandomStream random_;
};

class ServeGenStream final : public ArrivalStream {
 public:
  ServeGenStream(const ServeGenPart& part, const StreamOptions& options)
      : part_(part),
        offset_(ToNanos(part.spec.after) - ToNanos(part.source.from)),
        end_(PartEnd(part.spec)),
        requests_(part.spec, options),
        kept_(PartRandom(part.spec, options, "share")),
        models_(PartRandom(part.spec, options, "models")) {
    for (std::size_t i = 0; i < part.read.clients.size(); ++i) {
      const ServeGenClient& client = part.read.clients[i];
      const std::string name = absl::StrCat("client ", client.number);
      clients_.emplace_back(client, part.source, PartRandom(part.spec, options, name));
      sizes_.push_back(PartRandom(part.spec, options, name + "/lengths"));
      next_.emplace(clients_[i].Next(), i);
    }
  }

  bool Next(Arrival& out) override {
    for (;;) {
      const auto [own, i] = next_.top();
      if (own == ArrivalTimes::kNever || own + offset_ >= end_) return false;
      next_.pop();
      next_.emplace(clients_[i].Next(), i);
      const std::int64_t prompt = Length(i, own, true), output = Length(i, own, false);
      const std::string_view model = requests_.Model(models_);
      if (part_.source.share < 1 && DrawUniform(kept_) >= part_.source.share) continue;
      requests_.Begin(out, own + offset_, model);
      requests_.Size(out, prompt, output, 1);
      requests_.ShareBlocks(out);
      return true;
    }
  }

 private:
  // From the quantiles of the client's window.
  std::int64_t Length(std::size_t i, std::int64_t own, bool is_input) {
    const auto& windows = part_.read.clients[i].lengths;
    const auto after =
        std::upper_bound(windows.begin(), windows.end(), own,
                         [](std::int64_t time, const auto& w) { return time < w.begin; });
    const ClientLengths& window = after == windows.begin() ? *after : *std::prev(after);
    std::array<std::pair<double, double>, 9> points;
    for (std::size_t k = 0; k < points.size(); ++k) {
      points[k] = {ClientLengths::kFractions[k], is_input ? window.input[k] : window.output[k]};
    }
    return std::max<std::int64_t>(std::llround(QuantileAt(points, DrawUniform(sizes_[i]))), 1);
  }

  using Turn = std::pair<std::int64_t, std::size_t>;  // published time, client
  const ServeGenPart& part_;
  std::int64_t offset_, end_;
  RequestMaker requests_;
  RandomStream kept_, models_;
  std::vector<Client> clients_;
  std::vector<RandomStream> sizes_;
  std::priority_queue<Turn, std::vector<Turn>, std::greater<>> next_;
};

std::unique_ptr<ArrivalStream> ServeGenPart::Open(std::uint32_t number, absl::Time start,
                                                  std::uint64_t seed) const {
  return std::make_unique<ServeGenStream>(*this, StreamOptions{number, start, seed});
}

}  // namespace

absl::StatusOr<std::unique_ptr<const WorkloadPart>> LoadServeGenPart(const PartSpec& spec) {
  SPILLWAY_ASSIGN_OR_RETURN(ServeGenClients read, ReadServeGen(std::get<TraceSpec>(spec.arrivals)));
  return std::make_unique<const ServeGenPart>(spec, std::move(read));
}

}  // namespace spillway
