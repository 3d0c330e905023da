#include "http/tls_server.h"

#include <gtest/gtest.h>

#include <array>
#include <cstdio>
#include <fstream>
#include <memory>
#include <string>

#include "http/raw_peer.h"
#include "http/test_certificates.h"
#include "http/test_loop.h"
#include "http/test_server.h"

namespace nl::http {
namespace {

void write_key(EVP_PKEY* key, const std::string& path) {
  std::FILE* const file = std::fopen(path.c_str(), "w");
  ASSERT_NE(file, nullptr);
  PEM_write_PrivateKey(file, key, nullptr, nullptr, 0, nullptr, nullptr);
  std::fclose(file);
}

class TlsServerTest : public ::testing::Test {
 protected:
  // Two files NAME.pem and NAME.key of one certificate.
  void make(const std::string& name, const Wanted& wanted) {
    const ServerContext context = authority_.server(wanted);
    std::FILE* const file = std::fopen(path(name + ".pem").c_str(), "w");
    ASSERT_NE(file, nullptr);
    PEM_write_X509(file, SSL_CTX_get0_certificate(context.get()));
    std::fclose(file);
    write_key(SSL_CTX_get0_privatekey(context.get()), path(name + ".key"));
  }
  std::string path(const std::string& name) const { return folder_.file(name); }
  std::string mistake(const std::string& certificate, const std::string& key) const {
    const auto loaded = TlsIdentity::load(path(certificate), path(key));
    return loaded ? "none" : loaded.error().message;
  }

  TempFolder folder_;
  TestAuthority authority_;
};

TEST_F(TlsServerTest, FilesThatCannotBeUsedSayWhichAndWhy) {
  make("good", {"DNS:gw.test"});
  make("other", {"DNS:gw.test"});
  make("old", {"DNS:gw.test", -7200, -3600});
  make("young", {"DNS:gw.test", 3600, 7200});
  std::ofstream(path("empty.pem")) << "nothing\n";

  EXPECT_EQ(mistake("good.pem", "good.key"), "none");
  EXPECT_NE(mistake("absent.pem", "good.key").find("absent.pem cannot be read: No such file"),
            std::string::npos);
  EXPECT_NE(mistake("good.pem", "absent.key").find("absent.key cannot be read"), std::string::npos);
  EXPECT_NE(mistake("empty.pem", "good.key").find("empty.pem holds no certificate chain"),
            std::string::npos);
  EXPECT_NE(mistake("good.pem", "empty.pem").find("empty.pem holds no private key"),
            std::string::npos);
  EXPECT_NE(mistake("good.pem", "other.key").find("other.key does not belong to the certificate"),
            std::string::npos)
      << mistake("good.pem", "other.key");
  EXPECT_NE(mistake("old.pem", "old.key").find("has expired on 20"), std::string::npos);
  EXPECT_NE(mistake("young.pem", "young.key").find("is valid only from 20"), std::string::npos);
}

// A client's end of TLS on a blocking socket.
class ClientEnd {
 public:
  ClientEnd(std::uint16_t port, const std::string& ca, int version = TLS1_3_VERSION)
      : stream_(RawStream::connect(port)), context_(SSL_CTX_new(TLS_client_method())) {
    SSL_CTX_set_min_proto_version(context_.get(), TLS1_VERSION);
    SSL_CTX_set_max_proto_version(context_.get(), version);
    SSL_CTX_set_security_level(context_.get(), version < TLS1_2_VERSION ? 0 : 1);
    SSL_CTX_load_verify_file(context_.get(), ca.c_str());
    SSL_CTX_set_verify(context_.get(), SSL_VERIFY_PEER, nullptr);
    ssl_.reset(SSL_new(context_.get()));
    SSL_set_fd(ssl_.get(), stream_.native());
  }
  void offer(const std::string& protocols) {
    SSL_set_alpn_protos(ssl_.get(), reinterpret_cast<const unsigned char*>(protocols.data()),
                        static_cast<unsigned int>(protocols.size()));
  }
  bool handshake() { return SSL_connect(ssl_.get()) == 1; }
  std::string chosen() const {
    const unsigned char* text = nullptr;
    unsigned int size = 0;
    SSL_get0_alpn_selected(ssl_.get(), &text, &size);
    return {reinterpret_cast<const char*>(text), size};
  }
  void send(const std::string& text) {
    SSL_write(ssl_.get(), text.data(), static_cast<int>(text.size()));
  }
  // All until the server says goodbye; "(cut)" at the end when it did not.
  std::string read_all() {
    std::string text;
    std::array<char, 4096> piece;
    int got = 0;
    while ((got = SSL_read(ssl_.get(), piece.data(), piece.size())) > 0) {
      text.append(piece.data(), static_cast<std::size_t>(got));
    }
    if (SSL_get_error(ssl_.get(), got) != SSL_ERROR_ZERO_RETURN) text += "(cut)";
    return text;
  }
  std::string serial() const {
    const Certificate shown(SSL_get1_peer_certificate(ssl_.get()));
    return std::to_string(ASN1_INTEGER_get(X509_get0_serialNumber(shown.get())));
  }
  void say_goodbye() { SSL_shutdown(ssl_.get()); }

