// Download: fetches one file into a PartialFile, over several connections at once, with retries.
//
// Blocks the calling thread and runs a loop of its own: for the command line, never for the data
// path. What came is saved as it comes, so the next call goes on. Whoever calls verifies the file
// and gives it its name.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/error.h"
#include "engine/model_source.h"
#include "engine/partial_file.h"
#include "http/client.h"

namespace nl::engine {

struct DownloadOptions {
  http::ClientOptions client;
  PartSizes sizes;
  std::size_t connections = 4;
  int tries = 6;  // of a part without progress
  Duration first_pause = std::chrono::seconds(1);
  Duration stall = std::chrono::seconds(30);
};

struct DownloadOrder {
  Origin origin;       // asked again whenever a part fails: signed addresses run out
  Located located;     // what locate() has said of it
  std::string digest;  // that the file is to have, 64 hex digits; empty = nobody says
  std::string path;    // of the PartialFile
};

// Told what happens, on the calling thread.
struct DownloadWatch {
  // Several times a second.
  std::function<void(std::uint64_t there, std::uint64_t all)> progress;
  // Something that went wrong and is tried again.
  std::function<void(const std::string& what)> trouble;
  // The file's first part is there: an error refuses the file before the rest comes.
  std::function<Result<void>(const PartialFile& file)> head;
};

// locate(), blocking. Errors: as there.
Result<Located> locate_now(const http::ClientOptions& client, const Origin& origin);

// One GET of something small, blocking; redirects are refused. Errors: as refusal(), too_large.
Result<std::string> fetch_small(const http::ClientOptions& client, const Origin& origin,
                                std::string_view accept);

// Everything is there on success. Errors: io, config, and what a part's last try ended with.
Result<PartialFile> download(const DownloadOptions& options, const DownloadOrder& order,
                             const DownloadWatch& watch);

}  // namespace nl::engine
