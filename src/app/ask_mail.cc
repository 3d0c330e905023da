// mail-triage: one mailbox, every mail of it in a table.
#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>

#include "app/ask_task.h"
#include "base/whole_file.h"
#include "work/mail_triage_table.h"
#include "work/shown.h"

namespace nl::app {
namespace {

Result<documents::Mailbox> open_box(const std::string& file) {
  const documents::ReadLimits limits;
  if (file != "-") return documents::Mailbox::open(std::filesystem::path(file), limits);
  auto bytes = standard_input(limits.file_bytes_max);
  if (!bytes) return std::unexpected(bytes.error());
  return documents::Mailbox::open("standard input", std::move(*bytes), limits);
}

std::size_t judged(const work::TriageReport& report) {
  std::size_t count = 0;
  for (const work::TriagedMail& mail : report.mails) count += mail.judgement ? 1 : 0;
  return count;
}

Result<void> write_files(const AskTask& task, const work::TriageReport& report) {
  if (task.out.empty()) return {};
  const auto json = write_whole_file(task.out + "/triage.json", work::triage_json(report));
  if (!json) return json;
  const auto table = write_whole_file(task.out + "/triage.txt", work::triage_table(report));
  if (!table) return table;
  fmt::print(stderr,
             "nightlight: the table is in {0}/triage.txt, for programs in {0}/triage.json\n",
             task.out);
  return {};
}

}  // namespace

int ask_mail(const AskTask& task, work::Asker& asker) {
  if (task.files.size() != 1) {
    return complain_about(Error(ErrorCode::bad_request, "mail-triage takes one mailbox at a time"));
  }
  auto box = open_box(task.files.front());
  if (!box) {
    complain_about(box.error());
    return 2;  // whatever the reason, what was named is no mailbox that can be read
  }
  work::TriageOptions options;
  options.box = task.files.front() == "-" ? "standard input" : task.files.front();
  options.model = task.base.model;
  options.route = task.base.route;
  options.task = task.base.task;
  options.question.instructions = work::mail_instructions(task.recipe, task.words);
  options.question.answer_tokens_max =
      task.base.max_tokens > 0 ? task.base.max_tokens : task.recipe.max_tokens;
  const bool watched = isatty(2) == 1;
  options.on_mail = [watched](const work::TriageReport& report) {
    if (!watched) return;
    fmt::print(stderr, "\r\x1b[K{} mails", report.mails.size());
    std::fflush(stderr);
  };
  const auto report = work::triage_mail(asker, *box, options);
  if (watched) fmt::print(stderr, "\r\x1b[K");
  if (!report) return complain_about(report.error());
  fmt::print("{}",
             task.form == Form::json ? work::triage_json(*report) : work::triage_table(*report));
  std::fflush(stdout);
  if (const auto written = write_files(task, *report); !written) {
    return complain_about(written.error());
  }
  if (!report->stopped.empty()) {
    fmt::print(stderr, "nightlight: not all mails were asked about: {}\n",
               work::visible(report->stopped));
  }
  return report->stopped.empty() && judged(*report) == report->mails.size() ? 0 : 1;
}

}  // namespace nl::app
