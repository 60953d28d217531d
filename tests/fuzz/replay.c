// SPDX-License-Identifier: GPL-3.0-or-later
// Runs a fuzz target over the files of a corpus directory, and over each file with every byte
// changed once and cut at every length (small files): what `make check` does with the corpora.
// To fuzz (NAME is directive or snapshot), from the top of the checkout:
//   clang -g -O1 -fsanitize=fuzzer,address,undefined -std=gnu11 -D_GNU_SOURCE -I. -Iburstd
//     tests/fuzz/fuzz_NAME.c slurm_plugin/{classify,directive,need,snapshot}.c
//     burstd/libburst/{clock,error,money}.c -lm -o fuzz_NAME
//   ./fuzz_NAME -max_len=4096 tests/fuzz/corpus/NAME
// `make fuzz-catalog` does so for the catalog.
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SMALL 4096

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int replay(const char *path)
{
    FILE *f = fopen(path, "rb");
    static uint8_t data[1 << 20];

    if (!f) {
        perror(path);
        return -1;
    }
    size_t n = fread(data, 1, sizeof(data), f);
    fclose(f);
    LLVMFuzzerTestOneInput(data, n);
    for (size_t i = 0; i < n && n <= SMALL; i++) {
        LLVMFuzzerTestOneInput(data, i);
        data[i] ^= (uint8_t)(1u << i % 8);
        LLVMFuzzerTestOneInput(data, n);
        data[i] ^= (uint8_t)(1u << i % 8);
    }
    return 0;
}

int main(int argc, char **argv)
{
    const char *srcdir = getenv("srcdir");
    char dir[4096], path[4400];
    int files = 0;

    snprintf(dir, sizeof(dir), "%s/tests/fuzz/corpus/%s", srcdir && *srcdir ? srcdir : ".", CORPUS);
    DIR *d = opendir(argc > 1 ? argv[1] : dir);
    if (!d) {
        perror(dir);
        return 1;
    }
    for (struct dirent *e; (e = readdir(d));) {
        if (e->d_name[0] == '.')
            continue;
        snprintf(path, sizeof(path), "%s/%.255s", argc > 1 ? argv[1] : dir, e->d_name);
        if (replay(path) < 0)
            return 1;
        files++;
    }
    closedir(d);
    printf("%d files of %s\n", files, CORPUS);
    return files == 0;
}
