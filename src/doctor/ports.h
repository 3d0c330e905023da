// Ports: which program listens on a port of this machine, as /proc tells it.
//
// Only programs that this user may look at have a name here. `root` stands before every path, so
// that tests lay out a system of their own; where there is no /proc nothing is found. Blocks
// briefly. Any thread.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace nl::doctor {

struct PortHolder {
  int pid = 0;
  std::string program;  // "python3"; printable
};

// Whoever listens on TCP port `port`, on any address.
std::vector<PortHolder> holders_of(std::uint16_t port, const std::string& root = "");

// "python3 (pid 4711)", or "another program" when nobody is known.
std::string holder_text(const std::vector<PortHolder>& holders);

}  // namespace nl::doctor
