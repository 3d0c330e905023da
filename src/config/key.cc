#include <fmt/format.h>

#include <algorithm>

#include "config/parse.h"

namespace nl::config {
namespace {

bool is_variable_name(std::string_view name) {
  if (name.empty() || (name[0] >= '0' && name[0] <= '9')) return false;
  return std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
  });
}

// The variable that a value probably means although it does not say "env:", or empty.
std::string_view variable_meant(std::string_view text) {
  if (text.starts_with("${") && text.ends_with('}')) return text.substr(2, text.size() - 3);
  if (text.starts_with('$')) return text.substr(1);
  const bool shouting =
      std::none_of(text.begin(), text.end(), [](char c) { return c >= 'a' && c <= 'z'; });
  return shouting && text.find('_') != std::string_view::npos ? text : std::string_view();
}

ResolvedKey from_variable(std::string_view name, const Located& written, Parsing& parsing) {
  ResolvedKey key{KeySource::environment, written.text, Secret()};
  parsing.config.key_variables.emplace_back(name);
  if (const auto value = parsing.environment.find(std::string(name))) key.value = Secret(*value);
  return key;
}

ResolvedKey from_file(std::string_view name, const Located& written, TableReader& reader,
                      Parsing& parsing) {
  ResolvedKey key{KeySource::file, written.text, Secret()};
  const auto path = absolute_path(name, parsing.environment);
  if (!path) {
    reader.mistake(written.place, "key", path.error().message, "");
    return key;
  }
  auto value = read_key_file(*path);
  if (!value) {
    reader.mistake(written.place, "key", value.error().message, "");
    return key;
  }
  key.value = std::move(*value);
  return key;
}

ResolvedKey from_literal(const Located& written, TableReader& reader, Parsing& parsing) {
  ResolvedKey key{KeySource::literal, "literal", Secret()};
  const std::string_view meant = variable_meant(written.text);
  if (!meant.empty() && is_variable_name(meant)) {
    reader.mistake(written.place, "key", "names a variable but does not say so",
                   fmt::format("write \"env:{}\"", meant));
  } else if (written.text.size() < 8) {
    reader.mistake(written.place, "key", "is neither a source nor a key",
                   "write \"env:NAME\", \"file:PATH\", \"client\" or \"none\"");
  } else if (const std::string why = unfit_key(written.text); !why.empty()) {
    reader.mistake(written.place, "key", why, "");
  } else if (parsing.mode != FileMode::owner_only) {
    reader.mistake(
        written.place, "key", "a secret in a file that others may read",
        fmt::format("run: chmod 600 '{}', or write \"env:NAME\"", parsing.config.source_path));
  } else {
    key.value = Secret(written.text);
  }
  return key;
}

}  // namespace

ResolvedKey resolve_key(const Located& written, TableReader& reader, Parsing& parsing) {
  const std::string_view text = written.text;
  if (text == "client") return {KeySource::client, "client", Secret()};
  if (text == "none") return {KeySource::none, "none", Secret()};
  if (text.starts_with("file:")) return from_file(text.substr(5), written, reader, parsing);
  if (!text.starts_with("env:")) return from_literal(written, reader, parsing);
  const std::string_view name = text.substr(4);
  if (!is_variable_name(name)) {
    reader.mistake(written.place, "key", "is not the name of a variable",
                   "write \"env:NAME\" with letters, digits and _");
    return {KeySource::environment, written.text, Secret()};
  }
  ResolvedKey key = from_variable(name, written, parsing);
  if (key.value.empty()) {
    parsing.config.warnings.push_back(fmt::format("{}:{}:{}: {} is not set",
                                                  parsing.config.source_path, written.place.line,
                                                  written.place.column, name));
  } else if (const std::string why = unfit_key(key.value.reveal()); !why.empty()) {
    reader.mistake(written.place, "key", fmt::format("{}: {}", name, why), "");
  }
  return key;
}

ProviderConfig known_defaults(const provider::KnownProvider& known, Parsing& parsing) {
  ProviderConfig made;
  made.name = std::string(known.name);
  made.dialect = known.dialect;
  made.base_url = std::string(known.base_url);
  if (auto url = http::parse_base_url(known.base_url)) made.url = std::move(*url);
  made.local = known.local;
  made.billing = known.local ? router::Billing::free : router::Billing::metered;
  made.key_text = "none";
  if (known.local) return made;
  made.key_source = KeySource::environment;
  for (const std::string_view name : known.key_variables) {
    parsing.config.key_variables.emplace_back(name);
    const auto value = parsing.environment.find(std::string(name));
    if (!value || !made.key.empty()) continue;
    made.key_text = fmt::format("env:{}", name);
    if (unfit_key(*value).empty()) {
      made.key = Secret(*value);
    } else {
      parsing.config.warnings.push_back(fmt::format(
          "{} has a space, a line end or a byte that no key has and is not used", name));
    }
  }
  if (!made.key.empty()) return made;
  made.key_text = fmt::format("env:{}", known.key_variables.front());
  if (known.takes_client_credential) {
    made.key_source = KeySource::client;
    made.key_text = "client";
  }
  return made;
}

}  // namespace nl::config
