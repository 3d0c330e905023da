#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "config/parse.h"
#include "config/url.h"

namespace nl::config {
namespace {

constexpr double kTokensMost = 100'000'000;
constexpr double kUsdMost = 10'000;
constexpr std::string_view kOllamaUrl = "http://127.0.0.1:11434";

bool is_name(std::string_view name) {
  if (name.empty() || name.size() > 64 || name[0] == '.' || name[0] == '-') return false;
  return std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '-' || c == '_';
  });
}

bool is_model_name(std::string_view name) {
  return !name.empty() && name.size() <= 200 && std::all_of(name.begin(), name.end(), [](char c) {
    return c > 0x20 && c < 0x7f && c != '"' && c != '\\';
  });
}

// One entry of `models` that is a table.
std::optional<chat::ModelFacts> model_table(const toml::table& table, Parsing& parsing) {
  TableReader reader(table, "[[provider]] models", parsing.mistakes);
  chat::ModelFacts facts;
  const auto name = reader.text("name");
  if (!name) {
    reader.mistake(reader.place(), "name", "is missing", "write { name = \"...\" }");
  } else if (!is_model_name(name->text)) {
    reader.mistake(name->place, "name", "is not a model name", "no spaces, quotes or controls");
  } else {
    facts.name = name->text;
  }
  if (const auto size = reader.word("class", {"large", "medium", "small"})) {
    facts.size = static_cast<chat::ModelClass>(*size);
  }
  if (const auto n = reader.whole("context", {1, kTokensMost}, "tokens")) facts.context_tokens = n;
  if (const auto n = reader.whole("output", {1, kTokensMost}, "tokens")) {
    facts.output_tokens_max = n;
  }
  facts.images = reader.flag("images").value_or(facts.images);
  facts.reasoning = reader.flag("reasoning").value_or(false);
  facts.fixed_sampling = reader.flag("fixed_sampling").value_or(false);
  const auto micro = [&](const char* key) -> std::optional<std::int64_t> {
    const auto usd = reader.number(key, {0, kUsdMost}, "dollars per million tokens");
    if (!usd) return std::nullopt;
    return std::llround(*usd * 1e6);
  };
  const auto input = micro("input_usd");
  const auto output = micro("output_usd");
  const auto cache_read = micro("cache_read_usd");
  const auto cache_write = micro("cache_write_usd");
  if (input.has_value() != output.has_value()) {
    reader.mistake(reader.place(), input ? "output_usd" : "input_usd", "is missing",
                   "give both prices or none");
  } else if (input) {
    facts.price =
        chat::Price{*input, *output, cache_read.value_or(*input), cache_write.value_or(*input)};
  }
  reader.finish();
  if (facts.name.empty()) return std::nullopt;
  return facts;
}

void parse_models(TableReader& reader, ProviderConfig& made, Parsing& parsing) {
  const toml::node* node = reader.node("models");
  if (node == nullptr) return;
  const toml::array* array = node->as_array();
  if (array == nullptr) {
    reader.mistake(place_of(*node), "models", "must be a list",
                   "write models = [\"NAME\", { name = \"NAME\", context = 131072 }]");
    return;
  }
  for (const toml::node& item : *array) {
    std::optional<chat::ModelFacts> facts;
    if (const toml::table* table = item.as_table()) {
      facts = model_table(*table, parsing);
    } else if (const auto* text = item.as_string(); text != nullptr && is_model_name(text->get())) {
      facts = provider::facts_for(made.name, text->get());
      if (!facts) {
        facts.emplace();
        facts->name = text->get();
      }
    } else {
      reader.mistake(place_of(item), "models", "holds something that is no model name",
                     "write \"NAME\" or { name = \"NAME\" }");
    }
    if (!facts) continue;
    const auto same = [&](const chat::ModelFacts& other) { return other.name == facts->name; };
    if (std::any_of(made.models.begin(), made.models.end(), same)) {
      reader.mistake(place_of(item), "models", fmt::format("{} is listed twice", facts->name),
                     "remove one");
      continue;
    }
    made.models.push_back(std::move(*facts));
  }
}

void parse_dialect(TableReader& reader, ProviderConfig& made) {
  const auto written = reader.text("dialect");
  if (!written) return;
  if (const auto id = dialect::dialect_by_name(written->text)) {
    made.dialect = *id;
    return;
  }
  const std::vector<std::string> later = {"openai-responses", "gemini"};
  if (std::find(later.begin(), later.end(), written->text) != later.end()) {
    reader.mistake(written->place, "dialect",
                   fmt::format("{} is not served in this release", written->text),
                   "use \"openai-chat\" with the server's OpenAI-compatible base_url");
    return;
  }
  reader.mistake(written->place, "dialect", "is not known",
                 "use \"anthropic\", \"openai-chat\" or \"ollama\"");
}

