#include <cmath>

#include "config/parse.h"

namespace nl::config {
namespace {

struct TimeLimit {
  const char* key;
  Duration Limits::*member;
};

constexpr TimeLimit kTimes[] = {
    {"head_s", &Limits::head},
    {"body_grace_s", &Limits::body_grace},
    {"body_memory_wait_s", &Limits::body_memory_wait},
    {"client_idle_s", &Limits::client_idle},
    {"client_write_stall_s", &Limits::client_write_stall},
    {"dns_s", &Limits::dns},
    {"connect_s", &Limits::connect},
    {"second_address_s", &Limits::second_address},
    {"tls_s", &Limits::tls},
    {"write_stall_s", &Limits::write_stall},
    {"pool_idle_s", &Limits::pool_idle},
    {"first_progress_s", &Limits::first_progress},
    {"silence_s", &Limits::silence},
    {"reasoning_s", &Limits::reasoning},
    {"early_head_s", &Limits::early_head},
    {"filler_s", &Limits::filler},
    {"wait_s", &Limits::wait},
    {"total_s", &Limits::total},
    {"whole_first_s", &Limits::whole_first},
    {"drain_s", &Limits::drain},
};

struct SizeLimit {
  const char* key;
  std::size_t Limits::*member;
  double least;
  double most;
  const char* unit;
};

constexpr double kGibibyte = 1024.0 * 1024 * 1024;

constexpr SizeLimit kSizes[] = {
    {"body_bytes_max", &Limits::body_bytes_max, 1024, 4 * kGibibyte, "bytes"},
    {"body_memory_bytes_max", &Limits::body_memory_bytes_max, 1024, 64 * kGibibyte, "bytes"},
    {"answer_bytes_max", &Limits::answer_bytes_max, 1024, 4 * kGibibyte, "bytes"},
    {"held_tool_bytes_max", &Limits::held_tool_bytes_max, 1024, kGibibyte, "bytes"},
    {"connections_max", &Limits::connections_max, 1, 1'000'000, ""},
    {"pool_per_endpoint_max", &Limits::pool_per_endpoint_max, 1, 1'000'000, ""},
    {"queue_max", &Limits::queue_max, 0, 1'000'000, ""},
};

constexpr double kDaySeconds = 86'400;

}  // namespace

void parse_limits(TableReader& top, Parsing& parsing) {
  const toml::table* table = top.table("limits");
  if (table == nullptr) return;
  TableReader reader(*table, "[limits]", parsing.mistakes);
  Limits& limits = parsing.config.limits;
  limits.scale = reader.number("scale", {0.001, 100}, "").value_or(1.0);
  for (const TimeLimit& time : kTimes) {
    if (const auto seconds = reader.number(time.key, {0.001, kDaySeconds}, "seconds")) {
      limits.*time.member =
          std::chrono::duration_cast<Duration>(std::chrono::duration<double>(*seconds));
    }
  }
  for (const SizeLimit& size : kSizes) {
    if (const auto value = reader.whole(size.key, {size.least, size.most}, size.unit)) {
      limits.*size.member = static_cast<std::size_t>(*value);
    }
  }
  reader.finish();
  for (const TimeLimit& time : kTimes) {
    limits.*time.member = std::chrono::duration_cast<Duration>(
        std::chrono::duration<double>(limits.*time.member) * limits.scale);
  }
}

}  // namespace nl::config
