#include "app/doctor_look.h"

#include <fmt/format.h>

#include <algorithm>
#include <future>
#include <iterator>

#include "app/doctor_asking.h"
#include "app/doctor_files.h"
#include "app/doctor_machine.h"
#include "doctor/local_tier.h"

namespace nl::app {
namespace {

void take(Diagnosis& to, Diagnosis&& part) {
  doctor::append(to.findings, std::move(part.findings));
  std::ranges::move(part.looked_at, std::back_inserter(to.looked_at));
}

}  // namespace

Diagnosis look(const config::ConfigSource& source, const Environment& environment,
               const DoctorOrder& order) {
  Diagnosis diagnosis;
  const auto loaded = config::load_config(source, environment);
  take(diagnosis, look_at_config(source, environment, loaded ? "" : loaded.error().message));
  config::Config unread;
  if (!loaded) {
    diagnosis.looked_at.emplace_back(
        "the configuration cannot be read: clouds, addresses and local tier were not looked at");
    // What is kept where does not depend on the file.
    if (auto bare = config::parse_config("", "", config::ConfigSource(), environment))
      unread = std::move(*bare);
    take(diagnosis, look_at_storage(unread, environment));
    doctor::append(diagnosis.findings, look_at_machine(environment, {}));
    doctor::sort(diagnosis.findings);
    return diagnosis;
  }
  auto local =
      std::async(std::launch::async, [&] { return look_at_engine(*loaded, environment, order); });
  Asking asking = ask_everybody(*loaded, environment, order);
  EngineLook engine = local.get();
  engine.tier.has_other = asking.local_server_has_model;
  take(diagnosis, std::move(asking.diagnosis));
  doctor::append(diagnosis.findings, doctor::check_local_tier(engine.tier));
  doctor::append(diagnosis.findings, look_at_machine(environment, engine.programs));
  std::ranges::move(engine.looked_at, std::back_inserter(diagnosis.looked_at));
  take(diagnosis, look_at_storage(*loaded, environment));
  doctor::sort(diagnosis.findings);
  return diagnosis;
}

}  // namespace nl::app