void parse_base_url(TableReader& reader, ProviderConfig& made, Parsing& parsing) {
  const auto written = reader.text("base_url");
  const bool insecure_allowed = reader.flag("insecure_http").value_or(false);
  if (!written) {
    if (made.base_url.empty() && made.dialect == dialect::DialectId::ollama) {
      // Its own address is part of what that server is.
      made.base_url = kOllamaUrl;
      made.url = http::parse_base_url(made.base_url).value();
    } else if (made.base_url.empty()) {
      reader.mistake(reader.place(), "base_url", "is missing",
                     "write base_url = \"https://HOST/v1\"");
    }
    return;
  }
  made.base_url = api_root(written->text, made.dialect);
  auto url = http::parse_base_url(made.base_url);
  if (!url) {
    reader.mistake(written->place, "base_url", url.error().message,
                   "write \"https://HOST\" or \"https://HOST:PORT/PATH\"");
    return;
  }
  made.url = std::move(*url);
  if (made.url.endpoint.scheme != http::Scheme::http) return;
  if (is_loopback(made.url.endpoint.host)) return;
  if (!insecure_allowed) {
    reader.mistake(written->place, "base_url",
                   "plain http to another machine shows keys and prompts",
                   "use https://, or add insecure_http = true");
    return;
  }
  made.insecure_http = true;
  parsing.config.warnings.push_back(
      fmt::format("{}: keys and prompts go to {} over plain http (insecure_http = true)", made.name,
                  made.url.endpoint.host));
}

void parse_key(TableReader& reader, ProviderConfig& made, Parsing& parsing) {
  const provider::KnownProvider* known = provider::known_provider(made.name);
  const auto written = reader.text("key");
  if (!written) {
    if (known != nullptr) return;  // known_defaults() has looked
    made.key_text = "none";
    if (is_loopback(made.url.endpoint.host) || made.base_url.empty()) return;
    reader.mistake(reader.place(), "key", "is missing",
                   "write key = \"env:NAME\", \"file:PATH\" or, for a keyless server, \"none\"");
    return;
  }
  ResolvedKey key = resolve_key(*written, reader, parsing);
  if (key.source == KeySource::client && (known == nullptr || !known->takes_client_credential)) {
    reader.mistake(written->place, "key",
                   "a client's credential goes to the vendor it was made for and nowhere else",
                   "write key = \"env:NAME\" or \"file:PATH\"");
    return;
  }
  made.key_source = key.source;
  made.key_text = std::move(key.text);
  made.key = std::move(key.value);
}

void parse_provider(const toml::table& table, Parsing& parsing) {
  TableReader reader(table, "[[provider]]", parsing.mistakes);
  Config& config = parsing.config;
  const auto name = reader.text("name");
  if (!name) {
    if (table.get("name") == nullptr) {
      reader.mistake(reader.place(), "name", "is missing", "write name = \"...\"");
    }
    return;
  }
  if (!is_name(name->text) || name->text == "engine") {
    reader.mistake(name->place, "name", "cannot be a provider's name",
                   "use 1 to 64 letters, digits, '.', '_' or '-'; \"engine\" is taken");
    return;
  }
  if (config.provider_index(name->text)) {
    reader.mistake(name->place, "name", fmt::format("\"{}\" is there twice", name->text),
                   "give each provider its own name");
    return;
  }
  ProviderConfig made;
  if (const auto* known = provider::known_provider(name->text)) {
    made = known_defaults(*known, parsing);
  }
  made.name = name->text;
  made.in_config = true;
  parse_dialect(reader, made);
  parse_base_url(reader, made, parsing);
  parse_key(reader, made, parsing);
  made.context_tokens = reader.whole("context", {1, kTokensMost}, "tokens");
  parse_models(reader, made, parsing);
  const bool loopback = is_loopback(made.url.endpoint.host);
  const auto tier = reader.word("tier", {"frontier", "router", "local"});
  // A key on loopback is the mark of a proxy or tunnel to somebody else's cloud: only a keyless
  // server is taken for a model on this machine.
  const bool own_server = loopback && made.key.empty() && made.key_source == KeySource::none;
  const auto default_tier = own_server ? router::Tier::local : router::Tier::router;
  made.tier = tier ? static_cast<router::Tier>(*tier) : default_tier;
  if (const auto billing = reader.word("billing", {"metered", "flat", "free"})) {
    made.billing = static_cast<router::Billing>(*billing);
  } else if (own_server) {
    made.billing = router::Billing::free;
  }
  reader.finish();
  config.providers.push_back(std::move(made));
}

}  // namespace

void parse_providers(TableReader& top, Parsing& parsing) {
  for (const toml::table* table : top.tables("provider")) parse_provider(*table, parsing);
}

}  // namespace nl::config
