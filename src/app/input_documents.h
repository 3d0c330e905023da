// The documents a command line names: files, and standard input as "-".
//
// For the command line only; blocks on files and on standard input.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "base/error.h"
#include "documents/document.h"

namespace nl::app {

enum class EmptyInput : std::uint8_t { mistake, nothing };

// All of them, in order. Errors: those of read_document with the file's name; a folder is refused
// with the fix.
Result<std::vector<documents::Document>> input_documents(const std::vector<std::string>& files,
                                                         EmptyInput empty_input);

// All of standard input. Errors: io, too_large.
Result<std::string> standard_input(std::size_t bytes_max);

// The files, and of folders every document below, with what is left out there. Errors: io,
// too_large, unsupported; bad_request for standard input.
Result<documents::Listing> files_below(const std::vector<std::string>& given);

}  // namespace nl::app
