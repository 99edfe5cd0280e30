# The verbs that people type. CMake does the work: see CMakePresets.json and CONTRIBUTING.md.
#
#   make run     install what is needed, build, start the application (PORT=, DATA_DIR=)
#   make test    every test: unit, sanitizers, end-to-end, browser
#   make bench   measurements beside their peers (make bench-NAME for one)
#   make lint    formatting and clang-tidy
#   make install PREFIX=/usr/local DESTDIR=
SHELL := /bin/bash
PORT ?= 55433
DATA_DIR ?= $(CURDIR)/data
PREFIX ?= /usr/local
JOBS ?= $(shell nproc)
FORMATTED = $(shell git ls-files '*.c' '*.h')
export CTEST_PARALLEL_LEVEL ?= $(JOBS)

.PHONY: all run test bench lint format install deps release web clean

all: release web

deps:
	@scripts/deps build run

# Configuring again is cheap, and it finds files that were added.
release: deps
	@echo "Building the programs"
	@cmake --preset release -DBUILD_TESTING=OFF --log-level=WARNING >/dev/null
	@cmake --build --preset release -j $(JOBS)

web: deps
	@scripts/build-web

run: release web
	@exec build/release/vmad --port $(PORT) --data $(DATA_DIR)

test:
	scripts/test

bench: bench-all
bench-%:
	scripts/deps build run test bench
	bench/run $*

lint:
	scripts/deps build lint test
	scripts/lint

format:
	clang-format-14 -i $(FORMATTED)

# DESTDIR goes in front of PREFIX by itself: make hands it to cmake in the environment.
install: export DESTDIR := $(DESTDIR)
install: release web
	cmake --install build/release --prefix $(PREFIX)

clean:
	rm -rf build web/dist
