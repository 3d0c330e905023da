// Registry: what an Ollama registry's manifest says of a model, and where things are pulled from.
//
// Only the layers that the engine needs are taken: the model and its projector. Pure; any thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/environment.h"
#include "base/error.h"
#include "engine/model_name.h"
#include "engine/model_source.h"
#include "models/model_record.h"

namespace nl::models {

struct RegistryManifest {
  BlobRecord model;
  std::optional<BlobRecord> projector;
};

inline constexpr std::string_view kManifestType =
    "application/vnd.docker.distribution.manifest.v2+json";

// Errors: not_an_answer (no manifest, no or several models in it, digests or sizes with junk),
// unsupported (a model that is no GGUF).
Result<RegistryManifest> parse_registry_manifest(std::string_view json);

// Where models come from: the public places, or what NIGHTLIGHT_REGISTRY and NIGHTLIGHT_HF name.
struct PullBases {
  http::BaseUrl registry;
  http::BaseUrl hub;
};
// Errors: config.
Result<PullBases> pull_bases(const Environment& environment);

engine::Origin manifest_origin(const PullBases& bases, const engine::ModelName& name);
engine::Origin blob_origin(const PullBases& bases, const engine::ModelName& name,
                           std::string_view hex);
engine::Origin file_origin(const PullBases& bases, const engine::ModelName& name);

// The address as text, for the record.
std::string address_of(const engine::Origin& origin);

}  // namespace nl::models
