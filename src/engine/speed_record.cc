#include "engine/speed_record.h"

#include <fmt/format.h>

#include <charconv>
#include <string_view>
#include <utility>
#include <vector>

#include "base/whole_file.h"
#include "engine/machine_sources.h"

namespace nl::engine {
namespace {

constexpr std::string_view kFirstLine = "nightlight memory speed 1";
constexpr std::size_t kBytesMax = 64u << 10;
constexpr std::size_t kMachinesMax = 32;
constexpr double kFastest = 100'000;  // GB/s: nothing that exists

using Entry = std::pair<std::string, double>;  // hardware, GB/s

std::optional<Entry> entry_of(std::string_view line) {
  const std::size_t tab = line.find('\t');
  if (tab == std::string_view::npos) return std::nullopt;
  double speed = 0;
  const auto [end, error] = std::from_chars(line.data(), line.data() + tab, speed);
  const bool is_number = error == std::errc() && end == line.data() + tab;
  if (!is_number || !(speed > 0) || speed > kFastest) return std::nullopt;
  return Entry(line.substr(tab + 1), speed);
}

std::vector<Entry> read_entries(const std::string& path) {
  std::vector<Entry> entries;
  const auto text = path.empty() ? Result<std::string>("") : read_whole_file(path, kBytesMax);
  if (!text) return entries;
  std::string_view left = *text;
  for (bool first = true; !left.empty(); first = false) {
    const std::size_t end = std::min(left.find('\n'), left.size());
    const std::string_view line = left.substr(0, end);
    left.remove_prefix(std::min(end + 1, left.size()));
    if (first && line != kFirstLine) return entries;
    if (auto entry = entry_of(line)) entries.push_back(std::move(*entry));
  }
  return entries;
}

}  // namespace

std::string hardware_name(const Machine& machine) {
  return hardware_name(machine, read_processor_name(""));
}

std::string hardware_name(const Machine& machine, const std::string& processor) {
  std::string name = processor.empty() ? "a processor without a name" : processor;
  for (char& c : name) {
    if (static_cast<unsigned char>(c) < 0x20) c = ' ';
  }
  // Firmware and kernels keep a little more or less for themselves.
  const double gib = static_cast<double>(machine.memory_bytes) / (1ULL << 30U);
  return fmt::format("{}, {} cores, {:.0f} GiB", name, machine.physical_cores, gib);
}

std::optional<Bandwidth> SpeedRecord::of(const std::string& hardware) const {
  for (const auto& [name, speed] : read_entries(path_)) {
    if (name == hardware) return Bandwidth{speed, "measured"};
  }
  return std::nullopt;
}

Result<void> SpeedRecord::keep(const std::string& hardware, const Bandwidth& speed) const {
  if (path_.empty()) return {};
  std::vector<Entry> entries = read_entries(path_);
  std::erase_if(entries, [&](const Entry& entry) { return entry.first == hardware; });
  entries.emplace_back(hardware, speed.gigabytes_per_second);
  if (entries.size() > kMachinesMax) entries.erase(entries.begin());
  std::string text = fmt::format("{}\n", kFirstLine);
  for (const auto& [name, known] : entries) text += fmt::format("{:.1f}\t{}\n", known, name);
  return write_whole_file(path_, text);
}

}  // namespace nl::engine
