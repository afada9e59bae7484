#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <type_traits>
#include <utility>
#include <vector>

#include "core/check.h"
#include "simulator/event_class.h"

// What happens next in virtual time: a ladder queue (Tang, Goh, Thng: "Ladder queue: an O(1)
// priority queue structure for large-scale discrete event simulation", ACM TOMACS 15(3), 2005).
namespace spillway {

// One event in the queue, 24 bytes. Two events never compare equal: `order` holds the class in its
// top byte and below it the number of the push.
template <class Payload>
struct TimedEvent {
  std::int64_t time = 0;    // ns since the owner's epoch
  std::uint64_t order = 0;  // class << 56 | sequence
  Payload payload{};

  EventClass event_class() const { return static_cast<EventClass>(order >> 56); }
  std::uint64_t sequence() const { return order & ((std::uint64_t{1} << 56) - 1); }
  friend bool operator<(const TimedEvent& a, const TimedEvent& b) {
    // Without a jump: which event is first cannot be foretold.
    return static_cast<bool>((a.time < b.time) | ((a.time == b.time) & (a.order < b.order)));
  }
};

// Pops in order of (time, class, sequence), whatever the order of pushes: same pushes, same pops,
// on any machine. Time never goes back: a push before the last popped event is a broken invariant.
//
// Far events lie unsorted in `top_`. When nearer ones run out they are dealt into the buckets of a
// rung by time; a bucket that holds many is dealt again into a finer rung, a bucket that holds few
// is sorted into `bottom_`, from which Pop() takes. So each event is moved a few times and compared
// with few others, however many are pending: O(1) amortised where times differ, O(log n) within one
// instant.
//
// Nothing is searched, so there is no Erase(): whoever owns an event that no longer counts marks it
// (a generation in the payload) and ignores it when it comes.
//
// `Payload` is trivially copyable, 8 bytes at most. Memory grows to what was once needed and is
// used again; a queue that stays as full as it was allocates nothing. Not thread-safe.
template <class Payload>
class EventQueue {
 public:
  using Event = TimedEvent<Payload>;
  static_assert(std::is_trivially_copyable_v<Payload> && sizeof(Payload) <= 8);

  bool empty() const { return size_ == 0; }
  std::size_t size() const { return size_; }
  // Of the last popped event; before that the earliest time there is.
  std::int64_t now() const { return now_; }

  // `time` >= now(). Returns the sequence number: 0, 1, ... in order of pushes, whatever the class.
  std::uint64_t Push(std::int64_t time, EventClass event_class, Payload payload) {
    SPILLWAY_CHECK(time >= now_);
    const std::uint64_t sequence = next_sequence_++;
    const Event event{time, static_cast<std::uint64_t>(event_class) << 56 | sequence, payload};
    ++size_;
    if (time > top_after_) {
      top_.push_back(event);
      return sequence;
    }
    for (std::size_t i = 0; i < depth_; ++i) {
      Rung& rung = rungs_[i];
      if (time >= rung.next) {
        Append(rung.buckets[rung.IndexOf(time)], event);
        return sequence;
      }
    }
    InsertAtBottom(event);
    return sequence;
  }

  // The first of all; the queue is not empty.
  Event Pop() {
    FillBottom();
    --size_;
    if (!crowd_.empty() && (bottom_.empty() || crowd_.front() < bottom_.back())) {
      std::pop_heap(crowd_.begin(), crowd_.end(), Later);
      return Leave(crowd_);
    }
    return Leave(bottom_);
  }

  // Of the event that Pop() would give; the queue is not empty. Not const: it may sort.
  std::int64_t PeekTime() {
    FillBottom();
    if (crowd_.empty()) return bottom_.back().time;
    if (bottom_.empty()) return crowd_.front().time;
    return std::min(crowd_.front().time, bottom_.back().time);
  }

