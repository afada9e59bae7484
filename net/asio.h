#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/detail/thread_info_base.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/version.hpp>

#include "net/recycle.h"

// How the project names Asio. The executor type is concrete everywhere: a type-erased one costs 5
// to 10 % on each hop of a hot coroutine.
namespace spillway {

namespace net = boost::asio;

using Executor = net::io_context::executor_type;

// A coroutine that runs on one io_context and gives a T. Parameters go by value unless a comment
// says who keeps the referenced object alive across suspensions.
template <class T>
using Awaitable = net::awaitable<T, Executor>;

// The completion token that goes with it: co_await timer.async_wait(use_awaitable).
inline constexpr net::use_awaitable_t<Executor> use_awaitable{};

}  // namespace spillway

// Asio keeps a few frames of coroutines for a thread, none of more than 1 KiB, and any of them for
// any size: a routed request has more than a dozen, and most of its frames went to the heap and
// back. Here they are kept by size. Boost's own functions, specialised for this purpose; with
// releases that were not looked at Asio does as it likes.
#if BOOST_VERSION >= 107900 && BOOST_VERSION < 108400
namespace boost::asio::detail {

template <>
inline void* thread_info_base::allocate(awaitable_frame_tag, thread_info_base*, std::size_t size,
                                        std::size_t) {
  return spillway::TakeBlock(size);
}
template <>
inline void thread_info_base::deallocate(awaitable_frame_tag, thread_info_base*, void* frame,
                                         std::size_t size) {
  spillway::GiveBlock(frame, size);
}

}  // namespace boost::asio::detail
#endif
