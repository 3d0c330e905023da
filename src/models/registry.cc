#include "models/registry.h"

#include <fmt/format.h>

#include "dialect/json.h"

namespace nl::models {
namespace {

constexpr std::string_view kRegistryHost = "registry.ollama.ai";
constexpr std::string_view kHubHost = "huggingface.co";
constexpr std::string_view kLayerPrefix = "application/vnd.ollama.image.";
constexpr std::uint32_t kLayersMax = 4096;

std::unexpected<Error> junk(std::string_view why) {
  return fail(ErrorCode::not_an_answer, fmt::format("the registry's manifest is not one: {}", why));
}

Result<BlobRecord> read_layer(dialect::Value layer) {
  auto hex = engine::parse_digest(layer["digest"].text().utf8());
  const auto size = layer["size"].integer();
  if (!hex) return junk(hex.error().message);
  if (!size || *size <= 0 || static_cast<std::uint64_t>(*size) > engine::kModelBytesMax) {
    return junk("a layer without a size");
  }
  return BlobRecord{std::move(*hex), static_cast<std::uint64_t>(*size)};
}

Result<http::BaseUrl> base_of(const Environment& environment, const char* variable,
                              std::string_view host) {
  const auto named = environment.find(variable);
  auto base = engine::parse_pull_base(named ? std::string(*named) : "https://" + std::string(host));
  if (base) return base;
  return fail(ErrorCode::config, fmt::format("{}: {}", variable, base.error().message));
}

}  // namespace

Result<RegistryManifest> parse_registry_manifest(std::string_view json) {
  dialect::Document document;
  const auto parsed = document.parse(json);
  if (!parsed) return junk(parsed.error().message);
  const dialect::Value layers = document.root()["layers"];
  if (!layers.is_array() || layers.size() > kLayersMax) return junk("no list of layers");
  RegistryManifest manifest;
  int models = 0;
  bool tensors = false;
  for (dialect::Value layer = layers.first(); layer; layer = layer.next()) {
    const std::string type = layer["mediaType"].text().utf8();
    if (!type.starts_with(kLayerPrefix)) continue;
    const std::string kind = type.substr(kLayerPrefix.size());
    tensors = tensors || kind == "tensor";
    if (kind != "model" && kind != "projector") continue;
    auto blob = read_layer(layer);
    if (!blob) return std::unexpected(blob.error());
    if (kind == "model") {
      ++models;
      manifest.model = std::move(*blob);
    } else if (!manifest.projector) {
      manifest.projector = std::move(*blob);
    }
  }
  if (models == 1) return manifest;
  if (models > 1) return junk("more than one model in it");
  return fail(ErrorCode::unsupported,
              tensors ? "this tag is made for another engine (MLX): pull one that is a GGUF"
                      : "there is no model in it: a tag that runs in the registry's own cloud");
}

Result<PullBases> pull_bases(const Environment& environment) {
  auto registry = base_of(environment, "NIGHTLIGHT_REGISTRY", kRegistryHost);
  if (!registry) return std::unexpected(registry.error());
  auto hub = base_of(environment, "NIGHTLIGHT_HF", kHubHost);
  if (!hub) return std::unexpected(hub.error());
  return PullBases{std::move(*registry), std::move(*hub)};
}

engine::Origin manifest_origin(const PullBases& bases, const engine::ModelName& name) {
  return {bases.registry.endpoint, fmt::format("{}/v2/{}/{}/manifests/{}", bases.registry.path,
                                               name.owner, name.name, name.tag)};
}

engine::Origin blob_origin(const PullBases& bases, const engine::ModelName& name,
                           std::string_view hex) {
  return {bases.registry.endpoint, fmt::format("{}/v2/{}/{}/blobs/sha256:{}", bases.registry.path,
                                               name.owner, name.name, hex)};
}

engine::Origin file_origin(const PullBases& bases, const engine::ModelName& name) {
  return {bases.hub.endpoint, fmt::format("{}/{}/{}/resolve/main/{}", bases.hub.path, name.owner,
                                          name.name, name.file)};
}

std::string address_of(const engine::Origin& origin) {
  const bool plain = origin.endpoint.scheme == http::Scheme::http;
  return fmt::format("{}://{}{}", plain ? "http" : "https", origin.endpoint.authority(),
                     origin.target);
}

}  // namespace nl::models
