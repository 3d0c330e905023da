#include "app/pull_command.h"

#include <fmt/format.h>

#include <cstdio>
#include <string>

#include "engine/pick_model.h"
#include "models/catalogue.h"
#include "models/pull.h"
#include "models/size_choice.h"

namespace nl::app {

int pull(const CliOptions& options, const config::Config& config, const Environment& environment) {
  std::string wanted = options.subject;
  const bool advised = wanted.empty();
  if (advised) {
    const engine::Catalogue sizes = models::catalogue();
    const engine::Pick pick =
        engine::pick_model(sizes, models::measured_machine(environment), engine::PickWants());
    fmt::print("{}", pick.explained);
    if (pick.model == nullptr || pick.file->pull.empty()) return 1;
    fmt::print("Pulling {}{}.\n", pick.file->pull,
               pick.file->verified ? "" : " (its name and size are from public lists, unverified)");
    std::fflush(stdout);
    wanted = pick.file->pull;
  }
  const auto pulled = models::pull_model(wanted, config, environment);
  if (!pulled) {
    fmt::print(stderr, "nightlight: {}: {}\n", wanted, pulled.error().message);
    if (pulled.error().status == 429 || pulled.error().status >= 500) {
      fmt::print(stderr, "nightlight: wait a little and pull again: it goes on where it was\n");
    }
    if (advised && pulled.error().status == 404) {
      fmt::print(stderr,
                 "nightlight: name another one: `nightlight pull gemma4:e4b`, or "
                 "`nightlight pull hf:OWNER/REPOSITORY/FILE.gguf`\n");
    }
    return pulled.error().code == ErrorCode::config ? 2 : 1;
  }
  const models::ModelRecord& record = pulled->record;
  const std::uint64_t beside = record.projector ? record.projector->bytes : 0;
  const std::uint64_t bytes = record.model.bytes + beside;
  fmt::print("{} {} ({}{}).\n", record.name,
             pulled->was_here ? "is here already" : "is here, whole and checked",
             models::size_text(bytes), record.projector ? ", reads images" : "");
  if (!record.verified) {
    fmt::print("Its source says no digest: sha256:{} was computed here and is unverified.\n",
               record.model.hex);
  }
  fmt::print("`nightlight up` runs it as tier 3; `nightlight show {}` tells more.\n", record.name);
  if (pulled->idle_bytes > 0) {
    fmt::print(
        "Earlier versions and unfinished pulls take {}: `nightlight rm --unfinished` frees "
        "them, once no gateway runs one of them.\n",
        models::size_text(pulled->idle_bytes));
  }
  return 0;
}

}  // namespace nl::app
