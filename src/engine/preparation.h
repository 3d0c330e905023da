// Preparation: everything slow or doubtful between "this model is wanted" and a running child.
//
// Looks for a program that is there and able, pre-checks the model and its projector, makes the
// plan and the socket's folder, and spawns. Results of the checks are kept for as long as the files
// stay the same (device, inode, size, time), so that looking again is a few stat calls. All of it
// blocks: the supervisor runs it on a thread of its own. One thread at a time.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "base/error.h"
#include "engine/fit_record.h"
#include "engine/gguf.h"
#include "engine/launch.h"
#include "engine/machine.h"
#include "engine/probe.h"
#include "engine/socket_folder.h"
#include "engine/spawn.h"

namespace nl::engine {

struct PreparationOptions {
  std::string runtime_folder;  // XDG_RUNTIME_DIR, or empty
  std::string temporary_folder = "/tmp";
  Duration probe_within = kProbeWithin;
  // Where what worked and what failed is remembered; empty = not beyond this run, and nothing is
  // verified.
  std::string fit_record;
  // Why no model may be loaded this moment, as another program holds one; "" = it may. Asked on the
  // worker thread, before each start.
  std::function<std::string()> occupied;
};

// Why there is nothing to start, kept apart from a failure: it may appear by itself.
enum class Lack : std::uint8_t { none, program, model };

struct Prepared {
  Lack lack = Lack::none;
  std::string reason;  // of the lack
  LaunchPlan plan;
  GgufFacts facts;
  std::string program_version;
  std::string fingerprint;  // equal = the same program would run the same files in the same way
  FreeMemory free;          // that it was planned for
  FitKey key;
  bool verify = false;            // it has not answered here yet, under this plan
  std::optional<FitEntry> known;  // what was measured when it did
};

class Preparation {
 public:
  explicit Preparation(PreparationOptions options)
      : options_(std::move(options)), record_(options_.fit_record) {}

  // Whether `wanted` could be started, and how. A lack is a result, not an error.
  // `freed_bytes` is what a running child would give back first.
  Prepared look(const Wanted& wanted, std::uint64_t freed_bytes = 0);
  // The same for a child that runs already, and was planned for that much `free` memory.
  Prepared look_again(const Wanted& wanted, const FreeMemory& free);
  // Makes room for its socket; what to start it with. Errors: io, config.
  Result<SpawnOptions> arrange(const LaunchPlan& plan);
  // Keeps how an attempt ended, for later starts. The worker thread.
  void remember(FitEntry entry);
  // Where the child listens; empty before the first start.
  std::string socket() const { return folder_ ? folder_->socket() : ""; }
  // Removes the socket and its folder.
  void clean_up() { folder_.reset(); }
  // The folder of a child that is handed over; null = there is none.
  void take_folder(std::unique_ptr<SocketFolder> folder) { folder_ = std::move(folder); }
  std::unique_ptr<SocketFolder> give_folder() { return std::move(folder_); }
  // Ends a probe that is running and lets none begin, until allow(). Any thread.
  void stop() { stop_ = true; }
  void allow() { stop_ = false; }

 private:
  struct Seen {
    std::string stamp;
    Result<Capabilities> program = fail(ErrorCode::internal, "not probed");
    Result<GgufFacts> model = fail(ErrorCode::internal, "not read");
    std::optional<bool> drives_gpus;  // of a program, once somebody wanted to know
  };
  const Result<Capabilities>& probe(const std::string& path, const std::string& stamp);
  const Result<GgufFacts>& inspect(const std::string& path, const std::string& stamp);
  // This machine as the program can use it, and as it is now. `prepared` is told how.
  Machine machine_for(const std::string& program, Prepared& prepared);
  Prepared look_now(const Wanted& wanted);
  // What is lacking; empty = nothing, and `prepared` is filled in.
  std::string find_program(const Wanted& wanted, Prepared& prepared);
  std::string check_model(const Wanted& wanted, Prepared& prepared);
  std::string check_models(const Wanted& wanted, Prepared& prepared);
  // What the record and the moment say of a plan that is made.
  std::string check_moment(Prepared& prepared);
  // The size of the projector's file, which is put into `wanted` when none is named; 0 = none.
  Result<std::uint64_t> check_projector(Wanted& wanted, const GgufFacts& model);
  std::string projector_beside(const std::string& model, const GgufFacts& facts);

  PreparationOptions options_;
  FitRecord record_;
  // Of the look that is under way.
  std::uint64_t freed_bytes_ = 0;
  std::optional<FreeMemory> planned_for_;  // by a child that runs already
  std::unique_ptr<SocketFolder> folder_;
  std::map<std::string, Seen> seen_;
  std::atomic<bool> stop_{false};
};

}  // namespace nl::engine
