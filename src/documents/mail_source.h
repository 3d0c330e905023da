// Sources of mails: an mbox, one file, a folder of files. Bytes only, nothing is understood here.
//
// Each gives one mail after the other and holds no more than one. A mail over `bytes_max` comes
// with its start only and says how much was passed over. One thread at a time; next() blocks.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "documents/input_file.h"

namespace nl::documents {

struct RawMail {
  std::string bytes;
  std::uint64_t passed_over_bytes = 0;
  std::string trouble;  // why its file could not be read, for people; empty if it could
};

class MailSource {
 public:
  virtual ~MailSource() = default;
  // Nothing after the last one. Errors: io.
  virtual Result<std::optional<RawMail>> next() = 0;
};

// Mails behind each other, each after a line that begins with "From ". Such a line within a mail is
// written ">From "; the sign goes. Where writers forgot it, a line counts as a beginning only if it
// looks like one: a time of day in it, a header below it, an empty line above it (two of these, or
// one behind an empty line), so that a mail that says "From now on" is not torn.
// `head` is what has been read of `file` already.
std::unique_ptr<MailSource> mbox_source(InputFile file, std::string head, std::size_t bytes_max);

// One mail.
std::unique_ptr<MailSource> one_source(std::string bytes);

// Each file is a mail. One that cannot be read comes as an empty mail with its trouble.
std::unique_ptr<MailSource> files_source(std::vector<std::filesystem::path> files,
                                         std::size_t bytes_max);

enum class Above : std::uint8_t { words, nothing };  // an empty line, or the start of the file

// Whether the line at the start of `ahead` begins a mail; `ahead` reaches to the line after it or
// to the end of the file.
bool begins_mail(std::string_view ahead, Above above);

}  // namespace nl::documents
