#include "gateway/answer_headers.h"

#include <algorithm>
#include <charconv>

namespace nl::gateway {
namespace {

constexpr int kRetryAfterMax = 60;
constexpr int kRetryAfterSdk = 30;
constexpr std::size_t kValueBytesMax = 300;

std::string clamped_retry_after(const std::string& value) {
  int seconds = kRetryAfterMax;
  const auto parsed = std::from_chars(value.data(), value.data() + value.size(), seconds);
  if (parsed.ec != std::errc()) seconds = kRetryAfterMax;
  return std::to_string(std::clamp(seconds, 0, kRetryAfterMax));
}

void append_value(std::string& out, std::string_view text) {
  const std::size_t begin = out.size();
  out.append(text.substr(0, kValueBytesMax));
  for (std::size_t i = begin; i < out.size(); ++i) {
    if (out[i] < 0x20 || out[i] > 0x7e) out[i] = '?';
  }
}

}  // namespace

std::string header_value(std::string_view text) {
  std::string clean;
  append_value(clean, text);
  return clean;
}

std::string answer_lines(const Turn& turn, const Answerer& answerer, const HeaderList& vendor) {
  std::string lines;
  lines.reserve(256 + 64 * vendor.size());
  const auto add = [&lines](std::string_view name, std::string_view value) {
    lines.append(name).append(": ").append(value).append("\r\n");
  };
  const auto add_clean = [&](std::string_view name, std::string_view text) {
    lines.append(name).append(": ");
    append_value(lines, text);
    lines.append("\r\n");
  };
  const auto or_none = [](std::string_view text) {
    return text.empty() ? std::string_view("none") : text;
  };
  add("x-nightlight-tier", or_none(answerer.tier));
  add_clean("x-nightlight-provider", or_none(answerer.provider));
  add_clean("x-nightlight-model", or_none(answerer.model));
  add("x-nightlight-attempts", std::to_string(answerer.attempts));
  add("x-nightlight-request-id", turn.id);
  if (!answerer.reason.empty()) add_clean("x-nightlight-reason", answerer.reason);
  if (!answerer.compacted.empty()) add_clean("x-nightlight-compacted", answerer.compacted);
  for (const auto& [name, value] : vendor) {
    if (name == "retry-after") {
      add(name, clamped_retry_after(value));
    } else {
      add(name, value);
    }
  }
  return lines;
}

int obeyed_retry_after(const Turn& turn) {
  // Claude Code waits up to 60 s ten times; the SDKs behind other agents are held open first and
  // then told half of that (PROTOCOLS 3).
  return turn.facts.client_agent.starts_with("claude-cli/") ? kRetryAfterMax : kRetryAfterSdk;
}

}  // namespace nl::gateway
