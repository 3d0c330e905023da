// Every mistake is named with its file, its line and its fix.
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <string>

#include "config/config.h"

namespace nl::config {
namespace {

Environment home() {
  Environment environment;
  environment.set("HOME", "/home/someone");
  return environment;
}

struct Mistake {
  const char* text;
  const char* place;  // "line:column", or empty where the command line or a default is meant
  const char* what;
  const char* fix;
};

const std::string kMine = "[[provider]]\nname = \"mine\"\nbase_url = \"https://x.example\"\n";

class Mistaken : public testing::TestWithParam<Mistake> {};

TEST_P(Mistaken, NamesFileLineAndFix) {
  const Mistake& mistake = GetParam();
  std::string text = mistake.text;
  if (const std::size_t at = text.find("MINE"); at != std::string::npos) {
    text.replace(at, 4, kMine);
  }
  const auto config = parse_config(text, "/etc/n.toml", ConfigSource(), home());
  ASSERT_FALSE(config) << text;
  const std::string& message = config.error().message;
  EXPECT_EQ(config.error().code, ErrorCode::config);
  std::string place = "/etc/n.toml:";
  if (*mistake.place != '\0') place += std::string(mistake.place) + ": ";
  EXPECT_EQ(message.substr(0, place.size()), place) << message;
  EXPECT_NE(message.find(mistake.what), std::string::npos) << message;
  EXPECT_NE(message.find(mistake.fix), std::string::npos) << message;
}

INSTANTIATE_TEST_SUITE_P(
    Table, Mistaken,
    testing::Values(
        Mistake{"workers = ", "1:11", "not valid TOML", ""},
        Mistake{"a = 1\na = 2\n", "2:5", "not valid TOML", ""},
        Mistake{"[=\n", "1:2", "not valid TOML", ""},
        Mistake{"# \xc3\xa9\nw\xc3\xa9 = 1", "2:2", "outside ASCII", "quote it"},
        Mistake{"ca_file = \"\"\"\xc3\xa9\"\"\"\"\n\xc2\xa0x = 1", "2:1", "outside ASCII", ""},
        Mistake{"\nworkrs = 2", "2:1", "workrs: unknown key", "did you mean workers?"},
        Mistake{"zzzzzz = 2", "1:1", "unknown key", "check --defaults"},
        Mistake{"[limits]\nsilence = 3", "2:1", "[limits] silence: unknown key",
                "did you mean silence_s?"},
        Mistake{"[limit]\n", "1:2", "limit: unknown key", "did you mean limits?"},
        Mistake{"[[providers]]\nname = \"a\"", "1:3", "providers: unknown key",
                "did you mean provider?"},
        Mistake{"workers = \"two\"", "1:11", "must be a number, is a string", ""},
        Mistake{"workers = 1.5", "1:11", "must be a whole number", ""},
        Mistake{"workers = -1", "1:11", "out of range", "use 1 to 256"},
        Mistake{"[limits]\nwait_s = -3", "2:10", "out of range", "seconds"},
        Mistake{"[limits]\nwait_s = nan", "2:10", "out of range", "seconds"},
        Mistake{"[limits]\nscale = 0", "2:9", "out of range", "use 0.001 to 100"},
        Mistake{"[limits]\nbody_bytes_max = 1", "2:18", "out of range", "bytes"},
        Mistake{"[budget]\nfailover_usd_per_day = -1", "2:24", "out of range", "dollars"},
        Mistake{"discover = 1", "1:12", "must be true or false", ""},
        Mistake{"on_local = \"readonly\"", "1:12", "is not known", "\"read-only\""},
        Mistake{"[privacy]\nshare = \"all\"", "2:9", "is not known", "\"any\", \"configured\""},
        Mistake{"limits = 3", "1:10", "must be a section [limits]", ""},
        Mistake{"[provider]\nname = \"a\"", "1:1", "[[provider]] in double brackets", ""},
        Mistake{"[fleet]\nredis = \"x\"", "1:1", "not part of this release", "remove"},
        Mistake{"ca_file = \"office.pem\"", "1:11", "working directory", "whole path"},
        // Providers.
        Mistake{"[[provider]]\nkey = \"none\"", "1:1", "name: is missing", "write name"},
        Mistake{"[[provider]]\nname = \"a b\"", "2:8", "cannot be a provider's name", "letters"},
        Mistake{"[engine]\nmodel = \"gemma\"", "2:9", "is no model", "ember"},
        Mistake{"[engine]\nmodel = \"../x:y\"", "2:9", "working directory", "pulled name"},
        Mistake{"[engine]\nmodel = \"a/../x:y\"", "2:9", "no name of a model", "pulled name"},
        Mistake{"[engine]\nmodel = \"m.gguf\"", "2:9", "whole path", "GGUF"},
        Mistake{"[engine]\nstart = \"now\"", "2:9", "eager", ""},
        Mistake{"[engine]\ncontext = 100", "2:11", "8192", ""},
        Mistake{"[engine]\nserver = \"llama-server\"", "2:10", "whole path", "llama-server"},
        Mistake{"[[provider]]\nname = \"engine\"", "2:8", "cannot be a provider's name", "taken"},
        Mistake{"[[provider]]\nname = \"openai\"\n[[provider]]\nname = \"openai\"", "4:8",
                "there twice", "its own name"},
        Mistake{"[[provider]]\nname = \"mine\"", "1:1", "base_url: is missing", "https://HOST/v1"},
        Mistake{"[[provider]]\nname = \"mine\"\nbase_url = \"ftp://x\"\nkey = \"none\"", "3:12",
                "base_url", "https://HOST"},
        Mistake{"[[provider]]\nname = \"mine\"\nbase_url = \"https://u:p@x\"\nkey = \"none\"",
                "3:12", "base_url", "https://HOST"},
        Mistake{"[[provider]]\nname = \"mine\"\nbase_url = \"https://x:99999\"\nkey = \"none\"",
                "3:12", "base_url", "https://HOST"},
        Mistake{"[[provider]]\nname = \"mine\"\nbase_url = \"http://10.0.0.1\"\nkey = \"none\"",
                "3:12", "plain http to another machine", "insecure_http = true"},
        Mistake{"MINE", "1:1", "key: is missing", "env:NAME"},
        Mistake{"MINEkey = \"client\"", "4:7", "and nowhere else", "env:NAME"},
        Mistake{"MINEkey = \"env:A-B\"", "4:7", "not the name of a variable", "env:NAME"},
        Mistake{"MINEkey = \"$OFFICE_KEY\"", "4:7", "names a variable", "\"env:OFFICE_KEY\""},
        Mistake{"MINEkey = \"OFFICE_KEY\"", "4:7", "names a variable", "\"env:OFFICE_KEY\""},
        Mistake{"MINEkey = \"abc\"", "4:7", "neither a source nor a key", "file:PATH"},
        Mistake{"MINEkey = \"two words here\"", "4:7", "a space, a line end",
                "store the key alone"},
        Mistake{"MINEkey = \"file:key.txt\"", "4:7", "working directory", "whole path"},
        Mistake{"MINEkey = \"file:/does/not/exist\"", "4:7", "cannot be read", "mode 0600"},
        Mistake{"MINEkey = \"none\"\ndialect = \"openai-responses\"", "5:11",
                "not served in this release", "openai-chat"},
        Mistake{"MINEkey = \"none\"\ndialect = \"opnai\"", "5:11", "is not known", "openai-chat"},
        Mistake{"MINEkey = \"none\"\nmodels = \"m\"", "5:10", "must be a list", "models = ["},
        Mistake{"MINEkey = \"none\"\nmodels = [\"m\", \"m\"]", "5:16", "listed twice",
                "remove one"},
        Mistake{"MINEkey = \"none\"\nmodels = [{ name = \"m\", input_usd = 1 }]", "5:11",
                "output_usd: is missing", "both prices"},
        Mistake{"MINEkey = \"none\"\nmodels = [{ nme = \"m\" }]", "5:11", "name: is missing", ""},
        Mistake{"MINEkey = \"none\"\nbilling = \"paid\"", "5:11", "is not known", "\"metered\""},
        // Targets.
        Mistake{"[tiers]\nfrontier = [\"antropic\"]", "2:13", "no provider is called \"antropic\"",
                "did you mean \"anthropic\"?"},
        Mistake{"[tiers]\nrouter = [\"zzzzzzzzz\"]", "2:11", "no provider", "[[provider]]"},
        Mistake{"[tiers]\nrouter = [\"openrouter/\"]", "2:11", "names no model", "provider/model"},
        Mistake{"[tiers]\nrouter = [\"@local\"]", "2:11", "cannot hold a tier", "providers"},
        Mistake{"[tiers]\nfirst = [\"openai\"]", "2:1", "[tiers] first: unknown key", ""},
        Mistake{"[tiers]\nrouter = [3]", "2:11", "a list of strings", ""},
        Mistake{"MINEkey = \"none\"\n[tiers]\nrouter = [\"mine\"]", "6:11",
                "not known to have any model", "mine/MODEL"},
        Mistake{"[[route]]\ntargets = [\"@router\"]", "1:1", "match: is missing", "match ="},
        Mistake{"[[route]]\nmatch = \"x\"", "1:1", "targets: is missing", "targets ="},
        Mistake{"[[route]]\nmatch = \"x\"\ntargets = [\"@cloud\"]", "3:12", "is no tier", "@local"},
        Mistake{"[tasks]\ncode_reviews = [\"openai\"]", "2:1", "unknown key",
                "did you mean code_review?"},
        Mistake{"[plan]\nfees = { claude = \"100\" }", "2:19", "claude", "dollars a month"},
        Mistake{"[plan]\nwatts = -1", "2:9", "watts", ""},
        Mistake{"[plan]\nwatt = 60", "2:1", "unknown key", "did you mean watts?"},
        // Entry.
        Mistake{"listen = \"0.0.0.0:2300\"", "1:10", "no token is asked for", "[auth] token"},
        Mistake{"listen = \"0.0.0.0:2300\"", "1:10", "without TLS", "behind_proxy = true"},
        Mistake{"listen = \"0.0.0.0:2300\"", "1:10", "without TLS", "add [tls]"},
        Mistake{"[tls]\nkey = \"/k.pem\"", "1:1", "certificate", "is missing"},
        Mistake{"[tls]\ncertificate = \"/c.pem\"", "1:1", "key", "two PEM files"},
        Mistake{"[tls]\ncertificate = \"c.pem\"\nkey = \"/k\"", "2:15", "working directory",
                "whole path"},
        Mistake{"[tls]\ncertificate = \"/none/c.pem\"\nkey = \"/k\"", "2:15",
                "/none/c.pem cannot be read", "No such file"},
        Mistake{"[tls]\ncertificate = \"/c\"\nkey = \"/k\"\nkeys = 1", "4:1", "keys", ""},
        Mistake{"listen = \"127.0.0.1:99999\"", "1:10", "listen", "127.0.0.1:2300"},
        Mistake{"listen = [\"127.0.0.1:1\", \"127.0.0.1:1\"]", "1:11", "there twice", "remove one"},
        Mistake{"listen = []", "1:1", "is empty", "127.0.0.1:2300"},
        Mistake{"listen = \"unix:sock\"", "1:10", "", ""},
        Mistake{"hosts = [\"https://x\"]", "1:10", "no host name", "without a scheme"},
        Mistake{"[auth]\ntoken = \"env:NOT_SET\"", "2:9", "is not set", "before"},
        Mistake{"[auth]\ntoken = \"none\"", "2:9", "is no token", "env:NAME"}));

TEST(Mistakes, AreAllSaidAtOnce) {
  const auto config =
      parse_config("workrs = 1\n[limits]\nwait_s = -1\n", "/c.toml", ConfigSource(), home());
  ASSERT_FALSE(config);
  EXPECT_NE(config.error().message.find("/c.toml:1:1"), std::string::npos);
  EXPECT_NE(config.error().message.find("/c.toml:3:10"), std::string::npos);
}

// A folder of its own, gone afterwards.
class Files : public testing::Test {
 protected:
  Files() {
    char name[] = "/tmp/nightlight-config-XXXXXX";
    folder_ = mkdtemp(name);
    environment_ = home();
  }
  ~Files() override {
    for (const std::string& file : made_) unlink(file.c_str());
    rmdir(folder_.c_str());
  }
  std::string put(const std::string& name, std::string_view text, mode_t mode) {
    const std::string path = folder_ + "/" + name;
    std::ofstream(path) << text;
    chmod(path.c_str(), mode);
    made_.push_back(path);
    return path;
  }
  Result<Config> load(const std::string& path) {
    ConfigSource source;
    source.path = path;
    return load_config(source, environment_);
  }
  std::string refusal(const std::string& path) {
    const auto config = load(path);
    EXPECT_FALSE(config);
    return config ? "" : config.error().message;
  }

