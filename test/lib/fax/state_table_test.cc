// The tables of lib/queue/README.md are the law: what may follow what, and that no state is without a deadline.
#include <doctest/doctest.h>

#include <array>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "fax/status.h"

using namespace fax;

namespace {

constexpr std::array kDirections{Direction::outbound, Direction::inbound};
constexpr std::array kDecided{Decided::by_provider, Decided::by_us, Decided::by_person};
constexpr std::array kAll{Status::queued,           Status::preparing, Status::submitting, Status::checking,   Status::sending,   Status::waiting,  Status::delivered,
                          Status::partly_delivered, Status::failed,    Status::canceled,   Status::unresolved, Status::receiving, Status::fetching, Status::received};

std::string page() {
  std::ifstream file(std::filesystem::path(__FILE__).parent_path() / "../../../lib/queue/README.md");
  REQUIRE(file);
  return (std::stringstream() << file.rdbuf()).str();
}

std::string trim(const std::string& text) {
  const auto begin = text.find_first_not_of(' ');
  return begin == std::string::npos ? "" : text.substr(begin, text.find_last_not_of(' ') - begin + 1);
}

// The rows of the table whose head row begins so, below this title; without head and rule.
std::vector<std::vector<std::string>> table(const std::string& title, const std::string& head) {
  const auto text = page();
  auto at = text.find("\n" + title + "\n");
  REQUIRE(at != std::string::npos);
  at = text.find("\n" + head, at);
  REQUIRE(at != std::string::npos);
  std::istringstream lines(text.substr(at + 1));
  std::vector<std::vector<std::string>> rows;
  std::string line;
  for (int number = 0; std::getline(lines, line) && line.starts_with("|"); ++number) {
    if (number < 2) continue;
    std::vector<std::string> cells;
    std::istringstream row(line.substr(1));
    for (std::string cell; std::getline(row, cell, '|');) cells.push_back(trim(cell));
    rows.push_back(cells);
  }
  REQUIRE_FALSE(rows.empty());
  return rows;
}

// The words in backquotes at the beginning of a cell, and what follows them.
std::pair<std::vector<Status>, std::string> states(std::string cell) {
  std::vector<Status> found;
  while (cell.starts_with("`")) {
    const auto end = cell.find('`', 1);
    const auto word = cell.substr(1, end - 1);
    CAPTURE(word);
    const auto status = parse_status(word);
    REQUIRE(status);
    found.push_back(*status);
    cell = trim(cell.substr(end + 1));
  }
  REQUIRE_FALSE(found.empty());
  return {found, cell};
}

// Whose final word the row speaks of; nothing named: it does not matter whose.
std::set<Decided> decided(const std::string& words) {
  if (words == "by us") return {Decided::by_us};
  if (words == "by a person") return {Decided::by_person};
  CAPTURE(words);
  REQUIRE(words.empty());
  return {Decided::by_provider, Decided::by_us, Decided::by_person};
}

using Steps = std::set<std::tuple<Status, Status, Decided>>;

Steps steps_on_the_page(Direction direction) {
  Steps steps;
  const auto title = direction == Direction::outbound ? "### What may follow what, when a fax is sent" : "### What may follow what, when a fax is received";
  for (const auto& cells : table(title, "| from | to |")) {
    REQUIRE(cells.size() == 4);
    const auto [from, by] = states(cells[0]);
    const auto [to, nothing] = states(cells[1]);
    CHECK(nothing.empty());
    CHECK_FALSE(cells[2].empty());
    CHECK_FALSE(cells[3].empty());
    for (const auto who : decided(by)) CHECK_MESSAGE(steps.emplace(from.front(), to.front(), who).second, "twice: ", cells[0], " to ", cells[1]);
  }
  return steps;
}

std::string words(const Steps& steps) {
  std::string text;
  for (const auto& [from, to, who] : steps) text += std::string(name(from)) + " to " + std::string(name(to)) + " (" + std::to_string(static_cast<int>(who)) + "); ";
  return text;
}

}  // namespace

TEST_CASE("state table: what may follow what is what the page says, and nothing else") {
  for (const auto direction : kDirections) {
    Steps in_code;
    for (const auto from : kAll)
      for (const auto to : kAll)
        for (const auto who : kDecided)
          if (may_follow(direction, from, to, who)) in_code.emplace(from, to, who);
    CHECK(words(in_code) == words(steps_on_the_page(direction)));
  }
}

TEST_CASE("state table: each state has a row with its guarantee, and each that is not final a deadline") {
  for (const auto direction : kDirections) {
    std::set<Status> described;
    for (const auto& cells : table(direction == Direction::outbound ? "## The states of a sent fax" : "## The states of a received fax", "| state |")) {
      REQUIRE(cells.size() == 6);
      CHECK_FALSE(cells[1].empty());
      for (const auto status : states(cells[0]).first) {
        CAPTURE(name(status));
        CHECK(belongs(direction, status));
        CHECK(described.insert(status).second);
        if (!is_final(status)) CHECK((cells[3].find("`FAX_DEADLINE`") != std::string::npos || cells[3] == "the same"));
      }
    }
    for (const auto status : kAll) CHECK(described.contains(status) == belongs(direction, status));
  }
}
