#include "app/doctor_command.h"

#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <string>
#include <vector>

#include "app/doctor_look.h"
#include "app/doctor_view.h"
#include "app/own_commands.h"
#include "doctor/kinds.h"
#include "doctor/repair.h"

namespace nl::app {
namespace {

constexpr const char* kFooter =
    "\nExit status: 0 all well (notes aside), 1 warnings, 3 faults, 2 a mistake in what was asked\n"
    "\nExample:\n  nightlight doctor\n  nightlight doctor --fix\n"
    "  nightlight doctor --offline --json     # no cloud is asked";

struct Asked {
  bool json = false;
  bool fix = false;
  bool list = false;
  DoctorOrder order;
};

// One line on a terminal that tells how far it is; gone when the work is done.
class Progress {
 public:
  Progress() : shown_(::isatty(STDERR_FILENO) == 1) {}
  ~Progress() {
    if (shown_) fmt::print(stderr, "\r\033[K");
  }
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;
  void tell(std::size_t answered, std::size_t asked) const {
    if (shown_) fmt::print(stderr, "\rlooking: {} of {} have answered", answered, asked);
  }

 private:
  bool shown_;
};

Diagnosis examine(const CliOptions& options, const Environment& environment,
                  const DoctorOrder& order) {
  const Progress progress;
  DoctorOrder watched = order;
  watched.progress = [&](std::size_t answered, std::size_t asked) {
    progress.tell(answered, asked);
  };
  return look(options.config, environment, watched);
}

// Does what is safe; what was done, and what could not be.
std::vector<std::string> repair_all(const doctor::Findings& findings) {
  std::vector<std::string> done;
  for (const doctor::Finding& finding : findings) {
    if (!finding.repair) continue;
    const auto line = doctor::repair(*finding.repair);
    done.push_back(line ? *line : "not repaired: " + line.error().message);
  }
  return done;
}

}  // namespace

int doctor(const CliOptions& given, const Environment& environment) {
  CliOptions options = given;
  Asked asked;
  CLI::App app("Looks for what would keep the light off; each finding with its fix.",
               "nightlight doctor");
  app.add_flag("--json", asked.json, "the same for programs");
  app.add_flag("--fix", asked.fix, "do what is safe: file modes, stale sockets, forgotten pulls");
  app.add_flag("--offline", asked.order.offline, "ask no cloud");
  app.add_flag("--digest", asked.order.digest, "read every pulled model whole and compare it");
  app.add_flag("--list", asked.list, "print everything that it can find, as a table");
  app.footer(kFooter);
  if (const auto status = parse_own(app, options)) return *status;
  if (asked.list) {
    fmt::print("{}", doctor::kinds_table());
    return 0;
  }
  Diagnosis diagnosis = examine(options, environment, asked.order);
  std::vector<std::string> repaired;
  if (asked.fix) repaired = repair_all(diagnosis.findings);
  // A file that can be read now may hold more to find.
  if (!repaired.empty()) diagnosis = examine(options, environment, asked.order);
  diagnosis.repaired = std::move(repaired);
  const bool coloured = ::isatty(STDOUT_FILENO) == 1 && !environment.find("NO_COLOR");
  fmt::print("{}", asked.json ? diagnosis_json(diagnosis)
                              : diagnosis_text(diagnosis, coloured ? Ink::coloured : Ink::plain));
  return doctor::exit_status(diagnosis.findings);
}

}  // namespace nl::app
