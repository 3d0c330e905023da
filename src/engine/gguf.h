// GGUF pre-check: reads the header of a model file and says what it is, or why it is refused.
//
// Stands before the engine's child: a file that is cut off, lies about its sizes or is no model at
// all is never handed to it. Reads the header only, never tensor data; every count, length, product
// and offset is held against a named bound and the file's size before it is used, so time and
// memory are bounded whatever the bytes say. Pure but for the file; blocks while it reads (up to
// kHeaderBytesMax from disk), so call it off the loop. Any thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace nl::engine {

enum class GgufKind : std::uint8_t {
  model,       // a text model
  projector,   // turns images or sound into a model's input; goes beside a model
  monolithic,  // text model with the projector's tensors inside: only Ollama reads it
};

struct GgufFacts {
  GgufKind kind = GgufKind::model;
  std::string architecture;
  std::string name;       // general.name, at most 128 printable characters
  std::string tokenizer;  // tokenizer.ggml.model
  bool has_chat_template = false;
  bool is_ember = false;  // the built-in self-test model
  std::uint64_t file_bytes = 0;
  std::uint64_t tensor_bytes = 0;  // of this file; a split model has more files like it
  std::uint64_t parameters = 0;    // elements of all tensors
  std::uint32_t tensor_count = 0;
  std::uint32_t split_count = 1;  // files that the model is split into
  std::uint32_t context_length = 0;
  std::uint32_t block_count = 0;
  std::uint32_t embedding_length = 0;
  std::uint32_t head_count = 0;  // the largest of all layers; 0 = no attention
  // K/V heads by layer; fewer entries than layers = the last one holds for the rest.
  std::vector<std::uint32_t> kv_heads;
  std::uint32_t key_length = 0;  // per head, of layers that see everything
  std::uint32_t value_length = 0;
  std::uint32_t window_key_length = 0;  // per head, of layers with a sliding window
  std::uint32_t window_value_length = 0;
  std::uint32_t sliding_window = 0;  // tokens; 0 = none
  // By layer, 1 = sliding window. Empty without a window.
  std::vector<std::uint8_t> window_layers;
  // Of a projector: its type, and the embedding_length of the models that it fits; 0 = not said.
  std::string projector_type;
  std::uint32_t projection_length = 0;
  std::uint32_t shared_kv_layers = 0;  // the last so many layers keep no K/V of their own
  // Of tensor_bytes: tables of which a token reads some rows only (per-layer embeddings), and the
  // weights of experts, of which a token uses `experts_used` in `experts`.
  std::uint64_t lookup_bytes = 0;
  std::uint64_t expert_bytes = 0;
  std::uint32_t experts = 0;
  std::uint32_t experts_used = 0;
  std::uint64_t active_bytes = 0;  // what is read for every token that is written
};

inline constexpr std::uint64_t kHeaderBytesMax = 256ULL << 20;
inline constexpr std::uint64_t kKeysMax = 4096;
inline constexpr std::uint64_t kTensorsMax = 32768;
inline constexpr std::uint64_t kKeyBytesMax = 1024;
inline constexpr std::uint64_t kNameBytesMax = 63;  // of a tensor: what the engine can hold
inline constexpr std::uint64_t kTemplateBytesMax = 1ULL << 20;
inline constexpr std::uint32_t kBlocksMax = 1024;

// Errors: io (missing, unreadable, not a regular file), config (refused; the message says why in
// words for the person who has the file). Messages name the file.
Result<GgufFacts> inspect_gguf(const std::string& path);

// The same over bytes at hand. `bytes` is the beginning of a file of `file_bytes` bytes.
Result<GgufFacts> inspect_gguf_bytes(std::string_view bytes, std::uint64_t file_bytes);

}  // namespace nl::engine
