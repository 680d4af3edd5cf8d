# Faxline's menu: `make help` lists what there is.
MAKEFLAGS += --no-builtin-rules
.DELETE_ON_ERROR:
.SECONDARY:
.DEFAULT_GOAL := all

BUILD     ?= build
QUIET     := $(if $(V),,@)# V=1 shows each command
ifeq ($(origin CXX),default)
CXX       := g++
endif
OPTIMIZE  ?= -O2 -g1
PACKAGES  := libcurl openssl gmime-3.0
# Asked for at each link: on an empty machine pkg-config comes with the first target. (The sanitizers look into types of
# libphonenumber, down to protobuf.)
LIBRARIES  = -lfcgi -lcgicc -lsoci_core -lsoci_sqlite3 -lphonenumber $(if $(SANITIZE),-lprotobuf) -lcrypt $(shell pkg-config --libs $(PACKAGES) 2>/dev/null)
WARNINGS  := -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion -Wnon-virtual-dtor -Wold-style-cast -Werror=vla -Werror -Wno-maybe-uninitialized# g++ 12 sees ghosts in std::variant (GCC bug 105562)
HARDENING := -fstack-protector-strong -D_FORTIFY_SOURCE=2 -fPIE -D_GLIBCXX_ASSERTIONS
CPPFLAGS  += -Ilib $(patsubst -I%,-isystem%,$(shell pkg-config --cflags-only-I $(PACKAGES) 2>/dev/null))
CXXFLAGS  += -std=c++20 $(OPTIMIZE) $(WARNINGS) $(HARDENING) $(SANITIZE)
LDFLAGS   += -pie -Wl,-z,relro,-z,now -Wl,--as-needed $(SANITIZE)

