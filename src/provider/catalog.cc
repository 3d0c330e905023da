#include "provider/catalog.h"

#include <algorithm>
#include <array>
#include <string>

namespace nl::provider {
namespace {

using dialect::DialectId;

constexpr std::array<std::string_view, 1> kAnthropicKeys{"ANTHROPIC_API_KEY"};
constexpr std::array<std::string_view, 1> kOpenaiKeys{"OPENAI_API_KEY"};
constexpr std::array<std::string_view, 2> kGeminiKeys{"GEMINI_API_KEY", "GOOGLE_API_KEY"};
constexpr std::array<std::string_view, 1> kOpenrouterKeys{"OPENROUTER_API_KEY"};

constexpr std::array<std::string_view, 1> kAnthropicPrefixes{"claude-"};
constexpr std::array<std::string_view, 6> kOpenaiPrefixes{"gpt-", "chatgpt-", "codex-",
                                                          "o1",   "o3",       "o4"};
constexpr std::array<std::string_view, 1> kGeminiPrefixes{"gemini-"};
// OpenRouter names a model as maker/model.
constexpr std::array<std::string_view, 12> kOpenrouterPrefixes{
    "anthropic/", "openai/",     "google/",     "x-ai/", "deepseek/", "qwen/",
    "mistralai/", "meta-llama/", "moonshotai/", "z-ai/", "minimax/",  "openrouter/"};

const std::array<KnownProvider, 6> kProviders{{
    {"anthropic", "Anthropic", DialectId::anthropic, "https://api.anthropic.com/v1", kAnthropicKeys,
     kAnthropicPrefixes, true, false},
    {"openai", "OpenAI", DialectId::openai_chat, "https://api.openai.com/v1", kOpenaiKeys,
     kOpenaiPrefixes, true, false},
    {"gemini", "Google", DialectId::openai_chat,
     "https://generativelanguage.googleapis.com/v1beta/openai", kGeminiKeys, kGeminiPrefixes, false,
     false},
    {"openrouter", "OpenRouter and the maker of the model", DialectId::openai_chat,
     "https://openrouter.ai/api/v1", kOpenrouterKeys, kOpenrouterPrefixes, false, false},
    {"ollama",
     "nobody: this machine",
     DialectId::ollama,
     "http://127.0.0.1:11434",
     {},
     {},
     false,
     true},
    {"lmstudio",
     "nobody: this machine",
     DialectId::openai_chat,
     "http://127.0.0.1:1234/v1",
     {},
     {},
     false,
     true},
}};

bool all_digits(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

// `model` without "[1m]", "-20251001", "-2025-08-07" or "-latest" at its end.
std::string_view dateless(std::string_view model) {
  if (model.ends_with("[1m]")) model.remove_suffix(4);
  if (model.ends_with("-latest")) return model.substr(0, model.size() - 7);
  const std::size_t dash = model.rfind('-');
  if (dash == std::string_view::npos) return model;
  const std::string_view last = model.substr(dash + 1);
  if (last.size() == 8 && all_digits(last)) return model.substr(0, dash);
  if (model.size() > 11) {
    const std::string_view date = model.substr(model.size() - 11);
    if (date[0] == '-' && date[5] == '-' && date[8] == '-' && all_digits(date.substr(1, 4)) &&
        all_digits(date.substr(6, 2)) && all_digits(date.substr(9, 2))) {
      return model.substr(0, model.size() - 11);
    }
  }
  return model;
}

chat::ModelFacts facts_of(const ModelRow& row) {
  chat::ModelFacts facts;
  facts.name = std::string(row.name);
  facts.size = row.size;
  if (row.context_tokens > 0) facts.context_tokens = row.context_tokens;
  if (row.output_tokens_max > 0) facts.output_tokens_max = row.output_tokens_max;
  if (row.price.input > 0) facts.price = row.price;
  facts.images = (row.marks & kTextOnly) == 0;
  facts.reasoning = (row.marks & kReasons) != 0;
  facts.fixed_sampling = (row.marks & kFixedSampling) != 0;
  return facts;
}

}  // namespace

std::span<const KnownProvider> known_providers() {
  return kProviders;
}

const KnownProvider* known_provider(std::string_view name) {
  const auto found = std::find_if(kProviders.begin(), kProviders.end(),
                                  [&](const KnownProvider& known) { return known.name == name; });
  return found == kProviders.end() ? nullptr : &*found;
}

std::optional<chat::ModelFacts> facts_for(std::string_view vendor, std::string_view model) {
  const std::string_view bare = dateless(model);
  for (const ModelRow& row : model_rows()) {
    if (row.vendor != vendor || (row.name != model && row.name != bare)) continue;
    chat::ModelFacts facts = facts_of(row);
    facts.name = std::string(model);
    return facts;
  }
  return std::nullopt;
}

std::vector<chat::ModelFacts> models_of(std::string_view vendor) {
  std::vector<chat::ModelFacts> models;
  for (const ModelRow& row : model_rows()) {
    if (row.vendor == vendor) models.push_back(facts_of(row));
  }
  return models;
}

}  // namespace nl::provider
