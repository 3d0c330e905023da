#include "admin/tier_news.h"

#include <fmt/format.h>

#include <array>
#include <utility>

#include "chat/text.h"

namespace nl::admin {
namespace {

constexpr std::size_t kReasonMax = 120;

using Pair = std::pair<std::string_view, std::string_view>;

// As people call them.
constexpr std::array<Pair, 7> kTitles{{{"anthropic", "Claude"},
                                       {"openai", "GPT"},
                                       {"gemini", "Gemini"},
                                       {"openrouter", "OpenRouter"},
                                       {"ollama", "Ollama"},
                                       {"lmstudio", "LM Studio"},
                                       {"engine", "the model on this machine"}}};

// By the first word that the reason has.
constexpr std::array<Pair, 14> kTroubles{{{"no network", "is out of reach"},
                                          {"limit", "limit reached"},
                                          {"quota", "limit reached"},
                                          {"used up", "limit reached"},
                                          {"429", "limit reached"},
                                          {"credit", "has no credit left"},
                                          {"payment", "has no credit left"},
                                          {"billing", "has no credit left"},
                                          {"overloaded", "is overloaded"},
                                          {"credential", "refuses the key"},
                                          {"permission", "refuses the key"},
                                          {"key ", "refuses the key"},
                                          {"budget", "is over the day's budget"},
                                          {"timeout", "does not answer in time"}}};

std::string_view title(std::string_view provider) {
  for (const auto& [name, text] : kTitles) {
    if (name == provider) return text;
  }
  return provider;
}

std::string_view trouble(std::string_view reason) {
  for (const auto& [word, text] : kTroubles) {
    if (reason.find(word) != std::string_view::npos) return text;
  }
  return "does not answer";
}

std::string quoted(std::string_view text) {
  std::string out = "\"";
  chat::append_escaped(out, text);
  return out += '"';
}

TierNews news_of(const gateway::Answering& one) {
  TierNews news{"", one.preferred, one.tier, one.provider, one.model, ""};
  if (one.provider == one.preferred) {
    news.text = fmt::format("{} answers again", title(one.preferred));
    return news;
  }
  news.reason = one.reason.substr(0, kReasonMax);
  news.text = fmt::format("{} {}: {} answers", title(one.preferred), trouble(news.reason),
                          title(one.provider));
  return news;
}

}  // namespace

std::vector<TierNews> TierWatch::look(const std::vector<gateway::Answering>& answering,
                                      Instant now) {
  std::vector<TierNews> all;
  for (const gateway::Answering& one : answering) {
    Said& said = said_[one.preferred];
    if (said.provider.empty()) said.provider = one.preferred;
    if (said.provider == one.provider || (said.ever && now - said.at < quiet_)) continue;
    said = {one.provider, now, true};
    all.push_back(news_of(one));
  }
  return all;
}

std::string news_json(const TierNews& news, std::string_view at) {
  return fmt::format(
      R"({{"event":"{}","text":{},"preferred":{},"tier":{},"provider":{},"model":{},"reason":{},)"
      R"("at":"{}"}})",
      news.provider == news.preferred ? "back" : "stand-in", quoted("Nightlight: " + news.text),
      quoted(news.preferred), quoted(news.tier), quoted(news.provider), quoted(news.model),
      quoted(news.reason), at);
}

}  // namespace nl::admin
