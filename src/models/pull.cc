#include "models/pull.h"

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <unistd.h>

#include <charconv>
#include <filesystem>

#include "models/blob_intake.h"
#include "models/ollama_store.h"
#include "models/registry.h"

namespace nl::models {
namespace {

namespace fs = std::filesystem;

using engine::GgufKind;
using engine::ModelName;

std::string date_text(WallTime when) {
  const auto whole = std::chrono::time_point_cast<std::chrono::seconds>(when);
  const auto rest = std::chrono::duration_cast<std::chrono::milliseconds>(when - whole);
  return fmt::format("{:%Y-%m-%dT%H:%M:%S}.{:03}Z",
                     fmt::gmtime(std::chrono::system_clock::to_time_t(whole)), rest.count());
}

engine::DownloadOptions download_options(const config::Config& config,
                                         const Environment& environment) {
  engine::DownloadOptions options;
  options.client.extra_ca_file = config.ca_file;
  options.client.https_proxy = config.https_proxy;
  options.client.no_proxy = config.no_proxy;
  // For tests: small parts, so that a small file has several.
  const std::string part = environment.text("NIGHTLIGHT_PULL_PART_BYTES");
  std::uint64_t bytes = 0;
  const auto [stop, error] = std::from_chars(part.data(), part.data() + part.size(), bytes);
  if (error == std::errc() && *stop == '\0' && bytes > 0) {
    options.sizes.head_bytes = options.sizes.least_bytes = bytes;
  }
  return options;
}

// Whether what the projector makes is what the model takes.
bool fits(const engine::ModelStore& store, const BlobRecord& model, const BlobRecord& projector) {
  const auto of_model = engine::inspect_gguf(store.blob(model.hex));
  const auto of_projector = engine::inspect_gguf(store.blob(projector.hex));
  return of_model && of_projector &&
         (of_projector->projection_length == 0 ||
          of_projector->projection_length == of_model->embedding_length);
}

class Pull {
 public:
  Pull(const Environment& environment, engine::DownloadOptions options)
      : environment_(environment),
        options_(options),
        store_(model_store(environment)),
        progress_(clock_, ::isatty(STDERR_FILENO) == 1 ? PullDisplay::bar : PullDisplay::lines),
        intake_(store_, std::move(options), progress_) {}

  // What was pulled is in the store afterwards.
  Result<ModelRecord> run(const std::string& wanted);
  bool was_here() const { return was_here_; }
  const engine::ModelStore& store() const { return store_; }

 private:
  Result<ModelRecord> from_registry(const PullBases& bases, const ModelName& name);
  Result<ModelRecord> from_hub(const PullBases& bases, const ModelName& name);
  Result<ModelRecord> from_file(const std::string& path);
  // A blob of a registry, from the Ollama on this machine where it has it.
  Result<BlobRecord> take(const PullBases& bases, const ModelName& name, const BlobRecord& blob,
                          GgufKind kind);

