// The details of one model: its record, what its file's header says, and how it runs here.
//
// `nightlight show` prints them. Reads files and the system; starts nothing. Any thread.
#pragma once

#include <string>

#include "base/environment.h"
#include "base/error.h"
#include "config/config.h"
#include "engine/gguf.h"
#include "models/model_record.h"

namespace nl::models {

struct ModelDetails {
  ModelRecord record;
  engine::GgufFacts facts;
  std::string runs;  // "32768 tokens shared by 2 conversations", or why not
};

// Of the model of that name in the store. Errors: config (it is not here), those of the pre-check.
Result<ModelDetails> model_details(const std::string& name, const config::EngineConfig& config,
                                   const Environment& environment);

std::string details_text(const ModelDetails& details);
std::string details_json(const ModelDetails& details);

}  // namespace nl::models
