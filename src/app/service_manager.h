// ServiceManager: the user's systemd or launchd, asked by its own command-line tool.
//
// One short run per question, without a shell and with a limit in time. Main thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/environment.h"
#include "clients/autostart.h"

namespace nl::app {

class ServiceManager {
 public:
  // `scratch`: a folder for what the tool says. `unit`: the unit's file, for launchd.
  ServiceManager(clients::Manager manager, const Environment& environment, std::string scratch)
      : manager_(manager), environment_(environment), scratch_(std::move(scratch)) {}

  // Whether it answers at all.
  bool reachable() const;
  bool active() const;
  // Starts ours; one that runs is ended first where `unit` is new. What kept it from that, or
  // empty.
  enum class UnitIs : std::uint8_t { as_before, fresh };
  std::string start(const std::string& unit, UnitIs unit_is) const;
  std::string stop() const;
  // Reads the units anew.
  std::string reload() const;
  // What a person runs instead.
  std::string start_by_hand(const std::string& unit) const;
  // Where it says why a service does not run, for people.
  std::string log_words(const std::string& home) const;

 private:
  struct Ran {
    int status = 0;
    std::string said;
  };
  std::optional<Ran> run(const std::vector<std::string>& words) const;
  std::string trouble_of(const std::vector<std::string>& words) const;

  clients::Manager manager_;
  const Environment& environment_;
  std::string scratch_;
};

}  // namespace nl::app
