// GPUs with memory of their own, and how fast memories are by their makers' figures.
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <filesystem>
#include <fstream>

#include "engine/machine_sources.h"
#include "engine/short_run.h"

namespace nl::engine {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kMiB = 1ULL << 20;

struct Rate {
  std::string_view part;  // of the name
  double gigabytes_per_second;
};

// GB/s as the makers state them. A name that holds another one stands before it.
constexpr std::array<Rate, 35> kGpus = {{
    {"H200", 4800},       {"H100 80GB HBM3", 3350},
    {"H100", 2000},       {"A100", 1555},
    {"B200", 8000},       {"L40", 864},
    {"L4", 300},          {"A10", 600},
    {"T4", 320},          {"RTX 6000 Ada", 960},
    {"RTX A6000", 768},   {"RTX A4000", 448},
    {"RTX 5090", 1792},   {"RTX 5080", 960},
    {"RTX 5070 Ti", 896}, {"RTX 5070", 672},
    {"RTX 5060", 448},    {"RTX 4090", 1008},
    {"RTX 4080", 717},    {"RTX 4070", 504},
    {"RTX 4060", 272},    {"RTX 4050", 192},
    {"RTX 3090", 936},    {"RTX 3080", 760},
    {"RTX 3070", 448},    {"RTX 3060", 360},
    {"RTX 3050", 192},    {"RTX 2080", 448},
    {"RTX 2060", 336},    {"GTX 1080", 320},
    {"GTX 1660", 192},    {"7900 XT", 800},
    {"7800 XT", 624},     {"9070", 640},
    {"6800", 512},
}};

constexpr std::array<Rate, 22> kProcessors = {{
    {"M5 Pro", 307},
    {"M5 Max", 460},
    {"M5", 153},
    {"M4 Pro", 273},
    {"M4 Max", 410},
    {"M4", 120},
    {"M3 Pro", 150},
    {"M3 Max", 300},
    {"M3 Ultra", 819},
    {"M3", 100},
    {"M2 Pro", 200},
    {"M2 Max", 400},
    {"M2 Ultra", 800},
    {"M2", 100},
    {"M1 Pro", 200},
    {"M1 Max", 400},
    {"M1 Ultra", 800},
    {"M1", 68},
    {"Raspberry Pi 5", 12},
    {"Raspberry Pi 4", 5},
    {"Raspberry Pi", 3},
    {"Ryzen AI Max", 220},
}};

constexpr double kUsualMemory = 40;  // two channels of DDR4-3200 give about 45 in practice
constexpr double kUsualGpu = 200;

template <std::size_t Count>
double rate_in(const std::array<Rate, Count>& table, std::string_view name) {
  for (const Rate& rate : table) {
    if (name.find(rate.part) != std::string_view::npos) return rate.gigabytes_per_second;
  }
  return 0;
}

std::string text_in(const fs::path& path) {
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  return line;
}

std::uint64_t number_of(std::string_view text) {
  std::uint64_t value = 0;
  const std::size_t from = text.find_first_of("0123456789");
  if (from != std::string_view::npos) {
    std::from_chars(text.data() + from, text.data() + text.size(), value);
  }
  return value;
}

void add_nvidia(const std::string& root, std::vector<Gpu>& gpus) {
  std::error_code error;
  const bool driver = fs::exists(root + "/proc/driver/nvidia/version", error);
  const bool subsystem = fs::exists(root + "/dev/dxg", error);
  if ((!driver && !subsystem) || !root.empty()) return;
  for (const char* tool :
       {"/usr/bin/nvidia-smi", "/usr/local/bin/nvidia-smi", "/usr/local/nvidia/bin/nvidia-smi",
        "/usr/lib/wsl/lib/nvidia-smi", "/run/current-system/sw/bin/nvidia-smi"}) {
    if (::access(tool, X_OK) != 0) continue;
    const std::string text = short_run(
        {tool, "--query-gpu=name,memory.total,memory.free", "--format=csv,noheader,nounits"},
        kGpusWithin);
    std::vector<Gpu> found = parse_nvidia(text);
    if (found.empty()) continue;
    gpus.insert(gpus.end(), found.begin(), found.end());
    return;
  }
}

// A processor's own graphics unit shows a small carve-out here, which is no memory of its own.
constexpr std::uint64_t kCarveOut = 2048 * kMiB;

void add_amd(const std::string& root, std::vector<Gpu>& gpus) {
  std::error_code error;
  std::vector<Gpu> found;
  for (const auto& card : fs::directory_iterator(root + "/sys/class/drm", error)) {
    const std::string name = card.path().filename().string();
    if (!name.starts_with("card") || name.find('-') != std::string::npos) continue;
    const fs::path device = card.path() / "device";
    const std::uint64_t total = number_of(text_in(device / "mem_info_vram_total"));
    if (total <= kCarveOut) continue;
    const std::uint64_t used = number_of(text_in(device / "mem_info_vram_used"));
    Gpu gpu;
    gpu.name = text_in(device / "product_name");
    if (gpu.name.empty()) gpu.name = "AMD " + name;
    gpu.backend = "rocm";
    gpu.memory_bytes = total;
    gpu.free_bytes = total - std::min(used, total);
    found.push_back(std::move(gpu));
  }
  std::sort(found.begin(), found.end(),
            [](const Gpu& a, const Gpu& b) { return a.memory_bytes > b.memory_bytes; });
  gpus.insert(gpus.end(), found.begin(), found.end());
}

}  // namespace

std::vector<Gpu> parse_nvidia(std::string_view text) {
  std::vector<Gpu> gpus;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    // The name may hold a comma: the numbers are the last two fields.
    const std::size_t last = line.rfind(',');
    if (last == std::string_view::npos || last == 0) continue;
    const std::size_t middle = line.rfind(',', last - 1);
    if (middle == std::string_view::npos) continue;
    Gpu gpu;
    for (const char c : line.substr(0, middle)) {
      gpu.name += c < 0x20 || static_cast<unsigned char>(c) >= 0x7f ? '?' : c;
    }
    gpu.backend = "cuda";
    gpu.memory_bytes = number_of(line.substr(middle + 1, last - middle - 1)) * kMiB;
    gpu.free_bytes = number_of(line.substr(last + 1)) * kMiB;
    if (gpu.memory_bytes > 0) gpus.push_back(std::move(gpu));
  }
  return gpus;
}

std::vector<Gpu> read_gpus(const std::string& root) {
  std::vector<Gpu> gpus;
  add_nvidia(root, gpus);
  add_amd(root, gpus);
  return gpus;
}

Bandwidth known_memory_bandwidth(std::string_view processor, bool unified) {
  if (const double rate = rate_in(kProcessors, processor); rate > 0) {
    return {rate, fmt::format("table: {}", processor)};
  }
  return {unified ? kUsualGpu / 2 : kUsualMemory, "assumed"};
}

Bandwidth known_gpu_bandwidth(const std::vector<Gpu>& gpus) {
  Bandwidth slowest;
  for (const Gpu& gpu : gpus) {
    const double rate = rate_in(kGpus, gpu.name);
    Bandwidth known = rate > 0 ? Bandwidth{rate, "table: " + gpu.name}
                               : Bandwidth{kUsualGpu, "assumed for " + gpu.name};
    if (slowest.source.empty() || known.gigabytes_per_second < slowest.gigabytes_per_second) {
      slowest = std::move(known);
    }
  }
  return slowest;
}

}  // namespace nl::engine
