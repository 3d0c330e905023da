#include "engine/preparation.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <utility>

#include "engine/machine.h"

namespace nl::engine {
namespace {

constexpr std::size_t kSeenMax = 64;
constexpr int kFolderEntriesMax = 1000;

// Tells one state of a file from another; empty = there is none.
std::string stamp_of(const std::string& path) {
  struct stat found {};
  if (::stat(path.c_str(), &found) != 0 || !S_ISREG(found.st_mode)) return "";
#ifdef __APPLE__
  const auto changed = found.st_mtimespec;
#else
  const auto changed = found.st_mtim;
#endif
  return fmt::format("{}:{}:{}:{}.{}", found.st_dev, found.st_ino, found.st_size, changed.tv_sec,
                     changed.tv_nsec);
}

bool fits(const GgufFacts& projector, const GgufFacts& model) {
  return projector.projection_length == 0 || projector.projection_length == model.embedding_length;
}

}  // namespace

const Result<Capabilities>& Preparation::probe(const std::string& path, const std::string& stamp) {
  Seen& seen = seen_[path];
  if (seen.stamp != stamp) {
    seen.program = probe_binary(path, options_.probe_within, stop_);
    // A program that was too slow once may be quicker on a quieter machine.
    const bool lasting = seen.program || seen.program.error().code != ErrorCode::timeout;
    seen.stamp = lasting ? stamp : "";
  }
  return seen.program;
}

const Result<GgufFacts>& Preparation::inspect(const std::string& path, const std::string& stamp) {
  Seen& seen = seen_[path];
  if (seen.stamp != stamp) {
    seen.model = inspect_gguf(path);
    seen.stamp = stamp;
  }
  return seen.model;
}

std::string Preparation::find_program(const Wanted& wanted, Prepared& prepared) {
  std::string reason = "no llama-server found: `make engine` builds it";
  for (const std::string& program : wanted.programs) {
    const std::string stamp = stamp_of(program);
    if (!program.starts_with('/') || stamp.empty() || ::access(program.c_str(), X_OK) != 0)
      continue;
    const auto& found = probe(program, stamp);
    if (!found) {
      reason = found.error().message;
      continue;
    }
    prepared.plan.program = program;
    prepared.program_version = found->version;
    return "";
  }
  return reason;
}

std::string Preparation::check_model(const Wanted& wanted, Prepared& prepared) {
  if (wanted.model.empty()) return "no model: `nightlight pull` gets one that fits this machine";
  if (!wanted.model.starts_with('/')) return wanted.model + ": is no absolute path";
  const std::string stamp = stamp_of(wanted.model);
  if (stamp.empty()) {
    return wanted.model + ": is not there; `nightlight pull` gets a model that fits this machine";
  }
  const Result<GgufFacts> facts = inspect(wanted.model, stamp);
  if (!facts) return facts.error().message;
  Wanted whole = wanted;
  const auto projector_bytes = check_projector(whole, *facts);
  if (!projector_bytes) return projector_bytes.error().message;
  const std::string program = prepared.plan.program;
  auto plan = plan_launch(whole, *facts, read_machine(), *projector_bytes);
  if (!plan) return plan.error().message;
  prepared.plan = std::move(*plan);
  prepared.plan.program = program;
  prepared.facts = *facts;
  return "";
}

Result<std::uint64_t> Preparation::check_projector(Wanted& wanted, const GgufFacts& model) {
  if (wanted.projector.empty()) {
    wanted.projector = projector_beside(wanted.model, model);
    if (wanted.projector.empty()) return 0;
  }
  const auto& projector = inspect(wanted.projector, stamp_of(wanted.projector));
  if (!projector) return std::unexpected(projector.error());
  if (projector->kind != GgufKind::projector) {
    return fail(ErrorCode::config, wanted.projector + ": is no projector (mmproj)");
  }
  if (!fits(*projector, model)) {
    return fail(ErrorCode::config, wanted.projector + ": belongs to another model");
  }
  return projector->file_bytes;
}

std::string Preparation::projector_beside(const std::string& model, const GgufFacts& facts) {
  std::error_code error;
  std::string best;
  std::pair<bool, std::uint64_t> best_rank{true, 0};
  int looked_at = 0;
  const auto folder = std::filesystem::path(model).parent_path();
  for (std::filesystem::directory_iterator it(folder, error), end; !error && it != end;
       it.increment(error)) {
    if (++looked_at > kFolderEntriesMax) break;
    const std::string path = it->path();
    const std::string file = it->path().filename();
    if (!file.ends_with(".gguf") || file.find("mmproj") == std::string::npos) continue;
    const auto& found = inspect(path, stamp_of(path));
    if (!found || found->kind != GgufKind::projector || !fits(*found, facts)) continue;
    // One of the model's own family first; of several precisions the smallest, then by name.
    const std::pair rank(!found->projector_type.starts_with(facts.architecture), found->file_bytes);
    if (!best.empty() && (rank > best_rank || (rank == best_rank && path > best))) continue;
    best = path;
    best_rank = rank;
  }
  return best;
}

namespace {

std::string fingerprint_of(const LaunchPlan& plan) {
  std::string print = fmt::format("{}\n{}\n{}\n{}", stamp_of(plan.program), stamp_of(plan.model),
                                  stamp_of(plan.projector), plan.memory_bytes_max);
  for (const std::string& argument : arguments(plan, "")) print += "\n" + argument;
  return print;
}

}  // namespace

Prepared Preparation::look(const Wanted& wanted) {
  if (seen_.size() > kSeenMax) seen_.clear();
  Prepared prepared;
  prepared.reason = find_program(wanted, prepared);
  if (!prepared.reason.empty()) {
    prepared.lack = Lack::program;
    return prepared;
  }
  prepared.reason = check_model(wanted, prepared);
  if (!prepared.reason.empty()) {
    prepared.lack = Lack::model;
  } else {
    prepared.fingerprint = fingerprint_of(prepared.plan);
  }
  return prepared;
}

Result<SpawnOptions> Preparation::arrange(const LaunchPlan& plan) {
  if (!folder_) {
    auto made = SocketFolder::make(options_.runtime_folder, options_.temporary_folder);
    if (!made) return std::unexpected(std::move(made.error()));
    folder_ = std::move(*made);
  }
  const auto cleared = folder_->clear();
  if (!cleared) return std::unexpected(cleared.error());
  SpawnOptions options;
  options.arguments = arguments(plan, folder_->socket());
  options.memory_bytes_max = plan.memory_bytes_max;
  return options;
}

}  // namespace nl::engine
