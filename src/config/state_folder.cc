#include "config/state_folder.h"

namespace nl::config {

std::string state_folder(const Environment& environment) {
  // XDG: a relative value is to be ignored.
  const std::string state = environment.text("XDG_STATE_HOME");
  return state.starts_with('/') ? state + "/nightlight"
                                : environment.text("HOME") + "/.local/state/nightlight";
}

}  // namespace nl::config
