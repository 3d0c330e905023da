// What the keys of a GGUF header say about the model: the second half of GgufKeys.
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "engine/gguf_keys.h"

namespace nl::engine {
namespace {

constexpr std::size_t kNameShown = 128;
constexpr std::uint32_t kLengthMax = 1U << 20U;  // of embeddings, heads and the like
constexpr std::uint32_t kHeadsMax = 1U << 14U;
constexpr std::uint32_t kContextMax = 1U << 30U;
constexpr std::uint32_t kSplitsMax = 1024;
constexpr std::uint32_t kExpertsMax = 1U << 16U;

std::unexpected<Error> refuse(std::string text) {
  return fail(ErrorCode::config, std::move(text));
}

std::string printable(const std::string& text) {
  std::string shown = text.substr(0, kNameShown);
  for (char& c : shown) {
    if (c < 0x20 || static_cast<unsigned char>(c) >= 0x7f) c = '?';
  }
  return shown;
}

// Where the file does not say it: every n-th layer of these sees everything.
std::uint32_t usual_pattern(const std::string& architecture) {
  struct Usual {
    std::string_view architecture;
    std::uint32_t every;
  };
  constexpr std::array<Usual, 6> kUsual = {{{"gemma2", 2},
                                            {"gemma3", 6},
                                            {"gemma3n", 5},
                                            {"gpt-oss", 2},
                                            {"cohere2", 4},
                                            {"llama4", 4}}};
  for (const Usual& usual : kUsual) {
    if (usual.architecture == architecture) return usual.every;
  }
  return 1;  // unknown: every layer counts in full, which is never too little
}

}  // namespace

std::string GgufKeys::text(const std::string& key) const {
  const auto found = texts_.find(key);
  return found == texts_.end() ? "" : found->second;
}

Result<std::uint32_t> GgufKeys::number(const std::string& key, std::uint32_t most,
                                       std::uint32_t missing) const {
  const auto found = numbers_.find(key);
  if (found == numbers_.end()) return missing;
  if (found->second < 0 || found->second > most) {
    return refuse(fmt::format("says {} = {}, which is impossible", key, found->second));
  }
  return static_cast<std::uint32_t>(found->second);
}

Result<std::uint32_t> GgufKeys::required(const std::string& key, std::uint32_t most) const {
  const auto value = number(key, most, 0);
  if (!value) return value;
  if (*value == 0) return refuse(fmt::format("does not say {}, so it is no language model", key));
  return value;
}

Result<void> GgufKeys::finish(GgufFacts& facts) const {
  facts.architecture = text("general.architecture");
  if (facts.architecture.empty()) return refuse("does not say its architecture");
  if (printable(facts.architecture) != facts.architecture) {
    return refuse("has an architecture that is no plain text");
  }
  facts.name = printable(text("general.name"));
  facts.is_ember = facts.name.starts_with("ember");
  facts.has_chat_template = has_template_;
  facts.tokenizer = printable(text("tokenizer.ggml.model"));
  const auto kind = refuse_other_kinds(facts);
  if (!kind || facts.kind == GgufKind::projector) return kind;
  auto done = read_sizes(facts);
  if (done) done = read_heads(facts);
  if (done) done = read_window(facts);
  return done;
}

Result<void> GgufKeys::refuse_other_kinds(GgufFacts& facts) const {
  const std::string type = text("general.type");
  if (facts.architecture == "clip" || type == "mmproj") {
    return read_projector(facts);
  }
  if (type == "adapter") return refuse("is an adapter (LoRA), not a whole model");
  if (type == "imatrix" || type == "vocab") {
    return refuse(fmt::format("is a file of type {}, not a model", type));
  }
  const auto splits = number("split.count", kSplitsMax, 1);
  const auto split = number("split.no", kSplitsMax, 0);
  if (!splits) return std::unexpected(splits.error());
  if (!split) return std::unexpected(split.error());
  facts.split_count = std::max(*splits, 1U);
  if (*split != 0) {
    return refuse(fmt::format("is part {} of a split model: name the first part", *split + 1));
  }
  return {};
}

Result<void> GgufKeys::read_projector(GgufFacts& facts) const {
  facts.kind = GgufKind::projector;
  const std::string type = text("clip.vision.projector_type");
  facts.projector_type = printable(type.empty() ? text("clip.projector_type") : type);
  for (const char* key : {"clip.vision.projection_dim", "clip.audio.projection_dim"}) {
    const auto length = number(key, kLengthMax, 0);
    if (!length) return std::unexpected(length.error());
    if (facts.projection_length == 0) facts.projection_length = *length;
  }
  return {};
}

Result<void> GgufKeys::read_sizes(GgufFacts& facts) const {
  const std::string prefix = facts.architecture + ".";
  const auto blocks = required(prefix + "block_count", kBlocksMax);
  if (!blocks) return std::unexpected(blocks.error());
  const auto embedding = required(prefix + "embedding_length", kLengthMax);
  if (!embedding) return std::unexpected(embedding.error());
  const auto context = required(prefix + "context_length", kContextMax);
  if (!context) return std::unexpected(context.error());
  facts.block_count = *blocks;
  facts.embedding_length = *embedding;
  facts.context_length = *context;
  const auto experts = number(prefix + "expert_count", kExpertsMax, 0);
  const auto used = number(prefix + "expert_used_count", kExpertsMax, 0);
  if (!experts) return std::unexpected(experts.error());
  if (!used) return std::unexpected(used.error());
  facts.experts = *experts;
  facts.experts_used = *used;
  if (facts.tokenizer.empty() || vocabulary_ == 0) return refuse("holds no tokenizer");
  return {};
}

Result<void> GgufKeys::read_heads(GgufFacts& facts) const {
  const std::string prefix = facts.architecture + ".attention.";
  const auto list = [&](const std::string& key) -> Result<std::vector<std::uint32_t>> {
    std::vector<std::uint32_t> heads;
    const auto found = arrays_.find(prefix + key);
    if (found == arrays_.end()) {
      const auto one = number(prefix + key, kHeadsMax, 0);
      if (!one) return std::unexpected(one.error());
      if (*one > 0) heads.push_back(*one);
      return heads;
    }
    for (const std::int64_t value : found->second) {
      if (value < 0 || value > kHeadsMax) {
        return refuse(
            fmt::format("says {} for one of {}{}, which is impossible", value, prefix, key));
      }
      heads.push_back(static_cast<std::uint32_t>(value));
    }
    return heads;
  };
  const auto heads = list("head_count");
  if (!heads) return std::unexpected(heads.error());
  auto kv = list("head_count_kv");
  if (!kv) return std::unexpected(std::move(kv.error()));
  facts.head_count = heads->empty() ? 0 : *std::max_element(heads->begin(), heads->end());
  facts.kv_heads = kv->empty() ? *heads : std::move(*kv);

  // A head is as long as the embedding allows, unless the file says it.
  const std::uint32_t usual = facts.embedding_length / std::max(facts.head_count, 1U);
  const auto key = number(prefix + "key_length", kLengthMax, usual);
  const auto value = number(prefix + "value_length", kLengthMax, usual);
  if (!key) return std::unexpected(key.error());
  if (!value) return std::unexpected(value.error());
  const auto window_key = number(prefix + "key_length_swa", kLengthMax, *key);
  const auto window_value = number(prefix + "value_length_swa", kLengthMax, *value);
  if (!window_key) return std::unexpected(window_key.error());
  if (!window_value) return std::unexpected(window_value.error());
  facts.key_length = *key;
  facts.value_length = *value;
  facts.window_key_length = *window_key;
  facts.window_value_length = *window_value;
  return {};
}

Result<void> GgufKeys::read_window(GgufFacts& facts) const {
  const std::string prefix = facts.architecture + ".attention.";
  const auto shared = number(prefix + "shared_kv_layers", facts.block_count, 0);
  const auto window = number(prefix + "sliding_window", kContextMax, 0);
  const std::string pattern = prefix + "sliding_window_pattern";
  const auto every = number(pattern, kBlocksMax, usual_pattern(facts.architecture));
  if (!shared) return std::unexpected(shared.error());
  if (!window) return std::unexpected(window.error());
  if (!every) return std::unexpected(every.error());
  facts.shared_kv_layers = *shared;
  facts.sliding_window = *window;
  if (*window == 0) return {};
  facts.window_layers.assign(facts.block_count, 0);
  const auto listed = arrays_.find(pattern);
  for (std::size_t i = 0; i < facts.window_layers.size(); ++i) {
    const bool in_list =
        listed != arrays_.end() && i < listed->second.size() && listed->second[i] != 0;
    const bool by_rule = listed == arrays_.end() && *every > 0 && (i + 1) % *every != 0;
    facts.window_layers[i] = in_list || by_rule ? 1 : 0;
  }
  return {};
}

}  // namespace nl::engine
