#include "models/blob_intake.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>

#include "engine/copy_file.h"
#include "http/digest.h"

namespace nl::models {
namespace {

namespace fs = std::filesystem;

using engine::GgufKind;

// Why the bytes at hand are no model, with words that do not name our partial file.
Error bad_file(const Error& error, const std::string& partial) {
  std::string why = error.message;
  if (why.starts_with(partial + ": ")) why.erase(0, partial.size() + 2);
  return Error(ErrorCode::config, fmt::format("refused and removed: {}", why));
}

Error wrong_bytes() {
  return Error(ErrorCode::config,
               "refused and removed: its bytes are not those that the name stands for (SHA-256 "
               "differs); pull again, or from another place");
}

// 1.1 times what is still to come, as the disk is rarely ours alone.
std::uint64_t with_margin(std::uint64_t bytes) {
  return bytes + bytes / 10;
}

std::uint64_t allocated_bytes(const std::string& path) {
  struct stat found {};
  if (::stat(path.c_str(), &found) != 0) return 0;
  return static_cast<std::uint64_t>(found.st_blocks) * 512;
}

}  // namespace

engine::Trouble trouble_told_by(PullProgress& progress) {
  return [&progress](const std::string& what, Duration pause) {
    const auto seconds = std::chrono::ceil<std::chrono::seconds>(pause).count();
    progress.note(fmt::format("{}; trying again in {} s", what, seconds));
  };
}

Result<void> check_kind(const engine::GgufFacts& facts, GgufKind wanted) {
  if (facts.split_count > 1) {
    return fail(ErrorCode::config,
                fmt::format("this is one of {} files of a model, and the store keeps models of one "
                            "file: join them (`llama-gguf-split --merge FIRST OUT.gguf`) and pull "
                            "that, or name the first in engine.model",
                            facts.split_count));
  }
  if (facts.kind == wanted) return {};
  switch (facts.kind) {
    case GgufKind::monolithic:
      return fail(
          ErrorCode::config,
          "model and projector are one file here, which only Ollama reads: run it in "
          "Ollama (Nightlight finds it there), or pull a QAT tag or an official GGUF (hf:...)");
    case GgufKind::projector:
      return fail(ErrorCode::config, "this is a projector (mmproj), no model");
    case GgufKind::model:
      return fail(ErrorCode::config, "this is a model where a projector (mmproj) should be");
  }
  return fail(ErrorCode::internal, "a kind of file without a name");
}

std::string BlobIntake::label(GgufKind kind) const {
  return kind == GgufKind::projector ? "projector" : "model";
}

Result<void> BlobIntake::check_space(std::uint64_t bytes, const std::string& partial) const {
  const std::uint64_t there = std::min(bytes, allocated_bytes(partial));
  const std::uint64_t need = with_margin(bytes - there);
  const std::uint64_t have = store_.free_bytes();
  if (need <= have) return {};
  return fail(ErrorCode::io,
              fmt::format("{} is too full: {} are needed, {} are free; make room, or name another "
                          "place in NIGHTLIGHT_MODELS",
                          store_.folder(), size_text(need), size_text(have)));
}

Result<void> BlobIntake::judge_head(const engine::PartialFile& file, GgufKind kind) const {
  if (file.parts() < 2) return {};  // it is all here: the digest speaks first
  const auto bytes = file.beginning(file.part(0).end);
  if (!bytes) return std::unexpected(bytes.error());
  const auto facts = engine::inspect_gguf_bytes(*bytes, file.size());
  if (facts) return check_kind(*facts, kind);
  // A header longer than the first part is judged when the file is whole.
  if (bytes->starts_with("GGUF")) return {};
  return std::unexpected(facts.error());
}

Result<engine::PartialFile> BlobIntake::download(const RemoteBlob& wanted,
                                                 const engine::Located& located,
                                                 const std::string& path) {
  engine::DownloadOrder order;
  order.origin = wanted.origin;
  order.located = located;
  order.digest = wanted.expected.hex;
  order.path = path;
  engine::DownloadWatch watch;
  watch.progress = [&](std::uint64_t there, std::uint64_t all) { progress_.update(there, all); };
  watch.trouble = trouble_told_by(progress_);
  watch.head = [&](const engine::PartialFile& file) {
    auto judged = judge_head(file, wanted.kind);
    header_refused_ = !judged;
    return judged;
  };
  progress_.begin(label(wanted.kind));
  auto file = engine::download(options_, order, watch);
  progress_.end();
  return file;
}

bool BlobIntake::is_here(const BlobRecord& blob) {
  if (!store_.has_blob(blob.hex, blob.bytes)) return false;
  const std::string path = store_.blob(blob.hex);
  if (engine::inspect_gguf(path)) return true;
  // Such bytes never got a name: the disk, or somebody, has changed them since.
  progress_.begin("checking");
  const auto hex =
      engine::file_digest(path, [&](std::uint64_t at) { progress_.update(at, blob.bytes); });
  progress_.end();
  if (!hex || *hex == blob.hex) return true;
  progress_.note("the file that was here is damaged: fetching it anew");
  std::error_code error;
  return !fs::remove(path, error);
}

Result<TakenBlob> BlobIntake::look_again(const BlobRecord& blob, GgufKind kind) const {
  const auto facts = engine::inspect_gguf(store_.blob(blob.hex));
  if (!facts) return std::unexpected(facts.error());
  const auto fits = check_kind(*facts, kind);
  if (!fits) return std::unexpected(fits.error());
  return TakenBlob{blob, true, true};
}

Result<TakenBlob> BlobIntake::fetch(const RemoteBlob& wanted) {
  if (is_here(wanted.expected)) return look_again(wanted.expected, wanted.kind);
  auto located = engine::locate_now(options_, wanted.origin, trouble_told_by(progress_));
  if (!located) return std::unexpected(located.error());
  RemoteBlob whole = wanted;
  if (whole.expected.hex.empty()) whole.expected.hex = located->digest;
  if (whole.expected.bytes == 0) whole.expected.bytes = located->bytes;
  if (whole.expected.bytes != located->bytes) {
    return fail(ErrorCode::not_an_answer,
                fmt::format("{} has {} bytes where {} were announced", located->at.endpoint.host,
                            located->bytes, whole.expected.bytes));
  }
  const bool verified = !whole.expected.hex.empty();
  if (verified && is_here(whole.expected)) return look_again(whole.expected, whole.kind);
  const std::string key =
      verified
          ? "sha256-" + whole.expected.hex
          : "from-" + http::sha256_hex(whole.origin.endpoint.authority() + whole.origin.target);
  const std::string path = fmt::format("{}/blobs/{}", store_.folder(), key);
  const auto room = check_space(whole.expected.bytes, path + ".partial");
  if (!room) return std::unexpected(room.error());
  if (!verified && located->version.empty()) {
    // Nothing would tell the rest of another file from the rest of this one.
    std::error_code ignored;
    fs::remove(path + ".progress", ignored);
  }
  auto file = download(whole, *located, path);
  if (!file) {
    // Anything but a refused header may go on later.
    if (!header_refused_) return std::unexpected(file.error());
    std::error_code ignored;
    fs::remove(path + ".partial", ignored);
    fs::remove(path + ".progress", ignored);
    return std::unexpected(bad_file(file.error(), path + ".partial"));
  }
  progress_.begin("checking");
  const auto hex = file->digest([&](std::uint64_t at) { progress_.update(at, file->size()); });
  progress_.end();
  if (!hex) return std::unexpected(hex.error());
  if (verified && *hex != whole.expected.hex) {
    file->discard();
    return std::unexpected(wrong_bytes());
  }
  const auto facts = engine::inspect_gguf(file->path());
  const Result<void> fine =
      facts ? check_kind(*facts, whole.kind) : Result<void>(std::unexpected(facts.error()));
  if (!fine) {
    file->discard();
    return std::unexpected(bad_file(fine.error(), file->path()));
  }
  const auto named = file->finish(store_.blob(*hex));
  if (!named) return std::unexpected(named.error());
  return TakenBlob{BlobRecord{*hex, file->size()}, verified, false};
}

Result<void> BlobIntake::bring_file(const std::string& from, const std::string& to,
                                    std::uint64_t bytes, Bring how) {
  std::error_code error;
  fs::remove(to, error);
  if (how == Bring::link_or_copy) {
    fs::create_hard_link(from, to, error);
    if (!error) return {};
  }
  const auto room = check_space(bytes, to);
  if (!room) return room;
  progress_.begin("copying");
  auto copied =
      engine::copy_file(from, to, [&](std::uint64_t there) { progress_.update(there, bytes); });
  progress_.end();
  return copied;
}

Result<TakenBlob> BlobIntake::take_file(const FileBlob& wanted) {
  std::error_code error;
  const fs::path real = fs::canonical(wanted.path, error);
  if (error) return fail(ErrorCode::io, fmt::format("{}: {}", wanted.path, error.message()));
  const auto facts = engine::inspect_gguf(real.string());
  if (!facts) return std::unexpected(facts.error());
  const auto fits = check_kind(*facts, wanted.kind);
  if (!fits) return std::unexpected(fits.error());
  const std::string taken = fmt::format("{}/blobs/taken-{}.partial", store_.folder(), ::getpid());
  auto brought = bring_file(real.string(), taken, facts->file_bytes, wanted.bring);
  Result<std::string> hex = fail(ErrorCode::io, "");
  if (brought) {
    progress_.begin("checking");
    hex = engine::file_digest(taken,
                              [&](std::uint64_t at) { progress_.update(at, facts->file_bytes); });
    progress_.end();
    if (!hex) {
      brought = std::unexpected(hex.error());
    } else if (!wanted.expected.hex.empty() && *hex != wanted.expected.hex) {
      brought = std::unexpected(wrong_bytes());
    } else {
      // It may have been written to since its header was read.
      const auto again = engine::inspect_gguf(taken);
      if (!again) brought = std::unexpected(bad_file(again.error(), taken));
    }
  }
  if (!brought) {
    fs::remove(taken, error);
    return std::unexpected(brought.error());
  }
  const std::uint64_t bytes = fs::file_size(taken, error);
  const BlobRecord blob{*hex, bytes};
  const bool was_here = store_.has_blob(blob.hex, blob.bytes);
  if (was_here) {
    fs::remove(taken, error);
  } else {
    fs::rename(taken, store_.blob(blob.hex), error);
    if (error) return fail(ErrorCode::io, fmt::format("{}: {}", wanted.path, error.message()));
  }
  return TakenBlob{blob, true, was_here};
}

}  // namespace nl::models
