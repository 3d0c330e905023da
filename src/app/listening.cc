#include "app/listening.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>

#include "http/server.h"

namespace nl::app {

std::string lock_folder(const config::Config& config) {
  std::error_code error;
  const std::filesystem::path shared =
      std::filesystem::temp_directory_path(error) / fmt::format("nightlight-{}", ::getuid());
  ::mkdir(shared.c_str(), 0700);
  struct stat found {};
  const bool own = !error && ::lstat(shared.c_str(), &found) == 0 && S_ISDIR(found.st_mode) &&
                   found.st_uid == ::getuid() && (found.st_mode & 077) == 0;
  if (own) return shared;
  const std::string beside = config.state_dir + "/run";
  std::filesystem::create_directories(beside, error);
  return beside;
}

Result<void> refuse_own_address(const config::Config& config) {
  for (const std::string& text : config.listen) {
    const auto address = http::parse_listen_address(text);
    if (!address || !address->unix_path.empty() || address->port == 0) continue;
    for (const config::ProviderConfig& provider : config.providers) {
      const http::Endpoint& endpoint = provider.url.endpoint;
      const bool here = endpoint.host == address->host || endpoint.host == "localhost";
      if (here && endpoint.port == address->port && endpoint.scheme == http::Scheme::http) {
        return fail(ErrorCode::config,
                    fmt::format("provider {} has this gateway's own address {} as its base_url; "
                                "write the address of the model server",
                                provider.name, text));
      }
    }
  }
  return {};
}

}  // namespace nl::app
