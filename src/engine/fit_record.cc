#include "engine/fit_record.h"

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <cstring>
#include <filesystem>

#include "base/whole_file.h"

namespace nl::engine {
namespace {

constexpr std::string_view kFirstLine = "nightlight fit 1";
constexpr std::size_t kBytesMax = 256 * 1024;
constexpr std::size_t kEntriesMax = 100;
constexpr std::size_t kFields = 10;
constexpr std::size_t kReasonMax = 200;

// A field may hold neither the separator nor an end of line.
std::string field(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (static_cast<unsigned char>(c) < 0x20) c = ' ';
  }
  return out;
}

template <typename Number>
Number number_of(std::string_view text) {
  Number value{};
  const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && stop == text.data() + text.size() ? value : Number{};
}

std::optional<FitEntry> entry_of(std::string_view line) {
  std::array<std::string_view, kFields> fields;
  for (std::size_t i = 0; i < kFields; ++i) {
    const std::size_t end = std::min(line.find('\t'), line.size());
    fields[i] = line.substr(0, end);
    if (end == line.size() && i + 1 < kFields) return std::nullopt;
    line.remove_prefix(std::min(end + 1, line.size()));
  }
  FitEntry entry;
  if (fields[0] != "worked" && fields[0] != "failed") return std::nullopt;
  entry.what = fields[0] == "worked" ? FitEntry::What::worked : FitEntry::What::failed;
  entry.key = {std::string(fields[1]), std::string(fields[2])};
  entry.memory_bytes = number_of<std::uint64_t>(fields[3]);
  entry.context_tokens = number_of<std::uint32_t>(fields[4]);
  entry.slots = number_of<int>(fields[5]);
  entry.when = fields[6];
  entry.read = number_of<double>(fields[7]);
  entry.write = number_of<double>(fields[8]);
  entry.reason = fields[9];
  return entry;
}

}  // namespace

std::string write_fit_entries(const std::vector<FitEntry>& entries) {
  std::string text = fmt::format("{}\n", kFirstLine);
  for (const FitEntry& entry : entries) {
    const bool worked = entry.what == FitEntry::What::worked;
    text +=
        fmt::format("{}\t{}\t{}\t{}\t{}\t{}\t{}\t{:.1f}\t{:.1f}\t{}\n",
                    worked ? "worked" : "failed", field(entry.key.model), field(entry.key.program),
                    entry.memory_bytes, entry.context_tokens, entry.slots, field(entry.when),
                    entry.read, entry.write, field(entry.reason.substr(0, kReasonMax)));
  }
  return text;
}

std::vector<FitEntry> read_fit_entries(std::string_view text) {
  std::vector<FitEntry> entries;
  const std::size_t first = std::min(text.find('\n'), text.size());
  if (text.substr(0, first) != kFirstLine) return entries;
  text.remove_prefix(std::min(first + 1, text.size()));
  while (!text.empty() && entries.size() < kEntriesMax) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    if (auto entry = entry_of(text.substr(0, end))) entries.push_back(std::move(*entry));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return entries;
}

void FitRecord::load() const {
  if (loaded_) return;
  loaded_ = true;
  if (path_.empty()) return;
  const auto text = read_whole_file(path_, kBytesMax);
  if (text) entries_ = read_fit_entries(*text);
}

const std::vector<FitEntry>& FitRecord::entries() const {
  load();
  return entries_;
}

std::uint64_t FitRecord::memory_bytes_most(const FitKey& key) const {
  std::uint64_t most = 0;
  for (const FitEntry& entry : entries()) {
    if (entry.what != FitEntry::What::failed || !(entry.key == key)) continue;
    // An eighth less, so that every step down is one that counts.
    const std::uint64_t less = entry.memory_bytes / 8 * 7;
    most = most == 0 ? less : std::min(most, less);
  }
  return most;
}

std::optional<FitEntry> FitRecord::worked(const FitKey& key, const LaunchPlan& plan) const {
  for (const FitEntry& entry : entries()) {
    if (entry.what == FitEntry::What::worked && entry.key == key &&
        entry.context_tokens == plan.context_tokens && entry.slots == plan.slots) {
      return entry;
    }
  }
  return std::nullopt;
}

std::optional<FitEntry> FitRecord::rates_of(std::string_view model) const {
  const std::vector<FitEntry>& all = entries();
  for (auto entry = all.rbegin(); entry != all.rend(); ++entry) {
    if (entry->what == FitEntry::What::worked && entry->key.model == model) return *entry;
  }
  return std::nullopt;
}

std::optional<FitEntry> FitRecord::failure(const FitKey& key) const {
  const std::vector<FitEntry>& all = entries();
  for (auto entry = all.rbegin(); entry != all.rend(); ++entry) {
    if (entry->what == FitEntry::What::failed && entry->key == key) return *entry;
  }
  return std::nullopt;
}

Result<void> FitRecord::add(FitEntry entry) {
  if (!path_.empty()) {
    // Another process may have written since: what it knows is kept.
    loaded_ = false;
    entries_.clear();
    load();
  }
  std::erase_if(entries_, [&entry](const FitEntry& old) {
    return old.what == entry.what && old.key == entry.key &&
           old.context_tokens == entry.context_tokens && old.slots == entry.slots &&
           old.memory_bytes == entry.memory_bytes;
  });
  if (entries_.size() >= kEntriesMax) entries_.erase(entries_.begin());
  entries_.push_back(std::move(entry));
  if (path_.empty()) return {};
  std::error_code error;
  std::filesystem::create_directories(std::filesystem::path(path_).parent_path(), error);
  return write_whole_file(path_, write_fit_entries(entries_));
}

Result<void> FitRecord::forget() {
  loaded_ = true;
  entries_.clear();
  if (path_.empty() || ::unlink(path_.c_str()) == 0 || errno == ENOENT) return {};
  return fail(ErrorCode::io, path_ + ": " + std::strerror(errno));
}

std::string lasting_name(const std::string& path) {
  struct stat found {};
  if (::stat(path.c_str(), &found) != 0) return path;
  return fmt::format("{}:{}:{}", path, found.st_size, found.st_mtime);
}

FitEntry entry_for(const FitKey& key, const LaunchPlan& plan, WallTime when) {
  FitEntry entry;
  entry.key = key;
  entry.memory_bytes = plan.memory_bytes_needed;
  entry.context_tokens = plan.context_tokens;
  entry.slots = plan.slots;
  entry.when =
      fmt::format("{:%Y-%m-%dT%H:%M:%SZ}",
                  fmt::gmtime(std::chrono::system_clock::to_time_t(
                      std::chrono::time_point_cast<std::chrono::system_clock::duration>(when))));
  return entry;
}

std::string describe(const FitEntry& entry) {
  return fmt::format("{} tokens in {} slot{} ({:.1f} GB) {} on {}{}{}", entry.context_tokens,
                     entry.slots, entry.slots == 1 ? "" : "s",
                     static_cast<double>(entry.memory_bytes) / 1e9,
                     entry.what == FitEntry::What::worked ? "worked" : "failed",
                     entry.when.substr(0, 10), entry.reason.empty() ? "" : ": ", entry.reason);
}

}  // namespace nl::engine
