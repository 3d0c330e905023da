// ProgressLine: how far a research is, as one line that is written over, or as plain lines now and
// then where nobody watches.
//
// Writes to the stream it is given. One thread.
#pragma once

#include <cstdio>
#include <optional>
#include <string>

#include "work/research.h"

namespace nl::work {

enum class Watched : std::uint8_t { terminal, nobody };

class ProgressLine final : public ResearchView {
 public:
  ProgressLine(std::FILE* out, Watched watched) : out_(out), watched_(watched) {}
  ~ProgressLine() override { clear(); }

  void progress(const ResearchProgress& progress) override;
  void note(const std::string& text) override;
  // Takes the line away, before something else is written.
  void clear();

 private:
  std::FILE* out_;
  Watched watched_;
  bool shown_ = false;
  std::size_t last_tenth_ = 0;
  const SystemClock clock_;
  Instant started_ = clock_.now();
  std::optional<std::size_t> first_done_;
};

// The bar of `width` characters for `done` of `all`.
std::string bar(std::size_t done, std::size_t all, std::size_t width);

}  // namespace nl::work
