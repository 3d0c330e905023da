// The system call filter of the child: it may listen on unix sockets and connect to nothing, and
// has none of the calls that a model server has no use for.
//
// Made before the fork; installing it is one system call that is safe after a fork. Empty on
// processors without a table here.
#pragma once

#ifdef __linux__

#include <linux/filter.h>

#include <vector>

namespace nl::engine {

std::vector<sock_filter> network_filter();

}  // namespace nl::engine

#endif
