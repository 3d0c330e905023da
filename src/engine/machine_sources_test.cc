#include "engine/machine_sources.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "http/test_loop.h"

namespace nl::engine {
namespace {

constexpr std::uint64_t kMiB = 1ULL << 20;
constexpr std::uint64_t kGiB = 1ULL << 30;

// A system laid out in a folder.
class MachineSources : public testing::Test {
 protected:
  std::string root() const { return folder_.path(); }
  void file(const std::string& name, const std::string& text) const {
    const std::filesystem::path path = folder_.path() + name;
    std::filesystem::create_directories(path.parent_path());
    std::ofstream(path, std::ios::binary) << text;
  }
  http::TempFolder folder_;
};

TEST_F(MachineSources, MemoryComesFromMeminfo) {
  EXPECT_EQ(read_memory(root()).total_bytes, 0U);
  file("/proc/meminfo", "MemTotal:       16384000 kB\nMemFree: 1 kB\nMemAvailable:    8192 kB\n");
  const MemoryFacts facts = read_memory(root());
  EXPECT_EQ(facts.total_bytes, 16384000ULL * 1024);
  EXPECT_EQ(facts.available_bytes, 8192ULL * 1024);
  EXPECT_EQ(facts.group_limit_bytes, 0U);
}

TEST_F(MachineSources, TheTightestGroupCounts) {
  file("/proc/self/cgroup", "0::/a/b\n");
  file("/sys/fs/cgroup/a/b/memory.max", "max\n");
  EXPECT_EQ(read_memory(root()).group_limit_bytes, 0U);
  file("/sys/fs/cgroup/a/memory.max", "4294967296\n");
  file("/sys/fs/cgroup/memory.max", "8589934592\n");
  EXPECT_EQ(read_memory(root()).group_limit_bytes, 4 * kGiB);
}

TEST_F(MachineSources, GroupsOfTheFirstVersionAreReadToo) {
  file("/proc/self/cgroup", "5:cpu,cpuacct:/x\n4:memory:/box\n");
  file("/sys/fs/cgroup/memory/box/memory.limit_in_bytes", "1073741824\n");
  file("/sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n");
  EXPECT_EQ(read_memory(root()).group_limit_bytes, kGiB);
}

TEST_F(MachineSources, TheTightestGroupSaysHowManyCoresThereAre) {
  EXPECT_EQ(read_group_cores(root()), 0);
  file("/proc/self/cgroup", "0::/a/b\n");
  file("/sys/fs/cgroup/a/b/cpu.max", "max 100000\n");
  EXPECT_EQ(read_group_cores(root()), 0);
  file("/sys/fs/cgroup/a/cpu.max", "350000 100000\n");
  file("/sys/fs/cgroup/cpu.max", "800000 100000\n");
  EXPECT_EQ(read_group_cores(root()), 4);
  file("/proc/self/cgroup", "5:cpu,cpuacct:/x\n4:memory:/box\n");
  file("/sys/fs/cgroup/cpu/x/cpu.cfs_quota_us", "-1\n");
  file("/sys/fs/cgroup/cpu/x/cpu.cfs_period_us", "100000\n");
  EXPECT_EQ(read_group_cores(root()), 0);
  file("/sys/fs/cgroup/cpu/x/cpu.cfs_quota_us", "50000\n");
  EXPECT_EQ(read_group_cores(root()), 1);
}

TEST_F(MachineSources, PowerIsMainsBatteryOrUnknown) {
  EXPECT_EQ(read_power(root()), PowerSource::unknown);
  file("/sys/class/power_supply/BAT0/type", "Battery\n");
  file("/sys/class/power_supply/BAT0/status", "Discharging\n");
  EXPECT_EQ(read_power(root()), PowerSource::battery);
  file("/sys/class/power_supply/AC/type", "Mains\n");
  file("/sys/class/power_supply/AC/online", "0\n");
  EXPECT_EQ(read_power(root()), PowerSource::battery);
  file("/sys/class/power_supply/AC/online", "1\n");
  EXPECT_EQ(read_power(root()), PowerSource::mains);
}

TEST_F(MachineSources, AMousesBatteryIsNotTheMachines) {
  file("/sys/class/power_supply/hid/type", "Battery\n");
  file("/sys/class/power_supply/hid/scope", "Device\n");
  file("/sys/class/power_supply/hid/status", "Discharging\n");
  EXPECT_EQ(read_power(root()), PowerSource::unknown);
}

TEST_F(MachineSources, AmdCardsWithMemoryOfTheirOwnAreFound) {
  file("/sys/class/drm/card0/device/mem_info_vram_total", "536870912\n");  // a carve-out
  file("/sys/class/drm/card1/device/mem_info_vram_total", "17163091968\n");
  file("/sys/class/drm/card1/device/mem_info_vram_used", "163091968\n");
  file("/sys/class/drm/card1/device/product_name", "Radeon RX 7800 XT\n");
  file("/sys/class/drm/card1-DP-1/device/mem_info_vram_total", "17163091968\n");
  const auto gpus = read_gpus(root());
  ASSERT_EQ(gpus.size(), 1U);
  EXPECT_EQ(gpus[0].name, "Radeon RX 7800 XT");
  EXPECT_EQ(gpus[0].backend, "rocm");
  EXPECT_EQ(gpus[0].memory_bytes, 17163091968U);
  EXPECT_EQ(gpus[0].free_bytes, 17000000000U);
  EXPECT_EQ(known_gpu_bandwidth(gpus).gigabytes_per_second, 624);
}

TEST_F(MachineSources, TheNvidiaToolsLinesAreRead) {
  const auto gpus = parse_nvidia(
      "NVIDIA GeForce RTX 3090, 24576, 23900\nNVIDIA, odd, 8192, 8000\n\nno answer\n[N/A], x, y\n");
  ASSERT_EQ(gpus.size(), 2U);
  EXPECT_EQ(gpus[0].memory_bytes, 24576 * kMiB);
  EXPECT_EQ(gpus[0].free_bytes, 23900 * kMiB);
  EXPECT_EQ(gpus[1].name, "NVIDIA, odd");
  EXPECT_EQ(known_gpu_bandwidth(gpus).source, "assumed for NVIDIA, odd");
  EXPECT_TRUE(parse_nvidia("Failed to initialize NVML: Driver mismatch").empty());
}

TEST_F(MachineSources, TheProcessorIsNamedByBoardOrCpu) {
  EXPECT_EQ(read_processor_name(root()), "");
  file("/proc/cpuinfo", "processor : 0\nmodel name\t: AMD Ryzen 9 7950X\n");
  EXPECT_EQ(read_processor_name(root()), "AMD Ryzen 9 7950X");
  file("/proc/device-tree/model", std::string("Raspberry Pi 5 Model B Rev 1.0\0", 31));
  EXPECT_EQ(read_processor_name(root()), "Raspberry Pi 5 Model B Rev 1.0");
  EXPECT_EQ(known_memory_bandwidth(read_processor_name(root()), false).gigabytes_per_second, 12);
}

TEST_F(MachineSources, SpeedsSayWhereTheyComeFrom) {
  EXPECT_EQ(known_memory_bandwidth("Apple M4 Max", true).gigabytes_per_second, 410);
  EXPECT_EQ(known_memory_bandwidth("Apple M4 Max", true).source, "table: Apple M4 Max");
  EXPECT_EQ(known_memory_bandwidth("Apple M4", true).gigabytes_per_second, 120);
  EXPECT_EQ(known_memory_bandwidth("Some CPU", false).source, "assumed");
  EXPECT_EQ(known_gpu_bandwidth({}).source, "");
}

TEST(Machine, rooms_follow_the_reserves) {
  Machine machine;
  machine.memory_bytes = 4 * kGiB;
  EXPECT_EQ(memory_for_engine(machine), 4 * kGiB - kMemoryReserve);
  machine.memory_bytes = 32 * kGiB;
  EXPECT_EQ(memory_for_engine(machine), 24 * kGiB);
  machine.unified = true;
  EXPECT_NEAR(static_cast<double>(memory_for_engine(machine)), 0.67 * 32 * kGiB, 1e6);
  machine.unified = false;
  machine.gpus = {{"a", "cuda", 24 * kGiB, 2 * kGiB}, {"b", "cuda", kGiB / 2, 0}};
  EXPECT_EQ(device_memory_for_engine(machine), 23 * kGiB);
  machine.available_bytes = 3 * kGiB;
  const Machine now = with_free_memory(machine, free_memory(machine, 0));
  EXPECT_EQ(memory_for_engine(now), 3 * kGiB);
  EXPECT_EQ(device_memory_for_engine(now), 2 * kGiB);
  EXPECT_EQ(memory_for_engine(with_free_memory(machine, free_memory(machine, kGiB))), 4 * kGiB);
  machine.gpus_are_driven = false;
  EXPECT_EQ(device_memory_for_engine(machine), 0U);
}

}  // namespace
}  // namespace nl::engine
