// Socket options and calls that the data path makes itself, past Asio. System-specific: Linux and
// macOS differ in socket.cc, nowhere else on the data path.
//
// Every call here is one system call that does not block. Any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/error.h"
#include "http/transport.h"

namespace nl::http {

// TCP_NODELAY, keepalive and a bound on unacknowledged data; nothing on a unix socket.
void tune_socket(int descriptor);
// A peer that has gone must be an error of the write, not a signal. Once per process is enough.
void ignore_broken_pipe_signal();

struct Sent {
  std::size_t bytes = 0;
  int error = 0;  // errno; 0 = all or a part was taken
};
// All pieces in one call.
Sent send_pieces(int descriptor, const Pieces& pieces);
PeerState peek(int descriptor);
// Bytes sent that the peer has not acknowledged, those still waiting included; 0 where the system
// does not tell.
std::size_t unacknowledged_bytes(int descriptor);
// The next waiting connection, non-blocking and closed on exec, or minus errno.
int accept_one(int listener);
int family_of(int descriptor);
void close_descriptor(int descriptor);
// Another descriptor of the same thing, closed on exec; -1 when there is none left.
int copy_descriptor(int descriptor);
// Whether who listens at the other end of a unix socket is in that process group. True where the
// system does not tell who it is.
bool peer_in_group(int descriptor, int group);
// How many descriptors this process may have.
std::size_t descriptors_max();

// The numeric addresses of a connection's ends; "unix" for a unix socket.
std::string local_address_of(int descriptor);
std::string peer_address_of(int descriptor);

}  // namespace nl::http
