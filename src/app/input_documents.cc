#include "app/input_documents.h"

#include <fmt/format.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

namespace nl::app {
namespace {

constexpr std::size_t kFilesMax = 100'000;

Result<documents::Document> one_document(const std::string& file,
                                         const documents::ReadLimits& limits) {
  std::error_code error;
  if (std::filesystem::is_directory(file, error)) {
    return fail(ErrorCode::bad_request,
                fmt::format("{} is a folder: `nightlight ask research {} \"question\"` reads what "
                            "is in it",
                            file, file));
  }
  return documents::read_document(std::filesystem::path(file), limits);
}

}  // namespace

Result<std::string> standard_input(std::size_t bytes_max) {
  std::string bytes;
  std::array<char, 65536> piece;
  for (;;) {
    const ssize_t got = ::read(0, piece.data(), piece.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) {
      return fail(ErrorCode::io, fmt::format("standard input: {}", std::strerror(errno)));
    }
    if (got == 0) return bytes;
    bytes.append(piece.data(), static_cast<std::size_t>(got));
    if (bytes.size() > bytes_max) {
      return fail(ErrorCode::too_large,
                  fmt::format("standard input has more than {} MiB", bytes_max >> 20));
    }
  }
}

Result<std::vector<documents::Document>> input_documents(const std::vector<std::string>& files,
                                                         EmptyInput empty_input) {
  const documents::ReadLimits limits;
  std::vector<documents::Document> documents;
  for (const std::string& file : files) {
    std::string bytes;
    if (file == "-") {
      auto piped = standard_input(limits.file_bytes_max);
      if (!piped) return std::unexpected(piped.error());
      const bool blank = piped->find_first_not_of(" \t\r\n") == std::string::npos;
      if (blank && empty_input == EmptyInput::nothing) continue;
      if (piped->empty()) return fail(ErrorCode::bad_request, "standard input is empty");
      bytes = std::move(*piped);
    }
    auto document = file == "-"
                        ? documents::read_document("standard input", std::move(bytes), limits)
                        : one_document(file, limits);
    if (!document) return std::unexpected(document.error());
    documents.push_back(std::move(*document));
  }
  return documents;
}

Result<documents::Listing> files_below(const std::vector<std::string>& given) {
  documents::Listing all;
  for (const std::string& name : given) {
    if (name == "-") {
      return fail(ErrorCode::bad_request, "name files and folders: this reads no standard input");
    }
    std::error_code error;
    if (!std::filesystem::is_directory(name, error)) {
      all.files.emplace_back(name);
      continue;
    }
    auto below = documents::list_documents(name, kFilesMax);
    if (!below) return std::unexpected(below.error());
    all.files.insert(all.files.end(), below->files.begin(), below->files.end());
    all.left_out.insert(all.left_out.end(), below->left_out.begin(), below->left_out.end());
  }
  return all;
}

}  // namespace nl::app
