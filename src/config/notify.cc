#include <fmt/format.h>

#include <chrono>

#include "config/parse.h"
#include "http/resolver.h"

namespace nl::config {
namespace {

constexpr double kQuietMost = 24 * 3600;

// The address that `written` means, empty where its variable is not set.
std::string address_of(const Located& written, Parsing& parsing) {
  if (!written.text.starts_with("env:")) return written.text;
  const std::string name = written.text.substr(4);
  parsing.config.key_variables.push_back(name);
  std::string url = parsing.environment.text(name);
  if (url.empty()) {
    parsing.config.warnings.push_back(fmt::format("{}:{}:{}: {} is not set: no webhook is called",
                                                  parsing.config.source_path, written.place.line,
                                                  written.place.column, name));
  }
  return url;
}

// What forbids it, or empty.
std::string unfit(const http::Endpoint& endpoint, const Located& written, const Parsing& parsing) {
  const bool here = http::is_loopback_host(endpoint.host);
  if (endpoint.scheme != http::Scheme::https && !here) {
    return "would be plain http to another machine";
  }
  const bool is_literal = !written.text.starts_with("env:");
  if (is_literal && !here && parsing.mode != FileMode::owner_only) {
    return "a secret in a file that others may read";
  }
  return "";
}

}  // namespace

void parse_notify(TableReader& top, Parsing& parsing) {
  const toml::table* table = top.table("notify");
  if (table == nullptr) return;
  TableReader reader(*table, "[notify]", parsing.mistakes);
  NotifyConfig& notify = parsing.config.notify;
  notify.desktop = reader.flag("desktop").value_or(false);
  if (const auto seconds = reader.number("quiet_s", {0, kQuietMost}, "seconds")) {
    notify.quiet = std::chrono::duration_cast<Duration>(std::chrono::duration<double>(*seconds));
  }
  if (const auto written = reader.text("webhook")) {
    const std::string url = address_of(*written, parsing);
    const auto webhook =
        url.empty() ? Result<http::Webhook>(http::Webhook()) : http::parse_webhook(url);
    if (!webhook) {
      reader.mistake(written->place, "webhook", webhook.error().message, "");
    } else if (const std::string why = unfit(webhook->endpoint, *written, parsing);
               !url.empty() && !why.empty()) {
      reader.mistake(written->place, "webhook", why,
                     "write https://, or \"env:NAME\", or chmod 600 the file");
    } else if (!url.empty()) {
      notify.webhook = *webhook;
    }
  }
  reader.finish();
}

}  // namespace nl::config
