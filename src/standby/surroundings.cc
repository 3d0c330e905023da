#include "standby/surroundings.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <thread>

namespace nl::standby {
namespace {

namespace fs = std::filesystem;

std::string first_word(const fs::path& path) {
  std::ifstream file(path);
  std::string word;
  file >> word;
  return word;
}

}  // namespace

bool SystemSurroundings::on_mains() {
  std::error_code error;
  bool battery_empties = false;
  for (const auto& supply : fs::directory_iterator(root_ + "/sys/class/power_supply", error)) {
    const std::string type = first_word(supply.path() / "type");
    if (type == "Mains" && first_word(supply.path() / "online") == "1") return true;
    // The battery of a mouse says nothing of the machine.
    const bool own = first_word(supply.path() / "scope") != "Device";
    if (type == "Battery" && own && first_word(supply.path() / "status") == "Discharging") {
      battery_empties = true;
    }
  }
  return !battery_empties;
}

double SystemSurroundings::load() {
  std::ifstream file(root_ + "/proc/loadavg");
  double wanting = 0;
  file >> wanting;
  return wanting / std::max(1u, std::thread::hardware_concurrency());
}

}  // namespace nl::standby
