#include "app/announcements.h"

#include "app/worker.h"
#include "base/log.h"
#include "base/process.h"

namespace nl::app {
namespace {

// What a program needs that speaks to the desktop; it is shown no key.
constexpr const char* kForDesktop[] = {"DBUS_SESSION_BUS_ADDRESS",
                                       "XDG_RUNTIME_DIR",
                                       "DISPLAY",
                                       "WAYLAND_DISPLAY",
                                       "XAUTHORITY",
                                       "HOME",
                                       "PATH",
                                       "LANG"};

// What shows a text that follows on the desktop of this system; empty = it is not installed.
std::vector<std::string> desktop_command(const Environment& environment) {
#ifdef __APPLE__
  // The text is an argument and no part of the script.
  const auto program = find_program("osascript", environment.text("PATH"));
  if (!program) return {};
  return {*program,
          "-e",
          "on run argv",
          "-e",
          "display notification (item 1 of argv) with title \"Nightlight\"",
          "-e",
          "end run"};
#else
  const auto program = find_program("notify-send", environment.text("PATH"));
  if (!program) return {};
  return {*program, "--app-name=Nightlight", "--", "Nightlight"};
#endif
}

}  // namespace

std::unique_ptr<admin::Herald> make_herald(const Clock& clock, gateway::Tally& tally,
                                           const config::Config& config,
                                           const Environment& environment) {
  const config::NotifyConfig& notify = config.notify;
  admin::HeraldSettings settings;
  settings.webhook = notify.webhook;
  settings.quiet = notify.quiet;
  settings.client = client_options(config);
  if (notify.desktop) {
    settings.desktop_command = desktop_command(environment);
    if (settings.desktop_command.empty()) {
      log::warn("[notify] desktop: notify-send is not installed (package libnotify-bin)");
    }
    settings.scratch = config.state_dir + "/notify.log";
    for (const char* name : kForDesktop) {
      const std::string value = environment.text(name);
      if (!value.empty()) settings.desktop_environment.push_back(std::string(name) + "=" + value);
    }
  }
  if (settings.desktop_command.empty() && !settings.webhook) return nullptr;
  return std::make_unique<admin::Herald>(clock, tally, std::move(settings));
}

}  // namespace nl::app
