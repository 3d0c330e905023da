#include "gateway/answer_headers.h"

#include <algorithm>
#include <charconv>

namespace nl::gateway {
namespace {

constexpr int kRetryAfterMax = 60;
constexpr int kRetryAfterSdk = 30;

std::string clamped_retry_after(const std::string& value) {
  int seconds = kRetryAfterMax;
  const auto parsed = std::from_chars(value.data(), value.data() + value.size(), seconds);
  if (parsed.ec != std::errc()) seconds = kRetryAfterMax;
  return std::to_string(std::clamp(seconds, 0, kRetryAfterMax));
}

}  // namespace

std::string header_value(std::string_view text) {
  std::string clean(text.substr(0, 300));
  for (char& c : clean) {
    if (c < 0x20 || c > 0x7e) c = '?';
  }
  return clean;
}

HeaderList answer_headers(const Turn& turn, const Answerer& answerer, const HeaderList& vendor) {
  HeaderList headers;
  headers.reserve(7 + vendor.size());
  headers.emplace_back("x-nightlight-tier", answerer.tier.empty() ? "none" : answerer.tier);
  headers.emplace_back("x-nightlight-provider",
                       answerer.provider.empty() ? "none" : header_value(answerer.provider));
  headers.emplace_back("x-nightlight-model",
                       answerer.model.empty() ? "none" : header_value(answerer.model));
  headers.emplace_back("x-nightlight-attempts", std::to_string(answerer.attempts));
  headers.emplace_back("x-nightlight-request-id", turn.id);
  if (!answerer.reason.empty()) {
    headers.emplace_back("x-nightlight-reason", header_value(answerer.reason));
  }
  if (!answerer.compacted.empty()) {
    headers.emplace_back("x-nightlight-compacted", header_value(answerer.compacted));
  }
  for (const auto& [name, value] : vendor) {
    headers.emplace_back(name, name == "retry-after" ? clamped_retry_after(value) : value);
  }
  return headers;
}

std::string header_block(const HeaderList& headers) {
  std::string block;
  block.reserve(64 * headers.size());
  for (const auto& [name, value] : headers) {
    block.append(name).append(": ").append(value).append("\r\n");
  }
  return block;
}

int obeyed_retry_after(const Turn& turn) {
  // Claude Code waits up to 60 s ten times; the SDKs behind other agents are held open first and
  // then told half of that (PROTOCOLS 3).
  return turn.facts.client_agent.starts_with("claude-cli/") ? kRetryAfterMax : kRetryAfterSdk;
}

}  // namespace nl::gateway
