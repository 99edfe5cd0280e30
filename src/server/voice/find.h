/* SPDX-License-Identifier: Apache-2.0 */
/* Where voice files are: the data directory, the installation, the source tree's .deps, Debian. */
#pragma once

/* The path of voices/`file` ("folder/name.htsvoice"), from malloc, or NULL. `elsewhere` is where a
 * Debian package puts it; `data_dir` may be NULL. */
char *voice_file_find(const char *data_dir, const char *file, const char *elsewhere);