 private:
  // Found by measuring (bench/simulator.cc). A rung is made with a bucket for each event or two, so
  // that with what is pushed until it is taken a bucket holds kLean to kFat. Where it does not, the
  // next rung's buckets are twice as wide or half. Of very many events there are four to a bucket,
  // so that less memory is touched.
  static constexpr std::size_t kLean = 6, kFat = 14;
  static constexpr int kWidest = 4;
  static constexpr std::size_t kVeryMany = 1 << 18;
  static constexpr int kManyWidth = 2;
  // How many are sorted at once, by rank up to kRank; how many a bottom holds before a push goes to
  // `crowd_`, and how many wait there before they are dealt.
  static constexpr std::size_t kSortAtOnce = 128;
  static constexpr std::size_t kRank = 24;
  static constexpr std::size_t kInsertAtMost = 256;
  static constexpr std::size_t kCrowd = 512;
  // Deeper, and buckets are sorted whatever they hold.
  static constexpr std::size_t kMaxDepth = 12;
  static constexpr std::uint32_t kNoChunk = std::numeric_limits<std::uint32_t>::max();

  // Events of a bucket, in chunks that are linked by their number in `arena_`.
  static constexpr std::uint32_t kChunkEvents = 5;
  struct alignas(64) Chunk {
    std::uint32_t next = kNoChunk;
    Event events[kChunkEvents];
  };
  struct Bucket {
    std::uint32_t head = kNoChunk;  // the chunk that is being filled; those behind it are full
    std::uint32_t count = 0;
  };
  // Buckets of equal width (2^shift ns) from `start` on; the last one also takes whatever is later,
  // up to where the next coarser rung (or `top_`) begins.
  struct Rung {
    std::int64_t start = 0;
    std::int64_t next = 0;  // where bucket `current` begins: earlier events are no longer ours
    int shift = 0;
    std::size_t current = 0;  // the first bucket that was not taken
    std::size_t used = 0;     // buckets; the vector keeps what it once had
    std::vector<Bucket> buckets;

    std::size_t IndexOf(std::int64_t time) const {
      const std::uint64_t after =
          static_cast<std::uint64_t>(time) - static_cast<std::uint64_t>(start);
      return static_cast<std::size_t>(
          std::min<std::uint64_t>(after >> shift, static_cast<std::uint64_t>(used - 1)));
    }
  };

  static bool Later(const Event& a, const Event& b) { return b < a; }

  Event Leave(std::vector<Event>& from) {
    const Event event = from.back();
    from.pop_back();
    SPILLWAY_CHECK(event.time >= now_);
    now_ = event.time;
    return event;
  }

  // -- chunks ---------------------------------------------------------------------------------
  std::uint32_t TakeChunk() {
    if (free_ != kNoChunk) return std::exchange(free_, arena_[free_].next);
    arena_.emplace_back();
    SPILLWAY_CHECK(arena_.size() < kNoChunk);
    return static_cast<std::uint32_t>(arena_.size() - 1);
  }
  void Append(Bucket& bucket, const Event& event) {
    const std::uint32_t at = bucket.count % kChunkEvents;
    if (at == 0) {
      const std::uint32_t chunk = TakeChunk();
      arena_[chunk].next = std::exchange(bucket.head, chunk);
    }
    arena_[bucket.head].events[at] = event;
    ++bucket.count;
  }
  // Hands every event of `bucket` to `take`, newest chunk first, and its chunks back.
  template <class Take>
  void Drain(Bucket bucket, Take take) {
    std::uint32_t in_chunk =
        bucket.count == 0 ? 0 : (bucket.count - 1) % kChunkEvents + 1;  // of the first chunk
    for (std::uint32_t at = bucket.head; at != kNoChunk; in_chunk = kChunkEvents) {
      const std::uint32_t next = arena_[at].next;
      if (next != kNoChunk) __builtin_prefetch(&arena_[next]);
      // A copy of the index, not a reference to the chunk: `take` may make the arena grow.
      for (std::uint32_t i = 0; i < in_chunk; ++i) take(Event(arena_[at].events[i]));
      arena_[at].next = std::exchange(free_, at);
      at = next;
    }
  }

