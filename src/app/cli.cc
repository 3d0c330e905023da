#include "app/cli.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>

#include "app/cli_globals.h"
#include "app/own_commands.h"
#include "app/successor.h"
#include "base/version.h"

namespace nl::app {
namespace {

// Each command's help ends with an example.
constexpr const char* kExamples[][2] = {
    {"up",
     "Example:\n  nightlight up\n  nightlight up --model ~/models/gemma-4-E4B-it-qat-q4_0.gguf\n"
     "  nightlight up --retry   # the whole window again, after memory was added or freed\n"
     "  nightlight --listen 127.0.0.1:2400 up"},
    {"restart",
     "Example:\n  nightlight restart                 # after an update or a new configuration"},
    {"check", "Example:\n  nightlight check\n  nightlight check --defaults > config.toml"},
    {"status", "Example:\n  nightlight status\n  nightlight status --line   # for a status line"},
    {"why", "Example:\n  nightlight why last\n  nightlight why req_4k2m9x"},
    {"report", "Example:\n  nightlight report --since yesterday"},
    {"run", "Example:\n  nightlight run claude\n  nightlight run claude -- --continue"},
    {"drill",
     "Example:\n  nightlight drill --demo            # tmux: you pull the plug\n"
     "  nightlight drill --demo --script --out drill-report"},
    {"pull",
     "Example:\n  nightlight pull                    # a Gemma 4 that fits this machine\n"
     "  nightlight pull gemma4:26b\n  nightlight pull hf:OWNER/REPOSITORY/FILE.gguf\n"
     "  nightlight pull ~/models/gemma-4-E4B-it-qat-q4_0.gguf"},
    {"models",
     "Example:\n  nightlight models\n  nightlight models --fit         # which sizes fit, and how\n"
     "  nightlight models --fit --json"},
    {"show", "Example:\n  nightlight show gemma4:26b"},
    {"rm", "Example:\n  nightlight rm gemma4:26b\n  nightlight rm --unfinished"},
    {"version", "Example:\n  nightlight version"},
};

// What CLI11 writes into; the forms become one enumerator afterwards.
struct Raw {
  bool json = false;
  bool line = false;
  bool defaults = false;
  bool profiles = false;
  bool demo = false;
  bool script = false;
  bool unfinished = false;
  bool rehearse = false;
  std::string level = "info";
  std::string since = "today";
};

void add_model_commands(CLI::App& app, CliOptions& options, Raw& raw) {
  const auto takes_model = [&](CLI::App* command) {
    return command->add_option("model", options.subject, "NAME:TAG, hf:OWNER/REPO/FILE.gguf")
        ->type_name("MODEL");
  };
  CLI::App* pull =
      app.add_subcommand("pull", "get a model for tier 3; without a name one that fits");
  pull->add_option("model", options.subject, "NAME:TAG, hf:OWNER/REPO/FILE.gguf or a file here")
      ->type_name("MODEL");
  CLI::App* models = app.add_subcommand("models", "list the models on this machine");
  CLI::Option* fit =
      models->add_flag("--fit", options.fit, "which sizes of Gemma 4 fit this machine, and how");
  models->add_flag("--measure", options.measure, "measure the memory's speed anew")->needs(fit);
  CLI::App* show = app.add_subcommand("show", "what a pulled model is and how it runs here");
  takes_model(show)->required();
  CLI::App* rm = app.add_subcommand("rm", "remove a pulled model");
  takes_model(rm);
  rm->add_flag("--unfinished", raw.unfinished, "remove what broken-off pulls left instead");
  for (CLI::App* command : {models, show, rm}) {
    command->add_flag("--json", raw.json, "the same for programs");
  }
}

void add_commands(CLI::App& app, CliOptions& options, Raw& raw) {
  CLI::App* up = app.add_subcommand("up", "serve in the foreground until SIGTERM");
  up->add_option("--model", options.config.model,
                 "run this as tier 3: a pulled name, or a file (a projector beside it is used)")
      ->type_name("MODEL");
  up->add_flag("--retry", options.retry, "forget what failed here before for lack of memory");
  up->add_flag(kRehearsalOption, raw.rehearse, "")->group("");
  app.add_subcommand("restart",
                     "replace the running gateway by the program on disk: no request fails, the "
                     "model stays loaded");
  CLI::App* check = app.add_subcommand("check", "print the effective plan and its bus factor");
  check->add_flag("--json", raw.json, "the same for programs");
  check->add_flag("--defaults", raw.defaults, "print every setting with its default instead");
  check->add_flag("--profiles", raw.profiles, "print the built-in profiles of clients instead");
  CLI::App* status =
      app.add_subcommand("status", "ask the running gateway which tier is answering");
  status->add_flag("--json", raw.json, "the gateway's answer as it is");
  status->add_flag("--line", raw.line, "one short line, for a client's status line");
  CLI::App* why = app.add_subcommand("why", "tell the story of one request");
  why->add_option("id", options.subject, "the request's id, or last")->required()->type_name("ID");
  CLI::App* report = app.add_subcommand("report", "what a time was like");
  report->add_option("--since", raw.since, "today, yesterday, 24h, 7d or a date (2026-11-25)")
      ->type_name("WHEN");
  report->add_flag("--json", raw.json, "the same for programs");
  CLI::App* run = app.add_subcommand("run", "start a client on the gateway; arguments after --");
  run->add_option("client", options.subject, "claude, opencode, qwen")
      ->required()
      ->type_name("CLIENT");
  CLI::App* drill = app.add_subcommand("drill", "rehearse the blackout and write a report");
  drill->add_flag("--demo", raw.demo, "against two scripted clouds: no key, no network, no cost");
  drill->add_flag("--script", raw.script, "a fixed sequence without a terminal; 0 = no errors");
  drill->add_option("--out", options.drill.out, "folder for the report")->type_name("DIR");
  drill->add_option("--pane", options.drill.pane_socket, "")->group("");
  add_model_commands(app, options, raw);
  for (const OwnCommand& own : own_commands()) app.add_subcommand(own.name, own.summary);
  app.add_subcommand("version", "print the version");
  for (CLI::App* command : app.get_subcommands({})) {
    command->fallthrough();
    for (const auto& [name, example] : kExamples) {
      if (command->get_name() == name) command->footer(std::string("\n") + example);
    }
  }
}

Form form_of(const Raw& raw) {
  if (raw.defaults) return Form::defaults;
  if (raw.profiles) return Form::profiles;
  if (raw.json) return Form::json;
  return raw.line ? Form::line : Form::people;
}

CliText mistake(std::string text) {
  return CliText{fmt::format("nightlight: {}; `nightlight --help` lists what there is\n", text), 2};
}

Command command_of(const std::string& name) {
  if (name == "check") return Command::check;
  if (name == "status") return Command::status;
  if (name == "why") return Command::why;
  if (name == "report") return Command::report;
  if (name == "drill") return Command::drill;
  if (name == "pull") return Command::pull;
  if (name == "models") return Command::models;
  if (name == "show") return Command::show;
  if (name == "rm") return Command::rm;
  if (name == "restart") return Command::restart;
  return name == "run" ? Command::run : Command::up;
}

// Where the first word stands that is no option and no option's value; the end without one.
std::size_t first_word(const std::vector<std::string>& words) {
  for (std::size_t i = 0; i < words.size(); ++i) {
    const std::string& word = words[i];
    if (!word.starts_with('-')) return i;
    const bool takes_value =
        word == "--config" || word == "--listen" || word == "--workers" || word == "--log";
    if (takes_value) ++i;
  }
  return words.size();
}

std::string names_of(const std::vector<const CLI::App*>& commands) {
  std::string names;
  for (const CLI::App* command : commands) {
    if (!names.empty()) names += ", ";
    names += command->get_name();
  }
  return names;
}

constexpr const char* kAbout =
    "Nightlight: one local address for every AI tool; it keeps answering.";

// What is written into must outlive the parse.
void describe(CLI::App& app, CliOptions& options, Raw& raw) {
  app.set_version_flag("--version", fmt::format("nightlight {}", kVersion));
  app.require_subcommand(0, 1);
  app.footer("\nExample:\n  nightlight up\n  nightlight run claude");
  add_global_options(app, options, raw.level);
  add_commands(app, options, raw);
}

}  // namespace

void visit_cli(const CliVisitor& visitor) {
  CliOptions options;
  Raw raw;
  CLI::App app(kAbout, "nightlight");
  describe(app, options, raw);
  visitor(app);
}

std::variant<CliOptions, CliText> parse_cli(const std::vector<std::string>& arguments) {
  CliOptions options;
  if (!arguments.empty()) options.program = arguments.front();
  options.words = arguments;
  std::vector<std::string> words(arguments.begin() + (arguments.empty() ? 0 : 1), arguments.end());
  const std::size_t at = first_word(words);
  const std::string word = at < words.size() ? words[at] : "";
  const bool own = std::ranges::any_of(
      own_commands(), [&](const OwnCommand& command) { return word == command.name; });
  // What follows such a name is the command's to read; what follows -- is the client's.
  const auto end = own ? words.begin() + static_cast<std::ptrdiff_t>(at) + 1
                       : std::find(words.begin(), words.end(), std::string("--"));
  options.rest.assign(own || end == words.end() ? end : end + 1, words.end());
  words.erase(end, words.end());

  Raw raw;
  CLI::App app(kAbout, "nightlight");
  describe(app, options, raw);

  const std::vector<const CLI::App*> commands = std::as_const(app).get_subcommands({});
  const bool known = std::any_of(commands.begin(), commands.end(), [&](const CLI::App* command) {
    return command->get_name() == word;
  });
  if (!word.empty() && !known) {
    return mistake(fmt::format("no command is called \"{}\": use {}", word, names_of(commands)));
  }
  try {
    std::vector<std::string> reversed(words.rbegin(), words.rend());
    app.parse(std::move(reversed));
  } catch (const CLI::CallForHelp&) {
    const auto chosen = app.get_subcommands();
    return CliText{chosen.empty() ? app.help() : chosen.front()->help(), 0};
  } catch (const CLI::CallForVersion&) {
    return CliText{fmt::format("nightlight {}\n", kVersion), 0};
  } catch (const CLI::ParseError& error) {
    return mistake(error.what());
  }

  const auto chosen = app.get_subcommands();
  if (chosen.empty()) return CliText{app.help(), words.empty() ? 0 : 2};
  const std::string name = chosen.front()->get_name();
  if (name == "version") return CliText{fmt::format("nightlight {}\n", kVersion), 0};
  options.command = own ? Command::own : command_of(name);
  if (own) options.subject = name;
  if (!options.rest.empty() && options.command != Command::run && !own) {
    return mistake(fmt::format("{} takes nothing after --", name));
  }
  options.form = form_of(raw);
  options.rehearse = raw.rehearse;
  options.level = level_named(raw.level);
  if (options.command == Command::report) options.subject = raw.since;
  if (options.command == Command::drill && !raw.demo) {
    return mistake("drill needs --demo: a drill on your own configuration is not here yet");
  }
  if (options.command == Command::rm && options.subject.empty() != raw.unfinished) {
    return mistake("rm takes the name of one model, or --unfinished");
  }
  if (raw.script) options.drill.play = drill::DrillPlay::script;
  return options;
}

}  // namespace nl::app
