#include "documents/mailbox.h"

#include <fmt/format.h>

#include <algorithm>
#include <system_error>
#include <utility>

#include "documents/foreign.h"
#include "documents/format.h"
#include "documents/input_file.h"
#include "documents/mail_source.h"

namespace nl::documents {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kFilesMax = 1'000'000;
constexpr std::chrono::seconds kMailTimeMax(60);

// Whether `name` ends so, in letters of either size: Windows writes .EML.
bool ends_with(std::string name, std::string_view ending) {
  std::ranges::transform(name, name.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  return name.ends_with(ending);
}

Result<std::vector<fs::path>> mails_in(const fs::path& folder, std::string_view ending) {
  std::vector<fs::path> files;
  std::error_code error;
  fs::directory_iterator each(folder, fs::directory_options::skip_permission_denied, error);
  for (; !error && each != fs::directory_iterator(); each.increment(error)) {
    std::error_code unknown;
    const std::string file = each->path().filename().string();
    const bool regular = each->symlink_status(unknown).type() == fs::file_type::regular;
    if (!regular || file.starts_with('.') || !ends_with(file, ending)) continue;
    files.push_back(each->path());
    if (files.size() > kFilesMax) {
      return fail(ErrorCode::too_large, fmt::format("{}: over {} mails", shown(folder), kFilesMax));
    }
  }
  if (error) return fail(ErrorCode::io, shown(folder) + ": " + error.message());
  std::ranges::sort(files);
  return files;
}

// The .eml files of `folder`, or the mails of a maildir.
Result<std::vector<fs::path>> mails_of(const fs::path& folder) {
  std::error_code error;
  const bool maildir =
      fs::is_directory(folder / "cur", error) && fs::is_directory(folder / "new", error);
  if (!maildir) {
    auto files = mails_in(folder, ".eml");
    if (!files || !files->empty()) return files;
    return fail(ErrorCode::unsupported,
                shown(folder) +
                    ": no mail is in this folder: .eml files and maildirs are read, "
                    "and an mbox by its own name");
  }
  auto files = mails_in(folder / "cur", "");
  if (!files) return files;
  auto fresh = mails_in(folder / "new", "");
  if (!fresh) return fresh;
  std::ranges::move(*fresh, std::back_inserter(*files));
  return files;
}

// Mail or mailbox, told by a name and the start of the content. Errors: unsupported.
Result<Format> format_of(const fs::path& path, std::string_view head) {
  const Told told = tell_format(path.filename().string(), head);
  const bool mails = told.format == Format::mail || told.format == Format::mailbox;
  // One without a mail in it yet, and one whose fields are few, is taken at its word.
  const bool marked = head.empty() || head.starts_with("From ");
  if (!mails && !(told.format == Format::text && (marked || begins_with_field(head)))) {
    return fail(ErrorCode::unsupported,
                shown(path) + " is no mailbox: an mbox, an .eml file or a folder of them is read");
  }
  if (mails) return told.format;
  return marked ? Format::mailbox : Format::mail;
}

}  // namespace

Result<Mailbox> Mailbox::open(const fs::path& path, const ReadLimits& limits) {
  std::error_code error;
  if (fs::is_directory(path, error)) {
    auto files = mails_of(path);
    if (!files) return std::unexpected(files.error());
    return Mailbox(files_source(*std::move(files), limits.file_bytes_max), limits);
  }
  auto file = InputFile::open(path);
  if (!file) return std::unexpected(file.error());
  std::string head;
  if (const auto size = file->read(head, kHeadBytes); !size) return std::unexpected(size.error());
  const Result<Format> format = format_of(path, head);
  if (!format) return std::unexpected(format.error());
  if (*format == Format::mail) return Mailbox(files_source({path}, limits.file_bytes_max), limits);
  return Mailbox(mbox_source(*std::move(file), std::move(head), limits.file_bytes_max), limits);
}

Result<Mailbox> Mailbox::open(const std::string& name, std::string bytes,
                              const ReadLimits& limits) {
  const Result<Format> format = format_of(name, std::string_view(bytes).substr(0, kHeadBytes));
  if (!format) return std::unexpected(format.error());
  if (*format == Format::mail) return Mailbox(one_source(std::move(bytes)), limits);
  InputFile file = InputFile::holding(std::move(bytes));
  return Mailbox(mbox_source(std::move(file), "", limits.file_bytes_max), limits);
}

Mailbox::Mailbox(std::unique_ptr<MailSource> source, const ReadLimits& limits)
    : source_(std::move(source)), limits_(limits) {}
Mailbox::~Mailbox() = default;
Mailbox::Mailbox(Mailbox&& other) noexcept = default;
Mailbox& Mailbox::operator=(Mailbox&& other) noexcept = default;

Result<std::optional<Mail>> Mailbox::next() {
  auto raw = source_->next();
  if (!raw) return std::unexpected(raw.error());
  if (!*raw) return std::optional<Mail>();
  ++position_;
  ForeignLimits limits;
  limits.read = limits_;
  limits.time_max = kMailTimeMax;
  Mail mail;
  if (!(*raw)->trouble.empty()) {
    mail.notes.push_back("it cannot be read: " + (*raw)->trouble);
  } else if ((*raw)->bytes.empty()) {
    mail.notes.emplace_back("it is empty");
  } else {
    mail = take_mail_apart((*raw)->bytes, limits);
  }
  if (mail.id.empty()) mail.id = fmt::format("#{}", position_);
  if ((*raw)->passed_over_bytes > 0) {
    mail.notes.push_back(
        fmt::format("it is over {}: only the start was read", mebibytes(limits_.file_bytes_max)));
  }
  return std::optional<Mail>(std::move(mail));
}

}  // namespace nl::documents
