// Client: an AI tool that can be pointed at Nightlight for good: which file, what format, which
// keys. Data, and what the data comes to on this machine. Pure but for looking which files exist.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "clients/edit.h"

namespace nl::clients {

// What a client speaks, and whether this release answers it.
enum class Wire : std::uint8_t { anthropic, openai_chat, openai_responses, gemini };
bool is_served(Wire wire);
const char* title(Wire wire);

// What is written: the gateway's address in one of its forms, a fixed word, or what Wanted has.
enum class Value : std::uint8_t { base, base_v1, fixed, status_line, stand_in };
// When: always, or when its option was given.
enum class When : std::uint8_t { always, status_line, stand_in };

struct ClientKey {
  std::string_view path;  // names with '/' between them
  Value value = Value::base;
  Wire wire = Wire::anthropic;
  When when = When::always;
  std::string_view fixed;
};

struct ClientFile {
  Format format = Format::json;
  std::string_view whole;     // a variable that names the file itself
  std::string_view variable;  // one that names its folder
  std::string_view beside;    // what is between that folder and the file
  std::string_view folder;    // the usual one, below the home folder
  // In order: the first that exists, else the last.
  std::vector<std::string_view> names;
  std::vector<ClientKey> keys;
};

// How a client takes its settings for one run, without a file of the user's being touched.
enum class OneRun : std::uint8_t {
  none,
  variables,  // those below "env" are variables of the process
  content,    // the whole of them as JSON in one variable
};

struct Client {
  std::string_view name;
  std::string_view title;
  std::string_view program;  // empty = a library
  std::string_view install;  // how to get it
  OneRun one_run = OneRun::none;
  std::string_view run_variable;     // the one of OneRun::content
  std::vector<ClientFile> files;     // none = variables in a file that the user names
  std::vector<ClientKey> variables;  // of a library
  // Words of its command line that a run needs besides, put first; not for its subcommands, which
  // know them not.
  std::vector<std::string_view> run_words;
  std::vector<std::string_view> subcommands;
  // Variables that it takes a key from for what it is pointed at, the usual one first.
  std::vector<std::string_view> key_variables;
  std::string_view note;  // what else it needs, for people
};

std::span<const Client> clients();
const Client* client_named(std::string_view name);
// "Claude Code needs ... which this release does not serve"; empty when it can be connected.
std::string unserved(const Client& client);

// Variables of the process, by name; empty = not set.
using Variables = std::function<std::string(const std::string&)>;

// A credential that goes nowhere, for a client that does not start without any: the gateway drops
// it.
inline constexpr std::string_view kStandIn = "nightlight";

struct Wanted {
  std::string url;          // of the gateway, without a slash at its end
  std::string status_line;  // a command; empty = none
  std::string stand_in;     // a credential for a client that has none; empty = it has
  std::string file;         // of a library's variables, absolute
};

// One file and what is to be set in it.
struct Aim {
  std::string path;
  Format format = Format::json;
  std::vector<Setting> settings;
};

// Where the client keeps its settings. Errors: config (no home folder).
Result<std::string> path_of(const ClientFile& file, const Variables& variables);
// Errors: config.
Result<std::vector<Aim>> aims(const Client& client, const Wanted& wanted,
                              const Variables& variables);
// Whether it can be given a credential in place of its own.
bool takes_stand_in(const Client& client);
// The variables that point `client` at the gateway for one run: the same settings as aims() writes.
// A configuration that its run variable holds already is kept, with ours in it. Errors: config
// (what that variable holds cannot be read, or the client takes no settings that way).
Result<std::vector<Setting>> variables_for_run(const Client& client, const Wanted& wanted,
                                               const Variables& variables);
// What its program is called with for one run: `given`, behind the words that it needs besides.
std::vector<std::string> words_for_run(const Client& client, const std::vector<std::string>& given);
// How a file of that name takes variables.
Format variable_format(std::string_view path);

}  // namespace nl::clients