  std::string folder_;
  std::vector<std::string> made_;
  Environment environment_;
};

TEST_F(Files, AMissingNamedFileIsAMistake) {
  EXPECT_NE(refusal(folder_ + "/none.toml").find("no such file"), std::string::npos);
}

TEST_F(Files, AFileThatOthersMayWriteIsRefused) {
  const std::string message = refusal(put("a.toml", "workers = 1\n", 0666));
  EXPECT_NE(message.find("a.toml: others may write it"), std::string::npos) << message;
  EXPECT_NE(message.find("chmod go-w"), std::string::npos) << message;
}

TEST_F(Files, AFolderIsNoFile) {
  EXPECT_NE(refusal(folder_).find("not a plain file"), std::string::npos);
}

TEST_F(Files, ASecretInAReadableFileIsRefusedAndNotShown) {
  const std::string text = kMine + "key = \"sk-very-secret\"\nmodels = [\"m\"]\n";
  const std::string message = refusal(put("a.toml", text, 0644));
  EXPECT_NE(message.find("a.toml:4:7: [[provider]] key: a secret in a file that others may read"),
            std::string::npos)
      << message;
  EXPECT_NE(message.find("chmod 600"), std::string::npos);
  EXPECT_EQ(message.find("very-secret"), std::string::npos);
  EXPECT_TRUE(load(put("b.toml", text, 0600)));
}

TEST_F(Files, AKeyFileHoldsTheKeyAloneAndPrivately) {
  const std::string key = put("key", "sk-from-file\n", 0600);
  const auto config =
      load(put("a.toml", kMine + "models = [\"m\"]\nkey = \"file:" + key + "\"\n", 0644));
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_EQ(config->providers[0].key.reveal(), "sk-from-file");

  chmod(key.c_str(), 0644);
  if (geteuid() == 0) chmod(key.c_str(), 0604);
  EXPECT_NE(refusal(made_.back()).find("others may read the key"), std::string::npos);
}

TEST_F(Files, AnotherOwnersFileIsRefused) {
  if (geteuid() != 0) GTEST_SKIP() << "only root can give a file away";
  const std::string path = put("a.toml", "workers = 1\n", 0600);
  ASSERT_EQ(chown(path.c_str(), 4242, 4242), 0);
  EXPECT_NE(refusal(path).find("belongs to another user"), std::string::npos);
}

TEST_F(Files, IsFoundInTheUsersFolderAndNeverInTheWorkingDirectory) {
  const std::string inner = folder_ + "/nightlight";
  ASSERT_EQ(mkdir(inner.c_str(), 0700), 0);
  put("nightlight/config.toml", "workers = 7\n", 0600);
  environment_.set("XDG_CONFIG_HOME", folder_);
  auto config = load("");
  ASSERT_TRUE(config);
  EXPECT_EQ(config->workers, 7);
  EXPECT_EQ(config->source_path, inner + "/config.toml");

  char before[4096];
  ASSERT_NE(getcwd(before, sizeof before), nullptr);
  ASSERT_EQ(chdir(inner.c_str()), 0);
  environment_.set("XDG_CONFIG_HOME", ".");
  environment_.set("HOME", "");
  config = load("");
  ASSERT_EQ(chdir(before), 0);
  unlink(made_.back().c_str());
  rmdir(inner.c_str());
  ASSERT_TRUE(config);
  EXPECT_EQ(config->source_path, "");
}

TEST(Environment, ClearsTheBytesAndTheName) {
  setenv("NL_TEST_KEY", "secret-bytes", 1);
  const char* where = std::getenv("NL_TEST_KEY");
  clear_variables({"NL_TEST_KEY"});
  EXPECT_EQ(std::getenv("NL_TEST_KEY"), nullptr);
  EXPECT_EQ(*where, '\0');
}

}  // namespace
}  // namespace nl::config
