// Kind: what the doctor can find, as one table: name, severity, what it means and what to do.
//
// The table is data: findings take their name and their usual fix from it, docs/doctor.md shows it.
// `severity` is the gravest that a kind is found with. Pure; any thread.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace nl::doctor {

// note: worth knowing; warning: something is lost in a bad hour; fault: it would not hold.
enum class Severity : std::uint8_t { note, warning, fault };
std::string_view name(Severity severity);

enum class Kind : std::uint8_t {
  config_mistake,
  config_open,
  key_file_open,
  key_refused,
  key_missing,
  no_cloud,
  credit_empty,
  quota_reached,
  provider_fails,
  provider_odd,
  captive_portal,
  name_unknown,
  unreachable,
  proxy_dead,
  proxy_refuses,
  proxy_catches_loopback,
  certificate_expired,
  certificate_untrusted,
  certificate_name,
  tls_fails,
  clock_off,
  port_taken,
  already_serving,
  other_nightlight,
  listener_certificate,
  socket_stale,
  other_gateway,
  state_unwritable,
  state_full,
  ledger_unwritable,
  ledger_damaged,
  models_full,
  memory_small,
  memory_held,
  memory_limited,
  swap_in_use,
  files_few,
  gpu_unused,
  no_local_model,
  model_damaged,
  model_missing,
  engine_missing,
  engine_unfit,
  context_small,
  pull_unfinished,
  local_server_down,
  ollama_context,
  ollama_old,
  drill_old,
};

struct KindRow {
  Kind kind;
  std::string_view id;  // "key-refused"
  Severity severity;
  std::string_view meaning;
  std::string_view fix;
};

std::span<const KindRow> kinds();
const KindRow& row_of(Kind kind);

// The table in Markdown, ordered as kinds() is; ends with a line end.
std::string kinds_table();

}  // namespace nl::doctor
