// Where this machine's power comes from: /sys/class/power_supply, or pmset on macOS.
#include <filesystem>
#include <fstream>

#include "engine/machine_sources.h"
#include "engine/short_run.h"

namespace nl::engine {
namespace {

std::string word_in(const std::filesystem::path& path) {
  std::ifstream file(path);
  std::string word;
  file >> word;
  return word;
}

}  // namespace

PowerSource read_power(const std::string& root) {
  PowerSource found = PowerSource::unknown;
  std::error_code error;
  const std::filesystem::path folder = root + "/sys/class/power_supply";
  for (const auto& entry : std::filesystem::directory_iterator(folder, error)) {
    const std::string type = word_in(entry.path() / "type");
    // A mouse's battery says nothing about the machine.
    if (word_in(entry.path() / "scope") == "Device") continue;
    if ((type == "Mains" || type == "USB") && word_in(entry.path() / "online") == "1") {
      return PowerSource::mains;
    }
    if (type == "Battery" && word_in(entry.path() / "status") == "Discharging") {
      found = PowerSource::battery;
    }
  }
#ifdef __APPLE__
  if (root.empty()) {
    const std::string text = short_run({"/usr/bin/pmset", "-g", "batt"});
    if (text.find("'Battery Power'") != std::string::npos) return PowerSource::battery;
    if (text.find("'AC Power'") != std::string::npos) return PowerSource::mains;
  }
#endif
  return found;
}

}  // namespace nl::engine
