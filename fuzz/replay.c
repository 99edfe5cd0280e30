/* SPDX-License-Identifier: Apache-2.0 */
/* Runs a fuzz target over the files of a corpus folder, so that ordinary builds replay what
 * fuzzing found. */
#include <dirent.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int replay(const char *path)
{
    FILE *file = fopen(path, "rb");
    if (!file)
        return 0;
    size_t limit = 4 << 20;
    uint8_t *data = malloc(limit);
    size_t size = data ? fread(data, 1, limit, file) : 0;
    uint8_t *exact = malloc(size ? size : 1); /* so that a read past the end is seen */
    for (size_t i = 0; exact && i < size; i++)
        exact[i] = data[i];
    if (exact)
        LLVMFuzzerTestOneInput(exact, size);
    free(exact);
    free(data);
    fclose(file);
    return 1;
}

int main(int count, char **arguments)
{
    int replayed = 0;
    LLVMFuzzerTestOneInput((const uint8_t *)"", 0);
    DIR *folder = count > 1 ? opendir(arguments[1]) : NULL;
    for (struct dirent *entry; folder && (entry = readdir(folder));) {
        char path[PATH_MAX];
        if (entry->d_name[0] == '.')
            continue;
        snprintf(path, sizeof path, "%s/%s", arguments[1], entry->d_name);
        replayed += replay(path);
    }
    if (folder)
        closedir(folder);
    printf("replayed %d inputs\n", replayed);
    return replayed > 0 ? 0 : 1;
}
