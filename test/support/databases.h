// A database of its own for each test case: a file of SQLite in the case's folder or, when TEST_DATABASE_URL names a
// server (support/postgresql.py starts one), a role there with a schema of its own. The same tests run on both.
#pragma once

#include <cstdlib>
#include <memory>
#include <string>

#include "crypto/random.h"
#include "sql/database.h"

namespace databases {

inline std::string server() {
  const char* url = std::getenv("TEST_DATABASE_URL");
  return url == nullptr ? std::string() : std::string(url);
}

inline bool on_server() { return !server().empty(); }

// As the server's superuser.
inline sql::Connection administrator() {
  static const auto database = sql::Database::open(server(), {.connections = 2}).value();
  return database->lease().value();
}

// What a case has made goes with it.
class Place {
 public:
  // `file`: where SQLite keeps it.
  explicit Place(const std::string& file) : url_("sqlite://" + file) {
    if (!on_server()) return;
    role_ = "case_" + crypto::new_token().substr(0, 12);
    for (char& c : role_) c = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ? c : c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : '_';
    auto connection = administrator();
    (void)connection.execute("CREATE ROLE " + role_ + " LOGIN PASSWORD '" + role_ + "'").value();
    (void)connection.execute("CREATE SCHEMA " + role_ + " AUTHORIZATION " + role_).value();
    const auto url = server();
    url_ = "postgresql://" + role_ + ":" + role_ + url.substr(url.find('@'));
  }
  ~Place() {
    if (role_.empty()) return;
    auto connection = administrator();
    (void)connection.execute("DROP OWNED BY " + role_ + " CASCADE");
    (void)connection.execute("DROP ROLE " + role_);
  }
  Place(const Place&) = delete;
  Place& operator=(const Place&) = delete;
  const std::string& url() const { return url_; }
  const std::string& role() const { return role_; }  // empty: SQLite

 private:
  std::string url_;
  std::string role_;
};

}  // namespace databases
