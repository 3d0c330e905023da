#include "doctor/ports.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>

namespace nl::doctor {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kListening = "0A";
constexpr std::size_t kInodesMax = 64;
constexpr std::size_t kNameMax = 64;

// Inodes of the sockets that listen on `port`, from /proc/net/tcp or tcp6.
void add_inodes(const std::string& path, std::uint16_t port, std::set<std::string>& inodes) {
  const std::string wanted = fmt::format(":{:04X}", port);
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);  // the names of the columns
  while (std::getline(file, line)) {
    std::istringstream fields(line);
    std::string slot, local, remote, state, queues, timer, again, user, timeout, inode;
    fields >> slot >> local >> remote >> state >> queues >> timer >> again >> user >> timeout >>
        inode;
    if (state != kListening || !local.ends_with(wanted) || inodes.size() >= kInodesMax) continue;
    inodes.insert(fmt::format("socket:[{}]", inode));
  }
}

bool holds_one(const fs::path& process, const std::set<std::string>& inodes) {
  std::error_code error;
  for (fs::directory_iterator it(process / "fd", error), end; !error && it != end;
       it.increment(error)) {
    std::error_code unreadable;
    if (inodes.contains(fs::read_symlink(it->path(), unreadable).string())) return true;
  }
  return false;
}

std::string program_of(const fs::path& process) {
  std::ifstream file(process / "comm");
  std::string name;
  std::getline(file, name);
  name.resize(std::min(name.size(), kNameMax));
  for (char& c : name) {
    if (c < 0x20 || static_cast<unsigned char>(c) >= 0x7f) c = '?';
  }
  return name;
}

}  // namespace

std::vector<PortHolder> holders_of(std::uint16_t port, const std::string& root) {
  std::set<std::string> inodes;
  add_inodes(root + "/proc/net/tcp", port, inodes);
  add_inodes(root + "/proc/net/tcp6", port, inodes);
  std::vector<PortHolder> holders;
  if (inodes.empty()) return holders;
  std::error_code error;
  for (fs::directory_iterator it(root + "/proc", error), end; !error && it != end;
       it.increment(error)) {
    const std::string name = it->path().filename().string();
    int pid = 0;
    const auto [stop, failure] = std::from_chars(name.data(), name.data() + name.size(), pid);
    if (failure != std::errc() || stop != name.data() + name.size()) continue;
    if (holds_one(it->path(), inodes)) holders.push_back({pid, program_of(it->path())});
  }
  return holders;
}

std::string holder_text(const std::vector<PortHolder>& holders) {
  if (holders.empty()) return "another program";
  std::string text;
  for (const PortHolder& holder : holders) {
    if (!text.empty()) text += ", ";
    text += fmt::format("{} (pid {})", holder.program.empty() ? "a program" : holder.program,
                        holder.pid);
  }
  return text;
}

}  // namespace nl::doctor
