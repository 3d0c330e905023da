#include "app/now_lines.h"

#include <fmt/format.h>

#include <string>

#include "dialect/json.h"

namespace nl::app {
namespace {

using dialect::Value;
using sheet::NowLine;

std::string text_of(Value value) {
  return value.text().utf8();
}

int tier_number(std::string_view name) {
  if (name == "frontier") return 1;
  return name == "router" ? 2 : 3;
}

std::string tiers_of(Value root) {
  std::string text;
  for (Value tier = root["tiers"].first(); tier; tier = tier.next()) {
    const std::string name = text_of(tier["tier"]);
    text += fmt::format("{}tier {} {}", text.empty() ? "" : ", ", tier_number(name),
                        text_of(tier["state"]));
  }
  return text;
}

std::string answer_of(Value now) {
  const std::string provider = text_of(now["provider"]);
  if (provider.empty()) return "nothing has been asked yet";
  const std::string reason = text_of(now["reason"]);
  return fmt::format("tier {} {}/{}{}{}", tier_number(text_of(now["tier"])), provider,
                     text_of(now["model"]), reason.empty() ? "" : ": ", reason);
}

std::string engine_of(Value engine) {
  std::string text = text_of(engine["state"]);
  const std::string path = text_of(engine["model"]);
  if (engine["ember"].boolean().value_or(false)) {
    text += ", ember (the self-test model: it knows nothing)";
  } else if (!path.empty()) {
    text += ", " + path.substr(path.rfind('/') + 1);
  }
  if (const auto context = engine["context"].integer().value_or(0); context > 0) {
    text += fmt::format(", window {} tokens", context);
  }
  if (const double reads = engine["reads"].number().value_or(0); reads > 0) {
    text += fmt::format(", reads {:.0f} tokens/s and writes {:.0f} (measured)", reads,
                        engine["writes"].number().value_or(0));
  }
  const std::string reason = text_of(engine["reason"]);
  return reason.empty() ? text : text + "; " + reason;
}

void add_standby(std::vector<NowLine>& lines, Value standby) {
  if (!standby.is_object()) return;
  const std::string paused = text_of(standby["paused"]);
  const bool any = standby["conversations"].first().exists();
  if (!paused.empty()) {
    lines.push_back({"standby", "pauses: " + paused});
  } else if (!any) {
    lines.push_back({"standby", "ready; no conversation is warm"});
  }
  for (Value one = standby["conversations"].first(); one; one = one.next()) {
    const std::string client = text_of(one["client"]);
    lines.push_back(
        {"warm", fmt::format("{}: {} of {} tokens, to {}", client.empty() ? "a client" : client,
                             one["warm_tokens"].integer().value_or(0),
                             one["tokens"].integer().value_or(0), text_of(one["warm_to"]))});
  }
}

}  // namespace

std::vector<NowLine> now_lines(std::string_view status_json) {
  dialect::Document document;
  if (status_json.empty() || !document.parse(status_json) || !document.root()["tiers"].is_array()) {
    return {{"gateway", "does not run: `nightlight up` starts it"}};
  }
  const Value root = document.root();
  std::vector<NowLine> lines;
  lines.push_back({"gateway", "runs; " + tiers_of(root)});
  lines.push_back({"answers", answer_of(root["now"])});
  if (root["engine"].is_object()) lines.push_back({"engine", engine_of(root["engine"])});
  add_standby(lines, root["standby"]);
  if (root["offline"].boolean().value_or(false)) {
    lines.push_back({"network", "this machine looks offline"});
  }
  return lines;
}

}  // namespace nl::app
