#include "config/config.h"

namespace nl::config {
namespace {

constexpr const char* kSettings =
    R"(# Every setting with its default. Nothing is needed: this is the shape of a file that you may
# put at ~/.config/nightlight/config.toml or name with --config. An unknown key is an error with its
# line.

listen = ["127.0.0.1:2300", "[::1]:2300"]  # one string is fine too; "unix:/PATH" as well
workers = 1                # event loops; one carries a laptop and a small company
hosts = []                 # further Host names to accept
behind_proxy = false       # a TLS proxy is before it: [auth] is enough to listen elsewhere
discover = true            # look for local servers on ports 11434 and 1234 of this machine
# Conversations with tools on the local tier: auto | continue | read-only | hold
on_local = "auto"
# ca_file = "/etc/ssl/office.pem"  # PEM, trusted besides the system's authorities

# [auth]
# token = "env:NIGHTLIGHT_TOKEN"   # what a client must present; a list is fine too

# The other way: every address but loopback and unix sockets speaks TLS, and needs [auth] as well.
# SIGHUP reads the files anew.
# [tls]
# certificate = "/etc/nightlight/fullchain.pem"  # its own certificate first
# key = "/etc/nightlight/privkey.pem"

# A provider of a known name (anthropic, openai, gemini, openrouter, ollama, lmstudio) needs nothing
# else. Everything below is for your own.
# [[provider]]
# name = "office"
# dialect = "openai-chat"          # anthropic | openai-chat | ollama
# base_url = "https://llm.example/v1"  # as the vendor's own SDK takes it
# key = "env:OFFICE_KEY"           # env:NAME | file:PATH | client (anthropic, openai) | none
# insecure_http = false            # allow plain http to another machine
# tier = "router"                  # where it belongs when [tiers] is absent
# billing = "metered"              # metered | flat | free
# context = 131072                 # the window of models that say nothing else, in tokens
# models = ["small-one", { name = "big-one", class = "large", context = 400000, output = 32000,
#   images = true, reasoning = false, fixed_sampling = false, input_usd = 1.0, output_usd = 5.0,
#   cache_read_usd = 0.1, cache_write_usd = 1.25 }]   # prices in dollars per million tokens

# In order of preference: provider/model (the first slash splits) or provider alone. A file that has
# [tiers] or [[route]] uses only the providers that it names.
# [tiers]
# frontier = ["anthropic", "openai", "gemini"]
# router = ["openrouter"]
# local = ["engine"]

# [[route]]                        # the first match wins; without one a request walks the tiers
# match = "claude-haiku-*"         # the model name that the client sends; * and ? are special
# targets = ["@router", "@local"]  # @tier, provider/model, or provider

# [tasks]                          # task label -> targets, tried before the tiers
# code_review = ["openrouter/openai/gpt-5.3-codex"]
# summarisation = ["openrouter/google/gemini-3.8-flash"]
# research_synthesis = ["openrouter/x-ai/grok-4.3"]

[engine]                           # the model that Nightlight runs itself, for tier 3
model = "auto"                     # auto (the newest pulled one) | ember | a pulled name | a path
start = "eager"                    # eager | on-demand
slots = 2                          # conversations held at once
# context = 32768                  # tokens; without it what suits the model and this machine
# server = "/usr/bin/llama-server" # without it: what `make engine` built, or the one on PATH

[local]                            # how requests are put for models on this machine
profile = "auto"                   # auto: long prompts and tools of known clients in a short form
                                   # (`check --profiles` prints it, to copy and edit) | off
fit = "auto"                       # auto: what is too long for the window is compacted | off

[standby]                          # the local model reads along while a cloud serves
enabled = "auto"                   # auto (on mains, while others leave room) | on | off
conversations = 4                  # kept warm at most
idle_minutes = 30                  # then a conversation is no longer kept warm
load_max = 1.0                     # processes that want a core, per core, of other programs

[plan]                             # what you pay anyway, for the sums of `nightlight plan --money`
# fees = { claude = 100 }          # flat fees, in dollars a month, by any name
# watts = 60                       # what this machine draws for a local answer, above idle
usd_per_kwh = 0.30
[notify]                           # when another one answers than usual, and when that is over
desktop = false                    # by notify-send
# webhook = "env:NIGHTLIGHT_WEBHOOK" # env:NAME | an address: gets a POST of JSON with "text"
quiet_s = 60                       # between two messages about one provider

[budget]
failover_usd_per_day = 5.0         # paid answers that stand in for a flat subscription, per day

[privacy]
share = "any"                      # who may see prompts: any | configured | local

[limits]
scale = 1.0                        # multiplies every time below and those of the breakers
head_s = 10                        # for a client's request head
body_grace_s = 10                  # for its body, then at least 1 KB/s
body_memory_wait_s = 10            # for memory to free up before a 503
client_idle_s = 300
client_write_stall_s = 60
dns_s = 2
connect_s = 2
second_address_s = 0.25
tls_s = 3
write_stall_s = 10
pool_idle_s = 30
first_progress_s = 60              # from the request to an upstream's first progress
silence_s = 30                     # between two steps of progress
reasoning_s = 300                  # both, for a request that reasons
early_head_s = 10                  # without content until then, a stream gets its head and filler
filler_s = 10
wait_s = 300                       # for any target to come back
total_s = 600                      # one attempt
whole_first_s = 120                # a whole answer, while another target is left
drain_s = 30                       # from SIGTERM to closing what is left
body_bytes_max = 67108864
body_memory_bytes_max = 268435456
answer_bytes_max = 67108864
held_tool_bytes_max = 4194304
connections_max = 4096
pool_per_endpoint_max = 1024
queue_max = 256
)";

}  // namespace

std::string default_settings() {
  return kSettings;
}

}  // namespace nl::config
