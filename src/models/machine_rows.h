// The rows of tests/golden/machines.toml as machines: for tests.
//
// One reading of that file, so that the size table and the cheat sheet's golden files are about the
// same machines. Units as the file says: memory in GiB, disk in GB, speeds in GB/s.
#pragma once

#include <cstdint>
#include <string>

#include "config/toml.h"
#include "engine/pick_model.h"

namespace nl::models {

inline std::uint64_t gib(double count) {
  return static_cast<std::uint64_t>(count * static_cast<double>(1ULL << 30U));
}

inline engine::Machine machine_of(const toml::table& row) {
  engine::Machine machine;
  machine.memory_bytes = gib(row["memory"].value_or(0.0));
  machine.memory_limit_bytes = gib(row["limit"].value_or(0.0));
  machine.physical_cores = row["cores"].value_or(1);
  machine.unified = row["unified"].value_or(false);
  machine.memory_bandwidth = {row["memory_speed"].value_or(0.0), "of the row"};
  if (const toml::array* gpus = row["gpus"].as_array()) {
    for (const toml::node& memory : *gpus) {
      machine.gpus.push_back({"GPU", "cuda", gib(memory.value_or(0.0)), 0});
    }
    machine.gpu_bandwidth = {row["gpu_speed"].value_or(0.0), "of the row"};
  }
  if (row["power"].value_or(std::string()) == "battery") {
    machine.power = engine::PowerSource::battery;
  }
  machine.disk_free_bytes = static_cast<std::uint64_t>(row["disk"].value_or(0.0) * 1e9);
  machine.ollama_model = row["ollama"].value_or(std::string());
  return machine;
}

inline engine::PickWants wants_of(const toml::table& row) {
  engine::PickWants wants;
  wants.context_tokens = static_cast<std::uint32_t>(row["context"].value_or(0));
  wants.images = row["images"].value_or(true);
  wants.id = row["id"].value_or(std::string());
  wants.read_measured = row["read_measured"].value_or(0.0);
  return wants;
}

}  // namespace nl::models
