// Any bytes as a configuration file: parsing ends with a Config or with mistakes that name the
// file, never with a crash; an accepted one becomes a plan that can be printed and holds no key.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "app/plan_view.h"
#include "app/policy.h"
#include "config/config.h"

namespace {

constexpr std::string_view kCanary = "canary-key-7261";

void require(bool holds) {
  if (!holds) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace nl;
  using namespace nl::app;
  Environment environment;
  environment.set("HOME", "/home/someone");
  environment.set("OPENROUTER_API_KEY", kCanary);
  // A file on the machine that fuzzes is no part of the input.
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (text.find("file:") != std::string_view::npos) return 0;
  const auto config = config::parse_config(text, "/f.toml", config::ConfigSource(), environment);
  if (!config) {
    require(config.error().code == nl::ErrorCode::config);
    require(config.error().message.starts_with("/f.toml:"));
    return 0;
  }
  const Routing routing = make_routing(*config);
  require(routing.settings.size() == routing.policy.providers.size());
  require(plan_text(*config, routing).find(kCanary) == std::string::npos);
  require(!plan_json(*config, routing).empty());
  return 0;
}
