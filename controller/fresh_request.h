#pragma once

#include <memory>

#include "core/request.h"

namespace spillway {

// A request's record, as if newly made. It is made on a thread that answers and given up on the one
// that keeps records, thousands of times a second: what the heap would do for each, with a lock,
// is done for 32 at a time, and its lists come with the memory that they had. Any thread; at most
// 8,192 records wait to be used again.
std::shared_ptr<Request> FreshRequest();

}  // namespace spillway
