#include "models/size_table.h"

#include <fmt/format.h>

#include "dialect/json_writer.h"
#include "models/model_record.h"

namespace nl::models {
namespace {

using dialect::JsonWriter;
using engine::Machine;
using engine::SizeFit;

std::int64_t whole(double value) {
  return static_cast<std::int64_t>(value + 0.5);
}

std::string window_text(const SizeFit& size) {
  const auto thousands = [](std::uint32_t tokens) { return fmt::format("{} k", tokens / 1024); };
  const std::string nominal = thousands(size.model->shape.context_length);
  if (!size.plan) return "- of " + nominal;
  return thousands(size.plan->context_tokens) + " of " + nominal;
}

std::string verdict_of(const SizeFit& size, const engine::Pick& pick) {
  if (size.model == pick.model) return "the pick";
  return size.obstacle.empty() ? "fits" : size.obstacle;
}

const char* name_of(engine::Placement placement) {
  switch (placement) {
    case engine::Placement::memory:
      return "memory";
    case engine::Placement::devices:
      return "gpu";
    case engine::Placement::experts_in_memory:
      return "gpu, experts in memory";
  }
  return "";
}

const char* name_of(engine::PowerSource power) {
  switch (power) {
    case engine::PowerSource::unknown:
      return "unknown";
    case engine::PowerSource::mains:
      return "mains";
    case engine::PowerSource::battery:
      return "battery";
  }
  return "";
}

void write_bandwidth(JsonWriter& writer, std::string_view key, const engine::Bandwidth& speed) {
  writer.key(key).begin_object();
  writer.integer("gb_per_s", whole(speed.gigabytes_per_second)).string("source", speed.source);
  writer.end_object();
}

void write_machine(JsonWriter& writer, const Machine& machine) {
  const auto bytes = [](std::uint64_t count) { return static_cast<std::int64_t>(count); };
  writer.key("machine").begin_object();
  writer.integer("memory", bytes(machine.memory_bytes));
  writer.integer("memory_limit", bytes(machine.memory_limit_bytes));
  writer.integer("available", bytes(machine.available_bytes)).boolean("unified", machine.unified);
  writer.integer("cores", machine.physical_cores).string("power", name_of(machine.power));
  writer.integer("disk_free", bytes(machine.disk_free_bytes));
  writer.integer("room", bytes(engine::memory_for_engine(machine)));
  writer.integer("gpu_room", bytes(engine::device_memory_for_engine(machine)));
  write_bandwidth(writer, "memory_speed", machine.memory_bandwidth);
  writer.string("ollama", machine.ollama_model).key("gpus").begin_array();
  for (const engine::Gpu& gpu : machine.gpus) {
    writer.begin_object().string("name", gpu.name).string("backend", gpu.backend);
    writer.integer("memory", bytes(gpu.memory_bytes)).integer("free", bytes(gpu.free_bytes));
    writer.end_object();
  }
  writer.end_array().end_object();
}

void write_size(JsonWriter& writer, const SizeFit& size, const engine::Pick& pick) {
  const engine::CatalogueFile& file = size.model->files.front();
  writer.begin_object().string("id", size.model->id).string("title", size.model->title);
  writer.string("quant", file.quant).string("pull", file.pull).boolean("verified", file.verified);
  writer.integer("file", static_cast<std::int64_t>(file.bytes));
  writer.integer("needs", static_cast<std::int64_t>(size.needs));
  writer.integer("nominal", size.model->shape.context_length);
  writer.boolean("fits", size.plan.has_value()).boolean("picked", size.model == pick.model);
  writer.string("obstacle", size.obstacle);
  if (size.plan) {
    writer.integer("window", size.plan->context_tokens).integer("slots", size.plan->slots);
    writer.string("place", name_of(size.plan->placement)).boolean("images", size.projector);
    writer.integer("reads", whole(size.rates.read)).integer("writes", whole(size.rates.write));
    writer.boolean("measured", size.rates.read_is_measured);
    writer.integer("warm", size.rates.warm_conversations).string("note", size.plan->note);
  }
  writer.key("inputs").begin_array();
  for (const std::string& input : size.model->inputs) writer.string(input);
  writer.end_array().string("tools", size.model->tools).string("quality", size.model->quality);
  writer.end_object();
}

}  // namespace

std::string sizes_text(const engine::Catalogue& catalogue, const Machine& machine) {
  const engine::Pick pick = engine::pick_model(catalogue, machine, engine::PickWants());
  std::string text = pick.explained;
  text += fmt::format("\n{:<16} {:>8} {:>8} {:>14} {:>8} {:>9} {:>5}  {}\n", "", "file", "needs",
                      "window", "reads/s", "writes/s", "warm", "");
  for (const SizeFit& size : engine::fit_sizes(catalogue, machine, engine::PickWants())) {
    const bool fits = size.plan.has_value();
    const auto rate = [fits](double value) { return fits ? fmt::format("{:.0f}", value) : "-"; };
    text += fmt::format("{:<16} {:>8} {:>8} {:>14} {:>8} {:>9} {:>5}  {}\n", size.model->title,
                        size_text(size.model->files.front().bytes), size_text(size.needs),
                        window_text(size), rate(size.rates.read), rate(size.rates.write),
                        rate(size.rates.warm_conversations), verdict_of(size, pick));
  }
  text +=
      "\nRates in tokens, estimated until a model has been loaded here; warm: conversations that\n"
      "are kept read. Figures and their sources: catalogue.toml. `nightlight pull` gets the "
      "pick.\n";
  return text;
}

std::string sizes_json(const engine::Catalogue& catalogue, const Machine& machine) {
  const engine::Pick pick = engine::pick_model(catalogue, machine, engine::PickWants());
  std::string text;
  JsonWriter writer(text);
  writer.begin_object();
  write_machine(writer, machine);
  writer.string("explained", pick.explained).string("hold", pick.hold).key("sizes").begin_array();
  for (const SizeFit& size : engine::fit_sizes(catalogue, machine, engine::PickWants())) {
    write_size(writer, size, pick);
  }
  writer.end_array().end_object();
  return text;
}

}  // namespace nl::models
