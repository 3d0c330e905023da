#include "doctor/kinds.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstddef>

namespace nl::doctor {
namespace {

constexpr std::size_t kKinds = static_cast<std::size_t>(Kind::drill_old) + 1;

constexpr auto kNote = Severity::note;
constexpr auto kWarning = Severity::warning;
constexpr auto kFault = Severity::fault;

// In the order of Kind.
constexpr std::array<KindRow, kKinds> kTable{{
    {Kind::config_mistake, "config-mistake", kFault, "a mistake in the configuration file",
     "the line says what to write; `nightlight check` reads it again"},
    {Kind::config_open, "config-open", kFault,
     "a configuration file that others may write, or read while a key stands in it",
     "chmod 600 FILE (`--fix` does it)"},
    {Kind::key_file_open, "key-file-open", kFault, "a key's own file that others may read",
     "chmod 600 FILE (`--fix` does it)"},
    {Kind::key_refused, "key-refused", kFault, "a provider refuses the configured key",
     "make a new key at the provider and put it where the finding says"},
    {Kind::key_missing, "key-missing", kWarning,
     "a provider that the configuration names has no key", "set the variable, or remove the name"},
    {Kind::no_cloud, "no-cloud", kNote, "no cloud has a key: only a client's own login reaches one",
     "export ANTHROPIC_API_KEY, OPENAI_API_KEY or OPENROUTER_API_KEY before `nightlight up`"},
    {Kind::credit_empty, "credit-empty", kWarning, "an account has no credit left",
     "add credit at the provider; until then the next tier answers"},
    {Kind::quota_reached, "quota-reached", kNote, "a provider says that a limit is reached",
     "nothing to do: it is used again when its limit resets"},
    {Kind::provider_fails, "provider-fails", kWarning,
     "a provider answers with an error of its own",
     "nothing to do here: wait, and see its status page"},
    {Kind::provider_odd, "provider-odd", kWarning,
     "what answers at a base_url does not know the provider's API",
     "correct base_url: it must be the address that the provider's own SDK takes"},
    {Kind::captive_portal, "captive-portal", kFault,
     "a login page of the network answers in a provider's place",
     "open any page in a browser and log in to this network"},
    {Kind::name_unknown, "name-unknown", kFault, "a provider's name does not resolve",
     "correct base_url if the name is wrong, else the name servers in /etc/resolv.conf"},
    {Kind::unreachable, "unreachable", kFault, "a provider cannot be connected to",
     "look at the network, the firewall and, where there is one, the proxy"},
    {Kind::proxy_dead, "proxy-dead", kFault, "the proxy of the environment does not answer",
     "start the proxy, or unset the variable"},
    {Kind::proxy_refuses, "proxy-refuses", kFault, "the proxy refuses to connect to a provider",
     "give the proxy its login (http://USER:PASSWORD@HOST:PORT), or have the host allowed"},
    {Kind::proxy_catches_loopback, "proxy-catches-loopback", kWarning,
     "clients would send what is for this machine to the proxy",
     "export NO_PROXY=127.0.0.1,localhost,::1"},
    {Kind::certificate_expired, "certificate-expired", kFault,
     "a provider's certificate is outside its dates",
     "if this machine's date is right, the provider must renew it; else set the clock"},
    {Kind::certificate_untrusted, "certificate-untrusted", kFault,
     "a provider's certificate is of nobody that this machine trusts: a private authority, or "
     "somebody in between",
     "if your office inspects TLS, write ca_file = \"/PATH/office.pem\"; else do not use this "
     "network"},
    {Kind::certificate_name, "certificate-name", kFault,
     "a provider's certificate is for another name",
     "correct base_url; if it is right, somebody else answers in the provider's place"},
    {Kind::tls_fails, "tls-fails", kFault, "no TLS connection to a provider comes about",
     "correct base_url; look for a firewall or proxy that breaks TLS"},
    {Kind::clock_off, "clock-off", kFault, "this machine's clock is off",
     "timedatectl set-ntp true (macOS: sudo sntp -sS time.apple.com)"},
    {Kind::port_taken, "port-taken", kFault, "another program has the listen address",
     "end that program, or choose another port: nightlight --listen 127.0.0.1:PORT up"},
    {Kind::already_serving, "already-serving", kNote, "Nightlight serves at this address already",
     "nothing to do: `nightlight status` asks it"},
    {Kind::other_nightlight, "other-nightlight", kNote,
     "another Nightlight of this user serves at another address",
     "end the one that no client uses"},
    {Kind::listener_certificate, "listener-certificate", kWarning,
     "the certificate that Nightlight shows expires soon",
     "renew it; a reload (SIGHUP) takes the new file"},
    {Kind::socket_stale, "socket-stale", kNote, "a socket that nobody listens on any more",
     "remove it (`--fix` does it)"},
    {Kind::other_gateway, "other-gateway", kWarning,
     "a client's setting leads past Nightlight to another gateway or straight to a vendor",
     "start the client with `nightlight run`, or change the setting"},
    {Kind::state_unwritable, "state-unwritable", kFault, "the state folder cannot be written",
     "make it writable for you; the ledger is kept there"},
    {Kind::state_full, "state-full", kFault, "the disk of the state folder is full or nearly so",
     "make room: requests are still answered, but what they cost is not recorded"},
    {Kind::ledger_unwritable, "ledger-unwritable", kFault, "the ledger cannot be written",
     "make the file writable for you"},
    {Kind::ledger_damaged, "ledger-damaged", kWarning, "the ledger's file is no database",
     "nothing to do: the next start puts it aside and begins a new one; a backup can be put back"},
    {Kind::models_full, "models-full", kWarning, "too little room on the disk for a model",
     "make room, or name another place: export NIGHTLIGHT_MODELS=/PATH"},
    {Kind::memory_small, "memory-small", kFault, "the chosen model does not fit this machine",
     "nightlight models --fit shows which size does; nightlight pull gets it"},
    {Kind::memory_held, "memory-held", kWarning, "an Ollama holds the memory that the engine needs",
     "ollama stop MODEL"},
    {Kind::memory_limited, "memory-limited", kWarning,
     "a limit on this container or service leaves too little memory for a model",
     "raise the limit (memory.max, docker --memory, MemoryMax=) to 4 GB or more"},
    {Kind::swap_in_use, "swap-in-use", kNote, "this machine is short of memory and swaps",
     "close programs before the local model is needed: a swapped model answers slowly"},
    {Kind::files_few, "files-few", kWarning, "few files may be open at once",
     "raise the hard limit: ulimit -Hn 65536 as root, or LimitNOFILE=65536 in the unit"},
    {Kind::gpu_unused, "gpu-unused", kWarning, "the engine is built without this machine's GPU",
     "install nvcc, or for Vulkan glslc 2023.8 or newer, libvulkan-dev and spirv-headers; then "
     "make engine. Or name a llama-server that drives it in NIGHTLIGHT_LLAMA_SERVER"},
    {Kind::no_local_model, "no-local-model", kWarning,
     "there is no local model: nothing answers without a network", "nightlight pull"},
    {Kind::model_damaged, "model-damaged", kFault, "a model's file is damaged or is no model",
     "nightlight pull gets it again (`nightlight rm` removes what is there)"},
    {Kind::model_missing, "model-missing", kFault, "a model's file is gone or cut off",
     "nightlight pull gets it again"},
    {Kind::engine_missing, "engine-missing", kFault, "the engine's program is not there",
     "make engine, or name a llama-server in NIGHTLIGHT_LLAMA_SERVER"},
    {Kind::engine_unfit, "engine-unfit", kFault, "the engine's program does not run or is too old",
     "make engine, or name another llama-server in NIGHTLIGHT_LLAMA_SERVER"},
    {Kind::context_small, "context-small", kWarning,
     "the local window is smaller than what an agent sends before its first question",
     "set [engine] context = 32768, or a smaller model: nightlight models --fit"},
    {Kind::pull_unfinished, "pull-unfinished", kNote, "a pull was broken off",
     "`nightlight pull` goes on where it stopped; `nightlight rm --unfinished` gives the room back "
     "(`--fix` does it for what is a week old)"},
    {Kind::local_server_down, "local-server-down", kFault,
     "a model server of this machine that the configuration names does not answer",
     "start it, or correct its base_url"},
    {Kind::ollama_context, "ollama-context", kFault,
     "Ollama's window is so small that it cuts prompts off without a word",
     "start Ollama with OLLAMA_CONTEXT_LENGTH=32768 (systemctl edit ollama: "
     "Environment=OLLAMA_CONTEXT_LENGTH=32768)"},
    {Kind::ollama_old, "ollama-old", kWarning, "this Ollama is older than Gemma 4",
     "update Ollama to 0.20.0 or newer (gemma4:12b needs 0.30.5)"},
    {Kind::drill_old, "drill-old", kNote, "no drill for a month, or never",
     "nightlight drill --demo"},
}};

constexpr bool in_order() {
  for (std::size_t i = 0; i < kTable.size(); ++i) {
    if (static_cast<std::size_t>(kTable[i].kind) != i) return false;
  }
  return true;
}
static_assert(in_order());

}  // namespace

std::string_view name(Severity severity) {
  switch (severity) {
    case Severity::note:
      return "note";
    case Severity::warning:
      return "warning";
    case Severity::fault:
      return "fault";
  }
  return "";
}

std::span<const KindRow> kinds() {
  return kTable;
}

const KindRow& row_of(Kind kind) {
  return kTable[static_cast<std::size_t>(kind)];
}

std::string kinds_table() {
  std::string text = "| finding | at worst | what it means | what to do |\n|---|---|---|---|\n";
  for (const KindRow& row : kTable) {
    text +=
        fmt::format("| `{}` | {} | {} | {} |\n", row.id, name(row.severity), row.meaning, row.fix);
  }
  return text;
}

}  // namespace nl::doctor
