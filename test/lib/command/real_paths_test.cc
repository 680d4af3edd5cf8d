#include "command/real_paths.h"

#include <doctest/doctest.h>

using command::RealPaths;

TEST_CASE("short paths are shown as people know them, and nothing else is touched") {
  const RealPaths paths("/srv/run\n/home/anna/fax/run\n/srv/run/state\n/disk/state\n/srv/file0/a b.pdf\na b.pdf\n");
  CHECK(paths.in("/srv/run") == "/home/anna/fax/run");
  CHECK(paths.in("Do chmod o-rwx /srv/run/state/db.") == "Do chmod o-rwx /disk/state/db.");
  CHECK(paths.in("Look at /srv/run/log, and /srv/run.") == "Look at /home/anna/fax/run/log, and /home/anna/fax/run.");
  CHECK(paths.in("sqlite:///srv/run/state/db/faxes.db") == "sqlite:///disk/state/db/faxes.db");
  CHECK(paths.in("\"/srv/file0/a b.pdf\" is no PDF") == "\"a b.pdf\" is no PDF");
  for (const auto* other : {"", "/srv", "/srv/running", "/srv/run-old/x", "/home/srv/run", "./srv/run"}) CHECK(paths.in(other) == other);
}

TEST_CASE("JSON stays JSON") {
  const RealPaths paths("/srv/run\n/home/\"anna\"\\x\n");
  CHECK(paths.in(R"({"path":"/srv/run/log"})") == R"({"path":"/home/\"anna\"\\x/log"})");
  CHECK(paths.in("path /srv/run") == "path /home/\"anna\"\\x");
}

TEST_CASE("without a list all is shown as it is") {
  for (const auto* listed : {"", "\n", "/srv/run", "\n/home/anna"}) CHECK(RealPaths(listed).in("/srv/run") == "/srv/run");
}
