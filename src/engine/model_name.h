// ModelName: what people call a model that can be pulled, taken apart and checked.
//
// gemma4:26b, name[:tag] and owner/name[:tag] are of an Ollama registry, hf:OWNER/REPO/FILE.gguf is
// a file of a model hub. Whatever passes is safe as a part of a URL and of a file's name: strict
// character sets, no "..", nothing absolute. Pure values; any thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/error.h"

namespace nl::engine {

struct ModelName {
  enum class Source : std::uint8_t { registry, hub };

  Source source = Source::registry;
  std::string owner;  // "library" when a registry's name has none
  std::string name;   // of the model, or of the hub's repository
  std::string tag;    // of a registry; "latest" when none is written
  std::string file;   // of a hub: its path in the repository

  // The one way to write it: "gemma4:26b", "owner/name:tag", "hf:owner/repo/file.gguf".
  std::string text() const;
};

// Errors: config; the message says what is wrong with it.
Result<ModelName> parse_model_name(std::string_view text);

// True when `text` reads as the path of a file instead: it begins with "/", "." or "~", or ends
// with ".gguf" and is not of a hub.
bool is_model_path(std::string_view text);

// A registry's name made of a file's: "/m/My Model.gguf" becomes "My-Model:local".
std::string name_for_file(std::string_view path);

// True for exactly 64 lower-case hex digits.
bool is_sha256(std::string_view hex);
// The digits of "sha256:<64 hex>". Errors: config.
Result<std::string> parse_digest(std::string_view text);

}  // namespace nl::engine
