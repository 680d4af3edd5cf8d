// The mails are read back by Python's own `email`, a reader that nobody here wrote.
#include "mime/message.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <random>
#include <string>

#include "core/fd.h"

using namespace mime;
namespace fs = std::filesystem;

namespace {

class Sandbox {
 public:
  Sandbox() {
    std::string pattern = (fs::temp_directory_path() / "mime-test-XXXXXX").string();
    REQUIRE(::mkdtemp(pattern.data()) != nullptr);
    path_ = pattern;
  }
  ~Sandbox() { fs::remove_all(path_); }
  std::string path(const std::string& name) const { return path_ + "/" + name; }
  core::UniqueFd file(const std::string& name, const std::string& text = "") const {
    auto fd = core::open_file(path(name), O_RDWR | O_CREAT | O_TRUNC);
    REQUIRE(fd.has_value());
    REQUIRE(core::write_all(fd->get(), text, name).has_value());
    return std::move(*fd);
  }

 private:
  std::string path_;
};

Message example() {
  return {.from = {.name = "+15005550006", .address = "+15005550006@fax.example"},
          .to = {.name = "Praxis Dr. Gr\u00fcn", .address = "fax@fax.example"},
          .subject = "Fax von +15005550006, 3 Seiten \u2013 \u00dcbersicht",
          .date = core::from_ms(1764056449123),
          .message_id = "FX0123456789.received@fax.example",
          .fax_sid = "FX0123456789",
          .text = "Ein Fax \u2013 3 Seiten.\nFrom hier\n.\n" + std::string(2000, 'x')};
}

// Runs a few lines of Python on the mail; `m` is the message, what they print is the answer.
std::string python(const Sandbox& sandbox, const std::string& lines) {
  const std::string script = sandbox.path("read.py");
  REQUIRE(core::replace_file(script,
                             "import sys, email, email.policy\n"
                             "raw = open(sys.argv[1], 'rb').read()\n"
                             "m = email.message_from_bytes(raw, policy=email.policy.default)\n" + lines,
                             0600).has_value());
  const std::string command = "/usr/bin/python3 -X utf8 '" + script + "' '" + sandbox.path("mail") + "' '" + sandbox.path("pdf") + "' 2>&1";
  FILE* pipe = ::popen(command.c_str(), "r");
  REQUIRE(pipe != nullptr);
  std::string answer;
  char buffer[4096];
  for (std::size_t count; (count = std::fread(buffer, 1, sizeof buffer, pipe)) > 0;) answer.append(buffer, count);
  const int status = ::pclose(pipe);
  CAPTURE(answer);
  CHECK(status == 0);
  return answer;
}

std::string bytes(std::size_t size) {
  std::mt19937 random(7);
  std::string text = "%PDF-1.4\n";
  while (text.size() < size) text += static_cast<char>(static_cast<unsigned char>(random() & 0xFF));
  return text;
}

}  // namespace

