#include "controller/fresh_request.h"

#include <array>
#include <cstddef>
#include <memory>
#include <mutex>
#include <new>
#include <type_traits>
#include <utility>
#include <vector>

#include "core/prefetch.h"
#include "net/recycle.h"

namespace spillway {
namespace {

constexpr std::size_t kCarried = 32;      // records between a thread and all
constexpr std::size_t kMostKept = 8'192;  // by all
constexpr std::size_t kLongList = 64;     // entries: a longer list's memory is not kept

// A record, and the memory of the count of those who hold it.
struct Place {
  Request request;
  alignas(std::max_align_t) std::array<std::byte, 64> count;
};

// Those that no thread has at hand. Never destroyed: the last records go after everything else.
struct Common {
  std::mutex mutex;
  std::vector<Place*> places;  // guarded by mutex
};
Common& TheCommon() {
  static Common& common = *new Common;
  return common;
}

// What one thread has at hand.
class Hand {
 public:
  Hand() { places_.reserve(2 * kCarried); }
  Hand(const Hand&) = delete;
  Hand& operator=(const Hand&) = delete;
  ~Hand() {
    closed = true;
    for (Place* const place : places_) delete place;
  }
  static inline constinit thread_local bool closed = false;

  Place* Take() {
    if (places_.empty()) Fetch();
    if (places_.empty()) return new Place;
    Place* const place = places_.back();
    places_.pop_back();
    if (!places_.empty()) Prefetch(places_.back());  // by the time it is asked for it is here
    return place;
  }
  void Give(Place* place) {
    if (places_.size() == 2 * kCarried) Bring();
    places_.push_back(place);
  }

 private:
  std::vector<Place*> places_;

  void Fetch() {
    Common& common = TheCommon();
    const std::lock_guard lock(common.mutex);
    for (std::size_t i = 0; i < kCarried && !common.places.empty(); ++i) {
      places_.push_back(common.places.back());
      common.places.pop_back();
    }
  }
  void Bring() {
    Common& common = TheCommon();
    const std::lock_guard lock(common.mutex);
    for (std::size_t i = 0; i < kCarried; ++i) {
      Place* const place = places_.back();
      places_.pop_back();
      if (common.places.size() < kMostKept) {
        common.places.push_back(place);
      } else {
        delete place;
      }
    }
  }
};

Hand& HandOfThread() {
  static thread_local Hand hand;
  return hand;
}

template <class T>
std::vector<T> Emptied(std::vector<T>& list) {
  if (list.capacity() > kLongList) return {};
  list.clear();
  return std::move(list);
}

// Nobody holds the record any more.
struct Clear {
  void operator()(Request* request) const {
    auto readings = Emptied(request->readings);
    auto order = Emptied(request->order);
    auto attempts = Emptied(request->attempts);
    // These are made anew for each request, on the thread that answers: there the old ones are
    // freed, where the heap finds them again without a lock.
    auto models = Emptied(request->features.models);
    auto prefix = Emptied(request->features.prefix);
    std::destroy_at(request);
    std::construct_at(request);
    request->readings = std::move(readings);
    request->order = std::move(order);
    request->attempts = std::move(attempts);
    request->features.models = std::move(models);
    request->features.prefix = std::move(prefix);
  }
};

// Puts the count of holders beside the record; the last one gives back both.
template <class T>
struct InPlace {
  using value_type = T;
  explicit InPlace(Place* at) : place(at) {}
  template <class U>
  InPlace(const InPlace<U>& other) : place(other.place) {}  // NOLINT: allocators convert
  T* allocate(std::size_t) {
    static_assert(sizeof(T) <= sizeof(Place::count));
    return reinterpret_cast<T*>(place->count.data());
  }
  void deallocate(T*, std::size_t) noexcept {
    if (Hand::closed) {
      delete place;
    } else {
      HandOfThread().Give(place);
    }
  }
  template <class U>
  friend bool operator==(const InPlace& a, const InPlace<U>& b) {
    return a.place == b.place;
  }
  Place* place;
};

}  // namespace

std::shared_ptr<Request> FreshRequest() {
  if (!recycle::kOn || Hand::closed) return std::make_shared<Request>();
  Place* const place = HandOfThread().Take();
  return std::shared_ptr<Request>(&place->request, Clear(), InPlace<Request>(place));
}

}  // namespace spillway
