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
  int tries = 6;        // of a part without progress
  int first_tries = 4;  // of a question, before anything is known
  Duration first_pause = std::chrono::seconds(1);
  Duration stall = std::chrono::seconds(30);
};

struct DownloadOrder {
  Origin origin;       // asked again whenever a part fails: signed addresses run out
  Located located;     // what locate() has said of it
  std::string digest;  // that the file is to have, 64 hex digits; empty = nobody says
  std::string path;    // of the PartialFile
};

// Something went wrong and is tried again after `pause`. Told on the calling thread.
using Trouble = std::function<void(const std::string& what, Duration pause)>;

// Told what happens, on the calling thread.
struct DownloadWatch {
  // Several times a second.
  std::function<void(std::uint64_t there, std::uint64_t all)> progress;
  Trouble trouble;
  // The file's first part is there: an error refuses the file before the rest comes.
  std::function<Result<void>(const PartialFile& file)> head;
};

// locate(), blocking; a server in trouble is asked again. Errors: as there.
Result<Located> locate_now(const DownloadOptions& options, const Origin& origin,
                           const Trouble& trouble);

// A GET of something small, likewise; redirects are refused. Errors: as refusal(), too_large.
Result<std::string> fetch_small(const DownloadOptions& options, const Origin& origin,
                                std::string_view accept, const Trouble& trouble);

// Everything is there on success. Errors: io, config, and what a part's last try ended with.
Result<PartialFile> download(const DownloadOptions& options, const DownloadOrder& order,
                             const DownloadWatch& watch);

}  // namespace nl::engine
