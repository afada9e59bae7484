#pragma once

#include <algorithm>
#include <deque>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "performance/engine.h"

// The same engine as `Engine`, written as plainly as can be: every step looks at every sequence,
// nothing is summed up, nothing jumped over. What the other does must not differ from this.
namespace spillway {

// Blocks, and pieces of prompts, by looking through all of them.
class PlainBlocks {
 public:
  PlainBlocks(std::int64_t total, std::int64_t piece) : total_(total), piece_(piece) {}

  std::int64_t available() const {
    std::int64_t used = taken_;
    for (const Piece& p : pieces_) used += p.users > 0 ? piece_ : 0;
    return total_ - used;
  }
  void Take(std::int64_t blocks) {
    taken_ += blocks;
    while (taken_ + static_cast<std::int64_t>(pieces_.size()) * piece_ > total_) ForgetOldest();
  }
  void Return(std::int64_t blocks) { taken_ -= blocks; }
  bool Has(std::uint64_t hash) const { return IndexOf(hash) < pieces_.size(); }
  bool InUse(std::uint64_t hash) const { return Has(hash) && pieces_[IndexOf(hash)].users > 0; }
  void Use(std::uint64_t hash) { ++pieces_[IndexOf(hash)].users; }
  void Keep(std::uint64_t hash) {
    taken_ -= piece_;
    if (!Has(hash)) pieces_.push_back({hash, 0, 0});
    Use(hash);
  }
  void Leave(std::uint64_t hash) {
    Piece& p = pieces_[IndexOf(hash)];
    if (--p.users == 0) p.left_at = ++leavings_;
  }

 private:
  struct Piece {
    std::uint64_t hash;
    int users;
    std::int64_t left_at;
  };
  std::size_t IndexOf(std::uint64_t hash) const {
    std::size_t i = 0;
    while (i < pieces_.size() && pieces_[i].hash != hash) ++i;
    return i;
  }
  void ForgetOldest() {
    std::size_t oldest = pieces_.size();
    for (std::size_t i = 0; i < pieces_.size(); ++i) {
      if (pieces_[i].users > 0) continue;
      if (oldest == pieces_.size() || pieces_[i].left_at < pieces_[oldest].left_at) oldest = i;
    }
    pieces_.erase(pieces_.begin() + static_cast<std::ptrdiff_t>(oldest));
  }

  std::int64_t total_, piece_, taken_ = 0, leavings_ = 0;
  std::vector<Piece> pieces_;
};

class PlainEngine {
 public:
  PlainEngine(std::shared_ptr<const StepTimes> times, EngineLimits limits)
      : times_(std::move(times)),
        limits_(limits),
        blocks_(limits.kv_blocks, limits.prefix_tokens / limits.block_tokens) {
    limits_.max_sequences =
        static_cast<int>(std::min<std::int64_t>(limits.max_sequences, limits.step_tokens));
  }

  EngineAdmission Add(const EngineRequest& r, absl::Time now) {
    if (r.prompt_tokens + r.output_tokens > limits_.LongestSequence()) {
      return EngineAdmission::kNeverFits;
    }
    if (static_cast<int>(waiting_.size()) >= limits_.max_waiting) {
      return EngineAdmission::kQueueFull;
    }
    waiting_.push_back({.request = r, .since = now});
    return EngineAdmission::kAdmitted;
  }
  void Cancel(std::uint64_t id, absl::Time = {}) {
    const auto is_it = [id](const Sequence& s) { return s.request.id == id; };
    const auto runs = std::find_if(running_.begin(), running_.end(), is_it);
    if (runs != running_.end()) {
      Release(*runs);
      running_.erase(runs);
      return;
    }
    const auto waits = std::find_if(waiting_.begin(), waiting_.end(), is_it);
    if (waits != waiting_.end()) waiting_.erase(waits);
  }
  absl::Time NextStepEnd(absl::Time now) {
    if (!under_way_) Schedule(now);
    return step_end_;
  }
  void EndStep(absl::Time now, std::vector<StepOutput>& out) {
    if (!under_way_ || now < step_end_) return;
    under_way_ = false;
    batch_ = {};
    step_end_ = absl::InfiniteFuture();
    ++counters_.steps;
    for (Sequence& s : running_) {
      if (s.scheduled > 0) Advance(s, out);
    }
    for (Sequence& s : running_) {
      if (s.done) Release(s);
    }
    running_.erase(
        std::remove_if(running_.begin(), running_.end(), [](const Sequence& s) { return s.done; }),
        running_.end());
  }
  void CatchUp(absl::Time) {}
  EngineGauges gauges() const {
    EngineGauges out = counters_;
    out.running = static_cast<int>(running_.size());
    out.waiting = static_cast<int>(waiting_.size());
    out.kv_blocks_total = limits_.kv_blocks;
    out.kv_blocks_used = limits_.kv_blocks - blocks_.available();
    return out;
  }
  EngineLoad load() const {
    EngineLoad out{.running = static_cast<int>(running_.size()),
                   .waiting = static_cast<int>(waiting_.size())};
    for (const Sequence& s : running_) {
      out.context_tokens += s.computed;
      if (!s.decodes) out.waiting_tokens += s.length() - s.computed;
    }
    for (const Sequence& s : waiting_) out.waiting_tokens += s.length();
    return out;
  }
  const StepBatch& batch() const { return batch_; }

