// BlobIntake: brings one file into the model store, from a server or from this machine, and lets it
// have its name only when it is what it should be.
//
// The order is fixed: space, bytes, SHA-256 over the whole file, then the GGUF pre-check. What
// fails one of the last two is removed. The caller holds the store's lock. Blocks; one thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"
#include "engine/download.h"
#include "engine/gguf.h"
#include "models/model_record.h"
#include "models/pull_progress.h"

namespace nl::models {

struct RemoteBlob {
  engine::Origin origin;
  BlobRecord expected;  // digest empty and size 0: whatever the server says
  engine::GgufKind kind = engine::GgufKind::model;
};

// How a file of this machine comes into the store. Only what nobody writes to is linked: a link
// would let a later write into it change a blob behind its digest.
enum class Bring : std::uint8_t { copy, link_or_copy };

struct FileBlob {
  std::string path;
  BlobRecord expected;  // digest empty: whatever it is
  engine::GgufKind kind = engine::GgufKind::model;
  Bring bring = Bring::copy;
};

struct TakenBlob {
  BlobRecord blob;
  bool verified = true;   // the source said the digest
  bool was_here = false;  // nothing had to be done
};

class BlobIntake {
 public:
  BlobIntake(const engine::ModelStore& store, engine::DownloadOptions options,
             PullProgress& progress)
      : store_(store), options_(std::move(options)), progress_(progress) {}

  Result<TakenBlob> fetch(const RemoteBlob& wanted);
  // Errors: io, config (with an `expected` digest also anything else than that).
  Result<TakenBlob> take_file(const FileBlob& wanted);

 private:
  Result<void> check_space(std::uint64_t bytes, const std::string& partial) const;
  Result<engine::PartialFile> download(const RemoteBlob& wanted, const engine::Located& located,
                                       const std::string& path);
  // The file at `from` as `to`. Errors: io.
  Result<void> bring_file(const std::string& from, const std::string& to, std::uint64_t bytes,
                          Bring how);
  // Whether the store has it. One whose bytes are no longer its own is removed and is not here.
  bool is_here(const BlobRecord& blob);
  // A blob that is here may be of another kind than this name takes it for.
  Result<TakenBlob> look_again(const BlobRecord& blob, engine::GgufKind kind) const;
  // Refuses early what is no model, or another kind of file, by its first part.
  Result<void> judge_head(const engine::PartialFile& file, engine::GgufKind kind) const;
  std::string label(engine::GgufKind kind) const;

  const engine::ModelStore& store_;
  engine::DownloadOptions options_;
  PullProgress& progress_;
  bool header_refused_ = false;
};

// Tells each new try as a line of `progress`, which must outlive it.
engine::Trouble trouble_told_by(PullProgress& progress);

// Errors: config (the file is of another kind than wanted, or none the engine reads).
Result<void> check_kind(const engine::GgufFacts& facts, engine::GgufKind wanted);

}  // namespace nl::models
