#include "app/status_text.h"

#include <fmt/format.h>

#include <cstdio>
#include <iterator>

#include "app/local_gateway.h"
#include "dialect/json.h"

namespace nl::app {
namespace {

using dialect::Value;
using Out = std::back_insert_iterator<std::string>;

constexpr Duration kWithin = std::chrono::seconds(2);
constexpr std::size_t kLineReasonMax = 60;

std::string text_of(Value value) {
  return value.text().utf8();
}

int tier_number(std::string_view name) {
  if (name == "frontier") return 1;
  return name == "router" ? 2 : 3;
}

std::string span(std::int64_t seconds) {
  if (seconds >= 3600) return fmt::format("{} h {} min", seconds / 3600, seconds % 3600 / 60);
  if (seconds >= 60) return fmt::format("{} min", seconds / 60);
  return fmt::format("{} s", seconds);
}

Result<void> parse(dialect::Document& document, std::string_view json) {
  const auto parsed = document.parse(json);
  if (!parsed || !document.root()["tiers"].is_array() || !document.root()["now"].is_object()) {
    return fail(ErrorCode::protocol, "what answers there is no nightlight gateway");
  }
  return {};
}

void write_tier(Out out, Value tier) {
  const std::string name = text_of(tier["tier"]);
  fmt::format_to(out, "tier {} {:<9} {}\n", tier_number(name), name, text_of(tier["state"]));
  for (Value target = tier["targets"].first(); target; target = target.next()) {
    const std::string model = text_of(target["model"]);
    fmt::format_to(out, "  {}{}{}: {}", text_of(target["provider"]), model.empty() ? "" : "/",
                   model, text_of(target["state"]));
    const std::string reason = text_of(target["reason"]);
    if (!reason.empty()) fmt::format_to(out, ", {}", reason);
    const std::int64_t ready = target["ready_in_s"].integer().value_or(0);
    if (ready > 0) fmt::format_to(out, " (again in {})", span(ready));
    fmt::format_to(out, "\n");
  }
}

void write_engine(Out out, Value engine) {
  if (!engine.is_object()) return;
  const std::string path = text_of(engine["model"]);
  const bool ember = engine["ember"].boolean().value_or(false);
  fmt::format_to(out, "engine    {}", text_of(engine["state"]));
  if (ember) {
    fmt::format_to(out, ", ember (the self-test model: it knows nothing)");
  } else if (!path.empty()) {
    fmt::format_to(out, ", {}", path.substr(path.rfind('/') + 1));
  }
  if (const auto context = engine["context"].integer().value_or(0); context > 0) {
    fmt::format_to(out, ", window {} tokens", context);
  }
  if (const double reads = engine["reads"].number().value_or(0); reads > 0) {
    const std::int64_t warm = engine["warm"].integer().value_or(0);
    fmt::format_to(out,
                   ", reads {:.0f} tokens/s and writes {:.0f}, can keep {} conversation{} warm",
                   reads, engine["writes"].number().value_or(0), warm, warm == 1 ? "" : "s");
  }
  if (const auto restarts = engine["restarts"].integer().value_or(0); restarts > 0) {
    fmt::format_to(out, ", restarted {} times", restarts);
  }
  for (const char* key : {"reason", "note"}) {
    if (const std::string text = text_of(engine[key]); !text.empty()) {
      fmt::format_to(out, "; {}", text);
    }
  }
  fmt::format_to(out, "\n");
}

void write_standby(Out out, Value standby) {
  if (!standby.is_object()) return;
  const std::string paused = text_of(standby["paused"]);
  const bool reading = standby["reading"].boolean().value_or(false);
  fmt::format_to(out, "standby   {}",
                 paused.empty() ? (reading ? "reading along" : "ready") : "pauses: " + paused);
  if (const double rate = standby["read_tokens_per_s"].number().value_or(0); rate > 0) {
    const std::int64_t capacity = standby["capacity"].integer().value_or(0);
    fmt::format_to(out, ", reads {:.0f} tokens/s: enough for {} busy conversation{}", rate,
                   capacity, capacity == 1 ? "" : "s");
  }
  fmt::format_to(out, "\n");
  for (Value one = standby["conversations"].first(); one; one = one.next()) {
    const std::string client = text_of(one["client"]);
    fmt::format_to(out, "  {}: warm to {}, {} of {} tokens", client.empty() ? "a client" : client,
                   text_of(one["warm_to"]), one["warm_tokens"].integer().value_or(0),
                   one["tokens"].integer().value_or(0));
    fmt::format_to(out, ", last turn {} ago", span(one["idle_s"].integer().value_or(0)));
    if (const std::string trouble = text_of(one["trouble"]); !trouble.empty()) {
      fmt::format_to(out, "; {}", trouble);
    }
    fmt::format_to(out, "\n");
  }
}

}  // namespace

Result<std::string> status_text(std::string_view json) {
  dialect::Document document;
  if (const auto parsed = parse(document, json); !parsed) return std::unexpected(parsed.error());
  const Value root = document.root();
  std::string text;
  Out out(text);
  fmt::format_to(out, "nightlight {} (pid {}), up {}, on", text_of(root["version"]),
                 root["pid"].integer().value_or(0), span(root["uptime_s"].integer().value_or(0)));
  for (Value item = root["listen"].first(); item; item = item.next()) {
    fmt::format_to(out, " {}", text_of(item));
  }
  fmt::format_to(out, "\n\n");
  for (Value tier = root["tiers"].first(); tier; tier = tier.next()) write_tier(out, tier);
  const Value now = root["now"];
  const std::string provider = text_of(now["provider"]);
  if (provider.empty()) {
    fmt::format_to(out, "\nnow       nothing has been asked yet\n");
  } else {
    const std::string reason = text_of(now["reason"]);
    fmt::format_to(out, "\nnow       tier {} {}/{}{}{}\n", tier_number(text_of(now["tier"])),
                   provider, text_of(now["model"]), reason.empty() ? "" : ": ", reason);
  }
  write_engine(out, root["engine"]);
  write_standby(out, root["standby"]);
  const Value today = root["today"];
  fmt::format_to(out, "today     {} requests, {} errors, {} failovers, ${:.2f}\n",
                 today["requests"].integer().value_or(0), today["errors"].integer().value_or(0),
                 today["failovers"].integer().value_or(0), today["cost_usd"].number().value_or(0));
  fmt::format_to(out, "failover  ${:.2f} of ${:.2f} spent today\n",
                 today["failover_usd"].number().value_or(0),
                 today["failover_cap_usd"].number().value_or(0));
  if (root["offline"].boolean().value_or(false)) {
    fmt::format_to(out, "network   this machine looks offline\n");
  }
  if (const auto dropped = root["ledger_dropped"].integer().value_or(0); dropped > 0) {
    fmt::format_to(out, "ledger    {} rows could not be written\n", dropped);
  }
  for (Value note = root["notes"].first(); note; note = note.next()) {
    fmt::format_to(out, "note      {}\n", text_of(note));
  }
  return text;
}

Result<std::string> status_line(std::string_view json) {
  dialect::Document document;
  if (const auto parsed = parse(document, json); !parsed) return std::unexpected(parsed.error());
  const Value now = document.root()["now"];
  const std::string provider = text_of(now["provider"]);
  if (provider.empty()) return std::string("nightlight: ready");
  std::string line =
      fmt::format("nightlight: tier {} {}", tier_number(text_of(now["tier"])), provider);
  std::string reason = text_of(now["reason"]);
  if (reason.size() > kLineReasonMax) reason = reason.substr(0, kLineReasonMax - 3) + "...";
  for (char& c : reason) {
    if (static_cast<unsigned char>(c) < 0x20) c = ' ';
  }
  if (!reason.empty()) line += ": " + reason;
  return line;
}

int status(const CliOptions& options, const config::Config& config) {
  const LocalGateway gateway(config);
  const auto json = gateway.get("/nightlight/status", kWithin);
  if (!json) {
    if (options.form == Form::line) {
      fmt::print("nightlight: not running\n");
      return 0;
    }
    fmt::print(stderr, "nightlight: not running at {}: {}; start it with `nightlight up`\n",
               gateway.base_url().empty() ? "its unix socket" : gateway.base_url(),
               json.error().message);
    return 1;
  }
  if (options.form == Form::json) {
    fmt::print("{}\n", *json);
    return 0;
  }
  const auto text = options.form == Form::line ? status_line(*json) : status_text(*json);
  if (!text) {
    fmt::print(stderr, "nightlight: {}\n", text.error().message);
    return options.form == Form::line ? 0 : 1;
  }
  fmt::print("{}{}", *text, options.form == Form::line ? "\n" : "");
  return 0;
}

}  // namespace nl::app
