// A small HTTP server on 127.0.0.1 for tests: it reads whole requests, keeps them, and lets the test decide what the
// answer is, down to the byte. Over TLS with a certificate of its own, if asked.
#pragma once

#include <arpa/inet.h>
#include <atomic>
#include <csignal>
#include <cstdlib>
#include <functional>
#include <mutex>
#include <netinet/in.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <string>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>
#include <vector>

namespace test {

// A self-signed certificate for one name, good from an hour ago for so many seconds from now; its PEM is the CA file that
// trusts it.
class Certificate {
 public:
  explicit Certificate(const std::string& name, long seconds = 3600) : key_(EVP_EC_gen("P-256")), certificate_(X509_new()) {
    X509_set_version(certificate_, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(certificate_), 1);
    X509_gmtime_adj(X509_getm_notBefore(certificate_), -3600);
    X509_gmtime_adj(X509_getm_notAfter(certificate_), seconds);
    X509_set_pubkey(certificate_, key_);
    X509_NAME* subject = X509_get_subject_name(certificate_);
    const std::string common = "test authority";
    X509_NAME_add_entry_by_NID(subject, NID_commonName, MBSTRING_UTF8,
                               reinterpret_cast<const unsigned char*>(common.data()), static_cast<int>(common.size()), -1, 0);
    X509_set_issuer_name(certificate_, subject);
    X509_EXTENSION* names = X509V3_EXT_conf_nid(nullptr, nullptr, NID_subject_alt_name, ("DNS:" + name).c_str());
    X509_add_ext(certificate_, names, -1);
    X509_EXTENSION_free(names);
    X509_sign(certificate_, key_, EVP_sha256());
  }
  Certificate(const Certificate&) = delete;
  Certificate& operator=(const Certificate&) = delete;
  ~Certificate() {
    X509_free(certificate_);
    EVP_PKEY_free(key_);
  }
  void write_pem(const std::string& path) const {
    BIO* file = BIO_new_file(path.c_str(), "w");
    PEM_write_bio_X509(file, certificate_);
    BIO_free(file);
  }
  SSL_CTX* context() const {
    SSL_CTX* context = SSL_CTX_new(TLS_server_method());
    SSL_CTX_use_certificate(context, certificate_);
    SSL_CTX_use_PrivateKey(context, key_);
    return context;
  }

 private:
  EVP_PKEY* key_;
  X509* certificate_;
};

class Connection {
 public:
  Connection(int fd, SSL* ssl) : fd_(fd), ssl_(ssl) {}
  // What was read, "" at the end.
  std::string read() {
    char buffer[8192];
    const long got = ssl_ != nullptr ? SSL_read(ssl_, buffer, sizeof buffer) : ::recv(fd_, buffer, sizeof buffer, 0);
    return got > 0 ? std::string(buffer, static_cast<std::size_t>(got)) : std::string();
  }
  bool send(const std::string& text) {
    if (ssl_ != nullptr) return SSL_write(ssl_, text.data(), static_cast<int>(text.size())) > 0;
    std::size_t done = 0;
    while (done < text.size()) {
      const auto sent = ::send(fd_, text.data() + done, text.size() - done, MSG_NOSIGNAL);
      if (sent <= 0) return false;
      done += static_cast<std::size_t>(sent);
    }
    return true;
  }
  // The peer will see "connection reset".
  void reset() {
    const linger hard{1, 0};
    ::setsockopt(fd_, SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
    open_ = false;
  }
  void close() { open_ = false; }
  // Says nothing more until the peer goes away.
  void hang() {
    while (!read().empty()) {
    }
    open_ = false;
  }
  bool is_open() const { return open_; }

 private:
  int fd_;
  SSL* ssl_;
  bool open_ = true;
};

class LoopbackServer {
 public:
  // Called for each request, in the connection's thread; `request` is head and body as they came.
  using Handler = std::function<void(Connection& connection, const std::string& request)>;

  explicit LoopbackServer(Handler handler, const Certificate* certificate = nullptr) : handler_(std::move(handler)) {
    if (certificate != nullptr) context_ = certificate->context();
    listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    if (::bind(listener_, reinterpret_cast<sockaddr*>(&address), size) != 0 || ::listen(listener_, 16) != 0) std::abort();
    ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size);
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this] { accept_all(); });
  }
  LoopbackServer(const LoopbackServer&) = delete;
  LoopbackServer& operator=(const LoopbackServer&) = delete;
  ~LoopbackServer() {
    stop_ = true;
    ::shutdown(listener_, SHUT_RDWR);
    thread_.join();
    {
      const std::lock_guard lock(mutex_);
      for (const int fd : fds_) ::shutdown(fd, SHUT_RDWR);
    }
    for (auto& thread : threads_) thread.join();
    for (const int fd : fds_) ::close(fd);
    ::close(listener_);
    SSL_CTX_free(context_);
  }

  int port() const { return port_; }
  std::string url(const std::string& path = "/") const { return "http://127.0.0.1:" + std::to_string(port_) + path; }
  int connections() const { return connections_; }
  std::vector<std::string> requests() const {
    const std::lock_guard lock(mutex_);
    return requests_;
  }

  // A 200 with that body, or any other answer with the right length.
  static std::string answer(const std::string& body, const std::string& status = "200 OK", const std::string& headers = "") {
    return "HTTP/1.1 " + status + "\r\nContent-Length: " + std::to_string(body.size()) + "\r\n" + headers + "\r\n" + body;
  }

 private:
  void accept_all() {
    while (!stop_) {
      const int fd = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
      if (fd < 0) return;
      ++connections_;
      const std::lock_guard lock(mutex_);
      fds_.push_back(fd);
      threads_.emplace_back([this, fd] { serve(fd); });
    }
  }
  void serve(int fd) {
    sigset_t pipe;  // SSL_write may raise it
    sigemptyset(&pipe);
    sigaddset(&pipe, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &pipe, nullptr);
    SSL* ssl = nullptr;
    if (context_ != nullptr) {
      ssl = SSL_new(context_);
      SSL_set_fd(ssl, fd);
      if (SSL_accept(ssl) == 1) converse(fd, ssl);
      SSL_free(ssl);
    } else {
      converse(fd, nullptr);
    }
    const std::lock_guard lock(mutex_);
    std::erase(fds_, fd);
    ::close(fd);
  }
  void converse(int fd, SSL* ssl) {
    Connection connection(fd, ssl);
    std::string pending;
    while (connection.is_open() && !stop_) {
      auto end = pending.find("\r\n\r\n");
      while (end == std::string::npos) {
        const std::string more = connection.read();
        if (more.empty()) return;
        pending += more;
        end = pending.find("\r\n\r\n");
      }
      std::size_t whole = end + 4;
      const auto length = pending.find("Content-Length: ");
      if (length < end) whole += static_cast<std::size_t>(std::atol(pending.c_str() + length + 16));
      while (pending.size() < whole) {
        const std::string more = connection.read();
        if (more.empty()) return;
        pending += more;
      }
      const std::string request = pending.substr(0, whole);
      pending.erase(0, whole);
      {
        const std::lock_guard lock(mutex_);
        requests_.push_back(request);
      }
      handler_(connection, request);
    }
  }

  Handler handler_;
  SSL_CTX* context_ = nullptr;
  int listener_ = -1;
  int port_ = 0;
  std::atomic<bool> stop_ = false;
  std::atomic<int> connections_ = 0;
  mutable std::mutex mutex_;
  std::vector<std::string> requests_;
  std::vector<int> fds_;
  std::vector<std::thread> threads_;
  std::thread thread_;
};

}  // namespace test
