#include "engine/probe.h"

#include <fmt/format.h>

#include <algorithm>

#include "engine/launch.h"
#include "engine/short_run.h"

namespace nl::engine {
namespace {

Result<std::string> output_of(const std::string& path, const char* option, Instant until,
                              const std::atomic<bool>& stop) {
  return run_to_end({path, option}, until, stop);
}

bool is_option_text(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
}

bool offers(std::string_view help, std::string_view option) {
  for (std::size_t at = help.find(option); at != std::string_view::npos;
       at = help.find(option, at + 1)) {
    const std::size_t end = at + option.size();
    const bool begins = at == 0 || !is_option_text(help[at - 1]);
    if (begins && (end == help.size() || !is_option_text(help[end]))) return true;
  }
  return false;
}

// The line that speaks of the version: others may tell of devices that were found.
std::string version_line(std::string_view text) {
  std::size_t from = text.find("version");
  if (from == std::string_view::npos) from = 0;
  std::string line(text.substr(from, std::min<std::size_t>(text.find('\n', from) - from, 120)));
  for (char& c : line) {
    if (c < 0x20 || static_cast<unsigned char>(c) >= 0x7f) c = ' ';
  }
  return line;
}

}  // namespace

std::vector<std::string> missing_options(std::string_view help,
                                         const std::vector<std::string>& wanted) {
  std::vector<std::string> missing;
  for (const std::string& option : wanted) {
    if (!offers(help, option)) missing.push_back(option);
  }
  return missing;
}

bool lists_devices(std::string_view text) {
  constexpr std::string_view kHead = "Available devices:";
  const std::size_t head = text.find(kHead);
  if (head == std::string_view::npos) return false;
  // Each is a line of its own, as "  CUDA0: NVIDIA GeForce RTX 3090 (24576 MiB, 23900 MiB free)".
  std::string_view rest = text.substr(head + kHead.size());
  return rest.find(" MiB") != std::string_view::npos;
}

bool drives_gpus(const std::string& path) {
  return lists_devices(short_run({path, "--list-devices"}, kGpusWithin));
}

Result<Capabilities> probe_binary(const std::string& path, Duration within,
                                  const std::atomic<bool>& stop) {
  const Instant until = std::chrono::steady_clock::now() + within;
  const auto help = output_of(path, "--help", until, stop);
  if (!help) return std::unexpected(help.error());
  const auto missing = missing_options(*help, needed_options());
  if (!missing.empty()) {
    return fail(ErrorCode::unsupported,
                fmt::format("{} is no llama-server that is new enough: it does not know {}", path,
                            fmt::join(missing, ", ")));
  }
  Capabilities found;
  const auto version = output_of(path, "--version", until, stop);
  if (version) found.version = version_line(*version);
  return found;
}

}  // namespace nl::engine
