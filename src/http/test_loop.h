// Tools of this module's tests: run a coroutine to its end on a Loop, temporary folders, the shared
// test data where there is any.
//
// Nothing here waits for longer than ten seconds. Test code only.
#pragma once

#include <boost/asio/co_spawn.hpp>
#include <chrono>
#include <cstdlib>
#include <exception>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>

#include "http/loop.h"

namespace nl::http {

// Runs `work` to its end; throws when that takes more than ten seconds.
template <typename T>
T run_on(Loop& loop, asio::awaitable<T> work) {
  std::optional<T> result;
  std::exception_ptr thrown;
  asio::co_spawn(loop.io(), std::move(work), [&](std::exception_ptr failure, T value) {
    thrown = failure;
    result.emplace(std::move(value));
  });
  loop.io().restart();
  const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  while (!result) {
    if (loop.io().run_one_until(until) == 0) break;
  }
  if (thrown) std::rethrow_exception(thrown);
  if (!result) throw std::runtime_error("coroutine did not end in ten seconds");
  return std::move(*result);
}

// Runs the loop until `done` says so; false after ten seconds.
template <typename Done>
bool run_until(Loop& loop, Done done) {
  loop.io().restart();
  const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  while (!done()) {
    const auto step = std::chrono::steady_clock::now() + std::chrono::milliseconds(20);
    loop.io().run_one_until(std::min(step, until));
    if (std::chrono::steady_clock::now() >= until) return false;
    if (loop.io().stopped()) loop.io().restart();
  }
  return true;
}

// Where the shared test data lies, or nothing.
inline std::optional<std::string> shared_data() {
  const char* const named = std::getenv("NL_SHARED_DATA");
  std::string folder = named != nullptr ? named : "../shared/data";
  if (!std::ifstream(folder + "/badinput/README.md")) return std::nullopt;
  return folder;
}

class TempFolder {
 public:
  TempFolder() : path_("/tmp/nl-http-XXXXXX") {
    if (mkdtemp(path_.data()) == nullptr) throw std::runtime_error("no temporary folder");
  }
  ~TempFolder() { std::filesystem::remove_all(path_); }
  TempFolder(const TempFolder&) = delete;
  TempFolder& operator=(const TempFolder&) = delete;
  std::string file(const std::string& name) const { return path_ + "/" + name; }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

inline std::string file_text(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

}  // namespace nl::http
