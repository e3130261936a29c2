# SPDX-License-Identifier: MIT
# What the suites of suites.tsv need, and the targets that run them.

TESTS ?=
# Suites at once. A guest is one processor's work, most of the time, so two on two
# processors end sooner; what is measured then is measured beside others.
JOBS ?= $(if $(filter 1,$(shell nproc)),1,2)
TEST_PARTS = lib tool plugin modules unit gst-tests bench ktests fuzzer libtests

.PHONY: tests-build tests-deps check-host check check-all check-controls coverage lint reliability

# Nothing is said, and nothing done, where all packages are installed.
tests-deps:
	$(Q)scripts/deps.sh build demo check

# One after the other: some are made by a make of their own.
tests-build: tests-deps
	$(Q)for part in $(TEST_PARTS); do $(MAKE) $$part || exit 1; done

## check-host        the tests that need no guest; TESTS='glob...' for some, JOBS=1 one at a time
check-host: tests-build
	$(Q)tests/run --jobs $(JOBS) --target check-host $(TESTS:%='%')

## check             all tests, on the host and in guests; TESTS='glob...'
check: tests-build
	$(Q)tests/run --jobs $(JOBS) --target check $(TESTS:%='%')

## check-all         the slow ones too; goes on where the last call stopped
check-all: tests-build
	$(Q)tests/run --jobs $(JOBS) --target check-all --resume $(TESTS:%='%')

## check-controls    plant each defect of the lists, and demand that its test is red
check-controls: tests-build
	$(Q)tests/run --jobs $(JOBS) --target check-all controls-1 controls-2 \
		gst-controls unit-controls

## reliability       docs/figures.json and docs/reliability.md of what was measured since
reliability:
	$(Q)scripts/reliability.sh --figures >docs/reliability.md.tmp
	$(Q)mv docs/reliability.md.tmp docs/reliability.md

## coverage          what of kernel/ the guest tests run (docs/testing.md)
coverage: tests-build
	$(Q)tests/run --target check-all kernel-coverage

## lint              style, spelling, licences, static analysis
lint: tests-deps
	$(Q)scripts/lint.sh
