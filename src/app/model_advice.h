// ModelAdvice: which Gemma 4 to pull when nobody names one.
//
// A plain rule over the machine's memory; pure, any thread.
#pragma once

#include <cstdint>
#include <string>

namespace nl::app {

struct ModelAdvice {
  std::string name;  // to pull
  std::string why;   // three lines for the person who asked
};

ModelAdvice advise_model(std::uint64_t memory_bytes);

}  // namespace nl::app
