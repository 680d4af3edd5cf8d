#include "sql/statement.h"

#include <doctest/doctest.h>

TEST_CASE("placeholders: in any order, more than once, never inside quotes or comments") {
  const auto found = sql::read_statement("SELECT ':3', \":4\", a -- :5\n FROM t /* :6 */ WHERE a = :2 AND b = :1 OR c = :2", 2).value();
  CHECK(found.text == "SELECT ':3', \":4\", a -- :5\n FROM t /* :6 */ WHERE a = :p1 AND b = :p2 OR c = :p3");
  CHECK(found.binds == std::vector<std::size_t>{1, 0, 1});
  CHECK_FALSE(found.changes_rows);
  CHECK(sql::read_statement("SELECT 'it''s :1', :1::text", 1).value().text == "SELECT 'it''s :1', :p1::text");
  CHECK(sql::read_statement("SELECT :12", 12).error().text.find("value 1 is used nowhere") != std::string::npos);
}

TEST_CASE("one statement a call") {
  CHECK(sql::read_statement("SELECT 1;", 0));
  CHECK(sql::read_statement("SELECT ';'; -- the end; of it\n /* ; */ ;", 0));
  for (const auto* text : {"SELECT 1; DROP TABLE t", "SELECT 1;SELECT 2", "SELECT 1; 'x'", "SELECT 1; :1", "SELECT ''';'; DELETE FROM t"}) {
    CAPTURE(text);
    CHECK(sql::read_statement(text, 0).error().code == core::Code::internal);
  }
  CHECK_FALSE(sql::read_statement(std::string_view("SELECT 1\0; DROP TABLE t", 23), 0));
}

TEST_CASE("values and placeholders must agree") {
  CHECK_FALSE(sql::read_statement("SELECT :1", 0));
  CHECK_FALSE(sql::read_statement("SELECT :0", 1));
  CHECK_FALSE(sql::read_statement("SELECT :2", 1));
  CHECK_FALSE(sql::read_statement("SELECT :1", 2));
  CHECK_FALSE(sql::read_statement("SELECT :99999999999999999999999", 1));
  CHECK_FALSE(sql::read_statement("SELECT :name", 1));
  CHECK_FALSE(sql::read_statement("SELECT ?", 1));
  for (const auto* nothing : {"", " \n", ";"}) CHECK_FALSE(sql::read_statement(nothing, 0));
  CHECK(sql::read_statement("SELECT ':", 0));  // the database will say what is wrong with it
}

TEST_CASE("which statements count rows") {
  for (const auto* text : {"INSERT INTO t", " \n update t", "Delete FROM t", "REPLACE INTO t", "WITH x AS (SELECT 1) DELETE FROM t"}) CHECK(sql::read_statement(text, 0).value().changes_rows);
  for (const auto* text : {"CREATE TABLE t (a BIGINT)", "SELECT 1", "COMMIT", "INS"}) CHECK_FALSE(sql::read_statement(text, 0).value().changes_rows);
}
