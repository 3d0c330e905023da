#include "app/connect_list.h"

#include <fmt/format.h>

#include <cstdio>
#include <filesystem>

#include "app/client_login.h"
#include "base/process.h"
#include "clients/connection.h"
#include "config/state_folder.h"
#include "dialect/json_writer.h"

namespace nl::app {
namespace {

using clients::Client;
using clients::Standing;

struct Row {
  const Client* client = nullptr;
  bool found = false;
  std::string file;
  std::string state;
  std::string detail;
};

// By its program, or by a folder of settings: an editor may hold the program.
bool is_here(const Client& client, const std::string& file, const Environment& environment) {
  const std::string home = environment.text("HOME");
  const std::string path =
      fmt::format("{}:{}/.local/bin:{}/.claude/local", environment.text("PATH"), home, home);
  if (find_program(client.program, path)) return true;
  std::error_code error;
  return std::filesystem::exists(std::filesystem::path(file).parent_path(), error);
}

Row row_of(const Client& client, const Environment& environment) {
  Row row;
  row.client = &client;
  const clients::RecordFolder records = connection_records(environment);
  if (!client.files.empty()) {
    const auto path = clients::path_of(client.files.front(), variables_of(environment));
    row.file = path.value_or("");
    row.found = is_here(client, row.file, environment);
  }
  const clients::State state = clients::state_of(client, records);
  row.detail = state.trouble;
  switch (state.standing) {
    case Standing::none:
      row.detail = clients::unserved(client);
      row.state = row.detail.empty() ? "not connected" : "not served";
      break;
    case Standing::connected:
      row.state = "connected";
      row.detail = state.url;
      break;
    case Standing::changed:
      row.state = "changed since";
      break;
  }
  if (client.files.empty() && state.standing != Standing::none) {
    const auto record = records.find(std::string(client.name));
    if (record && *record && !(*record)->files.empty()) row.file = (*record)->files.front().path;
  }
  return row;
}

void print_json(const std::vector<Row>& rows, bool autostart) {
  std::string text;
  dialect::JsonWriter writer(text);
  writer.begin_object().boolean("autostart", autostart).key("clients").begin_array();
  for (const Row& row : rows) {
    writer.begin_object().string("name", row.client->name).string("title", row.client->title);
    writer.boolean("found", row.found).string("state", row.state);
    writer.string("file", row.file).string("detail", row.detail).end_object();
  }
  writer.end_array().end_object();
  fmt::print("{}\n", text);
}

}  // namespace

clients::RecordFolder connection_records(const Environment& environment) {
  return clients::RecordFolder(config::state_folder(environment) + "/connected");
}

int list_clients(const Environment& environment, Form form) {
  const auto places = clients::autostart_places(clients::own_manager(), variables_of(environment));
  if (!places) {
    fmt::print(stderr, "nightlight: {}\n", places.error().message);
    return 1;
  }
  const bool autostart = clients::autostart_state(*places, connection_records(environment)).on;
  std::vector<Row> rows;
  for (const Client& client : clients::clients()) rows.push_back(row_of(client, environment));
  if (form == Form::json) {
    print_json(rows, autostart);
    return 0;
  }
  for (const Row& row : rows) {
    const bool is_library = row.client->files.empty();
    fmt::print("{:<14} {:<14} {:<13} {}{}\n", row.client->name,
               is_library ? "variables" : (row.found ? "here" : "not found"), row.state, row.file,
               row.detail.empty() ? "" : (row.file.empty() ? "" : ": ") + row.detail);
  }
  fmt::print("autostart      {}\n",
             autostart ? "on" : "off: `nightlight autostart on` comes before `connect`");
  return 0;
}

}  // namespace nl::app
