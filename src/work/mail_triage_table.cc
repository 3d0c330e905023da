#include "work/mail_triage_table.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "dialect/json_writer.h"
#include "documents/text_encoding.h"

namespace nl::work {
namespace {

constexpr std::array kUrgencies = {Urgency::now, Urgency::soon, Urgency::later, Urgency::none};
constexpr std::size_t kSenderBytesMax = 40;
constexpr std::size_t kSubjectBytesMax = 80;

std::size_t how_many(const TriageReport& report, Urgency urgency) {
  return static_cast<std::size_t>(std::ranges::count_if(report.mails, [&](const auto& each) {
    return each.judgement && each.judgement->urgency == urgency;
  }));
}

std::size_t not_judged(const TriageReport& report) {
  return static_cast<std::size_t>(
      std::ranges::count_if(report.mails, [](const auto& each) { return !each.judgement; }));
}

std::string or_none(const std::string& text, std::string_view none) {
  return text.empty() ? std::string(none) : text;
}

// "  #12  2026-11-03 10:11  Ann <ann@example.org>  The subject"
std::string first_line(const TriagedMail& each) {
  std::string date = each.mail.date.substr(0, 16);
  std::ranges::replace(date, 'T', ' ');
  return fmt::format(
      "  #{:<4} {:<16}  {}  {}\n", each.position, or_none(date, "no date"),
      documents::one_line(or_none(each.mail.from, "(no sender)"), kSenderBytesMax),
      documents::one_line(or_none(each.mail.subject, "(no subject)"), kSubjectBytesMax));
}

std::string indented(std::string_view lines, std::string_view lead) {
  std::string text;
  while (!lines.empty()) {
    const std::size_t end = std::min(lines.find('\n'), lines.size());
    text += fmt::format("{}{}\n", lead, lines.substr(0, end));
    lines.remove_prefix(std::min(end + 1, lines.size()));
  }
  return text;
}

std::string row(const TriagedMail& each) {
  std::string text = first_line(each);
  if (each.judgement) {
    text +=
        fmt::format("        {}: {}\n", name(each.judgement->category), each.judgement->summary);
    text += indented(each.judgement->suggested_reply, "        > ");
  } else {
    text += fmt::format("        not judged: {}\n", each.not_judged);
  }
  for (const documents::Attachment& file : each.mail.attachments) {
    text += fmt::format("        [{}, {}]\n", or_none(file.name, "unnamed"), file.media_type);
  }
  for (const std::string& note : each.mail.notes) text += fmt::format("        ({})\n", note);
  return text;
}

void write_mail(const TriagedMail& each, dialect::JsonWriter& json) {
  json.begin_object();
  json.integer("position", static_cast<std::int64_t>(each.position));
  json.string("id", each.mail.id).string("from", each.mail.from).string("to", each.mail.to);
  json.string("date", each.mail.date).string("subject", each.mail.subject);
  json.boolean("judged", each.judgement.has_value());
  if (each.judgement) {
    json.string("urgency", name(each.judgement->urgency));
    json.string("category", name(each.judgement->category));
    json.string("summary", each.judgement->summary);
    json.string("suggested_reply", each.judgement->suggested_reply);
  } else {
    json.string("reason", each.not_judged);
  }
  json.key("attachments").begin_array();
  for (const documents::Attachment& file : each.mail.attachments) {
    json.begin_object().string("name", file.name).string("media_type", file.media_type);
    json.integer("bytes", static_cast<std::int64_t>(file.bytes)).end_object();
  }
  json.end_array().key("notes").begin_array();
  for (const std::string& note : each.mail.notes) json.string(note);
  json.end_array().end_object();
}

void write_counts(const TriageReport& report, dialect::JsonWriter& json) {
  json.key("counts").begin_object();
  json.integer("mails", static_cast<std::int64_t>(report.mails.size()));
  for (const Urgency urgency : kUrgencies) {
    json.integer(name(urgency), static_cast<std::int64_t>(how_many(report, urgency)));
  }
  json.integer("not_judged", static_cast<std::int64_t>(not_judged(report))).end_object();
}

std::string price(const TriageReport& report) {
  std::string text = fmt::format("${:.4f}", report.cost_usd);
  if (report.cost_unknown > 0) text += fmt::format(" and {} at unknown cost", report.cost_unknown);
  return text;
}

}  // namespace

std::string triage_table(const TriageReport& report) {
  std::string text = fmt::format("{} mails in {}", report.mails.size(), report.box);
  for (const Urgency urgency : kUrgencies) {
    const std::size_t count = how_many(report, urgency);
    if (count == 0) continue;
    text += fmt::format("\n\n{} ({})\n", name(urgency), count);
    for (const TriagedMail& each : report.mails) {
      if (each.judgement && each.judgement->urgency == urgency) text += row(each);
    }
    text.pop_back();
  }
  if (const std::size_t count = not_judged(report); count > 0) {
    text += fmt::format("\n\nnot judged ({})\n", count);
    for (const TriagedMail& each : report.mails) {
      if (!each.judgement) text += row(each);
    }
    text.pop_back();
  }
  text += "\n\n";
  for (const auto& [who, mails] : report.answered_by) {
    text += fmt::format("{} judged {} of them\n", who, mails);
  }
  text += fmt::format("{} tokens in, {} out, {}\n", report.input_tokens, report.output_tokens,
                      price(report));
  return text;
}

std::string triage_json(const TriageReport& report) {
  std::string text;
  dialect::JsonWriter json(text);
  json.begin_object().string("mailbox", report.box).key("mails").begin_array();
  for (const TriagedMail& each : report.mails) write_mail(each, json);
  json.end_array();
  write_counts(report, json);
  json.key("answered_by").begin_object();
  for (const auto& [who, mails] : report.answered_by) {
    std::string escaped;
    chat::append_escaped(escaped, who);
    json.integer(escaped, static_cast<std::int64_t>(mails));
  }
  json.end_object();
  json.integer("input_tokens", static_cast<std::int64_t>(report.input_tokens));
  json.integer("output_tokens", static_cast<std::int64_t>(report.output_tokens));
  json.number("cost_usd", report.cost_usd);
  json.integer("answers_of_unknown_cost", static_cast<std::int64_t>(report.cost_unknown));
  json.string("stopped", report.stopped).end_object();
  return text + "\n";
}

}  // namespace nl::work
