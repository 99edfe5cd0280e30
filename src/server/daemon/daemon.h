/* SPDX-License-Identifier: Apache-2.0 */
/* What the subcommands of vmad share. */
#pragma once

struct command;
struct error;

#define VMAD_VERSION "0.1.0"

/* Where the installation keeps its files, found relative to the program itself: in the build tree
 * (BUILD/vmad beside the sources) or installed (PREFIX/bin/vmad). Folders need not exist. */
struct paths {
    char *web;    /* the built page */
    char *assets; /* backgrounds, music, the sample photo */
    char *models; /* ONNX */
};
/* `executable` is the program's own path. */
void paths_init(struct paths *paths, const char *executable);
void paths_dispose(struct paths *paths);

/* The context of command_run. */
struct daemon {
    const char *version;
    const char *language; /* of the person at the terminal: "ja…" or anything else */
    struct paths paths;
};

extern const struct command command_serve, command_render, command_voices, command_models,
    command_tune;