MODULES   := $(sort $(patsubst lib/%/,%,$(dir $(wildcard lib/*/*.cc))))
PROGRAMS  := $(patsubst cgi-bin/%.cc,$(BUILD)/cgi-bin/%,$(wildcard cgi-bin/*.cc)) \
             $(patsubst bin/%.cc,$(BUILD)/bin/%,$(wildcard bin/*.cc))
LIBRARY   := $(BUILD)/libfaxline.a
TESTED    := $(sort $(patsubst test/lib/%/,%,$(dir $(wildcard test/lib/*/*_test.cc))))
UNIT      := $(patsubst %,$(BUILD)/test/unit-%,$(if $(MODULE),$(MODULE),$(TESTED)))
# Those that keep something in a database run on PostgreSQL, too.
ON_SERVER := $(filter $(patsubst test/lib/%/,$(BUILD)/test/unit-%,$(sort $(dir $(shell grep -l support/databases.h test/lib/*/*)))),$(UNIT))
FUZZERS   := $(patsubst test/fuzz/fuzz_%.cc,%,$(wildcard test/fuzz/fuzz_*.cc))

objects    = $(patsubst %.cc,$(BUILD)/object/%.o,$(wildcard $(1)))
LIB_OBJECTS := $(call objects,lib/*/*.cc)

.PHONY: all help install uninstall packages-install lint unit seeds fail check check-quick check-tools bench soak asan fuzz run clean packages packages-run packages-test packages-bench

all: packages $(PROGRAMS) $(LIBRARY)  ## build everything

run: packages-run all  ## the whole line on this machine, until Ctrl-C
	@BUILD=$(BUILD) exec bin/line run

PREFIX ?= /usr

install: $(if $(DESTDIR),,packages-install) all  ## (with sudo) this machine becomes a fax line that starts at boot; DESTDIR, PREFIX
	@BUILD=$(BUILD) DESTDIR=$(DESTDIR) PREFIX=$(PREFIX) systemd/install

uninstall:  ## (with sudo) undoes it; settings and faxes stay
	@DESTDIR=$(DESTDIR) PREFIX=$(PREFIX) systemd/uninstall

help:  ## this list
	@awk -F':.*##' '/^[a-z-]+:.*##/ {printf "  make %-12s %s\n", $$1, $$2}' Makefile

packages:
	@test/support/packages build

packages-run: packages
	@test/support/packages run

packages-test: packages-run
	@test/support/packages test

packages-install: packages
	@test/support/packages install

packages-bench: packages-run
	@test/support/packages bench

# Packages first, with -j too: on an empty machine there is no compiler yet.
$(BUILD)/object/%.o: %.cc | packages
	@mkdir -p $(@D) && echo "  $@"
	$(QUIET)$(CXX) $(CPPFLAGS) $(CXXFLAGS) -MMD -MP -c $< -o $@

$(LIBRARY): $(LIB_OBJECTS)
	@rm -f $@
	$(QUIET)ar rcs $@ $^

$(BUILD)/cgi-bin/%: $(BUILD)/object/cgi-bin/%.o $(LIBRARY)
	@mkdir -p $(@D) && echo "  $@"
	$(QUIET)$(CXX) $(LDFLAGS) $< $(LIBRARY) $(LIBRARIES) -pthread -o $@

$(BUILD)/bin/%: $(BUILD)/object/bin/%.o $(LIBRARY)
	@mkdir -p $(@D) && echo "  $@"
	$(QUIET)$(CXX) $(LDFLAGS) $< $(LIBRARY) $(LIBRARIES) -pthread -o $@

# The programs that a test kills at a point of its choice (lib/core/fail_point.h): what has such points is compiled
# once more, the rest is the same.
FAIL_SOURCES  := $(shell grep -ls '"core/fail_point.h"' lib/*/*.cc)
FAIL_OBJECTS  := $(patsubst %.cc,$(BUILD)/fail/object/%.o,$(FAIL_SOURCES))
FAIL_PROGRAMS := $(addprefix $(BUILD)/fail/,cgi-bin/send cgi-bin/inbox cgi-bin/inbound cgi-bin/media bin/faxline-queue bin/faxline-deliver bin/faxline)

fail: $(FAIL_PROGRAMS)

$(BUILD)/fail/object/%.o: %.cc
	@mkdir -p $(@D) && echo "  $@"
	$(QUIET)$(CXX) $(CPPFLAGS) -DFAXLINE_FAIL_POINTS $(CXXFLAGS) -MMD -MP -c $< -o $@

$(BUILD)/fail/libfaxline.a: $(FAIL_OBJECTS) $(filter-out $(call objects,$(FAIL_SOURCES)),$(LIB_OBJECTS))
	@rm -f $@
	$(QUIET)ar rcs $@ $^

$(FAIL_PROGRAMS): $(BUILD)/fail/%: $(BUILD)/object/%.o $(BUILD)/fail/libfaxline.a
	@mkdir -p $(@D) && echo "  $@"
	$(QUIET)$(CXX) $(LDFLAGS) $< $(BUILD)/fail/libfaxline.a $(LIBRARIES) -pthread -o $@

# One test program a module: its tests, and the one main.
.SECONDEXPANSION:
$(BUILD)/test/unit-%: $$(call objects,test/lib/$$*/*_test.cc) $(BUILD)/object/test/support/main.o $(LIBRARY)
	@mkdir -p $(@D) && echo "  $@"
	$(QUIET)$(CXX) $(LDFLAGS) $(filter %.o,$^) $(LIBRARY) $(LIBRARIES) -pthread -o $@

$(BUILD)/test/seeds-%: $(BUILD)/object/test/fuzz/fuzz_%.o $(BUILD)/object/test/support/seeds_main.o $(LIBRARY)
	@mkdir -p $(@D) && echo "  $@"
	$(QUIET)$(CXX) $(LDFLAGS) $(filter %.o,$^) $(LIBRARY) $(LIBRARIES) -pthread -o $@

# Says what it was asked: the serve loop is tested with it, and measured.
$(BUILD)/test/echo: $(BUILD)/object/test/support/echo_program.o $(LIBRARY)
	@mkdir -p $(@D) && echo "  $@"
	$(QUIET)$(CXX) $(LDFLAGS) $< $(LIBRARY) $(LIBRARIES) -pthread -o $@

# Preloaded into the programs by the simulation of power cuts, and where the clock is set. They define open(2), time(2) and others themselves.
$(BUILD)/test/recorder.so: test/power_cut/recorder.c
$(BUILD)/test/moved_clock.so: test/system/moved_clock.c
$(BUILD)/test/recorder.so $(BUILD)/test/moved_clock.so:
	@mkdir -p $(@D) && echo "  $@"
	$(QUIET)$(CC) -std=gnu17 -O2 -fPIC -shared -Wall -Wextra -Werror -U_FORTIFY_SOURCE $< -o $@

unit: $(UNIT)  ## the unit tests (MODULE=name: of one module)
	@set -e; for program in $^; do echo "== $$program"; $$program; done
	@$(if $(ON_SERVER),test/support/postgresql.py run sh -ec 'for program; do echo "== $$program on PostgreSQL"; $$program; done' sh $(ON_SERVER) || [ $$? = 69 ])

seeds: $(patsubst %,$(BUILD)/test/seeds-%,$(FUZZERS))
	@set -e; for program in $^; do $$program test/fuzz/seeds/$${program##*/seeds-}; done

lint: packages  ## the rules of the house: levels, owners, headers, mains, settings
	@test/support/lint .

check-quick: packages-test  ## what a developer runs every few minutes
	@BUILD=$(BUILD) test/support/check quick

check: packages-test  ## installs what the tests need, builds, runs every test
	@BUILD=$(BUILD) test/support/check all

bench: packages-bench all $(BUILD)/test/echo  ## speed and memory against this machine's limits (REPEATS=3); about 90 s
	@BUILD=$(BUILD) test/bench/bench

soak: packages-test all  ## the line under faults, kills and restarts for MINUTES (2), then all books compared; SEED= repeats
	@BUILD=$(BUILD) MINUTES=$(MINUTES) SEED=$(SEED) exec test/soak/soak

asan: packages-test  ## the unit tests and seeds under address and undefined-behaviour sanitizers
	@$(MAKE) --no-print-directory BUILD=$(BUILD)/asan OPTIMIZE="-O1 -g" SANITIZE="-fsanitize=address,undefined -fno-sanitize-recover=all" unit seeds

# clang's libFuzzer, 60 s a parser. What one needs besides the small modules:
FUZZED_answers   := $(addprefix lib/twilio/,answer.cc date.cc field.cc status.cc token.cc) lib/crypto/digest.cc lib/crypto/encoding.cc
FUZZED_signature := $(addprefix lib/twilio/,signature.cc token.cc) lib/crypto/digest.cc lib/crypto/encoding.cc
$(BUILD)/fuzz/%: test/fuzz/fuzz_%.cc $(wildcard lib/*/*.cc lib/*/*.h)
	@mkdir -p $(@D)
	clang++-14 -std=c++20 -g -O1 -fsanitize=fuzzer,address,undefined $(CPPFLAGS) $< lib/core/*.cc $(wildcard lib/text/*.cc lib/json/*.cc lib/form/*.cc) $(FUZZED_$*) -lcgicc -lcrypto -o $@

fuzz: packages-test $(patsubst %,$(BUILD)/fuzz/%,$(FUZZERS))  ## fuzz each parser for SECONDS (60)
	@set -e; for name in $(FUZZERS); do echo "== $$name"; mkdir -p $(BUILD)/corpus/$$name; \
	  $(BUILD)/fuzz/$$name -max_total_time=$(or $(SECONDS),60) $(BUILD)/corpus/$$name test/fuzz/seeds/$$name; done

clean:  ## remove what was built
	rm -rf $(BUILD)

-include $(patsubst %.o,%.d,$(LIB_OBJECTS) $(FAIL_OBJECTS) $(call objects,cgi-bin/*.cc) $(call objects,bin/*.cc) $(call objects,test/lib/*/*.cc) $(call objects,test/fuzz/*.cc) $(call objects,test/support/*.cc))