 private:
  RawStream stream_;
  ServerContext context_;
  ServerSsl ssl_;
};

class TlsListenerTest : public TlsServerTest {
 protected:
  TlsListenerTest() {
    authority_.write_pem(path("ca.pem"));
    make("good", {"IP:127.0.0.1"});
    door_ =
        std::make_shared<TlsDoor>(TlsIdentity::load(path("good.pem"), path("good.key")).value());
    server_ = std::make_unique<TestServer>(ServerLimits{}, door_);
  }
  ClientEnd connect(int version = TLS1_3_VERSION) const {
    return ClientEnd(server_->port(), path("ca.pem"), version);
  }

  std::shared_ptr<TlsDoor> door_;
  std::unique_ptr<TestServer> server_;
};

constexpr const char* kAsk = "GET /a HTTP/1.1\r\nhost: 127.0.0.1\r\nconnection: close\r\n\r\n";

TEST_F(TlsListenerTest, AnswersOverTlsAndSaysGoodbye) {
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    ClientEnd client = connect(version);
    client.offer("\x02h2\x08http/1.1");
    ASSERT_TRUE(client.handshake());
    EXPECT_EQ(client.chosen(), "http/1.1");
    client.send(kAsk);
    const std::string answer = client.read_all();
    EXPECT_TRUE(answer.starts_with("HTTP/1.1 200 ")) << answer;
    EXPECT_TRUE(answer.ends_with("GET /a  0")) << answer;
  }
}

TEST_F(TlsListenerTest, RefusesOldVersionsAndOtherProtocols) {
  EXPECT_FALSE(connect(TLS1_1_VERSION).handshake());
  ClientEnd other = connect();
  other.offer("\x02h2");
  EXPECT_FALSE(other.handshake());
}

TEST_F(TlsListenerTest, AStreamIsCutWithoutAGoodbye) {
  ClientEnd client = connect();
  ASSERT_TRUE(client.handshake());
  client.send("GET /cut HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n");
  const std::string answer = client.read_all();
  EXPECT_TRUE(answer.ends_with("(cut)")) << answer;
}

TEST_F(TlsListenerTest, PlainHttpIsToldToSpeakTls) {
  RawStream plain = RawStream::connect(server_->port());
  plain.send(kAsk);
  const std::string answer = plain.read_to_end();
  EXPECT_TRUE(answer.starts_with("HTTP/1.1 400 ")) << answer;
  EXPECT_TRUE(answer.ends_with("write https://, please\n")) << answer;
}

TEST_F(TlsListenerTest, SeesAClientThatSaysGoodbye) {
  ClientEnd client = connect();
  ASSERT_TRUE(client.handshake());
  client.send("GET /wait HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n");
  client.say_goodbye();
  EXPECT_TRUE(server_->wait_for([this] { return server_->echo.gone == 1; }));
}

TEST_F(TlsListenerTest, NewConnectionsGetTheNewCertificateAndOldOnesGoOn) {
  ClientEnd old = connect();
  ASSERT_TRUE(old.handshake());
  make("next", {"IP:127.0.0.1"});
  door_->replace(TlsIdentity::load(path("next.pem"), path("next.key")).value());
  ClientEnd young = connect();
  ASSERT_TRUE(young.handshake());
  EXPECT_NE(old.serial(), young.serial());
  old.send(kAsk);
  EXPECT_TRUE(old.read_all().starts_with("HTTP/1.1 200 "));
}

TEST_F(TlsListenerTest, AHandshakeHasADeadline) {
  ServerLimits limits;
  limits.head = std::chrono::milliseconds(50);
  TestServer hasty(limits, door_);
  RawStream silent = RawStream::connect(hasty.port());
  EXPECT_EQ(silent.read_to_end(), "");
}

}  // namespace
}  // namespace nl::http
