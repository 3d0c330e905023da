#include "documents/mail_source.h"

#include <algorithm>
#include <utility>

#include "documents/format.h"

namespace nl::documents {
namespace {

constexpr std::string_view kMark = "From ";
// As much is looked at ahead: a mark's line and the start of the next one.
constexpr std::size_t kAheadBytes = 2048;
constexpr std::size_t kPieceBytes = std::size_t{256} << 10U;

bool digit(char each) {
  return each >= '0' && each <= '9';
}

bool has_time(std::string_view line) {
  for (std::size_t at = 1; at + 2 < line.size(); ++at) {
    if (line[at] == ':' && digit(line[at - 1]) && digit(line[at + 1]) && digit(line[at + 2])) {
      return true;
    }
  }
  return false;
}

bool empty_line(std::string_view line) {
  return line == "\n" || line == "\r\n";
}

// ">From " loses one sign, ">>From " too: writers add one to each.
void append_unquoted(std::string& to, std::string_view line) {
  const std::size_t signs = line.find_first_not_of('>');
  const bool quoted =
      signs != std::string_view::npos && signs > 0 && line.substr(signs).starts_with(kMark);
  to += quoted ? line.substr(1) : line;
}

class Mbox final : public MailSource {
 public:
  Mbox(InputFile file, std::string head, std::size_t bytes_max)
      : file_(std::move(file)), bytes_max_(bytes_max), buffer_(std::move(head)) {}

  Result<std::optional<RawMail>> next() override {
    if (failed_) return std::optional<RawMail>();
    if (auto begun = begin(); !begun) return std::unexpected(begun.error());
    if (ahead().empty()) return std::optional<RawMail>();
    RawMail mail;
    Above above = Above::words;  // a mark directly below a mark is a mail without anything
    bool line_start = true;
    while (true) {
      if (auto filled = fill(); !filled) return std::unexpected(filled.error());
      if (ahead().empty()) break;
      if (line_start && begins_mail(ahead(), above)) break;
      const std::string_view line = take_line();
      append(mail, line, line_start);
      above = line_start && empty_line(line) ? Above::nothing : Above::words;
      line_start = line.ends_with('\n');
    }
    return mail;
  }

 private:
  // To the first line of the next mail: behind its mark, and at the start behind empty lines.
  Result<void> begin() {
    while (true) {
      if (auto filled = fill(); !filled) return filled;
      if (!empty_line(ahead().substr(0, ahead().find('\n') + 1))) break;
      take_line();
    }
    bool mark = ahead().starts_with(kMark);
    while (mark && !ahead().empty()) {
      mark = !take_line().ends_with('\n');
      if (auto filled = fill(); !filled) return filled;
    }
    return {};
  }

  std::string_view ahead() const { return std::string_view(buffer_).substr(at_); }

  // As much as is looked at ahead, unless the file ends before.
  Result<void> fill() {
    while (!ended_ && buffer_.size() - at_ < kAheadBytes) {
      buffer_.erase(0, at_);
      at_ = 0;
      const Result<std::size_t> size = file_.read(buffer_, kPieceBytes);
      failed_ = !size;
      if (!size) return std::unexpected(size.error());
      ended_ = *size == 0;
    }
    return {};
  }

  // To its end, or to the end of what is here.
  std::string_view take_line() {
    const std::string_view here = ahead();
    const std::string_view line = here.substr(0, std::min(here.find('\n'), here.size() - 1) + 1);
    at_ += line.size();
    return line;
  }

  void append(RawMail& mail, std::string_view line, bool line_start) const {
    if (mail.bytes.size() + line.size() > bytes_max_ || mail.passed_over_bytes > 0) {
      mail.passed_over_bytes += line.size();
    } else if (line_start) {
      append_unquoted(mail.bytes, line);
    } else {
      mail.bytes += line;
    }
  }

  InputFile file_;
  std::size_t bytes_max_;
  std::string buffer_;
  std::size_t at_ = 0;
  bool ended_ = false;
  bool failed_ = false;
};

class One final : public MailSource {
 public:
  explicit One(std::string bytes) : bytes_(std::move(bytes)) {}

  Result<std::optional<RawMail>> next() override {
    if (!bytes_) return std::optional<RawMail>();
    RawMail mail;
    mail.bytes = *std::exchange(bytes_, std::nullopt);
    return mail;
  }

 private:
  std::optional<std::string> bytes_;
};

class Files final : public MailSource {
 public:
  Files(std::vector<std::filesystem::path> files, std::size_t bytes_max)
      : files_(std::move(files)), bytes_max_(bytes_max) {}

  Result<std::optional<RawMail>> next() override {
    if (at_ == files_.size()) return std::optional<RawMail>();
    const std::filesystem::path& path = files_[at_++];
    RawMail mail;
    Result<InputFile> file = InputFile::open(path);
    const Result<void> read = file ? take(*file, mail) : std::unexpected(file.error());
    if (!read) mail.trouble = read.error().message;
    return mail;
  }

 private:
  Result<void> take(InputFile& file, RawMail& mail) const {
    std::string piece;
    while (true) {
      piece.clear();
      const Result<std::size_t> size = file.read(piece, kPieceBytes);
      if (!size) return std::unexpected(size.error());
      if (*size == 0) return {};
      const std::size_t room = bytes_max_ - mail.bytes.size();
      mail.bytes += std::string_view(piece).substr(0, room);
      if (*size > room) mail.passed_over_bytes += *size - room;
    }
  }

  std::vector<std::filesystem::path> files_;
  std::size_t bytes_max_;
  std::size_t at_ = 0;
};

}  // namespace

bool begins_mail(std::string_view ahead, Above above) {
  if (!ahead.starts_with(kMark)) return false;
  const std::size_t end = ahead.substr(0, kAheadBytes / 2).find('\n');
  if (end == std::string_view::npos) return false;
  const int signs =
      (has_time(ahead.substr(0, end)) ? 1 : 0) + (begins_with_field(ahead.substr(end + 1)) ? 1 : 0);
  return signs + (above == Above::nothing ? 1 : 0) >= 2;
}

std::unique_ptr<MailSource> mbox_source(InputFile file, std::string head, std::size_t bytes_max) {
  return std::make_unique<Mbox>(std::move(file), std::move(head), bytes_max);
}

std::unique_ptr<MailSource> one_source(std::string bytes) {
  return std::make_unique<One>(std::move(bytes));
}

std::unique_ptr<MailSource> files_source(std::vector<std::filesystem::path> files,
                                         std::size_t bytes_max) {
  return std::make_unique<Files>(std::move(files), bytes_max);
}

}  // namespace nl::documents