  // -- the bottom -----------------------------------------------------------------------------
  // Sorted, the first event last. A push into a long bottom goes to a heap beside it instead of
  // moving hundreds of events; a heap that grows is dealt into a rung, where that is possible.
  void InsertAtBottom(const Event& event) {
    if (bottom_.size() >= kInsertAtMost) {
      crowd_.push_back(event);
      std::push_heap(crowd_.begin(), crowd_.end(), Later);
      if (crowd_.size() > crowd_limit_) DealBottom();
      return;
    }
    bottom_.push_back(event);
    std::size_t at = bottom_.size() - 1;
    for (; at > 0 && bottom_[at - 1] < event; --at) bottom_[at] = bottom_[at - 1];
    bottom_[at] = event;
  }

  // Bottom and crowd into a finer rung. Events of one instant cannot be told apart by time: they
  // stay, and the next try comes when there are twice as many.
  void DealBottom() {
    crowd_limit_ = 2 * crowd_.size();
    bottom_.insert(bottom_.end(), crowd_.begin(), crowd_.end());
    const auto [first, last] = TimesOf(bottom_);
    if (first == last || depth_ == kMaxDepth) {
      bottom_.resize(bottom_.size() - crowd_.size());
      return;
    }
    crowd_.clear();
    Rung& rung = MakeRung(first, last, bottom_.size());
    for (const Event& event : bottom_) Append(rung.buckets[rung.IndexOf(event.time)], event);
    bottom_.clear();
  }

  // Makes sure that the first of all events is in the bottom (or its crowd).
  void FillBottom() {
    if (!bottom_.empty() || !crowd_.empty()) [[likely]]
      return;
    SPILLWAY_CHECK(size_ > 0);
    crowd_limit_ = kCrowd;
    while (bottom_.empty()) {
      if (depth_ == 0) {
        DealTop();
      } else {
        TakeBucket();
      }
    }
    SortBottom();
  }

  // A few by their rank, counted without jumps that cannot be foretold.
  void SortBottom() {
    const std::size_t n = bottom_.size();
    if (n > kRank) {
      std::sort(bottom_.begin(), bottom_.end(), Later);
      return;
    }
    if (n == 1) return;
    std::swap(bottom_, scratch_);
    bottom_.resize(n);
    std::uint32_t rank[kRank];
    for (std::size_t i = 0; i < n; ++i) {
      rank[i] = 0;
      for (std::size_t j = 0; j < i; ++j) {
        const std::uint32_t earlier = scratch_[i] < scratch_[j];
        rank[i] += earlier;
        rank[j] += 1 - earlier;
      }
    }
    for (std::size_t i = 0; i < n; ++i) bottom_[rank[i]] = scratch_[i];
    scratch_.clear();
  }

  static std::pair<std::int64_t, std::int64_t> TimesOf(const std::vector<Event>& events) {
    std::int64_t first = events.front().time, last = first;
    for (const Event& event : events) {
      first = std::min(first, event.time);
      last = std::max(last, event.time);
    }
    return {first, last};
  }

  // -- the ladder -----------------------------------------------------------------------------
  // A new finest rung for `count` events between `first` and `last`.
  Rung& MakeRung(std::int64_t first, std::int64_t last, std::size_t count) {
    if (depth_ == rungs_.size()) rungs_.emplace_back();
    Rung& rung = rungs_[depth_++];
    const std::uint64_t span = static_cast<std::uint64_t>(last) - static_cast<std::uint64_t>(first);
    const int bits = std::bit_width(span);
    const int width = count < kVeryMany ? width_ : std::max(width_, kManyWidth);
    const int wanted = std::max(1, static_cast<int>(std::bit_width(count >> width)));
    rung.shift = std::max(0, bits - wanted);
    rung.start = rung.next = first;
    rung.current = 0;
    rung.used = static_cast<std::size_t>(span >> rung.shift) + 1;
    // As many as another rung of so many events could need, lest it grows by one now and then.
    if (rung.buckets.capacity() < rung.used) rung.buckets.reserve(std::size_t{1} << wanted);
    rung.buckets.assign(rung.used, Bucket{});
    return rung;
  }

