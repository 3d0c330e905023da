#include "app/connect_command.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <filesystem>

#include "app/client_login.h"
#include "app/connect_list.h"
#include "app/local_gateway.h"
#include "app/own_commands.h"
#include "base/process.h"
#include "clients/block_edit.h"
#include "clients/connection.h"
#include "clients/difference.h"
#include "dialect/json_writer.h"

namespace nl::app {
namespace {

using clients::Client;
using clients::FilePlan;
using clients::Plan;
using clients::ReadOnly;
using dialect::JsonWriter;

// What CLI11 writes into.
struct Asked {
  std::string client;
  std::string file;
  bool dry_run = false;
  bool force = false;
  bool without_autostart = false;
  bool status_line = false;
  bool stand_in = false;
  bool json = false;
  bool all = false;
};

int complain(std::string_view text, int status) {
  fmt::print(stderr, "nightlight: {}\n", text);
  return status;
}

std::string client_names() {
  std::string names;
  for (const Client& client : clients::clients()) {
    names += (names.empty() ? "" : ", ") + std::string(client.name);
  }
  return names;
}

const Client* known_client(const std::string& name) {
  const Client* client = clients::client_named(name);
  if (client == nullptr) {
    complain(fmt::format("no client is called \"{}\": use {}", name, client_names()), 2);
  }
  return client;
}

// A word as a shell takes it.
std::string shell_word(const std::string& word) {
  constexpr std::string_view kPlain =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./=:@,+";
  if (word.find_first_not_of(kPlain) == std::string::npos) return word;
  std::string out = "'";
  for (const char c : word) out += c == '\'' ? "'\\''" : std::string(1, c);
  return out + "'";
}

std::string status_line_command(const CliOptions& options, const Environment& environment) {
  std::string program = own_program();
  const auto found = find_program("nightlight", environment.text("PATH"));
  std::error_code error;
  if (program.empty() || (found && std::filesystem::equivalent(*found, program, error))) {
    program = "nightlight";
  }
  std::string command = shell_word(program);
  if (!options.config.path.empty()) {
    command += " --config " + shell_word(std::filesystem::absolute(options.config.path).string());
  }
  return command + " status --line";
}

void show(const FilePlan& file) {
  fmt::print("{}{}\n", file.record.path,
             file.file.target() == file.record.path ? "" : " -> " + file.file.target());
  const std::string lines = clients::difference(file.file.text(), file.text);
  fmt::print("{}", lines);
  for (const std::string& left : file.left) fmt::print("  {}\n", left);
}

// What people should know besides.
std::vector<std::string> notes(const Client& client, const Asked& asked,
                               const config::Config& config, const Environment& environment) {
  std::vector<std::string> all;
  if (!client.note.empty()) all.emplace_back(client.note);
  if (!config.tokens.empty()) {
    all.emplace_back("the gateway asks for a token ([auth]): give it to the client as its API key");
  } else if (clients::takes_stand_in(client) && !asked.stand_in &&
             !has_credential(client, environment)) {
    all.push_back(
        fmt::format("no login of {} was found: log in there, or connect with --stand-in to use "
                    "Nightlight's own keys and models alone",
                    client.title));
  }
  if (!LocalGateway(config).up(std::chrono::milliseconds(500))) {
    all.emplace_back(
        "nothing answers there right now: `nightlight autostart on`, or `nightlight up`");
  }
  return all;
}

void plan_json(const Plan& plan, const Asked& asked, const std::vector<std::string>& notes) {
  std::string text;
  JsonWriter writer(text);
  writer.begin_object().string("client", plan.record.client).string("url", plan.record.url);
  writer.boolean("dry_run", asked.dry_run).boolean("changed", plan.changes());
  writer.key("files").begin_array();
  for (std::size_t i = 0; i < plan.files.size(); ++i) {
    const FilePlan& file = plan.files[i];
    writer.begin_object().string("path", file.record.path).string("target", file.file.target());
    writer.string("backup", plan.record.files[i].backup);
    writer.boolean("removed", file.vanish).boolean("as_before", file.as_before);
    writer.string("difference", clients::difference(file.file.text(), file.text));
    writer.key("left").begin_array();
    for (const std::string& left : file.left) writer.string(left);
    writer.end_array().end_object();
  }
  writer.end_array().key("notes").begin_array();
  for (const std::string& note : notes) writer.string(note);
  writer.end_array().end_object();
  fmt::print("{}\n", text);
}

// A library's variables, for `eval`.
int print_variables(const Client& client, const clients::Wanted& wanted, const Asked& asked) {
  const auto all = clients::aims(client, wanted, {});
  if (!all) return complain(all.error().message, 1);
  const std::vector<clients::Setting>& settings = all->front().settings;
  if (asked.json) {
    std::string text;
    JsonWriter writer(text);
    writer.begin_object().string("client", client.name).string("url", wanted.url);
    writer.key("variables").begin_object();
    for (const clients::Setting& one : settings) writer.string(one.path.back(), one.value);
    writer.end_object().end_object();
    fmt::print("{}\n", text);
    return 0;
  }
  for (const clients::Setting& one : settings) {
    fmt::print("{}\n", clients::assignment(clients::Format::shell, one));
  }
  fmt::print(stderr,
             "nightlight: for this shell: eval \"$(nightlight connect {0})\"; for good: nightlight "
             "connect {0} --file ~/.profile\n",
             client.name);
  return 0;
}

void tell_connected(const Client& client, const Plan& plan, const Asked& asked) {
  if (asked.dry_run) {
    fmt::print("Nothing has been changed (--dry-run).\n");
    return;
  }
  fmt::print("{} is connected to {}; start it anew.\n", client.title, plan.record.url);
  for (const clients::FileRecord& file : plan.record.files) {
    if (!file.backup.empty()) fmt::print("The file as it was: {}\n", file.backup);
  }
  fmt::print("Undo: nightlight disconnect {}\n", client.name);
}

Result<void> allowed(const Asked& asked, const Environment& environment,
                     const clients::RecordFolder& records) {
  if (asked.without_autostart || asked.dry_run) return {};
  const auto places = clients::autostart_places(clients::own_manager(), variables_of(environment));
  if (!places) return std::unexpected(places.error());
  if (clients::autostart_state(*places, records).on) return {};
  return fail(ErrorCode::config,
              "settings that last need a gateway that is always there: run `nightlight autostart "
              "on` first, or add --without-autostart");
}

int connect_one(const Client& client, const Asked& asked, const CliOptions& options,
                const Environment& environment) {
  if (const std::string why = clients::unserved(client); !why.empty()) return complain(why, 1);
  const auto config = config::load_config(options.config, environment);
  if (!config) return complain(config.error().message, 2);
  clients::Wanted wanted;
  wanted.url = LocalGateway(*config).base_url();
  if (wanted.url.empty()) {
    return complain("the configuration listens on no TCP address that a client could use", 1);
  }
  if (asked.stand_in) wanted.stand_in = clients::kStandIn;
  if (asked.status_line) wanted.status_line = status_line_command(options, environment);
  if (!asked.file.empty()) {
    wanted.file = std::filesystem::absolute(asked.file).lexically_normal().string();
  }
  if (client.files.empty() && wanted.file.empty()) {
    return print_variables(client, wanted, asked);
  }
  const clients::RecordFolder records = connection_records(environment);
  if (const auto may = allowed(asked, environment, records); !may) {
    return complain(may.error().message, 1);
  }
  auto plan = clients::plan_connect(client, wanted, variables_of(environment), records);
  if (!plan) return complain(plan.error().message, 1);
  const ReadOnly rule = asked.force ? ReadOnly::override : ReadOnly::refuse;
  if (!asked.json && plan->changes()) {
    for (const FilePlan& file : plan->files) show(file);
  }
  if (plan->changes() && !asked.dry_run) {
    const auto done = clients::carry_out_connect(*plan, records, rule);
    if (!done) return complain(done.error().message, 1);
  }
  const auto said = notes(client, asked, *config, environment);
  if (asked.json) {
    plan_json(*plan, asked, said);
    return 0;
  }
  if (plan->changes()) {
    tell_connected(client, *plan, asked);
  } else {
    fmt::print("{} is already set to {}.\n", client.title, wanted.url);
  }
  for (const std::string& note : said) fmt::print("note: {}\n", note);
  return 0;
}

int disconnect_one(const Client& client, const Asked& asked, const Environment& environment) {
  const clients::RecordFolder records = connection_records(environment);
  const auto plan = clients::plan_disconnect(client, records);
  if (!plan) return complain(plan.error().message, 1);
  const ReadOnly rule = asked.force ? ReadOnly::override : ReadOnly::refuse;
  if (!asked.json) {
    for (const FilePlan& file : plan->files) show(file);
  }
  if (!asked.dry_run) {
    const auto done = clients::carry_out_disconnect(*plan, records, rule);
    if (!done) return complain(done.error().message, 1);
  }
  int status = 0;
  for (const FilePlan& file : plan->files) {
    if (!file.left.empty()) status = 1;
  }
  if (asked.json) {
    plan_json(*plan, asked, {});
    return status;
  }
  if (asked.dry_run) {
    fmt::print("Nothing has been changed (--dry-run).\n");
    return status;
  }
  for (const FilePlan& file : plan->files) {
    const char* what = file.vanish      ? "was not there before and is gone again"
                       : file.as_before ? "is byte for byte as it was before"
                                        : "is free of nightlight; what others changed stays";
    fmt::print("{} {}\n", file.record.path, what);
    if (!file.left.empty() && !file.record.backup.empty()) {
      fmt::print("The file as it was: {}\n", file.record.backup);
    }
  }
  fmt::print("{} is disconnected; start it anew.\n", client.title);
  return status;
}

int disconnect_all(const Asked& asked, const Environment& environment) {
  int status = 0;
  bool any = false;
  // For programs it is one text, an array.
  if (asked.json) fmt::print("[");
  for (const Client& client : clients::clients()) {
    const auto state = clients::state_of(client, connection_records(environment));
    if (state.standing == clients::Standing::none) continue;
    if (asked.json && any) fmt::print(",");
    any = true;
    status = std::max(status, disconnect_one(client, asked, environment));
  }
  if (asked.json) {
    fmt::print("]\n");
  } else if (!any) {
    fmt::print("No client is connected.\n");
  }
  return status;
}

}  // namespace

int connect_command(const CliOptions& given, const Environment& environment) {
  CliOptions options = given;
  Asked asked;
  CLI::App app("point a client at the gateway for good; without a name list the clients here",
               "nightlight connect");
  app.add_option("client", asked.client, client_names())->type_name("CLIENT");
  app.add_option("--file", asked.file, "the SDKs: a file that sets variables (~/.profile, ...)")
      ->type_name("FILE");
  app.add_flag("--status-line", asked.status_line,
               "claude: also show which tier answers in its status line");
  app.add_flag("--stand-in", asked.stand_in,
               "claude, opencode, qwen: use it without a login of its own");
  app.add_flag("--dry-run", asked.dry_run, "show the change and make none");
  app.add_flag("--force", asked.force, "also where the file is read-only");
  app.add_flag("--without-autostart", asked.without_autostart,
               "although the gateway may not be running then");
  app.add_flag("--json", asked.json, "the same for programs");
  app.footer(
      "\nExample:\n  nightlight connect                     # what is here, and its state\n"
      "  nightlight connect claude --status-line --dry-run\n  nightlight connect claude\n"
      "  nightlight connect openai-sdk --file ~/.profile");
  if (const auto ended = parse_own(app, options)) return *ended;
  if (asked.client.empty()) {
    return list_clients(environment, asked.json ? Form::json : Form::people);
  }
  const Client* client = known_client(asked.client);
  if (client == nullptr) return 2;
  if (!asked.file.empty() && !client->files.empty()) {
    return complain(fmt::format("--file is for the SDKs: {} has a file of its own", client->title),
                    2);
  }
  if (asked.status_line && client->name != "claude") {
    return complain("--status-line is for claude", 2);
  }
  if (asked.stand_in && !clients::takes_stand_in(*client)) {
    return complain(fmt::format("--stand-in is not for {}", client->title), 2);
  }
  return connect_one(*client, asked, options, environment);
}

int disconnect_command(const CliOptions& given, const Environment& environment) {
  CliOptions options = given;
  Asked asked;
  CLI::App app("take back what connect has changed", "nightlight disconnect");
  app.add_option("client", asked.client, client_names())->type_name("CLIENT");
  app.add_flag("--all", asked.all, "every client that is connected");
  app.add_flag("--dry-run", asked.dry_run, "show the change and make none");
  app.add_flag("--force", asked.force, "also where the file has become read-only");
  app.add_flag("--json", asked.json, "the same for programs");
  app.footer("\nExample:\n  nightlight disconnect claude\n  nightlight disconnect --all");
  if (const auto ended = parse_own(app, options)) return *ended;
  if (asked.client.empty() != asked.all) {
    return complain("disconnect takes the name of one client, or --all", 2);
  }
  if (asked.all) return disconnect_all(asked, environment);
  const Client* client = known_client(asked.client);
  return client == nullptr ? 2 : disconnect_one(*client, asked, environment);
}

}  // namespace nl::app
