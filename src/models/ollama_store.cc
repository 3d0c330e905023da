#include "models/ollama_store.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "base/whole_file.h"
#include "engine/gguf.h"

namespace nl::models {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kManifestBytesMax = 1 << 20;
constexpr std::size_t kModelsMax = 100;
constexpr int kFilesMax = 10'000;
constexpr int kDepth = 3;  // host, owner, model; the tag is the file

std::string verdict_on(const std::string& path) {
  const auto facts = engine::inspect_gguf(path);
  if (!facts) return "not readable here: " + facts.error().message;
  switch (facts->kind) {
    case engine::GgufKind::model:
      return "usable";
    case engine::GgufKind::monolithic:
      return "monolithic: served through Ollama only";
    case engine::GgufKind::projector:
      return "a projector, no model";
  }
  return "";
}

// "registry.ollama.ai/library/gemma4/26b" as people say it.
std::string name_of(const fs::path& relative) {
  std::vector<std::string> parts;
  for (const fs::path& part : relative) parts.push_back(part.string());
  const std::string model = fmt::format("{}:{}", parts[2], parts[3]);
  return parts[1] == "library" ? model : parts[1] + "/" + model;
}

}  // namespace

OllamaStore::OllamaStore(const Environment& environment) {
  const std::string named = environment.text("OLLAMA_MODELS");
  const std::string home = environment.text("HOME");
  if (named.starts_with('/')) {
    folder_ = named;
  } else if (home.starts_with('/')) {
    folder_ = home + "/.ollama/models";
  }
}

std::vector<OllamaModel> OllamaStore::models() const {
  std::vector<OllamaModel> found;
  if (folder_.empty()) return found;
  const fs::path root = fs::path(folder_) / "manifests";
  std::error_code error;
  int seen = 0;
  fs::recursive_directory_iterator it(root, fs::directory_options::skip_permission_denied, error);
  for (; !error && it != fs::recursive_directory_iterator(); it.increment(error)) {
    if (++seen > kFilesMax || found.size() >= kModelsMax) break;
    if (it.depth() >= kDepth) it.disable_recursion_pending();
    if (it.depth() != kDepth) continue;
    const auto text = read_whole_file(it->path().string(), kManifestBytesMax);
    if (!text) continue;
    OllamaModel model;
    model.name = name_of(it->path().lexically_relative(root));
    const auto manifest = parse_registry_manifest(*text);
    if (manifest) {
      model.bytes = manifest->model.bytes;
      model.path = fmt::format("{}/blobs/sha256-{}", folder_, manifest->model.hex);
      model.verdict = verdict_on(model.path);
    } else {
      model.verdict = manifest.error().message;
    }
    found.push_back(std::move(model));
  }
  std::sort(found.begin(), found.end(),
            [](const OllamaModel& a, const OllamaModel& b) { return a.name < b.name; });
  return found;
}

std::optional<std::string> OllamaStore::find_blob(const BlobRecord& blob) const {
  if (folder_.empty() || blob.hex.empty()) return std::nullopt;
  std::string path = fmt::format("{}/blobs/sha256-{}", folder_, blob.hex);
  std::error_code error;
  const auto bytes = fs::file_size(path, error);
  if (error || bytes != blob.bytes) return std::nullopt;
  return path;
}

}  // namespace nl::models
