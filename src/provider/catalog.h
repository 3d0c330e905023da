// Catalog: what is known, as data, of the providers and of their models.
//
// A known provider needs no configuration beyond its key. Model facts are a dated snapshot
// (kFactsDate); what the user configures comes before it. A model that is not listed is "unknown":
// unpriced, never free. Asks nobody; any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "chat/model.h"
#include "dialect/dialect.h"

namespace nl::provider {

// The day on which the prices and windows were last compared with their sources.
inline constexpr std::string_view kFactsDate = "2026-10-03";

struct KnownProvider {
  std::string_view name;     // what configuration calls it, and whose service it is
  std::string_view company;  // who sees the prompts, for people
  dialect::DialectId dialect = dialect::DialectId::openai_chat;
  std::string_view base_url;  // with the version in its path
  // Variables that may hold its key; the first that is set counts.
  std::span<const std::string_view> key_variables;
  // How the names of its own models begin.
  std::span<const std::string_view> own_prefixes;
  // Whether a client's credential may be passed on to it: it is the vendor of that form.
  bool takes_client_credential = false;
  bool local = false;  // on this machine; needs no key
};

std::span<const KnownProvider> known_providers();
// Null when `name` is not known.
const KnownProvider* known_provider(std::string_view name);

// Facts of `model` at the known provider `vendor`. A date at the end of the name and Claude Code's
// `[1m]` are looked through; `name` stays as asked. Nothing when unknown.
std::optional<chat::ModelFacts> facts_for(std::string_view vendor, std::string_view model);

// Every listed model of `vendor`, the default of each class first in its class.
std::vector<chat::ModelFacts> models_of(std::string_view vendor);

// One row of the snapshot. Prices are micro-dollars per million tokens; 0 input = unpriced. A
// provider that asks more above some length is listed with its price below it.
struct ModelRow {
  std::string_view vendor;
  std::string_view name;
  chat::ModelClass size = chat::ModelClass::large;
  std::int64_t context_tokens = 0;     // 0 = unknown
  std::int64_t output_tokens_max = 0;  // 0 = unknown
  chat::Price price;
  std::uint8_t marks = 0;
};
inline constexpr std::uint8_t kReasons = 1;
inline constexpr std::uint8_t kFixedSampling = 2;
inline constexpr std::uint8_t kTextOnly = 4;

std::span<const ModelRow> model_rows();

}  // namespace nl::provider