  void AdaptWidth() {
    if (taken_buckets_ < 64) return;
    if (taken_events_ < kLean * taken_buckets_) width_ = std::min(width_ + 1, kWidest);
    if (taken_events_ > kFat * taken_buckets_) width_ = std::max(width_ - 1, 0);
    taken_buckets_ = taken_events_ = 0;
  }

  // All of the top into the bottom (few) or a first rung (many).
  void DealTop() {
    const auto [first, last] = TimesOf(top_);
    top_after_ = last;
    AdaptWidth();
    if (top_.size() <= kSortAtOnce || first == last) {
      std::swap(bottom_, top_);
      return;
    }
    Rung& rung = MakeRung(first, last, top_.size());
    for (const Event& event : top_) Append(rung.buckets[rung.IndexOf(event.time)], event);
    top_.clear();
  }

  // The next bucket of the finest rung, into the bottom (few) or a finer rung (many).
  void TakeBucket() {
    Rung& rung = rungs_[depth_ - 1];
    while (rung.buckets[rung.current].count == 0 && rung.current + 1 < rung.used) ++rung.current;
    const Bucket bucket = rung.buckets[rung.current++];
    ++taken_buckets_;
    taken_events_ += bucket.count;
    if (rung.current == rung.used) {
      --depth_;  // what is left of its time is the bottom's, or that of the rung made below
    } else {
      rung.next = static_cast<std::int64_t>(static_cast<std::uint64_t>(rung.start) +
                                            (std::uint64_t{rung.current} << rung.shift));
      Prefetch(rung);
    }
    if (bucket.count > kSortAtOnce && depth_ < kMaxDepth && DealBucket(bucket)) return;
    Drain(bucket, [this](const Event& event) { bottom_.push_back(event); });
  }

  // The first chunks of what is taken soon: an alignment of 64 puts them on two lines of the cache.
  void Prefetch(const Rung& rung) const {
    const std::size_t end = std::min(rung.used, rung.current + 4);
    for (std::size_t i = rung.current; i < end; ++i) {
      const std::uint32_t chunk = rung.buckets[i].head;
      if (chunk == kNoChunk) continue;
      const char* const at = reinterpret_cast<const char*>(&arena_[chunk]);
      __builtin_prefetch(at);
      __builtin_prefetch(at + 64);
    }
  }

  // False if all of its events happen at one instant.
  bool DealBucket(const Bucket& bucket) {
    std::int64_t first = std::numeric_limits<std::int64_t>::max();
    std::int64_t last = std::numeric_limits<std::int64_t>::min();
    std::uint32_t in_chunk = (bucket.count - 1) % kChunkEvents + 1;
    for (std::uint32_t at = bucket.head; at != kNoChunk; at = arena_[at].next) {
      for (std::uint32_t i = 0; i < in_chunk; ++i) {
        first = std::min(first, arena_[at].events[i].time);
        last = std::max(last, arena_[at].events[i].time);
      }
      in_chunk = kChunkEvents;
    }
    if (first == last) return false;
    Rung& rung = MakeRung(first, last, bucket.count);
    Drain(bucket, [this, &rung](const Event& event) {
      Append(rung.buckets[rung.IndexOf(event.time)], event);
    });
    return true;
  }

  std::int64_t now_ = std::numeric_limits<std::int64_t>::min();
  std::uint64_t next_sequence_ = 0;
  std::size_t size_ = 0;

  // Everything later than this goes into the top.
  std::int64_t top_after_ = std::numeric_limits<std::int64_t>::min();
  std::vector<Event> top_;
  std::vector<Rung> rungs_;  // coarsest first; only the first `depth_` are in use
  std::size_t depth_ = 0;
  int width_ = 0;                                     // log2 of events a bucket is made for
  std::size_t taken_buckets_ = 0, taken_events_ = 0;  // since it was last looked at
  std::vector<Event> bottom_;
  std::vector<Event> scratch_;  // of SortBottom()
  std::vector<Event> crowd_;    // a heap: the rest of a bottom that is too long to insert into
  std::size_t crowd_limit_ = kCrowd;

  std::vector<Chunk> arena_;
  std::uint32_t free_ = kNoChunk;
};

}  // namespace spillway
