// The list of models: what is in the model store, and what of an Ollama's is usable.
//
// `nightlight models` prints it. Reads files on this machine only. Any thread.
#pragma once

#include <string>
#include <vector>

#include "base/environment.h"
#include "engine/model_store.h"
#include "models/model_record.h"
#include "models/ollama_store.h"

namespace nl::models {

struct ModelList {
  engine::ModelStore store;
  std::vector<ModelRecord> records;  // the newest first
  std::size_t foreign = 0;           // manifests that are not understood
  std::vector<OllamaModel> ollama;
};

ModelList model_list(const Environment& environment);

std::string list_text(const ModelList& list);
std::string list_json(const ModelList& list);

}  // namespace nl::models
