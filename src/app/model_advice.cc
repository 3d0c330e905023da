#include "app/model_advice.h"

#include <fmt/format.h>

#include <array>

#include "app/model_record.h"

namespace nl::app {
namespace {

struct Size {
  std::uint64_t memory_from;  // of the machine
  const char* name;
  const char* what;
};

constexpr std::uint64_t kGigabyte = 1'000'000'000;

// The largest that fits comes first. Official 4-bit files made for that width (QAT).
constexpr std::array<Size, 4> kSizes = {{
    {24 * kGigabyte, "gemma4:26b-a4b-it-qat",
     "26B-A4B: about 17 GB with 32 k tokens; 3.8B parameters at work, usable without a GPU"},
    {12 * kGigabyte, "gemma4:e4b-it-qat", "E4B: about 6 GB with 32 k tokens"},
    {6 * kGigabyte, "gemma4:e2b-it-qat", "E2B: about 4 GB with 32 k tokens"},
    {0, "gemma4:e2b-it-qat", "E2B with 8 k tokens, text only: the last light"},
}};

}  // namespace

ModelAdvice advise_model(std::uint64_t memory_bytes) {
  const Size* chosen = &kSizes.back();
  for (const Size& size : kSizes) {
    if (memory_bytes < size.memory_from) continue;
    chosen = &size;
    break;
  }
  return {chosen->name,
          fmt::format("This machine has {} of memory.\n"
                      "Gemma 4 {}.\n"
                      "Pulling {} (the tag is from public lists and unverified here).\n",
                      size_text(memory_bytes), chosen->what, chosen->name)};
}

}  // namespace nl::app
