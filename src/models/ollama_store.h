// OllamaStore: the models that an Ollama on this machine has on its disk. Only ever read.
//
// Its daemon prunes what it does not know, so nothing is put there; a blob that the engine reads
// too is linked into our own store when the same model is pulled. Blocks on the disk; any thread.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/environment.h"
#include "models/registry.h"

namespace nl::models {

struct OllamaModel {
  std::string name;  // "gemma4:26b"
  std::string path;  // of the model's blob
  std::uint64_t bytes = 0;
  std::string verdict;  // "usable", or why not
};

class OllamaStore {
 public:
  // $OLLAMA_MODELS, else ~/.ollama/models.
  explicit OllamaStore(const Environment& environment);

  std::vector<OllamaModel> models() const;
  // Where the blob of this digest and size is, if it is there.
  std::optional<std::string> find_blob(const BlobRecord& blob) const;

 private:
  std::string folder_;
};

}  // namespace nl::models
