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

}  // namespace

std::unique_ptr<admin::Herald> make_herald(const Clock& clock, gateway::Tally& tally,
                                           const Config& config, const Environment& environment) {
  const NotifyConfig& notify = config.notify;
  admin::HeraldSettings settings;
  settings.webhook = notify.webhook;
  settings.quiet = notify.quiet;
  settings.client = client_options(config);
  if (notify.desktop) {
    settings.desktop_program = find_program("notify-send", environment.text("PATH")).value_or("");
    if (settings.desktop_program.empty()) {
      log::warn("[notify] desktop: notify-send is not installed (package libnotify-bin)");
    }
    settings.scratch = config.state_dir + "/notify.log";
    for (const char* name : kForDesktop) {
      const std::string value = environment.text(name);
      if (!value.empty()) settings.desktop_environment.push_back(std::string(name) + "=" + value);
    }
  }
  if (settings.desktop_program.empty() && !settings.webhook) return nullptr;
  return std::make_unique<admin::Herald>(clock, tally, std::move(settings));
}

}  // namespace nl::app
