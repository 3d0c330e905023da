#include "app/cheatsheet_command.h"

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <ctime>
#include <fstream>

#include "app/cheatsheet_facts.h"
#include "app/local_gateway.h"
#include "app/own_commands.h"
#include "app/policy.h"
#include "app/task_lines.h"
#include "engine/fit_record.h"
#include "models/catalogue.h"
#include "models/engine_choice.h"
#include "models/model_record.h"
#include "models/size_choice.h"
#include "sheet/html_sheet.h"
#include "sheet/pdf_sheet.h"
#include "sheet/terminal_sheet.h"

namespace nl::app {
namespace {

constexpr Duration kGatewayWithin = std::chrono::seconds(2);

struct SheetAsked {
  std::string html;  // files; empty = not wanted
  std::string pdf;
  bool json = false;
};

int complain(std::string_view text) {
  fmt::print(stderr, "nightlight: {}\n", text);
  return 2;
}

std::vector<PulledModel> pulled_models(const engine::ModelStore& store) {
  const engine::FitRecord record(models::fit_record_path(store));
  std::vector<PulledModel> pulled;
  for (const models::ModelRecord& one : models::read_records(store)) {
    if (!models::find_record(store, one.name)) continue;
    PulledModel model{one.name, 0, 0};
    if (const auto known = record.rates_of(engine::lasting_name(store.blob(one.model.hex)))) {
      model.reads = known->read;
      model.writes = known->write;
    }
    pulled.push_back(std::move(model));
  }
  return pulled;
}

std::string today() {
  const std::time_t now = std::time(nullptr);
  std::tm local{};
  ::localtime_r(&now, &local);
  return fmt::format("{:%Y-%m-%d}", local);
}

SheetSources gather(const config::Config& config, const Environment& environment) {
  SheetSources sources;
  sources.date = today();
  sources.catalogue = models::catalogue();
  sources.machine = models::measured_machine(environment);
  sources.wants.slots = config.engine.slots;
  sources.wants.context_tokens = static_cast<std::uint32_t>(config.engine.context_tokens);
  sources.pulled = pulled_models(models::model_store(environment));
  const models::EngineChoice engine =
      models::choose_engine(config.engine, environment, models::program_folder());
  sources.plan = make_plan_view(config, make_routing(config, &engine));
  sources.status_json =
      LocalGateway(config).get("/nightlight/status", kGatewayWithin).value_or(std::string());
  sources.tasks = read_task_lines(config.state_dir);
  for (const OwnCommand& command : own_commands()) sources.own_commands.emplace_back(command.name);
  return sources;
}

// Written whole, or said that it was not.
int write_file(const std::string& path, std::string_view bytes) {
  errno = 0;
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  file.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  file.close();
  if (!file) {
    return complain(fmt::format("{} cannot be written: {}", path, std::strerror(errno)));
  }
  return 0;
}

int write_files(const SheetAsked& asked, const sheet::Layout& layout) {
  if (!asked.html.empty()) {
    if (const int status = write_file(asked.html, sheet::html_sheet(layout))) return status;
  }
  if (asked.pdf.empty()) return 0;
  const auto pdf = sheet::pdf_sheet(layout);
  if (!pdf) {
    complain(pdf.error().message);
    return 1;
  }
  return write_file(asked.pdf, *pdf);
}

void print_for_people(const sheet::Layout& layout, const Environment& environment) {
  int width = sheet::kTerminalWidth;
  winsize window{};
  const bool terminal = ::isatty(STDOUT_FILENO) == 1;
  if (terminal && ::ioctl(STDOUT_FILENO, TIOCGWINSZ, &window) == 0 && window.ws_col > 0) {
    width = std::min<int>(width, window.ws_col);
  }
  const bool colour = terminal && !environment.find("NO_COLOR");
  fmt::print("{}", sheet::terminal_sheet(layout, width,
                                         colour ? sheet::Colour::ansi : sheet::Colour::none));
}

}  // namespace

int cheatsheet(const CliOptions& given, const Environment& environment) {
  CliOptions options = given;
  SheetAsked asked;
  CLI::App app("One page for this machine: sizes, rates, scores, tiers, tasks, commands.",
               "nightlight cheatsheet");
  app.add_option("--html", asked.html, "write it as a page for a browser")->type_name("FILE");
  app.add_option("--pdf", asked.pdf, "write it as one sheet of A4")->type_name("FILE");
  app.add_flag("--json", asked.json, "the same for programs");
  app.footer(
      "\nExample:\n  nightlight cheatsheet\n"
      "  nightlight cheatsheet --pdf sheet.pdf --html sheet.html\n"
      "  nightlight cheatsheet --json");
  if (const auto status = parse_own(app, options)) return *status;
  if ((app.count("--html") > 0 && asked.html.empty()) ||
      (app.count("--pdf") > 0 && asked.pdf.empty())) {
    return complain("a file needs a name; `nightlight cheatsheet --help` shows how");
  }
  const auto config = config::load_config(options.config, environment);
  if (!config) return complain(config.error().message);
  const sheet::SheetFacts facts = sheet_facts(gather(*config, environment));
  const sheet::Layout layout = sheet::make_layout(facts);
  if (const int status = write_files(asked, layout)) return status;
  if (asked.json) {
    fmt::print("{}", sheet_json(facts));
  } else if (asked.html.empty() && asked.pdf.empty()) {
    print_for_people(layout, environment);
  } else {
    for (const std::string& path : {asked.html, asked.pdf}) {
      if (!path.empty()) fmt::print("Wrote {}\n", path);
    }
  }
  return 0;
}

}  // namespace nl::app
