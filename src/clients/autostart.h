// Autostart: Nightlight as a service of one user, by that user's own files alone.
//
// Works out which unit is to stand where, puts it there and takes it away again; the service
// manager itself is asked by app. A unit of the user's that differs from ours is used as it is and
// never overwritten. Any thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "clients/client.h"
#include "clients/record.h"

namespace nl::clients {

// deploy/nightlight.service and deploy/dev.nightlight.plist, compiled in.
extern const std::string_view kSystemdUnit;
extern const std::string_view kLaunchdAgent;

enum class Manager : std::uint8_t { systemd, launchd };
constexpr Manager own_manager() {
#ifdef __APPLE__
  return Manager::launchd;
#else
  return Manager::systemd;
#endif
}

// The unit that starts `command`, the first word being the program's whole path.
std::string systemd_unit(const std::vector<std::string>& command);
std::string launchd_agent(const std::vector<std::string>& command, const std::string& home);

struct AutostartPlaces {
  std::string unit;                   // ours
  std::string link;                   // what enables it; empty = the unit alone does
  std::vector<std::string> packaged;  // where a package's may stand
};
// Errors: config (no home folder).
Result<AutostartPlaces> autostart_places(Manager manager, const Variables& variables);

struct AutostartState {
  bool on = false;
  std::string unit;      // the one in use; empty = none
  bool is_ours = false;  // written by turn_on()
};
AutostartState autostart_state(const AutostartPlaces& places, const RecordFolder& records);

struct TurnedOn {
  std::string unit;
  enum class Which : std::uint8_t { written, kept, packaged, users } which = Which::written;
};
// `text`: the unit to write. Errors: io.
Result<TurnedOn> turn_on(const AutostartPlaces& places, const std::string& text,
                         const RecordFolder& records);

struct TurnedOff {
  bool was_on = false;
  std::string stays;  // a unit that is not ours, or no longer as we wrote it; empty = none
};
// Errors: io.
Result<TurnedOff> turn_off(const AutostartPlaces& places, const RecordFolder& records);

}  // namespace nl::clients