 private:
  struct Sequence {
    EngineRequest request;
    absl::Time since{};
    absl::Duration queued{};
    std::int64_t computed = 0, generated = 0, blocks = 0, scheduled = 0, counted = 0;
    std::size_t shared = 0;
    bool admitted_before = false, done = false;
    std::int64_t length() const { return request.prompt_tokens + generated; }
    bool decodes = false;  // since its prompt was whole
  };

  void Schedule(absl::Time now) {
    bool preempted = false;
    std::int64_t budget = limits_.step_tokens;
    for (std::size_t i = 0; i < running_.size(); ++i) {
      if (!running_[i].decodes) continue;
      if (running_[i].computed % limits_.block_tokens == 0) {
        for (; blocks_.available() == 0 && i < running_.size(); preempted = true) Preempt();
        if (i == running_.size()) break;
        blocks_.Take(1);
        ++running_[i].blocks;
      }
      running_[i].scheduled = 1;
      batch_.AddDecode(running_[i].computed);
      --budget;
    }
    for (Sequence& s : running_) {
      if (!s.decodes) Chunk(s, budget);
    }
    while (!preempted && budget > 0 && !waiting_.empty() &&
           static_cast<int>(running_.size()) < limits_.max_sequences && LetIn(now)) {
      Chunk(running_.back(), budget);
    }
    if (batch_.empty()) return;
    under_way_ = true;
    step_end_ = now + Time();
  }
  void Chunk(Sequence& s, std::int64_t& budget) {
    s.scheduled = std::min(budget, s.length() - s.computed);
    batch_.AddChunk(s.scheduled, s.computed);
    budget -= s.scheduled;
  }
  bool LetIn(absl::Time now) {
    Sequence& head = waiting_.front();
    const std::int64_t piece = limits_.prefix_tokens;
    std::int64_t wanted = limits_.BlocksFor(head.length());
    std::size_t found = 0;
    const auto& prefix = head.request.prefix;
    while (piece > 0 && found < prefix.size() && blocks_.Has(prefix[found]) &&
           static_cast<std::int64_t>(found + 1) * piece < head.length()) {
      if (blocks_.InUse(prefix[found])) wanted -= piece / limits_.block_tokens;
      ++found;
    }
    if (blocks_.available() - wanted < limits_.watermark()) return false;
    for (std::size_t i = 0; i < found; ++i) blocks_.Use(prefix[i]);
    head.shared = found;
    head.computed = static_cast<std::int64_t>(found) * piece;
    head.blocks = limits_.BlocksFor(head.length()) - head.computed / limits_.block_tokens;
    blocks_.Take(head.blocks);
    const std::int64_t hit = std::min(head.computed, head.request.prompt_tokens);
    if (hit > head.counted) counters_.prefix_tokens += hit - std::exchange(head.counted, hit);
    if (!std::exchange(head.admitted_before, true)) head.queued = now - head.since;
    running_.push_back(head);
    waiting_.pop_front();
    return true;
  }
  void Preempt() {
    Sequence newest = running_.back();
    running_.pop_back();
    Release(newest);
    newest.computed = 0;
    newest.decodes = false;
    waiting_.push_front(newest);
    ++counters_.preemptions;
  }
  void Keep(Sequence& s) {
    const auto& prefix = s.request.prefix;
    while (limits_.prefix_tokens > 0 && s.shared < prefix.size() &&
           static_cast<std::int64_t>(s.shared + 1) * limits_.prefix_tokens <= s.computed) {
      blocks_.Keep(prefix[s.shared++]);
      s.blocks -= limits_.prefix_tokens / limits_.block_tokens;
    }
  }
  void Release(Sequence& s) {
    Keep(s);
    blocks_.Return(std::exchange(s.blocks, 0));
    while (s.shared > 0) blocks_.Leave(s.request.prefix[--s.shared]);
  }
  void Advance(Sequence& s, std::vector<StepOutput>& out) {
    s.computed += std::exchange(s.scheduled, 0);
    const std::int64_t prompt = std::min(s.computed, s.request.prompt_tokens);
    if (prompt > s.counted) counters_.prompt_tokens += prompt - std::exchange(s.counted, prompt);
    if (!s.decodes) Keep(s);
    if (s.computed < s.length()) return;
    s.decodes = true;
    const bool first = s.generated == 0;
    if (s.request.output_tokens > 0) {
      ++s.generated;
      ++counters_.generated_tokens;
    }
    s.done = s.generated >= s.request.output_tokens;
    out.push_back({s.request.id, first, s.done, first ? s.queued : absl::ZeroDuration()});
  }
  absl::Duration Time() {
    const auto curve = batch_.prefills == 0 ? times_->Decodes(batch_.decodes) : std::nullopt;
    if (!curve) return times_->Of(batch_);
    const std::int64_t ticks = carry_ + curve->At(batch_.decode_context);
    carry_ = ticks % (1 << kTickBits);
    return absl::Nanoseconds(ticks / (1 << kTickBits));
  }

  std::shared_ptr<const StepTimes> times_;
  EngineLimits limits_;
  PlainBlocks blocks_;
  std::vector<Sequence> running_;
  std::deque<Sequence> waiting_;
  bool under_way_ = false;
  StepBatch batch_;
  absl::Time step_end_ = absl::InfiniteFuture();
  std::int64_t carry_ = 0;
  EngineGauges counters_;
};

}  // namespace spillway