TEST_CASE("mime: a received fax, as another program reads it") {
  const Sandbox sandbox;
  const auto pdf = sandbox.file("pdf", bytes(10'001));
  const auto mail = sandbox.file("mail");
  REQUIRE(write_received(example(), {.fd = pdf.get(), .file_name = "Fax \u00fc 1.pdf"}, mail.get()).has_value());
  CHECK(python(sandbox,
               "parts = list(m.iter_parts())\n"
               "print(m.defects, [p.defects for p in parts])\n"
               "print(sorted(set(m.keys())) )\n"
               "print(m['From'].addresses[0].display_name, m['From'].addresses[0].addr_spec)\n"
               "print(m['To'].addresses[0].display_name, m['To'].addresses[0].addr_spec)\n"
               "print(m['Subject'])\n"
               "print(m['Date'].datetime.isoformat())\n"
               "print(m['Message-ID'], m['X-Faxline'], m['X-Fax-Sid'])\n"
               "print(m.get_content_type(), [p.get_content_type() for p in parts])\n"
               "print(parts[0].get_content() == 'Ein Fax \\u2013 3 Seiten.\\nFrom hier\\n.\\n' + 'x'*2000 + '\\n')\n"
               "a = parts[1]\n"
               "print(a.get_filename(), a.get_content_disposition(), a['Content-Transfer-Encoding'])\n"
               "print(a.get_payload(decode=True) == open(sys.argv[2], 'rb').read())\n"
               "print(b'\\r' in raw, max(len(l) for l in raw.split(b'\\n')) <= 78, all(c < 128 for c in raw), raw.endswith(b'\\n'))\n"
               "print(b'=?' in raw, b\"filename*=\" in raw)\n") ==
        "[] [[], []]\n"
        "['Content-Type', 'Date', 'From', 'MIME-Version', 'Message-Id', 'Subject', 'To', 'X-Fax-Sid', 'X-Faxline']\n"
        "+15005550006 +15005550006@fax.example\n"
        "Praxis Dr. Gr\u00fcn fax@fax.example\n"
        "Fax von +15005550006, 3 Seiten \u2013 \u00dcbersicht\n"
        "2025-11-25T07:40:49+00:00\n"
        "<FX0123456789.received@fax.example> received FX0123456789\n"
        "multipart/mixed ['text/plain', 'application/pdf']\n"
        "True\n"
        "Fax \u00fc 1.pdf attachment base64\n"
        "True\n"
        "False True True True\n"
        "True True\n");
}

TEST_CASE("mime: names in any script, however long, are encoded words as RFC 2047 has them, and read back whole") {
  const Sandbox sandbox;
  const auto repeated = [](std::string_view text, int times) {
    std::string all;
    for (int i = 0; i < times; ++i) all += text;
    return all;
  };
  int number = 0;
  for (const auto& name : {repeated("\u00e4", 100), repeated("\u65e5\u672c\u8a9e", 40), repeated("\U0001f600", 90), repeated("a\u00e4\u65e5\U0001f600", 40), "M\u00fcller, \"S\u00f6hne\" " + repeated("b", 150),
                           repeated("word ", 20) + "\u00fc", std::string("\u00fc")}) {
    CAPTURE(++number);
    Message message = example();
    message.from.name = message.to.name = "Fax from " + name;
    message.subject = "PRACTICE LINE: Fax from " + name;
    const auto mail = sandbox.file("mail");
    REQUIRE(write_notice(message, mail.get()).has_value());
    const auto expected = sandbox.file("pdf", message.from.name + "\n" + message.subject);
    CHECK(python(sandbox,
                 "import base64, re\n"
                 "head = raw.split(b'\\n\\n')[0]\n"
                 "name, subject = open(sys.argv[2], encoding='utf-8').read().split('\\n')\n"
                 "print(max(len(w) for w in re.findall(rb'=\\?\\S+\\?=', head)) <= 75, max(map(len, head.split(b'\\n'))) <= 76, m.defects)\n"
                 // The older reader: the newer one of Python 3.11 puts a space between two words of a name.
                 "from email.header import decode_header, make_header\n"
                 "shown = lambda h: str(make_header(decode_header(email.message_from_bytes(raw)[h]))).rsplit(' <')[0]\n"
                 "print(shown('From') == name[:200].strip(), shown('To') == name[:200].strip(), m['Subject'] == subject[:200].strip())\n"
                 "print([len(m[h].defects) for h in ('From', 'To', 'Subject')], m['From'].addresses[0].addr_spec)\n"
                 "for word in re.findall(rb'=\\?utf-8\\?B\\?(\\S+)\\?=', head): base64.b64decode(word, validate=True).decode('utf-8')\n") ==
          "True True []\nTrue True True\n[0, 0, 0] +15005550006@fax.example\n");
  }
}

TEST_CASE("mime: hostile values stay in their headers (the first program let them out)") {
  const Sandbox sandbox;
  const auto pdf = sandbox.file("pdf", bytes(100));
  const std::string evil = "+1\r\nBcc: thief@evil.example\r\nSubject: owned\n\n<b>body</b>\n--=-x\r";
  int number = 0;
  const auto attack = [&](const Message& message, const std::string& file_name) {
    CAPTURE(++number);
    const auto mail = sandbox.file("mail");
    REQUIRE(write_received(message, {.fd = pdf.get(), .file_name = file_name}, mail.get()).has_value());
    CHECK(python(sandbox,
                 "print(sorted(m.keys()), [sorted(p.keys()) for p in m.iter_parts()])\n"
                 "print(len(m['From'].addresses), len(m['To'].addresses), len(list(m.walk())), m.defects)\n"
                 "print(any(l.lower().startswith((b'bcc:', b'<b>')) for l in raw.split(b'\\n')[:30]) )\n"
                 "print([p for p in m.iter_parts()][1].get_payload(decode=True) == open(sys.argv[2], 'rb').read())\n"
                 "print(sum('\\n' in str(v) or '\\r' in str(v) for v in m.values()))\n"
                 "f = list(m.iter_parts())[1].get_filename(); print('\\n' in f, '/' in f)\n") ==
          "['Content-Type', 'Date', 'From', 'MIME-Version', 'Message-Id', 'Subject', 'To', 'X-Fax-Sid', 'X-Faxline'] "
          "[['Content-Transfer-Encoding', 'Content-Type'], ['Content-Disposition', 'Content-Transfer-Encoding', 'Content-Type']]\n"
          "1 1 3 []\n"
          "False\n"
          "True\n"
          "0\n"
          "False False\n");
  };
  const auto with = [&](auto change) {
    Message message = example();
    change(message);
    attack(message, "fax.pdf");
  };
  with([&](Message& m) { m.from.name = evil; });
  with([&](Message& m) { m.from.address = evil; });
  with([&](Message& m) { m.from.address = "a@b" + evil; });
  with([&](Message& m) { m.to.name = evil; });
  with([&](Message& m) { m.to.address = evil + "@x"; });
  with([&](Message& m) { m.subject = evil; });
  with([&](Message& m) { m.message_id = evil; });
  with([&](Message& m) { m.fax_sid = evil; });
  with([&](Message& m) { m.from.name = "a\", <b@c>, \"d\\"; });
  with([&](Message& m) { m.from.name = "=?utf-8?Q?a=0D=0ABcc:_b?="; });
  with([&](Message& m) { m.subject = "=?utf-8?Q?a=0D=0ABcc:_b?="; });
  with([&](Message& m) { m.subject = std::string("\xff\xc0\x8a\0Bcc: x", 11); });
  with([&](Message& m) { m.from.name = std::string(100'000, 'x'); m.subject = std::string(100'000, '\n'); });
  attack(example(), evil);
  attack(example(), "a\"; filename=\"/x.exe");
}

TEST_CASE("mime: a notice is text alone") {
  const Sandbox sandbox;
  const auto mail = sandbox.file("mail");
  Message message = example();
  message.fax_sid.clear();
  message.text = "Nicht zugestellt: besetzt.\r\n";
  REQUIRE(write_notice(message, mail.get()).has_value());
  CHECK(python(sandbox,
               "print(m.get_content_type(), m.is_multipart(), m['X-Faxline'], m['X-Fax-Sid'], m['MIME-Version'], m.defects)\n"
               "print(m.get_content(), end='')\n") ==
        "text/plain False notice None 1.0 []\nNicht zugestellt: besetzt.\n");
}

TEST_CASE("mime: 12 MB byte for byte, in bounded memory, also into a pipe") {
  const Sandbox sandbox;
  const auto pdf = sandbox.file("pdf", bytes(12'000'000));
  const auto mail = sandbox.file("mail");
  const auto peak = [] {
    rusage usage{};
    ::getrusage(RUSAGE_SELF, &usage);
    return usage.ru_maxrss;  // kilobytes
  };
  const pid_t child = ::fork();
  if (child == 0) {
    // The first mail starts the library and warms the heap; a child's peak begins at its own size.
    const auto small = core::open_file(sandbox.path("small"), O_RDWR | O_CREAT);
    const auto nowhere = core::open_file("/dev/null", O_WRONLY);
    if (!core::write_all(small->get(), "%PDF", "small") || !write_received(example(), {.fd = small->get(), .file_name = ""}, nowhere->get())) ::_exit(2);
    const long before = peak();
    if (!write_received(example(), {.fd = pdf.get(), .file_name = "big.pdf"}, mail.get())) ::_exit(3);
    ::_exit(peak() - before < 2048 ? 0 : 1);
  }
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  CHECK(WIFEXITED(status));
  CHECK(WEXITSTATUS(status) == 0);
  CHECK(python(sandbox, "print(list(m.iter_parts())[1].get_payload(decode=True) == open(sys.argv[2], 'rb').read())\n") == "True\n");

  FILE* pipe = ::popen(("cat > '" + sandbox.path("mail") + "'").c_str(), "w");
  REQUIRE(pipe != nullptr);
  CHECK(write_received(example(), {.fd = pdf.get(), .file_name = "big.pdf"}, ::fileno(pipe)).has_value());
  ::pclose(pipe);
  CHECK(python(sandbox, "print(list(m.iter_parts())[1].get_payload(decode=True) == open(sys.argv[2], 'rb').read())\n") == "True\n");
}

TEST_CASE("mime: the same mail has the same id, whatever the offset of the document") {
  const Sandbox sandbox;
  const auto pdf = sandbox.file("pdf", bytes(5'000));
  for (int i = 0; i < 2; ++i) {
    ::lseek(pdf.get(), i * 3000, SEEK_SET);
    const auto mail = sandbox.file("mail");
    REQUIRE(write_received(example(), {.fd = pdf.get(), .file_name = ""}, mail.get()).has_value());
    CHECK(python(sandbox,
                 "a = list(m.iter_parts())[1]\n"
                 "print(m['Message-ID'], a.get_filename(), a.get_payload(decode=True) == open(sys.argv[2], 'rb').read())\n") ==
          "<FX0123456789.received@fax.example> fax.pdf True\n");
  }
}

TEST_CASE("mime: errors") {
  const Sandbox sandbox;
  const auto pdf = sandbox.file("pdf", bytes(100'000));
  const auto mail = sandbox.file("mail");
  const Document document{.fd = pdf.get(), .file_name = "fax.pdf"};
  Message message = example();
  message.message_id.clear();
  CHECK(write_received(message, document, mail.get()).error().code == core::Code::invalid);
  CHECK(write_notice(message, mail.get()).error().code == core::Code::invalid);
  message = example();
  message.from.address.clear();
  CHECK(write_received(message, document, mail.get()).error().code == core::Code::invalid);
  message = example();
  message.to.address.clear();
  CHECK(write_notice(message, mail.get()).error().code == core::Code::invalid);

  const auto empty = sandbox.file("empty");
  CHECK(write_received(example(), {.fd = empty.get(), .file_name = ""}, mail.get()).error().code == core::Code::invalid);
  CHECK_FALSE(write_received(example(), {.fd = -1, .file_name = ""}, mail.get()).has_value());

  const auto full = core::open_file("/dev/full", O_WRONLY);
  REQUIRE(full.has_value());
  CHECK(write_received(example(), document, full->get()).error().code == core::Code::no_space);
  CHECK(write_notice(example(), full->get()).error().code == core::Code::no_space);
  CHECK_FALSE(write_received(example(), document, -1).has_value());

  const auto unreadable = core::open_file(sandbox.path("pdf"), O_WRONLY);
  REQUIRE(unreadable.has_value());
  CHECK_FALSE(write_received(example(), {.fd = unreadable->get(), .file_name = ""}, mail.get()).has_value());
}
