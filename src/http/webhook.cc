#include "http/webhook.h"

namespace nl::http {

Result<Webhook> parse_webhook(std::string_view url) {
  for (const char c : url) {
    if (static_cast<unsigned char>(c) <= 0x20 || static_cast<unsigned char>(c) >= 0x7f) {
      return fail(ErrorCode::config, "has a space or a byte that no address has");
    }
  }
  const std::string_view before = url.substr(0, url.find_first_of("?#"));
  auto base = parse_base_url(before);
  if (!base) return fail(ErrorCode::config, "is no address: write https://HOST/PATH");
  std::string target = base->path;
  if (target.empty() || before.ends_with('/')) target += "/";
  const std::string_view rest = url.substr(before.size());
  target += rest.substr(0, rest.find('#'));
  return Webhook{base->endpoint, Secret(target)};
}

}  // namespace nl::http
