#include "engine/preparation.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <utility>

#include "base/log.h"
#include "engine/fit_plan.h"

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

// Whether it stays true of a file that stays the same. A program that was too slow may be quicker
// on a quieter machine, and what could not be read or started may be allowed by now.
template <typename T>
bool is_lasting(const Result<T>& found) {
  return found || (found.error().code != ErrorCode::timeout && found.error().code != ErrorCode::io);
}

bool fits(const GgufFacts& projector, const GgufFacts& model) {
  return projector.projection_length == 0 || projector.projection_length == model.embedding_length;
}

}  // namespace

const Result<Capabilities>& Preparation::probe(const std::string& path, const std::string& stamp) {
  Seen& seen = seen_[path];
  if (seen.stamp != stamp) {
    seen.drives_gpus.reset();
    seen.program = probe_binary(path, options_.probe_within, stop_);
    seen.stamp = is_lasting(seen.program) ? stamp : "";
  }
  return seen.program;
}

const Result<GgufFacts>& Preparation::inspect(const std::string& path, const std::string& stamp) {
  Seen& seen = seen_[path];
  if (seen.stamp != stamp) {
    seen.model = inspect_gguf(path);
    seen.stamp = is_lasting(seen.model) ? stamp : "";
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

Machine Preparation::machine_for(const std::string& program, Prepared& prepared) {
  Machine machine = read_machine();
  if (!machine.gpus.empty()) {
    Seen& seen = seen_[program];
    if (!seen.drives_gpus) seen.drives_gpus = drives_gpus(program);
    machine.gpus_are_driven = *seen.drives_gpus;
  }
  prepared.free = planned_for_ ? *planned_for_ : free_memory(machine, freed_bytes_);
  return with_free_memory(std::move(machine), prepared.free);
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
  if (!facts->is_ember) {
    prepared.key = {lasting_name(wanted.model), lasting_name(program)};
    whole.memory_bytes_most = record_.memory_bytes_most(prepared.key);
  }
  auto plan = plan_launch(whole, *facts, machine_for(program, prepared), *projector_bytes);
  const auto failure = record_.failure(prepared.key);
  if (!plan) {
    return plan.error().message +
           (failure ? fmt::format("; {}; `nightlight up --retry` forgets that", describe(*failure))
                    : "");
  }
  prepared.plan = std::move(*plan);
  prepared.plan.program = program;
  prepared.facts = *facts;
  if (failure) {
    std::string& note = prepared.plan.note;
    note += fmt::format("{}smaller than before, as {}; `nightlight up --retry` forgets that",
                        note.empty() ? "" : "; ", describe(*failure));
  }
  return check_moment(prepared);
}

std::string Preparation::check_moment(Prepared& prepared) {
  // The self-test model takes a few megabytes and proves nothing about others.
  if (prepared.facts.is_ember) return "";
  if (options_.occupied && !planned_for_) {
    if (std::string why = options_.occupied(); !why.empty()) return why;
  }
  prepared.known = record_.worked(prepared.key, prepared.plan);
  prepared.verify = record_.remembers() && !prepared.known;
  return "";
}

std::string Preparation::check_models(const Wanted& wanted, Prepared& prepared) {
  std::string reason = check_model(wanted, prepared);
  for (const ModelFiles& files : wanted.smaller) {
    if (reason.empty()) break;
    Wanted instead = wanted;
    instead.model = files.model;
    instead.projector = files.projector;
    Prepared other = prepared;
    if (!check_model(instead, other).empty()) continue;
    prepared = std::move(other);
    std::string& note = prepared.plan.note;
    note += fmt::format("{}instead of {}", note.empty() ? "" : "; ", reason);
    return "";
  }
  return reason;
}

void Preparation::remember(FitEntry entry) {
  const auto added = record_.add(std::move(entry));
  if (!added) log::warn("{}", added.error().message);
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

Prepared Preparation::look(const Wanted& wanted, std::uint64_t freed_bytes) {
  freed_bytes_ = freed_bytes;
  planned_for_.reset();
  return look_now(wanted);
}

Prepared Preparation::look_again(const Wanted& wanted, const FreeMemory& free) {
  planned_for_ = free;
  return look_now(wanted);
}

Prepared Preparation::look_now(const Wanted& wanted) {
  if (seen_.size() > kSeenMax) seen_.clear();
  Prepared prepared;
  prepared.reason = find_program(wanted, prepared);
  if (!prepared.reason.empty()) {
    prepared.lack = Lack::program;
    return prepared;
  }
  prepared.reason = check_models(wanted, prepared);
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
