# SPDX-License-Identifier: MIT
# What the suites of suites.tsv need, and the targets that run them.

TESTS ?=
TEST_PARTS = lib tool plugin modules unit gst-tests ktests libtests

.PHONY: tests-build tests-deps check-host check check-all lint

# Nothing is said, and nothing done, where all packages are installed.
tests-deps:
	$(Q)scripts/deps.sh build demo check

# One after the other: some are made by a make of their own.
tests-build: tests-deps
	$(Q)for part in $(TEST_PARTS); do $(MAKE) $$part || exit 1; done

## check-host        the tests that need no guest; TESTS='glob...' for some
check-host: tests-build
	$(Q)tests/run --target check-host $(TESTS:%='%')

## check             all tests, on the host and in guests; TESTS='glob...'
check: tests-build
	$(Q)tests/run --target check $(TESTS:%='%')

## check-all         the slow ones too; goes on where the last call stopped
check-all: tests-build
	$(Q)tests/run --target check-all --resume $(TESTS:%='%')

## lint              style, spelling, licences, static analysis
lint: tests-deps
	$(Q)scripts/lint.sh