  const SystemClock clock_;
  const Environment& environment_;
  engine::DownloadOptions options_;
  engine::ModelStore store_;
  PullProgress progress_;
  BlobIntake intake_;
  bool was_here_ = true;
};

Result<BlobRecord> Pull::take(const PullBases& bases, const ModelName& name, const BlobRecord& blob,
                              GgufKind kind) {
  if (!store_.has_blob(blob.hex, blob.bytes)) {
    const auto there = OllamaStore(environment_).find_blob(blob);
    if (there) {
      auto linked = intake_.take_file({*there, blob, kind, Bring::link_or_copy});
      if (linked) {
        was_here_ = false;
        progress_.note("taken from the Ollama store on this machine");
        return linked->blob;
      }
    }
  }
  RemoteBlob wanted;
  wanted.origin = blob_origin(bases, name, blob.hex);
  wanted.expected = blob;
  wanted.kind = kind;
  auto taken = intake_.fetch(wanted);
  if (!taken) return std::unexpected(taken.error());
  was_here_ = was_here_ && taken->was_here;
  return taken->blob;
}

Result<ModelRecord> Pull::from_registry(const PullBases& bases, const ModelName& name) {
  const engine::Origin origin = manifest_origin(bases, name);
  const auto text =
      engine::fetch_small(options_, origin, kManifestType, trouble_told_by(progress_));
  if (!text) {
    const auto known = find_record(store_, name.text());
    const bool unreachable = text.error().code != ErrorCode::status || text.error().status == 429 ||
                             text.error().status >= 500;
    if (!known || !unreachable) return std::unexpected(text.error());
    progress_.note(fmt::format("the registry cannot be asked ({})", text.error().message));
    return *known;
  }
  const auto manifest = parse_registry_manifest(*text);
  if (!manifest) return std::unexpected(manifest.error());
  ModelRecord record;
  record.name = name.text();
  record.source = address_of(origin);
  auto model = take(bases, name, manifest->model, GgufKind::model);
  if (!model) return std::unexpected(model.error());
  record.model = std::move(*model);
  if (manifest->projector) {
    auto projector = take(bases, name, *manifest->projector, GgufKind::projector);
    if (!projector) return std::unexpected(projector.error());
    if (fits(store_, record.model, *projector)) {
      record.projector = std::move(*projector);
    } else {
      progress_.note("its projector belongs to another model: this one will read text only");
    }
  }
  return record;
}

Result<ModelRecord> Pull::from_hub(const PullBases& bases, const ModelName& name) {
  RemoteBlob wanted;
  wanted.origin = file_origin(bases, name);
  auto taken = intake_.fetch(wanted);
  if (!taken) return std::unexpected(taken.error());
  was_here_ = taken->was_here;
  ModelRecord record;
  record.name = name.text();
  record.source = address_of(wanted.origin);
  record.model = taken->blob;
  record.verified = taken->verified;
  return record;
}

Result<ModelRecord> Pull::from_file(const std::string& path) {
  auto taken = intake_.take_file({path, BlobRecord(), GgufKind::model, Bring::copy});
  if (!taken) return std::unexpected(taken.error());
  was_here_ = taken->was_here;
  ModelRecord record;
  record.name = engine::name_for_file(path);
  std::error_code error;
  record.source = fs::absolute(path, error).lexically_normal().string();
  record.model = taken->blob;
  record.verified = false;
  return record;
}

Result<ModelRecord> Pull::run(const std::string& wanted) {
  const bool is_file = engine::is_model_path(wanted);
  const auto name = is_file ? Result<ModelName>(ModelName()) : engine::parse_model_name(wanted);
  if (!name) return std::unexpected(name.error());
  const auto bases = pull_bases(environment_);
  if (!bases) return std::unexpected(bases.error());
  const auto lock = store_.lock();
  if (!lock) return std::unexpected(lock.error());
  Result<ModelRecord> record = fail(ErrorCode::internal, "nothing was pulled");
  if (is_file) {
    record = from_file(wanted);
  } else if (name->source == ModelName::Source::hub) {
    record = from_hub(*bases, *name);
  } else {
    record = from_registry(*bases, *name);
  }
  if (!record) return record;
  record->date = date_text(clock_.wall());
  const auto written = store_.write_manifest(record->name, record_json(*record));
  if (!written) return std::unexpected(written.error());
  return record;
}

}  // namespace

Result<Pulled> pull_model(const std::string& wanted, const config::Config& config,
                          const Environment& environment) {
  Pull pull(environment, download_options(config, environment));
  auto record = pull.run(wanted);
  if (!record) return std::unexpected(std::move(record.error()));
  const std::uint64_t idle = pull.store().bytes_except(needed_blobs(pull.store()));
  return Pulled{std::move(*record), pull.was_here(), idle};
}

}  // namespace nl::models
