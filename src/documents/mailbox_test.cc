#include "documents/mailbox.h"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>

#include "documents/mail_source.h"

namespace nl::documents {
namespace {

namespace fs = std::filesystem;

class MailboxTest : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = fs::path(testing::TempDir()) / fmt::format("mailbox_{}", getpid());
    fs::remove_all(folder_);
    fs::create_directories(folder_);
  }
  void TearDown() override { fs::remove_all(folder_); }

  fs::path file(const std::string& name, std::string_view bytes) {
    fs::create_directories((folder_ / name).parent_path());
    std::ofstream(folder_ / name, std::ios::binary) << bytes;
    return folder_ / name;
  }
  static std::vector<Mail> all(const fs::path& path, const ReadLimits& limits = ReadLimits()) {
    std::vector<Mail> mails;
    auto box = Mailbox::open(path, limits);
    EXPECT_TRUE(box) << box.error().message;
    while (box) {
      auto mail = box->next();
      EXPECT_TRUE(mail) << mail.error().message;
      if (!mail || !*mail) break;
      mails.push_back(**mail);
    }
    return mails;
  }
  static std::string mail(std::string_view id, std::string_view body) {
    return fmt::format(
        "From a@example.org Tue Nov  3 10:11:12 2026\nFrom: a@example.org\n"
        "Date: Tue, 3 Nov 2026 10:11:12 +0000\nMessage-ID: <{}>\nSubject: s\n\n{}\n",
        id, body);
  }

  fs::path folder_;
};

TEST_F(MailboxTest, GivesTheMailsOfAnMboxInOrder) {
  const auto mails = all(file("box", mail("1", "one\n") + mail("2", "two\n") + mail("3", "three")));
  ASSERT_EQ(mails.size(), 3U);
  EXPECT_EQ(mails[0].id, "1");
  EXPECT_EQ(mails[0].text, "one\n\n");
  EXPECT_EQ(mails[2].text, "three\n");
  EXPECT_TRUE(mails[1].notes.empty());
}

TEST_F(MailboxTest, UnquotesAndDoesNotTearMails) {
  const auto mails = all(file("box", mail("1", ">From here\n>>From there\n\nFrom now on\nall\n") +
                                         "\n" + mail("2", "two")));
  ASSERT_EQ(mails.size(), 2U);
  EXPECT_EQ(mails[0].text, "From here\n>From there\n\nFrom now on\nall\n\n\n");
}

TEST_F(MailboxTest, FindsMailsBehindDamagedMarks) {
  // Without the empty line, without a date, with lines of Windows.
  const std::string headers = "From: b@example.org\r\nSubject: s\r\n\r\nbody\r\n";
  const auto mails = all(file("box", mail("1", "one") + "From - Tue Nov 3 10:11:12 2026\r\n" +
                                         headers + "\r\nFrom \r\n" + headers));
  ASSERT_EQ(mails.size(), 3U);
  EXPECT_EQ(mails[1].from, "b@example.org");
  EXPECT_EQ(mails[2].from, "b@example.org");
  EXPECT_EQ(mails[2].id, "#3");
}

TEST_F(MailboxTest, GivesOneFileAndAFolderOfFiles) {
  EXPECT_EQ(all(file("one.eml", "From: a@example.org\nSubject: one\n\nx")).at(0).subject, "one");
  file("box/b.eml", "From: a@example.org\nSubject: b\n\nx");
  file("box/a.eml", "From: a@example.org\nSubject: a\n\nx");
  file("box/C.EML", "");
  file("box/.hidden.eml", "From: a@example.org\nSubject: hidden\n\nx");
  file("box/note.txt", "no mail");
  const auto mails = all(folder_ / "box");
  ASSERT_EQ(mails.size(), 3U);
  EXPECT_EQ(mails[0].notes.at(0), "it is empty");
  EXPECT_EQ(mails[1].subject, "a");
  EXPECT_EQ(mails[2].subject, "b");
}

TEST_F(MailboxTest, GivesTheMailsOfAMaildir) {
  file("dir/cur/1:2,S", "From: a@example.org\nSubject: read\n\nx");
  file("dir/new/2", "From: a@example.org\nSubject: new\n\nx");
  const auto mails = all(folder_ / "dir");
  ASSERT_EQ(mails.size(), 2U);
  EXPECT_EQ(mails[1].subject, "new");
}

TEST_F(MailboxTest, KeepsTheStartOfAMailThatIsTooLarge) {
  ReadLimits limits;
  limits.file_bytes_max = 4000;
  std::string long_body;
  for (int line = 0; line < 1000; ++line) long_body += "a line of words\n";
  const auto mails = all(file("box", mail("1", long_body) + "\n" + mail("2", "two")), limits);
  ASSERT_EQ(mails.size(), 2U);
  EXPECT_LE(mails[0].text.size(), 4000U);
  EXPECT_NE(mails[0].notes.at(0).find("only the start"), std::string::npos);
  EXPECT_EQ(mails[1].text, "two\n");
}

TEST_F(MailboxTest, RefusesWhatIsNoMailbox) {
  EXPECT_FALSE(Mailbox::open(folder_ / "missing", ReadLimits()));
  const auto picture = Mailbox::open(file("a.png", "\x89PNG\r\n\x1A\n1234"), ReadLimits());
  ASSERT_FALSE(picture);
  EXPECT_EQ(picture.error().code, ErrorCode::unsupported);
  EXPECT_FALSE(Mailbox::open(file("a.txt", "Dear diary\n\nwords\n"), ReadLimits()));
  EXPECT_TRUE(all(file("empty", "")).empty());
  fs::create_directories(folder_ / "none");
  const auto none = Mailbox::open(folder_ / "none", ReadLimits());
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().code, ErrorCode::unsupported);
}

TEST_F(MailboxTest, ReadsWhatAPipeBrought) {
  auto box = Mailbox::open("-", mail("1", "one\n") + mail("2", "two"), ReadLimits());
  ASSERT_TRUE(box);
  EXPECT_EQ((*box->next())->id, "1");
  EXPECT_EQ((*box->next())->id, "2");
  EXPECT_FALSE(*box->next());
}

TEST(MailMark, NeedsTwoSigns) {
  EXPECT_TRUE(begins_mail("From a Tue Nov 3 10:11:12 2026\nx", Above::nothing));
  EXPECT_TRUE(begins_mail("From a\nSubject: x", Above::nothing));
  EXPECT_TRUE(begins_mail("From a Tue Nov 3 10:11:12 2026\nSubject: x", Above::words));
  EXPECT_FALSE(begins_mail("From a Tue Nov 3 10:11:12 2026\nx", Above::words));
  EXPECT_FALSE(begins_mail("From now on we meet\nat noon", Above::nothing));
  EXPECT_FALSE(begins_mail("Fromage 10:11\nSubject: x", Above::nothing));
}

}  // namespace
}  // namespace nl::documents
