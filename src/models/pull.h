// A pull: gets a model from a registry, a model hub or this machine into the model store.
//
// Tells how far it is on standard error. Sends no credential anywhere; holds the store's lock
// meanwhile. Blocks; one thread.
#pragma once

#include <cstdint>
#include <string>

#include "base/environment.h"
#include "base/error.h"
#include "config/config.h"
#include "models/model_record.h"

namespace nl::models {

struct Pulled {
  ModelRecord record;
  bool was_here = false;         // nothing had to be done
  std::uint64_t idle_bytes = 0;  // of earlier versions and unfinished pulls in the store
};

// `wanted` is a name in any of its spellings or a path; what it stands for is in the store
// afterwards. Errors: config (a name that is none, a file that is no model or not the one that the
// name stands for), io, and those of the server that was asked, with its status.
Result<Pulled> pull_model(const std::string& wanted, const config::Config& config,
                          const Environment& environment);

}  // namespace nl::models
