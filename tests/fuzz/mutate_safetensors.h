/* Alters a safetensors file as text and data apart, so that its lengths mostly stay right. */
#ifndef MUTATE_SAFETENSORS_H
#define MUTATE_SAFETENSORS_H
#ifdef MIEN_FUZZ

#include "fuzz.h"
#include "util/bytes.h"

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max, unsigned seed)
{
    uint64_t head = size < 8 ? UINT64_MAX : get_le64(data);
    if (seed % 8 == 0 || size < 8 || head > size - 8)
        return LLVMFuzzerMutate(data, size, max);
    uint8_t *rest = data + 8 + head;
    size_t n = size - 8 - (size_t)head;
    if (seed % 8 < 3 && n > 0) {
        /* The data, which stay as long as they are. */
        size_t k = LLVMFuzzerMutate(rest, n, n);
        memset(rest + k, 0, n - k);
        return size;
    }
    /* The header, padded so that the data stay aligned. */
    size_t room = (max - 8 - n) & ~(size_t)7;
    uint8_t *aside = malloc(n + 1);
    if (aside == NULL || room < head) {
        free(aside);
        return LLVMFuzzerMutate(data, size, max);
    }
    memcpy(aside, rest, n);
    size_t k = LLVMFuzzerMutate(data + 8, (size_t)head, room);
    while (k % 8 != 0)
        data[8 + k++] = ' ';
    put_le64(data, k);
    memcpy(data + 8 + k, aside, n);
    free(aside);
    return 8 + k + n;
}

#endif
#endif
